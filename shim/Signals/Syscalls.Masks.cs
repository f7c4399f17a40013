using System.Threading;

namespace Lodge.Shim;

/// <summary>Signal masks and what is pending (kernel/signal.c). Old calls see the low 32 signals.</summary>
public static unsafe partial class Syscalls<TAbi>
{
    /// <summary>rt_sigprocmask: EINVAL for a set size other than 8 or an unknown operation, EFAULT.</summary>
    public static int sys_rt_sigprocmask(GuestThread* t)
    {
        if (TAbi.Arg(t, 3) != 8)
        {
            return -Errno.EINVAL;
        }

        uint oldPointer = TAbi.Arg(t, 2);
        ulong old = t->Signals.Blocked;
        if (TAbi.Arg(t, 1) != 0)
        {
            if (!User.Get(TAbi.Arg(t, 1), out ulong set))
            {
                return -Errno.EFAULT;
            }

            int result = ChangeMask(t, (int)TAbi.Arg(t, 0), set, old);
            if (result != 0)
            {
                return result;
            }
        }

        return oldPointer != 0 && !User.Put(oldPointer, old) ? -Errno.EFAULT : 0;
    }

    /// <summary>sigprocmask.</summary>
    public static int sys_sigprocmask(GuestThread* t)
    {
        uint oldPointer = TAbi.Arg(t, 2);
        ulong old = t->Signals.Blocked;
        if (TAbi.Arg(t, 1) != 0)
        {
            if (!User.Get(TAbi.Arg(t, 1), out uint set))
            {
                return -Errno.EFAULT;
            }

            int how = (int)TAbi.Arg(t, 0);
            int result = ChangeMask(t, how, how == Sig.SIG_SETMASK ? set | (old & 0xffffffff_00000000) : set, old);
            if (result != 0)
            {
                return result;
            }
        }

        return oldPointer != 0 && !User.Put(oldPointer, (uint)old) ? -Errno.EFAULT : 0;
    }

    /// <summary>sgetmask.</summary>
    public static int sys_sgetmask(GuestThread* t) => (int)t->Signals.Blocked;

    /// <summary>ssetmask: the mask before.</summary>
    public static int sys_ssetmask(GuestThread* t)
    {
        int old = (int)t->Signals.Blocked;
        return Signals.SetMask(t, TAbi.Arg(t, 0)) ? old : -Errno.ERESTARTSYS;
    }

    private static int ChangeMask(GuestThread* t, int how, ulong set, ulong old)
    {
        switch (how)
        {
            case Sig.SIG_BLOCK:
                set |= old;
                break;
            case Sig.SIG_UNBLOCK:
                set = old & ~set;
                break;
            case Sig.SIG_SETMASK:
                break;
            default:
                return -Errno.EINVAL;
        }

        return Signals.SetMask(t, set) ? 0 : -Errno.ERESTARTSYS;
    }

    /// <summary>rt_sigpending: EINVAL for a set size above 8, EFAULT.</summary>
    public static int sys_rt_sigpending(GuestThread* t)
    {
        uint size = TAbi.Arg(t, 1);
        if (size > 8)
        {
            return -Errno.EINVAL;
        }

        ulong set = Pending(t);
        return User.CopyOut(TAbi.Arg(t, 0), &set, size) ? 0 : -Errno.EFAULT;
    }

    /// <summary>sigpending.</summary>
    public static int sys_sigpending(GuestThread* t) => User.Put(TAbi.Arg(t, 0), (uint)Pending(t)) ? 0 : -Errno.EFAULT;

    private static ulong Pending(GuestThread* t)
    {
        ulong set = 0;
        Host.Syscall(Nr.rt_sigpending, (long)&set, 8);
        return (set | Volatile.Read(ref t->Signals.VirtualPending)) & t->Signals.Blocked;
    }

    /// <summary>rt_sigsuspend: EINVAL for a set size other than 8, EFAULT; else EINTR when a handler has run.</summary>
    public static int sys_rt_sigsuspend(GuestThread* t)
    {
        if (TAbi.Arg(t, 1) != 8)
        {
            return -Errno.EINVAL;
        }

        return User.Get(TAbi.Arg(t, 0), out ulong mask) ? Suspend(t, mask) : -Errno.EFAULT;
    }

    /// <summary>sigsuspend: the mask is the third argument on both guests (CONFIG_OLD_SIGSUSPEND3).</summary>
    public static int sys_sigsuspend(GuestThread* t) => Suspend(t, TAbi.Arg(t, 2));

    private static int Suspend(GuestThread* t, ulong mask)
    {
        ulong host = Signals.BeginTemporaryMask(t, mask);
        return (int)Signals.EndTemporaryMask(t, Host.BlockingCall(t, Nr.rt_sigsuspend, (long)&host, 8));
    }
}
