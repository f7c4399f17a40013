using Compat = Lodge.Abi.Compat;

namespace Lodge.Shim;

/// <summary>
/// The clock discipline. The 32-bit timex is half as wide in every long; the 64-bit one (__kernel_timex) has one layout on every ABI
/// and goes to the host kernel as it is.
/// </summary>
public static unsafe partial class Syscalls<TAbi>
    where TAbi : unmanaged, IGuestAbi
{
    /// <summary>adjtimex with the 32-bit timex. Returns the clock state (TIME_OK…TIME_ERROR).</summary>
    public static int sys_adjtimex(GuestThread* t) => Adjtimex32(ClockRealtime, TAbi.Arg(t, 0));

    /// <summary>clock_adjtime with the 32-bit timex.</summary>
    public static int sys_clock_adjtime(GuestThread* t) => Adjtimex32((int)TAbi.Arg(t, 0), TAbi.Arg(t, 1));

    private static int Adjtimex32(int clock, uint address)
    {
        Compat.__kernel_timex host;

        // The kernel copies the structure before it looks at the clock number.
        if (!User.Get(address, out Compat.old_timex32 user))
        {
            return -Errno.EFAULT;
        }

        TimexToHost(&user, &host);
        int result = (int)Host.Syscall(Nr.clock_adjtime, clock, (long)&host);
        if (result < 0)
        {
            return result;
        }

        TimexFromHost(&host, &user);
        return User.Put(address, user) ? result : -Errno.EFAULT;
    }

    /// <summary>Widens a 32-bit timex; every long is signed (get_old_timex32).</summary>
    internal static void TimexToHost(Compat.old_timex32* from, Compat.__kernel_timex* to)
    {
        *to = default;
        to->modes = from->modes;
        to->offset = from->offset;
        to->freq = from->freq;
        to->maxerror = from->maxerror;
        to->esterror = from->esterror;
        to->status = from->status;
        to->constant = from->constant;
        to->precision = from->precision;
        to->tolerance = from->tolerance;
        to->time.tv_sec = from->time.tv_sec;
        to->time.tv_usec = from->time.tv_usec;
        to->tick = from->tick;
        to->ppsfreq = from->ppsfreq;
        to->jitter = from->jitter;
        to->shift = from->shift;
        to->stabil = from->stabil;
        to->jitcnt = from->jitcnt;
        to->calcnt = from->calcnt;
        to->errcnt = from->errcnt;
        to->stbcnt = from->stbcnt;
    }

    /// <summary>Narrows a timex by cutting off upper halves (put_old_timex32); the padding becomes zero.</summary>
    internal static void TimexFromHost(Compat.__kernel_timex* from, Compat.old_timex32* to)
    {
        *to = default;
        to->modes = from->modes;
        to->offset = (int)from->offset;
        to->freq = (int)from->freq;
        to->maxerror = (int)from->maxerror;
        to->esterror = (int)from->esterror;
        to->status = from->status;
        to->constant = (int)from->constant;
        to->precision = (int)from->precision;
        to->tolerance = (int)from->tolerance;
        to->time.tv_sec = (int)from->time.tv_sec;
        to->time.tv_usec = (int)from->time.tv_usec;
        to->tick = (int)from->tick;
        to->ppsfreq = (int)from->ppsfreq;
        to->jitter = (int)from->jitter;
        to->shift = from->shift;
        to->stabil = (int)from->stabil;
        to->jitcnt = (int)from->jitcnt;
        to->calcnt = (int)from->calcnt;
        to->errcnt = (int)from->errcnt;
        to->stbcnt = (int)from->stbcnt;
        to->tai = from->tai;
    }
}
