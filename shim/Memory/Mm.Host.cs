namespace Lodge.Shim;

/// <summary>
/// The record's dealings with the host kernel: creation, and the few ways in which guest pages come and go. All of it under
/// <see cref="Mm.Lock"/>, except creation.
/// </summary>
public unsafe partial struct Mm
{
    /// <summary>The lowest address that any host lets a process map by default.</summary>
    public const uint LowestAddress = 0x10000;
    /// <summary>Where the shim's own memory may begin: what a guest instruction adds up, base + index * 8 + displacement, stays below.</summary>
    public const ulong ShimStart = 44ul << 30;

    private const ulong ArenaBytes = 8 << 20, TightArenaBytes = 1 << 20, PageBitmapBytes = (1 << 20) / 8;

    /// <summary>Memory for the code cache's first tables and its size.</summary>
    public byte* CacheTables;
    /// <inheritdoc cref="CacheTables"/>
    public ulong CacheTablesBytes;

    /// <summary>
    /// Makes the record of a new address space and maps what the shim needs for itself, as one piece that ends at the shim's image
    /// (<see cref="Home"/>). The guest's 4 GiB need no reservation: the kernel's own choice of addresses begins at a third of the address space,
    /// and nothing of ours asks for one there but in the guest's name. At start, in the only thread.
    /// <code>
    /// low   return stack | the first thread's record | this record, heap | mappings of the guest | the code cache's tables | code page bitmaps | its other stacks   high
    /// </code>
    /// </summary>
    /// <param name="signalStackSize">Bytes of a host signal stack, whole pages.</param>
    /// <param name="first">Block for the first thread.</param>
    /// <returns>The record, or null when the host gives no memory.</returns>
    public static Mm* Create(ulong signalStackSize, out ThreadBlock* first)
    {
        GuestLimits limits = default;
        limits.ReadHost();
        limits.LiftHost();
        bool isTight = limits.Least != ulong.MaxValue;
        ulong cacheBytes = 0;
#if X64
        cacheBytes = CodeCache.NearBytes(CodeCacheSizes.For(0, limits.Least));
#endif
        ulong returnStack = ThreadBlock.ReturnStackBytes(isTight);

        // The first records follow each other without gaps: they are all touched by every program, and written by every forked child.
        const ulong LineMask = 63;
        ulong record = (ThreadBlock.RecordBytes + LineMask) & ~LineMask;
        ulong heap = (record + (ulong)sizeof(Mm) + LineMask) & ~LineMask;
        ulong heapEnd = (heap & ~4095ul) + ShimHeap.FirstChunkBytes;
        ulong records = heapEnd + GuestMap.FirstBytes + cacheBytes + (2 * PageBitmapBytes);
        ulong size = returnStack + records + ThreadBlock.FirstStackBytes(signalStackSize);
        byte* low = (byte*)HostMemory.MapAt(Home.ImageStart - size, size, HostMemory.ProtRead | HostMemory.ProtWrite);
        first = null;
        if (low == null)
        {
            return null;
        }

        Mm* mm = (Mm*)(low + returnStack + record);
        byte* next = low + returnStack + heapEnd;
        mm->Users = 1;
        mm->StartLimits = limits;
        mm->IsTight = isTight;
        mm->Heap.Begin(low + returnStack + heap, next);
        mm->Map.Initialize(next, GuestMap.FirstBytes);
        mm->Map.GrowLater(Home.FarMappings, (nuint)(isTight ? TightArenaBytes : ArenaBytes));
        next += GuestMap.FirstBytes;
        mm->CacheTables = next;
        mm->CacheTablesBytes = cacheBytes;
        next += cacheBytes;
        mm->CodePages = (ulong*)next;
        next += PageBitmapBytes;
        mm->GuardedPages = (ulong*)next;
        next += PageBitmapBytes;
        mm->Placement = Placement.ForExec(Placement.TaskSizeX86, LowestAddress, 8 << 20, 0, false, false);
        first = ThreadBlock.PlaceFirst(mm, low, next, signalStackSize);
        return mm;
    }

    /// <summary>What the host is told for a guest's access: never PROT_EXEC, but what is executable is readable, and so is what is writable.</summary>
    internal static int HostProtection(MappingFlags flags) =>
        (flags & MappingFlags.Write) != 0 ? HostMemory.ProtRead | HostMemory.ProtWrite
        : (flags & (MappingFlags.Read | MappingFlags.Exec)) != 0 ? HostMemory.ProtRead
        : 0;

    /// <summary>Maps host pages at a guest address, over whatever the guest has there, but over nothing that is not the guest's.</summary>
    /// <returns>The address or -errno.</returns>
    private long HostMap(uint start, uint length, int prot, int flags, int fd, ulong offset)
    {
        int place = Map.FindOverlap(start, start + length) == null ? HostMemory.MapFixedNoReplace : HostMemory.MapFixed;
        long at = Host.Syscall(Nr.mmap, start, length, prot, flags | place, fd, (long)offset);
        return at == -Errno.EEXIST ? -Errno.ENOMEM : at;
    }

    /// <summary>Takes host pages of [start, end) away; the tree still shows what was mapped.</summary>
    private static void HostUnmap(uint start, uint end) => Host.Syscall(Nr.munmap, start, end - start);

    /// <summary>Takes every guest mapping away: the old program at exec. Under <see cref="Lock"/>.</summary>
    internal void Empty(ref StaleRange stale)
    {
        if (Map.Count != 0)
        {
            StackRoom = 0;
            ForgetPages(0, uint.MaxValue, ref stale);
            HostUnmap(0, Placement.TaskSize);
            Map.Clear();
        }

        DefaultFlags = 0;
        HasSeals = false;
        StackRoom = 0;
        VdsoBase = 0;
    }

    /// <summary>A zeroed block for a record; null when there is no memory. Any thread.</summary>
    public static void* Allocate(GuestThread* t, ulong bytes)
    {
        ShimHeap* heap = &t->Mm->Heap;
        heap->Lock.Acquire(t);
        void* block = heap->Allocate(bytes);
        heap->Lock.Release(t);
        return block;
    }

    /// <summary>Gives a block of <see cref="Allocate"/> back.</summary>
    public static void Free(GuestThread* t, void* block, ulong bytes)
    {
        ShimHeap* heap = &t->Mm->Heap;
        heap->Lock.Acquire(t);
        heap->Free(block, bytes);
        heap->Lock.Release(t);
    }
}
