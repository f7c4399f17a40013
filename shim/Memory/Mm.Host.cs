namespace Lodge.Shim;

/// <summary>
/// The record's dealings with the host kernel: creation, reservation, and the few ways in which guest pages come and go. All of it under
/// <see cref="Mm.Lock"/>, except creation.
/// </summary>
public unsafe partial struct Mm
{
    /// <summary>Start of the reservation: the lowest address that any host lets a process map by default.</summary>
    public const uint ReservationStart = 0x10000;
    /// <summary>End of the guard above the guest, exclusive: base + index * 8 + displacement cannot pass it.</summary>
    public const ulong GuardEnd = 44ul << 30;

    private const ulong FourGb = 1ul << 32;
    private const ulong ArenaBytes = 8 << 20, TightArenaBytes = 1 << 20, PageBitmapBytes = (1 << 20) / 8;

    /// <summary>
    /// Unmapped ranges shorter than this stay holes instead of going back to the reservation: putting it back costs as much again as the
    /// unmapping, and nothing but a fixed mapping of ours ever lands below 4 GiB.
    /// </summary>
    private const uint SmallestReReservation = 1 << 20;

    /// <summary>Memory for the code cache's first tables and its size.</summary>
    public byte* CacheTables;
    /// <inheritdoc cref="CacheTables"/>
    public ulong CacheTablesBytes;

    /// <summary>
    /// Makes the record of a new address space, reserves the guest's memory and maps what the shim needs for itself, as one piece that ends at
    /// the shim's image (<see cref="Home"/>). At start, in the only thread.
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
        bool isReserved = Reserve(limits.AddressSpaceMax);
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
        mm->IsReserved = isReserved;
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
        mm->Placement = Placement.ForExec(Placement.TaskSizeX86, ReservationStart, 8 << 20, 0, false, false);
        first = ThreadBlock.PlaceFirst(mm, low, next, signalStackSize);
        return mm;
    }

    /// <summary>
    /// Reserves [64 KiB, 4 GiB) and the guard above it. Under a finite hard RLIMIT_AS nothing is reserved: such a limit would count it.
    /// </summary>
    private static bool Reserve(ulong addressSpaceLimit)
    {
        if (addressSpaceLimit != ulong.MaxValue)
        {
            return false;
        }

        const int Flags = HostMemory.MapPrivate | HostMemory.MapAnonymous | HostMemory.MapNoReserve | HostMemory.MapFixedNoReplace;
        bool isReserved = Host.Syscall(Nr.mmap, ReservationStart, (long)(GuardEnd - ReservationStart), 0, Flags, -1, 0) == ReservationStart;
        if (!isReserved)
        {
            // Something lies there: perhaps only above, which costs the guard and no more.
            Host.Syscall(Nr.mmap, (long)FourGb, (long)(GuardEnd - FourGb), 0, Flags, -1, 0);
            isReserved = Host.Syscall(Nr.mmap, ReservationStart, (long)(FourGb - ReservationStart), 0, Flags, -1, 0) == ReservationStart;
        }

        LeaveToParent(ReservationStart, GuardEnd - ReservationStart);
        return isReserved;
    }

    /// <summary>
    /// Keeps an unused range out of forked children. Nothing but fixed mappings of our own ever lands there, so a hole serves as well, and
    /// the pieces of the reservation between the guest's mappings were an eighth of a small program's fork.
    /// </summary>
    internal static void LeaveToParent(ulong start, ulong length)
    {
        const int MadvDontFork = 10;
        Host.Syscall(Nr.madvise, (long)start, (long)length, MadvDontFork);
    }

    /// <summary>What the host is told for a guest's access: never PROT_EXEC, but what is executable is readable, and so is what is writable.</summary>
    internal static int HostProtection(MappingFlags flags) =>
        (flags & MappingFlags.Write) != 0 ? HostMemory.ProtRead | HostMemory.ProtWrite
        : (flags & (MappingFlags.Read | MappingFlags.Exec)) != 0 ? HostMemory.ProtRead
        : 0;

    /// <summary>Maps host pages at a guest address, over whatever the guest has there.</summary>
    /// <returns>The address or -errno.</returns>
    private long HostMap(uint start, uint length, int prot, int flags, int fd, ulong offset)
    {
        if (!IsReserved && Map.FindOverlap(start, start + length) == null)
        {
            // Without the reservation MAP_FIXED could replace something that is not the guest's.
            long at = Host.Syscall(Nr.mmap, start, length, prot, flags | HostMemory.MapFixedNoReplace, fd, (long)offset);
            return at == -Errno.EEXIST ? -Errno.ENOMEM : at;
        }

        return Host.Syscall(Nr.mmap, start, length, prot, flags | HostMemory.MapFixed, fd, (long)offset);
    }

    /// <summary>Takes host pages of [start, end) away; the tree still shows what was mapped.</summary>
    private void HostUnmap(uint start, uint end)
    {
        if (IsReserved)
        {
            uint from = start < ReservationStart ? ReservationStart : start;
            if (end > from && end - from >= SmallestReReservation)
            {
                const int Flags = HostMemory.MapPrivate | HostMemory.MapAnonymous | HostMemory.MapNoReserve | HostMemory.MapFixed;
                if (from > start)
                {
                    Host.Syscall(Nr.munmap, start, from - start);
                }

                Host.Syscall(Nr.mmap, from, end - from, 0, Flags, -1, 0);
                LeaveToParent(from, end - from);
                return;
            }

            Host.Syscall(Nr.munmap, start, end - start);
            return;
        }

        for (GuestMapping* piece = Map.FindOverlap(start, end); piece != null && piece->Start < end; piece = Map.Next(piece))
        {
            uint from = piece->Start > start ? piece->Start : start;
            uint to = piece->End < end ? piece->End : end;
            Host.Syscall(Nr.munmap, from, to - from);
        }
    }

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
