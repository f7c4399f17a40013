using System.Runtime.InteropServices;

namespace Lodge.Shim;

/// <summary>
/// struct sigevent as the host kernel reads it. Only the members that a 32-bit caller can set exist by name
/// (get_compat_sigevent, kernel/signal.c); the rest stays zero.
/// </summary>
[StructLayout(LayoutKind.Sequential, Size = 64)]
internal struct HostSigevent
{
    /// <summary>sival_int, or a guest pointer; the upper half is zero.</summary>
    public ulong sigev_value;
    /// <summary>Signal number (for mq_notify with SIGEV_THREAD: a netlink socket).</summary>
    public int sigev_signo;
    /// <summary>SIGEV_SIGNAL 0, SIGEV_NONE 1, SIGEV_THREAD 2, SIGEV_THREAD_ID 4.</summary>
    public int sigev_notify;
    /// <summary>Thread id for SIGEV_THREAD_ID.</summary>
    public int sigev_notify_thread_id;

    /// <summary>
    /// Reads the guest's sigevent: value, signal, notification, thread id, four words; the padding behind them is not touched.
    /// </summary>
    /// <returns>A host pointer: <paramref name="buffer"/>, 0 for a null pointer, or one that gives EFAULT.</returns>
    public static unsafe long Optional(uint from, HostSigevent* buffer)
    {
        if (from == 0)
        {
            return 0;
        }

        uint* words = stackalloc uint[4];
        if (!User.CopyIn(words, from, 16))
        {
            return BadPointer.Value;
        }

        *buffer = default;
        buffer->sigev_value = words[0];
        buffer->sigev_signo = (int)words[1];
        buffer->sigev_notify = (int)words[2];
        buffer->sigev_notify_thread_id = (int)words[3];
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
        HostSigevent sigevent;
        long signal = HostSigevent.Optional(TAbi.Arg(t, 1), &sigevent);
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
