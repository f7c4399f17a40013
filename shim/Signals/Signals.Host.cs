using System.Runtime.InteropServices;

namespace Lodge.Shim;

/// <summary>The host's side: actions, masks, signal stacks.</summary>
public static unsafe partial class Signals
{
    private const ulong HostDefault = 0;
    private const ulong HostIgnore = 1;
    private const uint PageFaultTrap = 14;

    /// <summary>struct sigaction of the 64-bit kernels' rt_sigaction.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct HostSigAction
    {
        public ulong Handler;
        public ulong Flags;
        public ulong Restorer;
        public ulong Mask;
    }

    /// <summary>struct sigaltstack of the 64-bit kernels.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct HostStack
    {
        public ulong Base;
        public int Flags;
        public ulong Size;
    }

    /// <summary>
    /// The first thread, before guest code runs: signal stack, the fault signals' handlers, the inherited mask. Actions
    /// inherited over execve stay as they are and are read from the host when the guest first asks.
    /// </summary>
    public static void Start(GuestThread* t)
    {
        EnterThread(t);
        for (int signal = 1; signal < 32; signal++)
        {
            if ((Sig.Bit(signal) & Sig.Faults) != 0)
            {
                // One call takes the action's place and says what it was.
                Remember(t->Sighand, signal, SetHostAction(signal, HandlerAddress, 0));
                SigAction* action = Sighand.Action(t->Sighand, signal);
                if (action->Handler == Sig.SIG_IGN)
                {
                    MirrorAction(t->Sighand, signal, action);
                }
            }
        }

        ulong mask = 0, faults = Sig.Faults;
        Host.Syscall(Nr.rt_sigprocmask, Sig.SIG_UNBLOCK, (long)&faults, (long)&mask, 8);
        t->Signals.Blocked = mask;
        t->Signals.HostBlocked = HostMask(mask);
    }

    /// <summary>Gives the calling thread its signal stack. Everything is blocked until then.</summary>
    public static void EnterThread(GuestThread* t)
    {
        HostStack stack = default;
        t->HostSignalEntry = (ulong)(nuint)(delegate*<int, byte*, byte*, void>)&HostHandler;
        stack.Base = t->Links.SignalStack;
        stack.Size = t->Group->HostSignalStackSize;
        Host.Syscall(Nr.sigaltstack, (long)&stack, 0);
    }

    /// <summary>The host mask that stands for a guest mask: the fault signals stay open.</summary>
    public static ulong HostMask(ulong guestMask) => guestMask & ~(Sig.Faults | Sig.Unmaskable);

    /// <summary>Sets the host's mask of the calling thread, without looking at what is pending.</summary>
    public static void SetHostMask(GuestThread* t, ulong guestMask)
    {
        ulong mask = HostMask(guestMask);
        t->Signals.HostBlocked = mask;
        Host.Syscall(Nr.rt_sigprocmask, Sig.SIG_SETMASK, (long)&mask, 0, 8);
    }

    /// <summary>
    /// Blocks everything, the fault signals included or not, while a thread is made or ended.
    /// <see cref="RestoreHostMask"/> undoes it. Signals caught before stay noted.
    /// </summary>
    public static void BlockHost(GuestThread* t, ulong mask) => Host.Syscall(Nr.rt_sigprocmask, Sig.SIG_SETMASK, (long)&mask, 0, 8);

    /// <summary>Puts the mask back that was in force before <see cref="BlockHost"/>.</summary>
    public static void RestoreHostMask(GuestThread* t)
    {
        ulong mask = t->Signals.HostBlocked;
        Host.Syscall(Nr.rt_sigprocmask, Sig.SIG_SETMASK, (long)&mask, 0, 8);
    }

    /// <summary>The guest mask that decides now: that of sigsuspend and its like while one is in force.</summary>
    public static ulong EffectiveMask(GuestThread* t) => t->Signals.HasTemporaryMask != 0 ? t->Signals.TemporaryMask : t->Signals.Blocked;

    /// <summary>A signal's action, read from the host where it was inherited and never asked for. Under the sighand's lock (or alone).</summary>
    public static SigAction* Known(Sighand* sighand, int signal)
    {
        SigAction* action = Sighand.Action(sighand, signal);
        if ((sighand->Known & Sig.Bit(signal)) == 0)
        {
            HostSigAction host = default;
            Host.Syscall(Nr.rt_sigaction, signal, 0, (long)&host, 8);
            Remember(sighand, signal, host.Handler);
        }

        return action;
    }

    /// <summary>An action that was inherited: default or ignored.</summary>
    private static void Remember(Sighand* sighand, int signal, ulong hostHandler)
    {
        SigAction* action = Sighand.Action(sighand, signal);
        *action = default;
        action->Handler = hostHandler == HostIgnore ? Sig.SIG_IGN : Sig.SIG_DFL;
        sighand->Known |= Sig.Bit(signal);
    }

    /// <summary>True when the signal does nothing: ignored, or its default is to be ignored.</summary>
    public static bool IsIgnored(SigAction* action, int signal) =>
        action->Handler == Sig.SIG_IGN || (action->Handler == Sig.SIG_DFL && (Sig.IgnoredByDefault & Sig.Bit(signal)) != 0);

    /// <summary>
    /// Makes the host's action what the guest's action calls for. The kernel then restarts, resets (SA_RESETHAND), reaps
    /// (SA_NOCLDWAIT) and drops exactly as it would for the guest; only the fault signals are always caught.
    /// </summary>
    public static void MirrorAction(Sighand* sighand, int signal, SigAction* action)
    {
        const uint Mirrored = Sig.SA_RESTART | Sig.SA_NOCLDSTOP | Sig.SA_NOCLDWAIT | Sig.SA_RESETHAND;
        if ((Sig.Bit(signal) & Sig.Faults) != 0)
        {
            // A fault signal that somebody sends while the guest ignores it must not disturb a sleeping call.
            uint restart = action->Handler == Sig.SIG_IGN ? Sig.SA_RESTART : action->Flags & Sig.SA_RESTART;
            SetHostAction(signal, HandlerAddress, restart);
        }
        else if (action->Handler == Sig.SIG_DFL && sighand->CatchesDeath != 0 && (Sig.Bit(signal) & Sig.FatalByDefault) != 0)
        {
            SetHostAction(signal, HandlerAddress, Sig.SA_RESTART);
        }
        else if (action->Handler is Sig.SIG_DFL or Sig.SIG_IGN)
        {
            SetHostAction(signal, action->Handler, action->Flags & Mirrored);
        }
        else
        {
            SetHostAction(signal, HandlerAddress, action->Flags & Mirrored);
        }
    }

    private static ulong HandlerAddress => SignalContext.Entry((ulong)(nuint)(delegate*<int, byte*, byte*, void>)&HostHandler);

    /// <summary>The handler before, as the host has it.</summary>
    private static ulong SetHostAction(int signal, ulong handler, uint flags)
    {
        HostSigAction old = default;
        HostSigAction action = default;
        action.Handler = handler;
        action.Flags = flags | Sig.SA_SIGINFO | Sig.SA_ONSTACK | Sig.SA_RESTORER;
        action.Restorer = Stubs.Restorer;
        action.Mask = ~0UL;
        Host.Syscall(Nr.rt_sigaction, signal, (long)&action, (long)&old, 8);
        return old.Handler;
    }
}
