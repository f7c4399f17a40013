using Compat = Lodge.Abi.Compat;

namespace Lodge.Shim;

/// <summary>
/// Sleeping. A sleep that a handler interrupts ends with EINTR and reports the remaining time (unless it was absolute);
/// one that a signal reached before it began is simply made again after the handler (-ERESTARTSYS from the blocking call).
/// </summary>
public static unsafe partial class Syscalls<TAbi>
    where TAbi : unmanaged, IGuestAbi
{
    private const uint TimerAbstime = 1;

    /// <summary>nanosleep with 32-bit timespecs. EINVAL for nanoseconds outside 0 to 999999999 and for negative seconds.</summary>
    public static int sys_nanosleep(GuestThread* t)
    {
        Compat.__kernel_timespec want, left;
        uint remaining = TAbi.Arg(t, 1);
        long result = Host.BlockingCall(
            t, Nr.nanosleep, UserTime.Required(false, TAbi.Arg(t, 0), &want), remaining == 0 ? 0 : (long)&left);
        return FinishSleep(false, result, remaining, &left);
    }

    /// <summary>clock_nanosleep with 32-bit timespecs.</summary>
    public static int sys_clock_nanosleep(GuestThread* t) => ClockNanosleep(t, false);

    /// <summary>clock_nanosleep with 64-bit timespecs.</summary>
    public static int sys_clock_nanosleep_time64(GuestThread* t) => ClockNanosleep(t, true);

    private static int ClockNanosleep(GuestThread* t, bool is64)
    {
        Compat.__kernel_timespec want, left;
        uint flags = TAbi.Arg(t, 1);
        uint remaining = (flags & TimerAbstime) != 0 ? 0 : TAbi.Arg(t, 3);
        long result = Host.BlockingCall(
            t,
            Nr.clock_nanosleep,
            (int)TAbi.Arg(t, 0),
            flags,
            UserTime.Required(is64, TAbi.Arg(t, 2), &want),
            remaining == 0 ? 0 : (long)&left);
        return FinishSleep(is64, result, remaining, &left);
    }

    private static int FinishSleep(bool is64, long result, uint remaining, Compat.__kernel_timespec* left)
    {
        if (result == -Errno.EINTR && remaining != 0 && UserTime.Put(is64, remaining, left) != 0)
        {
            return -Errno.EFAULT;
        }

        return (int)result;
    }
}
