namespace Lodge.Shim;

/// <summary>Calls that carry a siginfo.</summary>
public static unsafe partial class Syscalls<TAbi>
{
    /// <summary>rt_sigqueueinfo.</summary>
    public static int sys_rt_sigqueueinfo(GuestThread* t)
    {
        byte* info = stackalloc byte[Sig.InfoSize];
        int signal = (int)TAbi.Arg(t, 1);
        return ReadInfo(TAbi.Arg(t, 2), info, signal)
            ? (int)Host.Syscall(Nr.rt_sigqueueinfo, (int)TAbi.Arg(t, 0), signal, (long)info)
            : -Errno.EFAULT;
    }

    /// <summary>rt_tgsigqueueinfo.</summary>
    public static int sys_rt_tgsigqueueinfo(GuestThread* t)
    {
        byte* info = stackalloc byte[Sig.InfoSize];
        int signal = (int)TAbi.Arg(t, 2);
        return ReadInfo(TAbi.Arg(t, 3), info, signal)
            ? (int)Host.Syscall(Nr.rt_tgsigqueueinfo, (int)TAbi.Arg(t, 0), (int)TAbi.Arg(t, 1), signal, (long)info)
            : -Errno.EFAULT;
    }

    /// <summary>pidfd_send_signal.</summary>
    public static int sys_pidfd_send_signal(GuestThread* t)
    {
        byte* info = stackalloc byte[Sig.InfoSize];
        int signal = (int)TAbi.Arg(t, 1);
        uint pointer = TAbi.Arg(t, 2);
        if (pointer != 0)
        {
            if (!ReadInfo(pointer, info, signal))
            {
                // Flags and descriptor come first.
                return (int)Host.Syscall(Nr.pidfd_send_signal, (int)TAbi.Arg(t, 0), signal, BadPointer.Value, (long)TAbi.Arg(t, 3));
            }

            // The call compares si_signo with its argument: EINVAL when they differ.
            User.Get(pointer, out *(uint*)info);
        }

        return (int)Host.Syscall(Nr.pidfd_send_signal, (int)TAbi.Arg(t, 0), signal, pointer != 0 ? (long)info : 0, (long)TAbi.Arg(t, 3));
    }

    private static bool ReadInfo(uint address, byte* host, int signal)
    {
        byte* guest = stackalloc byte[Sig.InfoSize];
        if (!User.CopyIn(guest, address, Sig.InfoSize))
        {
            return false;
        }

        SigInfo.ToHost(host, guest, signal);
        return true;
    }

    /// <summary>rt_sigtimedwait with a 32-bit timespec.</summary>
    public static int sys_rt_sigtimedwait(GuestThread* t)
    {
        long* time = stackalloc long[2];
        uint pointer = TAbi.Arg(t, 2);
        if (pointer != 0)
        {
            if (!User.Get(pointer, out ulong raw))
            {
                return TAbi.Arg(t, 3) != 8 ? -Errno.EINVAL : -Errno.EFAULT;
            }

            time[0] = (int)raw;
            time[1] = (int)(raw >> 32);
        }

        return TimedWait(t, pointer != 0 ? time : null);
    }

    /// <summary>rt_sigtimedwait with a 64-bit timespec, whose upper half of tv_nsec a 32-bit caller leaves undefined.</summary>
    public static int sys_rt_sigtimedwait_time64(GuestThread* t)
    {
        long* time = stackalloc long[2];
        uint pointer = TAbi.Arg(t, 2);
        if (pointer != 0)
        {
            if (!User.CopyIn(time, pointer, 16))
            {
                return TAbi.Arg(t, 3) != 8 ? -Errno.EINVAL : -Errno.EFAULT;
            }

            time[1] = (uint)time[1];
        }

        return TimedWait(t, pointer != 0 ? time : null);
    }

    private static int TimedWait(GuestThread* t, long* time)
    {
        if (TAbi.Arg(t, 3) != 8)
        {
            return -Errno.EINVAL;
        }

        if (!User.Get(TAbi.Arg(t, 0), out ulong set))
        {
            return -Errno.EFAULT;
        }

        byte* info = stackalloc byte[Sig.InfoSize];
        long result = Signals.TakeVirtual(t, set, info);
        if (result == 0)
        {
            result = Host.BlockingCall(t, Nr.rt_sigtimedwait, (long)&set, (long)info, (long)time, 8);
        }

        uint infoPointer = TAbi.Arg(t, 1);
        if (result > 0 && infoPointer != 0)
        {
            byte* guest = stackalloc byte[Sig.InfoSize];
            SigInfo.ToGuest(guest, info);
            return User.CopyOut(infoPointer, guest, Sig.InfoSize) ? (int)result : -Errno.EFAULT;
        }

        return (int)result;
    }

    /// <summary>signalfd4: the host's, with the guest's mask (the fault signals never wait for it).</summary>
    public static int sys_signalfd4(GuestThread* t) => SignalFd(t, TAbi.Arg(t, 3));

    /// <summary>signalfd.</summary>
    public static int sys_signalfd(GuestThread* t) => SignalFd(t, 0);

    private static int SignalFd(GuestThread* t, uint flags) =>
        (int)Host.Syscall(Nr.signalfd4, (int)TAbi.Arg(t, 0), TAbi.Arg(t, 1), TAbi.Arg(t, 2), flags);
}
