using System.Threading;

namespace Lodge.Shim;

/// <summary>Guest masks: the thread's own, and those of calls that bring one along.</summary>
public static unsafe partial class Signals
{
    /// <summary>
    /// Changes the guest's mask and the host's with it. False when a signal was caught first: the caller returns -ERESTARTSYS and
    /// is called again after delivery, so a signal can never be caught and then be blocked.
    /// </summary>
    public static bool SetMask(GuestThread* t, ulong mask)
    {
        mask &= ~Sig.Unmaskable;
        ulong host = HostMask(mask);
        if (t->SignalPending != 0)
        {
            return false;
        }

        if (host != t->Signals.HostBlocked)
        {
            t->Signals.HostBlocked = host;
            if (Host.BlockingCall(t, Nr.rt_sigprocmask, Sig.SIG_SETMASK, (long)&host, 0, 8) == -Errno.ERESTARTSYS)
            {
                t->Signals.HostBlocked = Sig.AllButFaults;
                return false;
            }
        }

        t->Signals.Blocked = mask;
        UpdatePending(t);
        return true;
    }

    /// <summary>The mask of a frame, on the way out of sigreturn. False as for <see cref="SetMask"/>.</summary>
    internal static bool SetMaskForReturn(GuestThread* t, ulong mask) => SetMask(t, mask);

    /// <summary>
    /// Reads the mask argument of ppoll, pselect6, epoll_pwait, … and puts it in force for the calling thread, as the kernel's
    /// set_user_sigmask does. Followed by exactly one <see cref="EndTemporaryMask"/> when the result is 0 and the pointer not null.
    /// </summary>
    /// <param name="t">The calling thread.</param>
    /// <param name="address">Guest address of the mask; 0 = none, nothing happens.</param>
    /// <param name="size">Its size; must be 8.</param>
    /// <param name="hostMask">The mask to hand to the host's call.</param>
    /// <returns>0, -EINVAL or -EFAULT.</returns>
    public static int BeginTemporaryMask(GuestThread* t, uint address, uint size, out ulong hostMask)
    {
        hostMask = 0;
        if (address == 0)
        {
            return 0;
        }

        if (size != 8)
        {
            return -Errno.EINVAL;
        }

        if (!User.Get(address, out ulong mask))
        {
            return -Errno.EFAULT;
        }

        hostMask = BeginTemporaryMask(t, mask);
        return 0;
    }

    /// <summary>Puts a mask in force for the length of one call; returns the host's mask for it.</summary>
    public static ulong BeginTemporaryMask(GuestThread* t, ulong mask)
    {
        t->Signals.TemporaryMask = mask & ~Sig.Unmaskable;
        t->Signals.HasTemporaryMask = 1;
        UpdatePending(t);
        return HostMask(mask);
    }

    /// <summary>
    /// Ends a call with a mask of its own. When a signal has ended it (EINTR), the mask stays in force until the handler's frame
    /// is built, as the kernel's restore_saved_sigmask_unless does.
    /// </summary>
    /// <param name="t">The calling thread.</param>
    /// <param name="result">What the host's call returned.</param>
    /// <returns>What the guest's call returns.</returns>
    public static long EndTemporaryMask(GuestThread* t, long result)
    {
        if (t->Signals.HasTemporaryMask == 0)
        {
            return result;
        }

        if (result == -Errno.ERESTARTSYS && t->Signals.CaughtSignal == 0 &&
            (Volatile.Read(ref t->Signals.VirtualPending) & ~t->Signals.TemporaryMask & t->Signals.Blocked) != 0)
        {
            // A fault signal that only the call's mask lets through: as if the kernel had woken the sleeper for it.
            return -Errno.EINTR;
        }

        if (result != -Errno.EINTR || t->SignalPending == 0)
        {
            t->Signals.HasTemporaryMask = 0;
        }

        return result;
    }

    /// <summary>Takes a virtually pending fault signal out of <paramref name="set"/>: its number, or 0.</summary>
    public static int TakeVirtual(GuestThread* t, ulong set, byte* info)
    {
        ulong ready = Volatile.Read(ref t->Signals.VirtualPending) & set;
        for (int signal = 1; ready != 0; signal++, ready >>= 1)
        {
            if ((ready & 1) != 0)
            {
                CopyInfo(info, ThreadSignals.VirtualInfo(&t->Signals, Sig.FaultIndex(signal)));
                Interlocked.And(ref t->Signals.VirtualPending, ~Sig.Bit(signal));
                return signal;
            }
        }

        return 0;
    }
}
