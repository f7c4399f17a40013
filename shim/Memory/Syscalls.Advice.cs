namespace Lodge.Shim;

/// <summary>madvise, msync, mincore, mseal (mm/madvise.c, msync.c, mincore.c, mseal.c): the host does the work on what the guest has mapped.</summary>
public static unsafe partial class Syscalls<TAbi>
{
    private const uint PageMask = GuestMap.PageSize - 1;

    /// <summary>
    /// End of the unbroken stretch of guest mappings from <paramref name="start"/> on, at most <paramref name="end"/>; equal to
    /// <paramref name="start"/> when nothing is mapped there. Takes the lock.
    /// </summary>
    internal static uint CoveredUntil(GuestThread* t, uint start, uint end)
    {
        Mm* mm = t->Mm;
        mm->Lock.Acquire(t);
        mm->SyncStackFor(start, end);
        uint at = start;
        while (at < end)
        {
            GuestMapping* piece = mm->Map.Find(at);
            if (piece == null)
            {
                break;
            }

            at = piece->End;
        }

        mm->Lock.Release(t);
        return at < end ? at : end;
    }

    /// <summary>Start of the first mapping at or above <paramref name="start"/>; <paramref name="end"/> when there is none before it.</summary>
    private static uint NextMapped(GuestThread* t, uint start, uint end)
    {
        Mm* mm = t->Mm;
        mm->Lock.Acquire(t);
        GuestMapping* piece = mm->Map.FindAbove(start);
        uint next = piece == null ? end : piece->Start;
        mm->Lock.Release(t);
        return next < start ? start : next < end ? next : end;
    }

    /// <summary>
    /// Makes one host call for each unbroken stretch of [start, end). Returns the first error, else -ENOMEM when there were holes.
    /// </summary>
    private static int ForEachStretch(GuestThread* t, int number, uint start, uint end, long argument)
    {
        int result = 0;
        while (start < end)
        {
            uint to = CoveredUntil(t, start, end);
            if (to > start)
            {
                long error = Host.Syscall(number, start, to - start, argument);
                if (error != 0)
                {
                    return (int)error;
                }
            }

            if (to < end)
            {
                result = -Errno.ENOMEM;
                to = NextMapped(t, to, end);
            }

            start = to;
        }

        return result;
    }

    /// <summary>madvise: EINVAL for bad arguments, ENOMEM after the work is done when part of the range is not mapped.</summary>
    public static int sys_madvise(GuestThread* t)
    {
        const int Remove = 9, DontFork = 10, DoFork = 11, PopulateWrite = 23;
        uint start = TAbi.Arg(t, 0), length = TAbi.Arg(t, 1);
        int advice = (int)TAbi.Arg(t, 2);
        uint rounded = Placement.PageUp(length);
        Mm* mm = t->Mm;
        if (Host.Syscall(Nr.madvise, 0, 0, advice) != 0 || (start & PageMask) != 0)
        {
            return -Errno.EINVAL;
        }

        if (rounded == 0 && length == 0)
        {
            return 0;
        }

        ulong top = (ulong)start + length;
        uint end = (uint)((top + PageMask) & ~(ulong)PageMask);
        if (top > mm->Placement.TaskSize)
        {
            end = mm->Placement.TaskSize;
        }

        bool discards = advice is 4 or 8 or Remove or 24 or 102;
        if (discards && mm->HasSeals && SealForbidsDiscard(t, start, end))
        {
            return -Errno.EPERM;
        }

        if (advice == PopulateWrite)
        {
            Mm.PrepareWrite(t, start, end - start);
        }

        int result = ForEachStretch(t, Nr.madvise, start, end, advice);
        if (result == 0 && top > end)
        {
            result = -Errno.ENOMEM;
        }

        if (discards)
        {
            StaleRange stale = default;
            mm->Lock.Acquire(t);
            mm->MarkExecutable(start, end, ref stale);
            mm->Lock.Release(t);
            stale.Invalidate(mm);
        }
        else if (advice is DontFork or DoFork)
        {
            mm->Lock.Acquire(t);
            if (!mm->Map.IsShortOf(4))
            {
                mm->Map.Change(start, end, MappingFlags.DontFork, advice == DontFork ? MappingFlags.DontFork : 0);
            }

            mm->Lock.Release(t);
        }

        return result;
    }

