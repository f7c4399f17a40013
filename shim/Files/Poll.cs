using Compat = Lodge.Abi.Compat;

namespace Lodge.Shim;

/// <summary>poll and ppoll (fs/select.c). struct pollfd is the same everywhere; times and masks are not.</summary>
public static unsafe partial class Syscalls<TAbi>
{
    /// <summary>poll(fds, count, milliseconds).</summary>
    public static int sys_poll(GuestThread* t)
    {
        PreparePoll(t);
        int milliseconds = (int)TAbi.Arg(t, 2);
        Compat.__kernel_timespec time;
        time.tv_sec = milliseconds / 1000;
        time.tv_nsec = milliseconds % 1000 * 1000000L;
        return (int)Host.BlockingCall(t, Nr.ppoll, TAbi.Arg(t, 0), TAbi.Arg(t, 1), milliseconds < 0 ? 0 : (long)&time, 0, 8);
    }

    /// <summary>ppoll(fds, count, time, mask, size) with a 32-bit time.</summary>
    public static int sys_ppoll(GuestThread* t) => Ppoll(t, false);

    /// <summary>ppoll_time64(fds, count, time, mask, size).</summary>
    public static int sys_ppoll_time64(GuestThread* t) => Ppoll(t, true);

    private static int Ppoll(GuestThread* t, bool is64)
    {
        uint timeAddress = TAbi.Arg(t, 2);
        Compat.__kernel_timespec time;
        if (timeAddress != 0 && !UserTime.Get(is64, timeAddress, &time))
        {
            return -Errno.EFAULT;
        }

        if (timeAddress != 0 && !PollTime.IsValid(&time))
        {
            return -Errno.EINVAL;
        }

        uint mask = TAbi.Arg(t, 3);
        int error = Signals.BeginTemporaryMask(t, mask, TAbi.Arg(t, 4), out ulong set);
        if (error < 0)
        {
            return error;
        }

        PreparePoll(t);
        bool zero = timeAddress != 0 && PollTime.IsZero(&time);
        long result = Host.BlockingCall(
            t, Nr.ppoll, TAbi.Arg(t, 0), TAbi.Arg(t, 1), timeAddress == 0 ? 0 : (long)&time, mask == 0 ? 0 : (long)&set, 8);
        if (timeAddress != 0 && !zero && result != -Errno.ERESTARTSYS)
        {
            // The remaining time; a structure that cannot be written is left alone, as the kernel does.
            _ = UserTime.Put(is64, timeAddress, &time);
        }

        return (int)Signals.EndTemporaryMask(t, result);
    }

    private static void PreparePoll(GuestThread* t)
    {
        ulong bytes = (ulong)TAbi.Arg(t, 1) * 8;
        Mm.PrepareWrite(t, TAbi.Arg(t, 0), (nuint)(bytes < 0x800000 ? bytes : 0x800000));
    }
}

/// <summary>Checks that the kernel makes on time limits (poll_select_set_timeout, timespec64_valid).</summary>
internal static unsafe class PollTime
{
    /// <summary>Seconds not negative, nanoseconds below a second.</summary>
    public static bool IsValid(Compat.__kernel_timespec* time) => time->tv_sec >= 0 && (ulong)time->tv_nsec < 1000000000;

    /// <summary>True for an immediate look, after which the time is not written back.</summary>
    public static bool IsZero(Compat.__kernel_timespec* time) => time->tv_sec == 0 && time->tv_nsec == 0;
}
