using System.Runtime.InteropServices;

namespace Lodge.Shim;

/// <summary>compat_sigaction: 20 bytes, equal on both guests.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct GuestSigAction
{
    internal uint sa_handler;
    internal uint sa_flags;
    internal uint sa_restorer;
    internal uint sa_mask_lo, sa_mask_hi;
}

/// <summary>compat_old_sigaction: 16 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct GuestOldSigAction
{
    internal uint sa_handler;
    internal uint sa_mask;
    internal uint sa_flags;
    internal uint sa_restorer;
}

/// <summary>Signal actions (kernel/signal.c).</summary>
public static unsafe partial class Syscalls<TAbi>
{
    /// <summary>rt_sigaction: EINVAL for a set size other than 8 or a signal that cannot be handled, EFAULT.</summary>
    public static int sys_rt_sigaction(GuestThread* t)
    {
        uint actPointer = TAbi.Arg(t, 1);
        uint oldPointer = TAbi.Arg(t, 2);
        if (TAbi.Arg(t, 3) != 8)
        {
            return -Errno.EINVAL;
        }

        SigAction act = default;
        if (actPointer != 0)
        {
            if (!User.Get(actPointer, out GuestSigAction guest))
            {
                return -Errno.EFAULT;
            }

            act.Handler = guest.sa_handler;
            act.Flags = guest.sa_flags;
            act.Restorer = guest.sa_restorer;
            act.Mask = guest.sa_mask_lo | ((ulong)guest.sa_mask_hi << 32);
        }

        int result = Signals.SetAction(t, (int)TAbi.Arg(t, 0), actPointer != 0 ? &act : null, out SigAction old);
        if (result == 0 && oldPointer != 0)
        {
            GuestSigAction guest;
            guest.sa_handler = old.Handler;
            guest.sa_flags = old.Flags;
            guest.sa_restorer = old.Restorer;
            guest.sa_mask_lo = (uint)old.Mask;
            guest.sa_mask_hi = (uint)(old.Mask >> 32);
            if (!User.Put(oldPointer, guest))
            {
                return -Errno.EFAULT;
            }
        }

        return result;
    }

    /// <summary>sigaction with a 32-bit mask.</summary>
    public static int sys_sigaction(GuestThread* t)
    {
        uint actPointer = TAbi.Arg(t, 1);
        uint oldPointer = TAbi.Arg(t, 2);
        SigAction act = default;
        if (actPointer != 0)
        {
            if (!User.Get(actPointer, out GuestOldSigAction guest))
            {
                return -Errno.EFAULT;
            }

            act.Handler = guest.sa_handler;
            act.Flags = guest.sa_flags;
            act.Restorer = guest.sa_restorer;
            act.Mask = guest.sa_mask;
        }

        int result = Signals.SetAction(t, (int)TAbi.Arg(t, 0), actPointer != 0 ? &act : null, out SigAction old);
        if (result == 0 && oldPointer != 0)
        {
            GuestOldSigAction guest;
            guest.sa_handler = old.Handler;
            guest.sa_mask = (uint)old.Mask;
            guest.sa_flags = old.Flags;
            guest.sa_restorer = old.Restorer;
            if (!User.Put(oldPointer, guest))
            {
                return -Errno.EFAULT;
            }
        }

        return result;
    }

    /// <summary>signal: SA_RESETHAND and SA_NODEFER, as the old call has it.</summary>
    public static int sys_signal(GuestThread* t)
    {
        SigAction act = default;
        act.Handler = TAbi.Arg(t, 1);
        act.Flags = Sig.SA_RESETHAND | Sig.SA_NODEFER;
        int result = Signals.SetAction(t, (int)TAbi.Arg(t, 0), &act, out SigAction old);
        return result < 0 ? result : (int)old.Handler;
    }

    /// <summary>sigaltstack.</summary>
    public static int sys_sigaltstack(GuestThread* t)
    {
        uint newPointer = TAbi.Arg(t, 0);
        uint oldPointer = TAbi.Arg(t, 1);
        AltStack.Stack stack = default;
        if (newPointer != 0 && !User.Get(newPointer, out stack))
        {
            return -Errno.EFAULT;
        }

        AltStack.Stack old = AltStack.Query(&t->Signals, TAbi.StackPointer(t));
        int result = newPointer != 0 ? AltStack.Set(&t->Signals, stack, TAbi.StackPointer(t)) : 0;
        return result == 0 && oldPointer != 0 && !User.Put(oldPointer, old) ? -Errno.EFAULT : result;
    }

    /// <summary>sigreturn: the frame at the stack pointer becomes the registers.</summary>
    public static int sys_sigreturn(GuestThread* t) => TAbi.IsI386 ? I386Signals.SigReturn(t) : ArmSignals.SigReturn(t);

    /// <summary>rt_sigreturn.</summary>
    public static int sys_rt_sigreturn(GuestThread* t) => TAbi.IsI386 ? I386Signals.RtSigReturn(t) : ArmSignals.RtSigReturn(t);
}