    /// <summary>Sealed memory that the guest cannot write must not lose its contents.</summary>
    private static bool SealForbidsDiscard(GuestThread* t, uint start, uint end)
    {
        Mm* mm = t->Mm;
        bool forbidden = false;
        mm->Lock.Acquire(t);
        for (GuestMapping* piece = mm->Map.FindOverlap(start, end); piece != null && piece->Start < end; piece = mm->Map.Next(piece))
        {
            forbidden |= (piece->Flags & (MappingFlags.Sealed | MappingFlags.Write | MappingFlags.File | MappingFlags.Shared)) == MappingFlags.Sealed;
        }

        mm->Lock.Release(t);
        return forbidden;
    }

    /// <summary>msync: EINVAL, EBUSY, EIO, ENOMEM for holes.</summary>
    public static int sys_msync(GuestThread* t)
    {
        const uint Async = 1, Invalidate = 2, Sync = 4;
        uint start = TAbi.Arg(t, 0), length = TAbi.Arg(t, 1), flags = TAbi.Arg(t, 2);
        if ((flags & ~(Async | Invalidate | Sync)) != 0 || (start & PageMask) != 0 || (flags & (Async | Sync)) == (Async | Sync))
        {
            return -Errno.EINVAL;
        }

        ulong top = ((ulong)start + length + PageMask) & ~(ulong)PageMask;
        uint limit = t->Mm->Placement.TaskSize;
        int result = ForEachStretch(t, Nr.msync, start, top > limit ? limit : (uint)top, flags);
        return result == 0 && top > limit ? -Errno.ENOMEM : result;
    }

    /// <summary>mincore: EINVAL, EFAULT, ENOMEM for holes (what lies before them is written).</summary>
    public static int sys_mincore(GuestThread* t)
    {
        uint start = TAbi.Arg(t, 0), length = TAbi.Arg(t, 1), vector = TAbi.Arg(t, 2);
        if ((start & PageMask) != 0)
        {
            return -Errno.EINVAL;
        }

        uint limit = t->Mm->Placement.TaskSize;
        ulong top = ((ulong)start + length + PageMask) & ~(ulong)PageMask;
        if (top > limit)
        {
            return -Errno.ENOMEM;
        }

        uint pages = (uint)(top - start) / GuestMap.PageSize;
        if ((ulong)vector + pages > limit)
        {
            return -Errno.EFAULT;
        }

        uint covered = CoveredUntil(t, start, (uint)top);
        if (covered > start)
        {
            Mm.PrepareWrite(t, vector, pages);
            int error = (int)Host.Syscall(Nr.mincore, start, covered - start, vector);
            if (error != 0)
            {
                return error;
            }
        }

        return covered < top ? -Errno.ENOMEM : 0;
    }

    /// <summary>
    /// mseal: kept in our tree; the host's own seal would also forbid what we do with the pages. EINVAL, ENOMEM for holes.
    /// </summary>
    public static int sys_mseal(GuestThread* t)
    {
        uint start = TAbi.Arg(t, 0), length = TAbi.Arg(t, 1);
        ulong top = ((ulong)start + length + PageMask) & ~(ulong)PageMask;
        if (TAbi.Arg(t, 2) != 0 || (start & PageMask) != 0)
        {
            return -Errno.EINVAL;
        }

        Mm* mm = t->Mm;
        if (top > mm->Placement.TaskSize)
        {
            return -Errno.ENOMEM;
        }

        if (top == start)
        {
            return 0;
        }

        mm->Lock.Acquire(t);
        bool whole = mm->Map.IsCovered(start, (uint)top) && !mm->Map.IsShortOf(4);
        if (whole)
        {
            mm->Map.Change(start, (uint)top, 0, MappingFlags.Sealed);
            mm->HasSeals = true;
        }

        mm->Lock.Release(t);
        return whole ? 0 : -Errno.ENOMEM;
    }
}
