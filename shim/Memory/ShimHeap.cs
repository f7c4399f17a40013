namespace Lodge.Shim;

/// <summary>
/// A small allocator for records: power-of-two size classes from 16 bytes to 64 KiB with free lists over chunks of 256 KiB, the first of 64; larger blocks
/// have their own mapping. Blocks are zeroed and 16-byte aligned. The caller gives the size back when freeing, so blocks carry no header.
/// Not thread-safe by itself: <see cref="Mm.Allocate"/> and <see cref="Mm.Free"/> hold the heap's lock.
/// </summary>
public unsafe struct ShimHeap
{
    private const int SmallestShift = 4, LargestShift = 16;
    private const uint ChunkSize = 256 << 10;

    private fixed ulong _free[LargestShift + 1];
    private byte* _chunk;
    private byte* _chunkEnd;

    /// <summary>Guards the heap.</summary>
    public ShimLock Lock;

    /// <summary>Bytes of the first chunk, about.</summary>
    public const uint FirstChunkBytes = 64 << 10;

    /// <summary>Gives the heap its first chunk: zeroed memory from a multiple of 16 on.</summary>
    public void Begin(byte* chunk, byte* end)
    {
        _chunk = chunk;
        _chunkEnd = end;
    }

    /// <summary>A zeroed block of at least <paramref name="bytes"/>, or null.</summary>
    public void* Allocate(ulong bytes)
    {
        int shift = ShiftOf(bytes);
        if (shift > LargestShift)
        {
            return HostMemory.Map(bytes);
        }

        ulong size = 1ul << shift;
        byte* block = (byte*)_free[shift];
        if (block != null)
        {
            _free[shift] = *(ulong*)block;
            new System.Span<byte>(block, (int)size).Clear();
            return block;
        }

        if ((ulong)(_chunkEnd - _chunk) < size)
        {
            if (size >= ChunkSize / 16)
            {
                // The rest of the chunk is good for many small ones.
                return HostMemory.Map(size);
            }

            // What is left of the old chunk is less than a block; it is not worth keeping track of.
            byte* chunk = (byte*)HostMemory.Map(ChunkSize);
            if (chunk == null)
            {
                return null;
            }

            _chunk = chunk;
            _chunkEnd = chunk + ChunkSize;
        }

        block = _chunk;
        _chunk += size;
        return block;
    }

    /// <summary>Gives a block back.</summary>
    /// <param name="block">From <see cref="Allocate"/>, or null.</param>
    /// <param name="bytes">The size it was asked for.</param>
    public void Free(void* block, ulong bytes)
    {
        if (block == null)
        {
            return;
        }

        int shift = ShiftOf(bytes);
        if (shift > LargestShift)
        {
            HostMemory.Unmap(block, bytes);
            return;
        }

        *(ulong*)block = _free[shift];
        _free[shift] = (ulong)block;
    }

    private static int ShiftOf(ulong bytes)
    {
        int shift = SmallestShift;
        while (shift <= LargestShift && 1ul << shift < bytes)
        {
            shift++;
        }

        return shift;
    }
}
