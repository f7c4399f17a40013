namespace Lodge.Shim;

/// <summary>CPU affinity masks. The bits lie the same way in both widths; only the rules for the length differ.</summary>
public static unsafe partial class Syscalls<TAbi>
    where TAbi : unmanaged, IGuestAbi
{
    /// <summary>Longest mask that is handled: 8192 CPUs, the most that x86-64 and arm64 kernels are configured for.</summary>
    private const int AffinityBytes = 1024;

    /// <summary>
    /// sched_setaffinity: a mask of any length. The kernel reads it in 32-bit words, so that a length of 1 to 3 means 4
    /// (compat_get_user_cpu_mask).
    /// </summary>
    public static int sys_sched_setaffinity(GuestThread* t)
    {
        // Beyond the longest mask the kernel cuts the length off itself; it must not wrap here before.
        uint length = TAbi.Arg(t, 1);
        length = length > AffinityBytes ? AffinityBytes : (length + 3) & ~3u;
        return (int)Host.Syscall(Nr.sched_setaffinity, (int)TAbi.Arg(t, 0), length, TAbi.Arg(t, 2));
    }

    /// <summary>
    /// sched_getaffinity: lengths are multiples of 4 (a 64-bit caller's: of 8); returns the number of bytes written.
    /// EINVAL where the mask has fewer bits than there are possible CPUs: told here by a CPU that does not fit.
    /// </summary>
    public static int sys_sched_getaffinity(GuestThread* t)
    {
        uint length = TAbi.Arg(t, 1);
        // The kernel counts the bits of the mask in 32 bits.
        uint counted = (length << 3) >> 3;
        if ((length & 3) != 0 || counted == 0)
        {
            return -Errno.EINVAL;
        }

        byte* mask = stackalloc byte[AffinityBytes];
        uint asked = length > AffinityBytes ? AffinityBytes : (length + 7) & ~7u;
        int written = (int)Host.Syscall(Nr.sched_getaffinity, (int)TAbi.Arg(t, 0), asked, (long)mask);
        if (written < 0)
        {
            return written;
        }

        for (uint i = counted; i < (uint)written; i++)
        {
            if (mask[i] != 0)
            {
                return -Errno.EINVAL;
            }
        }

        uint copied = length < (uint)written ? length : (uint)written;
        return User.CopyOut(TAbi.Arg(t, 2), mask, copied) ? (int)copied : -Errno.EFAULT;
    }

    /// <summary>nice: hosts without it have setpriority, whose refusal is EACCES where nice's is EPERM.</summary>
    public static int sys_nice(GuestThread* t)
    {
        const int PrioProcess = 0;
        const int NiceWidth = 40;
        const int MinNice = -20;
        const int MaxNice = 19;
        int increment = (int)TAbi.Arg(t, 0);
        increment = increment < -NiceWidth ? -NiceWidth : increment > NiceWidth ? NiceWidth : increment;

        // getpriority(2) gives 20 - nice, to keep clear of the error range.
        int nice = 20 - (int)Host.Syscall(Nr.getpriority, PrioProcess, 0) + increment;
        nice = nice < MinNice ? MinNice : nice > MaxNice ? MaxNice : nice;
        int result = (int)Host.Syscall(Nr.setpriority, PrioProcess, 0, nice);
        return result == -Errno.EACCES ? -Errno.EPERM : result;
    }
}
