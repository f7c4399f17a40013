namespace Lodge.Shim;

/// <summary>Attaching and detaching of System V shared memory (ipc/shm.c). Also called for ipc(2).</summary>
public static unsafe partial class Syscalls<TAbi>
{
    private const uint ShmRdOnly = 0x1000, ShmRnd = 0x2000, ShmRemap = 0x4000, ShmExec = 0x8000;

    /// <summary>SHMLBA: one page for i386, four for AArch32.</summary>
    private static uint ShmLba => TAbi.IsI386 ? GuestMap.PageSize : 4 * GuestMap.PageSize;

    /// <summary>shmat: the address, or -EINVAL, -EACCES, -EIDRM, -ENOMEM.</summary>
    public static int sys_shmat(GuestThread* t)
    {
        int error = ShmAttach(t, (int)TAbi.Arg(t, 0), TAbi.Arg(t, 1), TAbi.Arg(t, 2), out uint address);
        return error != 0 ? error : (int)address;
    }

    /// <summary>shmdt: EINVAL when no segment is attached there.</summary>
    public static int sys_shmdt(GuestThread* t) => ShmDetach(t, TAbi.Arg(t, 0));

    /// <summary>
    /// Attaches a segment.
    /// </summary>
    /// <param name="t">The calling thread.</param>
    /// <param name="shmid">Segment id.</param>
    /// <param name="address">Address asked for, or 0.</param>
    /// <param name="flags">SHM_RDONLY, SHM_RND, SHM_REMAP, SHM_EXEC.</param>
    /// <param name="result">The address, on success.</param>
    /// <returns>0 or -errno.</returns>
    public static int ShmAttach(GuestThread* t, int shmid, uint address, uint flags, out uint result)
    {
        result = 0;
        bool isFixed = address != 0;
        if (shmid < 0)
        {
            return -Errno.EINVAL;
        }

        if (address != 0)
        {
            if ((flags & ShmRnd) != 0)
            {
                address &= ~(ShmLba - 1);
                if (address == 0 && (flags & ShmRemap) != 0)
                {
                    return -Errno.EINVAL;
                }
            }
            else if ((address & PageMask) != 0)
            {
                return -Errno.EINVAL;
            }
        }
        else if ((flags & ShmRemap) != 0)
        {
            return -Errno.EINVAL;
        }

        // struct shmid64_ds: the size follows struct ipc64_perm, 48 bytes on both hosts.
        const int IpcStat = 2, SizeWord = 6;
        ulong* description = stackalloc ulong[16];
        long error = Host.Syscall(Nr.shmctl, shmid, IpcStat, (long)description);
        if (error != 0)
        {
            return (int)error;
        }

        ulong size = (description[SizeWord] + PageMask) & ~(ulong)PageMask;
        Mm* mm = t->Mm;
        if (size > mm->Placement.TaskSize)
        {
            return -Errno.ENOMEM;
        }

        StaleRange stale = default;
        mm->Lock.Acquire(t);
        int status = mm->AttachSegment(t, shmid, address, isFixed, (uint)size, flags, ref stale, out result);
        mm->Lock.Release(t);
        stale.Invalidate(mm);
        if (status == 0)
        {
            Signals.CatchDeath(t);
        }

        return status;
    }

    /// <summary>Detaches the segment attached at <paramref name="address"/>, also where it has been cut. 0 or -EINVAL.</summary>
    public static int ShmDetach(GuestThread* t, uint address)
    {
        if ((address & PageMask) != 0)
        {
            return -Errno.EINVAL;
        }

        Mm* mm = t->Mm;
        StaleRange stale = default;
        mm->Lock.Acquire(t);
        int status = mm->DetachSegment(address, ref stale);
        mm->Lock.Release(t);
        stale.Invalidate(mm);
        return status;
    }
}
