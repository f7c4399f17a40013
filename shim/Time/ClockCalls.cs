using Compat = Lodge.Abi.Compat;
using HostLayout = Lodge.Abi.Host;

namespace Lodge.Shim;

/// <summary>Reading and setting clocks. The 32-bit forms cut seconds off at 32 bits, as the kernel's do: no EOVERFLOW.</summary>
public static unsafe partial class Syscalls<TAbi>
    where TAbi : unmanaged, IGuestAbi
{
    private const int ClockRealtime = 0;
    private const int ClockRealtimeCoarse = 5;

    /// <summary>clock_gettime with a 32-bit timespec (sys_clock_gettime32).</summary>
    public static int sys_clock_gettime(GuestThread* t) => ClockGettime(t, false);

    /// <summary>clock_gettime with a 64-bit timespec.</summary>
    public static int sys_clock_gettime64(GuestThread* t) => ClockGettime(t, true);

    private static int ClockGettime(GuestThread* t, bool is64)
    {
        Compat.__kernel_timespec now;
        int result = HostVdso.ClockGettime(t, (int)TAbi.Arg(t, 0), &now);
        return result != 0 ? result : UserTime.Put(is64, TAbi.Arg(t, 1), &now);
    }

    /// <summary>clock_getres with a 32-bit timespec; the pointer may be null.</summary>
    public static int sys_clock_getres(GuestThread* t)
    {
        uint to = TAbi.Arg(t, 1);
        Compat.__kernel_timespec resolution;
        int result = (int)Host.Syscall(Nr.clock_getres, (int)TAbi.Arg(t, 0), (long)&resolution);
        return result != 0 || to == 0 ? result : UserTime.Put32(to, &resolution);
    }

    /// <summary>clock_settime with a 32-bit timespec. An unsettable clock is EINVAL before the pointer is looked at.</summary>
    public static int sys_clock_settime(GuestThread* t) => ClockSettime(t, false);

    /// <summary>clock_settime with a 64-bit timespec.</summary>
    public static int sys_clock_settime64(GuestThread* t) => ClockSettime(t, true);

    private static int ClockSettime(GuestThread* t, bool is64)
    {
        Compat.__kernel_timespec time;
        return (int)Host.Syscall(Nr.clock_settime, (int)TAbi.Arg(t, 0), UserTime.Required(is64, TAbi.Arg(t, 1), &time));
    }

    /// <summary>time: seconds as a 32-bit number, stored too where the pointer is not null (sys_time32).</summary>
    public static int sys_time(GuestThread* t)
    {
        Compat.__kernel_timespec now;
        int result = HostVdso.ClockGettime(t, ClockRealtimeCoarse, &now);
        if (result != 0)
        {
            return result;
        }

        uint to = TAbi.Arg(t, 0);
        int seconds = (int)now.tv_sec;
        return to != 0 && !User.Put(to, seconds) ? -Errno.EFAULT : seconds;
    }

    /// <summary>stime: sets the clock to whole seconds; EPERM without CAP_SYS_TIME.</summary>
    public static int sys_stime(GuestThread* t)
    {
        if (!User.Get(TAbi.Arg(t, 0), out int seconds))
        {
            return -Errno.EFAULT;
        }

        Compat.__kernel_timespec time;
        time.tv_sec = seconds;
        time.tv_nsec = 0;
        return (int)Host.Syscall(Nr.clock_settime, ClockRealtime, (long)&time);
    }

    /// <summary>gettimeofday with a 32-bit timeval; either pointer may be null.</summary>
    public static int sys_gettimeofday(GuestThread* t)
    {
        uint timeval = TAbi.Arg(t, 0);
        uint timezone = TAbi.Arg(t, 1);
        if (timeval != 0)
        {
            Compat.__kernel_timespec now;
            int result = HostVdso.ClockGettime(t, ClockRealtime, &now);
            if (result != 0)
            {
                return result;
            }

            Compat.old_timeval32 user;
            user.tv_sec = (int)now.tv_sec;
            user.tv_usec = (int)((uint)now.tv_nsec / 1000);
            if (!User.Put(timeval, user))
            {
                return -Errno.EFAULT;
            }
        }

        if (timezone != 0)
        {
            // The zone is the kernel's; its two ints have one layout everywhere.
            ulong zone;
            int result = (int)Host.Syscall(Nr.gettimeofday, 0, (long)&zone);
            return result != 0 ? result : User.Put(timezone, zone) ? 0 : -Errno.EFAULT;
        }

        return 0;
    }

    /// <summary>settimeofday with a 32-bit timeval; either pointer may be null.</summary>
    public static int sys_settimeofday(GuestThread* t)
    {
        uint from = TAbi.Arg(t, 0);
        Compat.__kernel_timespec time;
        long host = 0;
        if (from != 0)
        {
            // Host timeval: two 64-bit numbers, as a __kernel_timespec with microseconds in the second one.
            host = UserTime.Get32(from, &time) ? (long)&time : BadPointer.Value;
        }

        return (int)Host.Syscall(Nr.settimeofday, host, TAbi.Arg(t, 1));
    }

    /// <summary>
    /// times: clock ticks of the process and its waited-for children, cut to 32 bits. The result is the tick count since some
    /// moment in the past and may look like an error number; the C library knows.
    /// </summary>
    public static int sys_times(GuestThread* t)
    {
        uint to = TAbi.Arg(t, 0);
        HostLayout.tms host = default;
        long ticks = Host.Syscall(Nr.times, to == 0 ? 0 : (long)&host);
        if (to != 0)
        {
            Compat.tms user;
            user.tms_utime = (int)host.tms_utime;
            user.tms_stime = (int)host.tms_stime;
            user.tms_cutime = (int)host.tms_cutime;
            user.tms_cstime = (int)host.tms_cstime;
            if (!User.Put(to, user))
            {
                return -Errno.EFAULT;
            }
        }

        return (int)ticks;
    }
}
