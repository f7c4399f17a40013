using Compat = Lodge.Abi.Compat;

namespace Lodge.Shim;

/// <summary>
/// Futexes are the host kernel's: guest addresses are host addresses and guest thread ids are host thread ids, so that waiting,
/// requeueing and priority inheritance need nothing of ours. What differs is the fourth argument: a timeout for the waiting
/// operations, a plain number (val2) for the others.
/// </summary>
public static unsafe partial class Syscalls<TAbi>
    where TAbi : unmanaged, IGuestAbi
{
    private const uint FutexWait = 0;
    private const uint FutexWakeOp = 5;
    private const uint FutexLockPi = 6;
    private const uint FutexUnlockPi = 7;
    private const uint FutexTrylockPi = 8;
    private const uint FutexWaitBitset = 9;
    private const uint FutexWaitRequeuePi = 11;
    private const uint FutexCmpRequeuePi = 12;
    private const uint FutexLockPi2 = 13;
    private const uint FutexFlags = 128 | 256;

    /// <summary>futex with a 32-bit timeout.</summary>
    public static int sys_futex(GuestThread* t) => Futex(t, false);

    /// <summary>futex with a 64-bit timeout.</summary>
    public static int sys_futex_time64(GuestThread* t) => Futex(t, true);

    private static int Futex(GuestThread* t, bool is64)
    {
        uint address = TAbi.Arg(t, 0);
        uint operation = TAbi.Arg(t, 1);
        uint value = TAbi.Arg(t, 2);
        uint timeoutOrValue = TAbi.Arg(t, 3);
        uint address2 = TAbi.Arg(t, 4);
        uint value3 = TAbi.Arg(t, 5);
        switch (operation & ~FutexFlags)
        {
            case FutexLockPi:
            case FutexLockPi2:
                Mm.PrepareWrite(t, address, 4);
                goto case FutexWait;
            case FutexWaitRequeuePi:
                Mm.PrepareWrite(t, address2, 4);
                goto case FutexWait;
            case FutexWait:
            case FutexWaitBitset:
                Compat.__kernel_timespec timeout;
                return (int)Host.BlockingCall(
                    t, Nr.futex, address, operation, value, UserTime.Optional(is64, timeoutOrValue, &timeout), address2, value3);
            case FutexUnlockPi:
            case FutexTrylockPi:
                Mm.PrepareWrite(t, address, 4);
                break;
            case FutexWakeOp:
            case FutexCmpRequeuePi:
                Mm.PrepareWrite(t, address2, 4);
                break;
        }

        return (int)Host.Syscall(Nr.futex, address, operation, value, timeoutOrValue, address2, value3);
    }

    /// <summary>futex_waitv: the vector has 64-bit addresses on every ABI; only the timeout's padding is the 32-bit caller's own.</summary>
    public static int sys_futex_waitv(GuestThread* t)
    {
        Compat.__kernel_timespec timeout;
        return (int)Host.BlockingCall(
            t,
            Nr.futex_waitv,
            TAbi.Arg(t, 0),
            TAbi.Arg(t, 1),
            TAbi.Arg(t, 2),
            UserTime.Optional(true, TAbi.Arg(t, 3), &timeout),
            (int)TAbi.Arg(t, 4));
    }

    /// <summary>futex_wait (the later call with a mask and a clock).</summary>
    public static int sys_futex_wait(GuestThread* t)
    {
        Compat.__kernel_timespec timeout;
        return (int)Host.BlockingCall(
            t,
            Nr.futex_wait,
            TAbi.Arg(t, 0),
            TAbi.Arg(t, 1),
            TAbi.Arg(t, 2),
            TAbi.Arg(t, 3),
            UserTime.Optional(true, TAbi.Arg(t, 4), &timeout),
            (int)TAbi.Arg(t, 5));
    }
}
