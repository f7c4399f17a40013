using System.Threading;

namespace Lodge.Shim;

/// <summary>The guest's actions.</summary>
public static unsafe partial class Signals
{
    /// <summary>
    /// do_sigaction. The guest's record and the host's action change together under the sighand's lock, which delivery takes to
    /// read the action: no thread sees a handler that the host does not have.
    /// </summary>
    /// <param name="t">The calling thread.</param>
    /// <param name="signal">Number; EINVAL outside 1 to 64, and for setting SIGKILL or SIGSTOP.</param>
    /// <param name="act">The new action, or null.</param>
    /// <param name="old">The action before.</param>
    public static int SetAction(GuestThread* t, int signal, SigAction* act, out SigAction old)
    {
        old = default;
        if (signal is < 1 or > Sig.Count || (act != null && (Sig.Bit(signal) & Sig.Unmaskable) != 0))
        {
            return -Errno.EINVAL;
        }

        ulong bit = Sig.Bit(signal);
        t->Sighand->Lock.Acquire(t);
        SigAction* slot = Known(t->Sighand, signal);
        old = *slot;
        if (act != null)
        {
            slot->Handler = act->Handler;
            slot->Flags = act->Flags & Sig.UserFlags;
            slot->Restorer = act->Restorer;
            slot->Mask = act->Mask & ~Sig.Unmaskable;
            if (!IsSameForHost(old, *slot))
            {
                MirrorAction(t->Sighand, signal, slot);
            }

            if ((bit & Sig.Faults) != 0 && IsIgnored(slot, signal))
            {
                // The kernel drops what is pending when it becomes ignored; of these we keep it.
                Interlocked.And(ref t->Signals.VirtualPending, ~bit);
            }
        }

        t->Sighand->Lock.Release(t);
        return 0;
    }

    /// <summary>
    /// From now on signals whose default action ends the process are caught on the host, so that robust futexes are marked before it dies
    /// (<see cref="RobustList"/>). Called when the process gets writable memory that others may share: without it nobody could see the
    /// marks. Not for the first process of a pid namespace, which such signals do not end.
    /// </summary>
    public static void CatchDeath(GuestThread* t)
    {
        Sighand* sighand = t->Sighand;
        if (Volatile.Read(ref sighand->CatchesDeath) != 0 || t->Links.Tgid == 1)
        {
            return;
        }

        sighand->Lock.Acquire(t);
        sighand->CatchesDeath = 1;
        for (int signal = 1; signal <= Sig.Count; signal++)
        {
            if ((Sig.Bit(signal) & Sig.FatalByDefault) != 0)
            {
                SigAction* action = Known(sighand, signal);
                if (action->Handler == Sig.SIG_DFL)
                {
                    MirrorAction(sighand, signal, action);
                }
            }
        }

        sighand->Lock.Release(t);
    }

    private static bool IsSameForHost(in SigAction a, in SigAction b) =>
        a.Handler > Sig.SIG_IGN && b.Handler > Sig.SIG_IGN && a.Flags == b.Flags && (a.Flags & Sig.SA_RESETHAND) == 0;

    /// <summary>
    /// Hands the fault signals' actions and the whole mask over to the host: for execve, after which the kernel's own rules
    /// (handlers reset, ignored stays) make them the new program's. <see cref="TakeBackFromHost"/> undoes it when execve fails.
    /// </summary>
    public static void HandToHost(GuestThread* t)
    {
        for (int signal = 1; signal < 32; signal++)
        {
            if ((Sig.Bit(signal) & Sig.Faults) != 0 && Sighand.Action(t->Sighand, signal)->Handler == Sig.SIG_IGN)
            {
                SetHostAction(signal, HostIgnore, 0);
            }
        }

        if ((t->Signals.Blocked & Sig.Faults) != 0)
        {
            BlockHost(t, t->Signals.HostBlocked | (t->Signals.Blocked & Sig.Faults));
        }
    }

    /// <summary>Undoes <see cref="HandToHost"/>.</summary>
    public static void TakeBackFromHost(GuestThread* t)
    {
        for (int signal = 1; signal < 32; signal++)
        {
            if ((Sig.Bit(signal) & Sig.Faults) != 0 && Sighand.Action(t->Sighand, signal)->Handler == Sig.SIG_IGN)
            {
                MirrorAction(t->Sighand, signal, Sighand.Action(t->Sighand, signal));
            }
        }

        if ((t->Signals.Blocked & Sig.Faults) != 0)
        {
            RestoreHostMask(t);
        }
    }

    /// <summary>In the child of clone3 with CLONE_CLEAR_SIGHAND: the kernel has reset every handler to default.</summary>
    public static void ResetHandlers(GuestThread* t)
    {
        bool catches = t->Sighand->CatchesDeath != 0;
        t->Sighand->CatchesDeath = 0;
        for (int signal = 1; signal <= Sig.Count; signal++)
        {
            SigAction* action = Sighand.Action(t->Sighand, signal);
            if ((t->Sighand->Known & Sig.Bit(signal)) == 0)
            {
                continue;
            }

            uint handler = action->Handler == Sig.SIG_IGN ? Sig.SIG_IGN : Sig.SIG_DFL;
            *action = default;
            action->Handler = handler;
            if ((Sig.Bit(signal) & Sig.Faults) != 0)
            {
                MirrorAction(t->Sighand, signal, action);
            }
        }

        if (catches)
        {
            CatchDeath(t);
        }
    }
}
