using Compat = Lodge.Abi.Compat;
using HostLayout = Lodge.Abi.Host;

namespace Lodge.Shim;

/// <summary>struct sigevent between the widths (get_compat_sigevent, kernel/signal.c).</summary>
internal static unsafe class UserSigevent
{
    /// <summary>Value, signal, notification and thread id; the padding behind them is not touched.</summary>
    private const int BytesRead = 16;

    /// <summary>Reads the guest's sigevent. The value keeps its 32 bits; a pointer in it is a guest address.</summary>
    /// <returns>A host pointer: <paramref name="buffer"/>, 0 for a null pointer, or one that gives EFAULT.</returns>
    public static long Optional(uint from, HostLayout.sigevent* buffer)
    {
        if (from == 0)
        {
            return 0;
        }

        Compat.sigevent user;
        if (!User.CopyIn(&user, from, BytesRead))
        {
            return BadPointer.Value;
        }

        *buffer = default;
        buffer->sigev_value_sival_ptr = user.sigev_value_sival_ptr;
        buffer->sigev_signo = user.sigev_signo;
        buffer->sigev_notify = user.sigev_notify;
        buffer->_sigev_un_tid = user._sigev_un_tid;
        return (long)buffer;
    }
}

/// <summary>Interval timers, POSIX timers, timer descriptors, and the round-robin quantum.</summary>
public static unsafe partial class Syscalls<TAbi>
    where TAbi : unmanaged, IGuestAbi
{
    /// <summary>getitimer: microsecond interval and value, 32 bits each. EINVAL for an unknown timer.</summary>
    public static int sys_getitimer(GuestThread* t)
    {
        Compat.__kernel_itimerspec host;
        int result = (int)Host.Syscall(Nr.getitimer, (int)TAbi.Arg(t, 0), (long)&host);
        return result != 0 ? result : UserTime.PutTimer(false, TAbi.Arg(t, 1), &host);
    }

    /// <summary>setitimer: a null new value stops the timer; the old one is written where the third argument is not null.</summary>
    public static int sys_setitimer(GuestThread* t)
    {
        uint from = TAbi.Arg(t, 1);
        uint to = TAbi.Arg(t, 2);

        // Timevals have the shape of timespecs: seconds, then the fraction.
        Compat.__kernel_itimerspec set, old;
        long value = from == 0 ? 0 : UserTime.GetTimer(false, from, &set) ? (long)&set : BadPointer.Value;
        int result = (int)Host.Syscall(Nr.setitimer, (int)TAbi.Arg(t, 0), value, to == 0 ? 0 : (long)&old);
        return result != 0 || to == 0 ? result : UserTime.PutTimer(false, to, &old);
    }

    /// <summary>timer_create: the sigevent is converted, the timer's number (an int everywhere) is written by the host kernel.</summary>
    public static int sys_timer_create(GuestThread* t)
    {
        HostLayout.sigevent sigevent;
        long signal = UserSigevent.Optional(TAbi.Arg(t, 1), &sigevent);
        uint id = TAbi.Arg(t, 2);
        Mm.PrepareWrite(t, id, 4);
        return (int)Host.Syscall(Nr.timer_create, (int)TAbi.Arg(t, 0), signal, id);
    }

    /// <summary>timer_settime with 32-bit times. EINVAL for a null or invalid new value.</summary>
    public static int sys_timer_settime(GuestThread* t) => SetTimer(t, Nr.timer_settime, false);

    /// <summary>timer_settime with 64-bit times.</summary>
    public static int sys_timer_settime64(GuestThread* t) => SetTimer(t, Nr.timer_settime, true);

    /// <summary>timer_gettime with 32-bit times.</summary>
    public static int sys_timer_gettime(GuestThread* t) => GetTimer(t, Nr.timer_gettime);

    /// <summary>timerfd_settime with 32-bit times.</summary>
    public static int sys_timerfd_settime(GuestThread* t) => SetTimer(t, Nr.timerfd_settime, false);

    /// <summary>timerfd_settime with 64-bit times.</summary>
    public static int sys_timerfd_settime64(GuestThread* t) => SetTimer(t, Nr.timerfd_settime, true);

    /// <summary>timerfd_gettime with 32-bit times.</summary>
    public static int sys_timerfd_gettime(GuestThread* t) => GetTimer(t, Nr.timerfd_gettime);

    private static int SetTimer(GuestThread* t, int call, bool is64)
    {
        uint from = TAbi.Arg(t, 2);
        uint to = TAbi.Arg(t, 3);
        Compat.__kernel_itimerspec set, old;

        // timer_settime answers EINVAL to a null pointer, timerfd_settime EFAULT: the host kernel knows.
        long value = from == 0 ? 0 : UserTime.GetTimer(is64, from, &set) ? (long)&set : BadPointer.Value;
        int result = (int)Host.Syscall(
            call, (int)TAbi.Arg(t, 0), (int)TAbi.Arg(t, 1), value, to == 0 ? 0 : (long)&old);
        return result != 0 || to == 0 ? result : UserTime.PutTimer(is64, to, &old);
    }

    private static int GetTimer(GuestThread* t, int call)
    {
        Compat.__kernel_itimerspec now;
        int result = (int)Host.Syscall(call, (int)TAbi.Arg(t, 0), (long)&now);
        return result != 0 ? result : UserTime.PutTimer(false, TAbi.Arg(t, 1), &now);
    }

    /// <summary>sched_rr_get_interval with a 32-bit timespec.</summary>
    public static int sys_sched_rr_get_interval(GuestThread* t)
    {
        Compat.__kernel_timespec quantum;
        int result = (int)Host.Syscall(Nr.sched_rr_get_interval, (int)TAbi.Arg(t, 0), (long)&quantum);
        return result != 0 ? result : UserTime.Put32(TAbi.Arg(t, 1), &quantum);
    }

    /// <summary>alarm: whole seconds; the rest of the former alarm is rounded, but never down to 0 (alarm_setitimer, kernel/time/itimer.c).</summary>
    public static int sys_alarm(GuestThread* t)
    {
        const int ItimerReal = 0;
        Compat.__kernel_itimerspec set = default, old;
        set.it_value.tv_sec = TAbi.Arg(t, 0);
        int result = (int)Host.Syscall(Nr.setitimer, ItimerReal, (long)&set, (long)&old);
        if (result != 0)
        {
            return result;
        }

        bool up = old.it_value.tv_nsec >= 500_000 || (old.it_value.tv_sec == 0 && old.it_value.tv_nsec != 0);
        return (int)old.it_value.tv_sec + (up ? 1 : 0);
    }
}
