using Compat = Lodge.Abi.Compat;
using HostLayout = Lodge.Abi.Host;

namespace Lodge.Shim;

/// <summary>
/// RLIMIT_AS and RLIMIT_DATA are kept for the guest (<see cref="GuestLimits"/>): the host would count our tables and code cache.
/// They reach the host only for an execve.
/// </summary>
internal static unsafe class LimitsAtExec
{
    internal const uint RlimitData = 2;
    internal const uint RlimitStack = 3;
    internal const uint RlimitAs = 9;

    /// <summary>
    /// Gives the host process the guest's soft limits, so that the next program starts with them. Hard limits stay the host's: once lowered they
    /// could not be raised again if the execution failed, and our own mappings would fail from then on.
    /// </summary>
    public static void Apply(ThreadGroup* group)
    {
        SetSoft(RlimitAs, group->Limits.AddressSpace);
        SetSoft(RlimitData, group->Limits.Data);
    }

    /// <summary>Takes <see cref="Apply"/> back after a failed execve.</summary>
    public static void Restore()
    {
        SetSoft(RlimitAs, ulong.MaxValue);
        SetSoft(RlimitData, ulong.MaxValue);
    }

    private static void SetSoft(uint resource, ulong soft)
    {
        HostLayout.rlimit64 limit;
        if (Host.Syscall(Nr.prlimit64, 0, resource, 0, (long)&limit) != 0)
        {
            return;
        }

        ulong wanted = soft < limit.rlim_max ? soft : limit.rlim_max;
        if (wanted != limit.rlim_cur)
        {
            limit.rlim_cur = wanted;
            Host.Syscall(Nr.prlimit64, 0, resource, (long)&limit, 0);
        }
    }
}

/// <summary>Resource limits and resource usage.</summary>
public static unsafe partial class Syscalls<TAbi>
    where TAbi : unmanaged, IGuestAbi
{
    private const uint CompatRlimInfinity = 0xFFFF_FFFF;

    /// <summary>getrlimit as i386 always had it (compat_sys_old_getrlimit): nothing above 0x7fffffff.</summary>
    public static int sys_getrlimit(GuestThread* t) => GetRlimit(t, 0x7FFF_FFFF);

    /// <summary>ugetrlimit: what does not fit in 32 bits reads as infinity.</summary>
    public static int sys_ugetrlimit(GuestThread* t) => GetRlimit(t, CompatRlimInfinity);

    private static int GetRlimit(GuestThread* t, uint most)
    {
        HostLayout.rlimit64 limit;
        int result = Prlimit(t, TAbi.Arg(t, 0), null, &limit);
        if (result != 0)
        {
            return result;
        }

        Compat.rlimit user;
        user.rlim_cur = limit.rlim_cur > most ? most : (uint)limit.rlim_cur;
        user.rlim_max = limit.rlim_max > most ? most : (uint)limit.rlim_max;
        return User.Put(TAbi.Arg(t, 1), user) ? 0 : -Errno.EFAULT;
    }

    /// <summary>setrlimit: 32-bit infinity is infinity. EFAULT comes before EINVAL for an unknown resource.</summary>
    public static int sys_setrlimit(GuestThread* t)
    {
        if (!User.Get(TAbi.Arg(t, 1), out Compat.rlimit user))
        {
            return -Errno.EFAULT;
        }

        HostLayout.rlimit64 limit;
        limit.rlim_cur = user.rlim_cur == CompatRlimInfinity ? ulong.MaxValue : user.rlim_cur;
        limit.rlim_max = user.rlim_max == CompatRlimInfinity ? ulong.MaxValue : user.rlim_max;
        return Prlimit(t, TAbi.Arg(t, 0), &limit, null);
    }

    /// <summary>
    /// prlimit64: the structure is the same everywhere. The calling process's own memory limits are the guest's; those of another
    /// process are its host process's.
    /// </summary>
    public static int sys_prlimit64(GuestThread* t)
    {
        int pid = (int)TAbi.Arg(t, 0);
        uint resource = TAbi.Arg(t, 1);
        uint from = TAbi.Arg(t, 2);
        uint to = TAbi.Arg(t, 3);
        HostLayout.rlimit64 set, old;
        if (from != 0 && !User.CopyIn(&set, from, (nuint)sizeof(HostLayout.rlimit64)))
        {
            return -Errno.EFAULT;
        }

        // A process may be named by any of its threads.
        bool self = pid == 0 || pid == t->Tid || Host.Syscall(Nr.tgkill, Host.Syscall(Nr.getpid), pid, 0) == 0;
        int result = self
            ? Prlimit(t, resource, from == 0 ? null : &set, &old)
            : (int)Host.Syscall(Nr.prlimit64, pid, resource, from == 0 ? 0 : (long)&set, (long)&old);
        return result != 0 || to == 0 ? result
            : User.CopyOut(to, &old, (nuint)sizeof(HostLayout.rlimit64)) ? 0 : -Errno.EFAULT;
    }

    /// <summary>do_prlimit for the calling process.</summary>
    private static int Prlimit(GuestThread* t, uint resource, HostLayout.rlimit64* set, HostLayout.rlimit64* old)
    {
        GuestLimits* limits = &t->Group->Limits;
        switch (resource)
        {
            case LimitsAtExec.RlimitAs:
                return OwnLimit(&limits->AddressSpace, &limits->AddressSpaceMax, set, old);
            case LimitsAtExec.RlimitData:
                return OwnLimit(&limits->Data, &limits->DataMax, set, old);
        }

        int result = (int)Host.Syscall(Nr.prlimit64, 0, resource, (long)set, (long)old);
        if (result == 0 && set != null && resource == LimitsAtExec.RlimitStack)
        {
            // The guest's stack is grown by us; the host's own stacks do not depend on the limit.
            limits->Stack = set->rlim_cur;
        }

        return result;
    }

    private static int OwnLimit(ulong* soft, ulong* hard, HostLayout.rlimit64* set, HostLayout.rlimit64* old)
    {
        HostLayout.rlimit64 before;
        before.rlim_cur = *soft;
        before.rlim_max = *hard;
        if (set != null)
        {
            if (set->rlim_cur > set->rlim_max)
            {
                return -Errno.EINVAL;
            }

            if (set->rlim_max > before.rlim_max && !HasCapability(CapSysResource))
            {
                return -Errno.EPERM;
            }

            *soft = set->rlim_cur;
            *hard = set->rlim_max;
        }

        if (old != null)
        {
            *old = before;
        }

        return 0;
    }

    private const int CapSysResource = 24;

    /// <summary>True where <paramref name="capability"/> (0 to 63) is in the calling thread's effective set.</summary>
    private static bool HasCapability(int capability)
    {
        // _LINUX_CAPABILITY_VERSION_3: two records of effective, permitted, inheritable.
        uint* header = stackalloc uint[2];
        uint* data = stackalloc uint[6];
        header[0] = 0x20080522;
        header[1] = 0;
        return Host.Syscall(Nr.capget, (long)header, (long)data) == 0 && (data[(capability >> 5) * 3] >> (capability & 31) & 1) != 0;
    }

    /// <summary>getrusage. EINVAL for an unknown "who" comes first.</summary>
    public static int sys_getrusage(GuestThread* t)
    {
        HostLayout.rusage host;
        int result = (int)Host.Syscall(Nr.getrusage, (int)TAbi.Arg(t, 0), (long)&host);
        return result != 0 ? result : Convert.PutRusage(TAbi.Arg(t, 1), &host) ? 0 : -Errno.EFAULT;
    }
}

