namespace Lodge.Shim;

/// <summary>mlock and its family (mm/mlock.c), for guest memory only: the host's mlockall would lock the shim.</summary>
public static unsafe partial class Syscalls<TAbi>
{
    private const uint MclCurrent = 1, MclFuture = 2, MclOnFault = 4;

    /// <summary>mlock: EPERM, ENOMEM for the limit and for holes, EAGAIN.</summary>
    public static int sys_mlock(GuestThread* t) => LockRange(t, TAbi.Arg(t, 0), TAbi.Arg(t, 1), 0, MappingFlags.Locked);

    /// <summary>mlock2: MLOCK_ONFAULT (1) locks pages as they are touched; EINVAL for other flags.</summary>
    public static int sys_mlock2(GuestThread* t)
    {
        uint flags = TAbi.Arg(t, 2);
        return (flags & ~1u) != 0
            ? -Errno.EINVAL
            : LockRange(t, TAbi.Arg(t, 0), TAbi.Arg(t, 1), flags, flags == 0 ? MappingFlags.Locked : MappingFlags.Locked | MappingFlags.LockOnFault);
    }

    /// <summary>munlock: ENOMEM for holes.</summary>
    public static int sys_munlock(GuestThread* t) => LockRange(t, TAbi.Arg(t, 0), TAbi.Arg(t, 1), 0, 0);

    private static int LockRange(GuestThread* t, uint address, uint length, uint flags, MappingFlags mark)
    {
        uint start = Placement.PageDown(address);
        ulong top = ((ulong)address + length + PageMask) & ~(ulong)PageMask;
        uint limit = t->Mm->Placement.TaskSize;
        uint end = top > limit ? limit : (uint)top;
        uint covered = CoveredUntil(t, start, end);
        // Also without length or mapping the host is asked: it checks permission and limit first.
        long result = mark != 0
            ? Host.Syscall(Nr.mlock2, start, covered - start, flags)
            : Host.Syscall(Nr.munlock, start, covered - start);
        if (result == 0 && covered > start)
        {
            SetLockMarks(t, start, covered, mark);
        }

        return result != 0 ? (int)result : covered < top ? -Errno.ENOMEM : 0;
    }

    private static void SetLockMarks(GuestThread* t, uint start, uint end, MappingFlags mark)
    {
        Mm* mm = t->Mm;
        mm->Lock.Acquire(t);
        if (!mm->Map.IsShortOf(4))
        {
            mm->Map.Change(start, end, MappingFlags.Locked | MappingFlags.LockOnFault, mark);
        }

        mm->Lock.Release(t);
    }

    /// <summary>mlockall: EINVAL, EPERM without any limit to lock under, ENOMEM when the guest is larger than the limit.</summary>
    public static int sys_mlockall(GuestThread* t)
    {
        uint flags = TAbi.Arg(t, 0);
        if (flags == 0 || (flags & ~(MclCurrent | MclFuture | MclOnFault)) != 0 || flags == MclOnFault)
        {
            return -Errno.EINVAL;
        }

        // Locking nothing asks the host whether this process may lock at all.
        long allowed = Host.Syscall(Nr.mlock, 0, 0);
        if (allowed != 0)
        {
            return (int)allowed;
        }

        Mm* mm = t->Mm;
        MappingFlags mark = (flags & MclOnFault) != 0 ? MappingFlags.Locked | MappingFlags.LockOnFault : MappingFlags.Locked;
        if ((flags & MclCurrent) != 0 && mm->Map.TotalPages > LockablePages() && !MayExceedLockLimit())
        {
            return -Errno.ENOMEM;
        }

        mm->Lock.Acquire(t);
        mm->DefaultFlags = (flags & MclFuture) != 0 ? mark : 0;
        mm->Lock.Release(t);
        return (flags & MclCurrent) != 0 ? ApplyToAll(t, mark) : 0;
    }

    /// <summary>munlockall.</summary>
    public static int sys_munlockall(GuestThread* t)
    {
        Mm* mm = t->Mm;
        mm->Lock.Acquire(t);
        mm->DefaultFlags = 0;
        mm->Lock.Release(t);
        return ApplyToAll(t, 0);
    }

    /// <summary>Locks or unlocks every mapping. As natively, pages that cannot be brought in (PROT_NONE) are no error.</summary>
    private static int ApplyToAll(GuestThread* t, MappingFlags mark)
    {
        uint start = 0, limit = t->Mm->Placement.TaskSize;
        while ((start = NextMapped(t, start, limit)) < limit)
        {
            uint end = CoveredUntil(t, start, limit);
            if (end <= start)
            {
                break;
            }

            if (mark != 0)
            {
                Host.Syscall(Nr.mlock2, start, end - start, (mark & MappingFlags.LockOnFault) != 0 ? 1 : 0);
            }
            else
            {
                Host.Syscall(Nr.munlock, start, end - start);
            }

            SetLockMarks(t, start, end, mark);
            start = end;
        }

        return 0;
    }

    private static uint LockablePages()
    {
        const int RlimitMemlock = 8;
        ulong* pair = stackalloc ulong[2];
        return Host.Syscall(Nr.prlimit64, 0, RlimitMemlock, 0, (long)pair) != 0 || pair[0] / GuestMap.PageSize > uint.MaxValue
            ? uint.MaxValue
            : (uint)(pair[0] / GuestMap.PageSize);
    }

    /// <summary>CAP_IPC_LOCK in the effective set.</summary>
    private static bool MayExceedLockLimit()
    {
        const uint Version3 = 0x20080522;
        const int CapIpcLock = 14;
        uint* header = stackalloc uint[2];
        uint* data = stackalloc uint[6];
        header[0] = Version3;
        header[1] = 0;
        data[0] = 0;
        return Host.Syscall(Nr.capget, (long)header, (long)data) == 0 && (data[0] >> CapIpcLock & 1) != 0;
    }
}
