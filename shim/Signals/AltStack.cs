using System.Runtime.InteropServices;

namespace Lodge.Shim;

/// <summary>The guest's alternate signal stack (kernel/signal.c, do_sigaltstack and sas_ss_flags).</summary>
internal static unsafe class AltStack
{
    /// <summary>compat_stack_t.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct Stack
    {
        internal uint ss_sp;
        internal uint ss_flags;
        internal uint ss_size;
    }

    /// <summary>True when <paramref name="sp"/> is on the stack, whatever its flags.</summary>
    internal static bool Holds(ThreadSignals* s, uint sp) => sp > s->AltStack && sp - s->AltStack <= s->AltStackSize;

    /// <summary>on_sig_stack: with SS_AUTODISARM the stack never counts as in use.</summary>
    internal static bool IsOn(ThreadSignals* s, uint sp) => (s->AltStackFlags & Sig.SS_AUTODISARM) == 0 && Holds(s, sp);

    /// <summary>sas_ss_flags: SS_DISABLE, SS_ONSTACK or 0.</summary>
    internal static uint State(ThreadSignals* s, uint sp)
    {
        if (s->AltStackSize == 0)
        {
            return Sig.SS_DISABLE;
        }

        return IsOn(s, sp) ? Sig.SS_ONSTACK : 0;
    }

    /// <summary>What sigaltstack reports.</summary>
    internal static Stack Query(ThreadSignals* s, uint sp)
    {
        Stack stack;
        stack.ss_sp = s->AltStack;
        stack.ss_flags = State(s, sp) | (s->AltStackFlags & Sig.SS_AUTODISARM);
        stack.ss_size = s->AltStackSize;
        return stack;
    }

    /// <summary>What frames keep: the flags as they were set.</summary>
    internal static Stack Saved(ThreadSignals* s)
    {
        Stack stack;
        stack.ss_sp = s->AltStack;
        stack.ss_flags = s->AltStackFlags;
        stack.ss_size = s->AltStackSize;
        return stack;
    }

    /// <summary>Sets the stack. EPERM on it, EINVAL for unknown flags, ENOMEM when smaller than 2048 bytes.</summary>
    internal static int Set(ThreadSignals* s, in Stack stack, uint sp)
    {
        if (IsOn(s, sp))
        {
            return -Errno.EPERM;
        }

        uint mode = stack.ss_flags & ~Sig.SS_AUTODISARM;
        if (mode is not (Sig.SS_DISABLE or Sig.SS_ONSTACK or 0))
        {
            return -Errno.EINVAL;
        }

        if (s->AltStack == stack.ss_sp && s->AltStackSize == stack.ss_size && s->AltStackFlags == stack.ss_flags)
        {
            return 0;
        }

        if (mode == Sig.SS_DISABLE)
        {
            s->AltStack = 0;
            s->AltStackSize = 0;
        }
        else
        {
            if (stack.ss_size < Sig.MinStackSize)
            {
                return -Errno.ENOMEM;
            }

            s->AltStack = stack.ss_sp;
            s->AltStackSize = stack.ss_size;
        }

        s->AltStackFlags = stack.ss_flags;
        return 0;
    }

    /// <summary>sas_ss_reset: no stack.</summary>
    internal static void Disarm(GuestThread* t)
    {
        t->Signals.AltStack = 0;
        t->Signals.AltStackSize = 0;
        t->Signals.AltStackFlags = Sig.SS_DISABLE;
    }
}