/// <summary>Conversions that several families need.</summary>
internal static unsafe partial class Convert
{
    /// <summary>Narrows a host rusage to the guest's: every long is cut to 32 bits (put_compat_rusage, kernel/compat.c).</summary>
    public static void Rusage(HostLayout.rusage* from, Compat.rusage* to)
    {
        to->ru_utime.tv_sec = (int)from->ru_utime.tv_sec;
        to->ru_utime.tv_usec = (int)from->ru_utime.tv_usec;
        to->ru_stime.tv_sec = (int)from->ru_stime.tv_sec;
        to->ru_stime.tv_usec = (int)from->ru_stime.tv_usec;
        to->ru_maxrss = (int)from->ru_maxrss;
        to->ru_ixrss = (int)from->ru_ixrss;
        to->ru_idrss = (int)from->ru_idrss;
        to->ru_isrss = (int)from->ru_isrss;
        to->ru_minflt = (int)from->ru_minflt;
        to->ru_majflt = (int)from->ru_majflt;
        to->ru_nswap = (int)from->ru_nswap;
        to->ru_inblock = (int)from->ru_inblock;
        to->ru_oublock = (int)from->ru_oublock;
        to->ru_msgsnd = (int)from->ru_msgsnd;
        to->ru_msgrcv = (int)from->ru_msgrcv;
        to->ru_nsignals = (int)from->ru_nsignals;
        to->ru_nvcsw = (int)from->ru_nvcsw;
        to->ru_nivcsw = (int)from->ru_nivcsw;
    }

    /// <summary>Writes a host rusage to guest memory in the guest's layout.</summary>
    /// <returns>False where <paramref name="to"/> cannot be written.</returns>
    public static bool PutRusage(uint to, HostLayout.rusage* from)
    {
        Compat.rusage user;
        Rusage(from, &user);
        return User.CopyOut(to, &user, (nuint)sizeof(Compat.rusage));
    }
}
