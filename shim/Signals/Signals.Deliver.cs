using System.Threading;

namespace Lodge.Shim;

/// <summary>The exit path and delivery.</summary>
public static unsafe partial class Signals
{
    /// <summary>
    /// After a system call, when a signal is noted or the result is -ERESTARTSYS: rewinds the guest to the call where it is to be
    /// made again, then delivers. The kernel has decided before whether a call is restarted (the host's actions carry the
    /// guest's SA_RESTART): -ERESTARTSYS from a handler always means "again".
    /// </summary>
    public static void ExitToGuest(GuestThread* t)
    {
        if (GuestFrames.IsInSystemCall(t) && GuestFrames.Result(t) == -Errno.ERESTARTSYS)
        {
            GuestFrames.RestartSystemCall(t);
        }

        Deliver(t);
    }

    /// <summary>After translated code was interrupted and the frame is precise again.</summary>
    public static void OnInterrupted(GuestThread* t) => Deliver(t);

    /// <summary>
    /// Delivers what is noted: builds guest frames until nothing deliverable is left, and sets the host mask that the guest's
    /// calls for. The register frame is precise, outside a system call.
    /// </summary>
    public static void Deliver(GuestThread* t)
    {
        byte* info = stackalloc byte[Sig.InfoSize];
        for (;;)
        {
            if (t->SignalPending != 0)
            {
                int signal = Dequeue(t, info, out bool synchronous);
                if (signal != 0)
                {
                    DeliverOne(t, signal, info, synchronous);
                }

                continue;
            }

            t->Signals.HasTemporaryMask = 0;
            ulong mask = HostMask(t->Signals.Blocked);
            if (mask == t->Signals.HostBlocked)
            {
                return;
            }

            t->Signals.HostBlocked = mask;
            if (Host.BlockingCall(t, Nr.rt_sigprocmask, Sig.SIG_SETMASK, (long)&mask, 0, 8) == -Errno.ERESTARTSYS)
            {
                // Something was caught first, and the host blocks everything.
                t->Signals.HostBlocked = Sig.AllButFaults;
            }
        }
    }

    /// <summary>
    /// A fault that the dispatcher found itself (an emulated instruction, a fetch from nowhere): noted like one from the host, and
    /// delivered on the way to the guest.
    /// </summary>
    /// <param name="t">The calling thread.</param>
    /// <param name="signal">One of the fault signals.</param>
    /// <param name="code">si_code.</param>
    /// <param name="address">si_addr.</param>
    public static void Force(GuestThread* t, int signal, int code, uint address)
    {
        byte* info = ThreadSignals.SyncInfo(&t->Signals);
        ulong* words = (ulong*)info;
        for (int i = 0; i < Sig.InfoSize / 8; i++)
        {
            words[i] = 0;
        }

        *(int*)info = signal;
        *(int*)(info + 8) = code;
        *(ulong*)(info + 16) = address;
        t->Signals.SyncSignal = signal;
        t->SignalPending = 1;
    }

    /// <summary><see cref="Force"/> with the x86 trap number and error code that the frame will show.</summary>
    public static void ForceFault(GuestThread* t, int signal, int code, uint address, uint trap, uint error)
    {
        t->Signals.TrapNumber = trap;
        t->Signals.ErrorCode = error;
        if (trap == PageFaultTrap)
        {
            t->Signals.FaultAddress = address;
        }

        Force(t, signal, code, address);
    }

    /// <summary>Takes the next deliverable signal and recomputes <see cref="GuestThread.SignalPending"/>. 0 = nothing (any more).</summary>
    private static int Dequeue(GuestThread* t, byte* info, out bool synchronous)
    {
        int signal = 0;
        synchronous = false;
        // The barrier belongs to CodeCache.Pause: either it is seen here that threads are to stop, or the flag is set again behind this.
        Interlocked.Exchange(ref t->SignalPending, 0);
        CodeInvalidation.Pause(t);
        ulong open = Volatile.Read(ref t->Signals.VirtualPending) & ~EffectiveMask(t);
        if (t->Signals.SyncSignal != 0)
        {
            signal = t->Signals.SyncSignal;
            CopyInfo(info, ThreadSignals.SyncInfo(&t->Signals));
            t->Signals.SyncSignal = 0;
            synchronous = !IsOurs(t, signal, info);
            signal = synchronous ? signal : 0;
        }
        else if (open != 0)
        {
            for (signal = 1; (open & Sig.Bit(signal)) == 0; signal++)
            {
            }

            CopyInfo(info, ThreadSignals.VirtualInfo(&t->Signals, Sig.FaultIndex(signal)));
            Interlocked.And(ref t->Signals.VirtualPending, ~Sig.Bit(signal));
        }
        else if (t->Signals.CaughtSignal != 0)
        {
            signal = t->Signals.CaughtSignal;
            CopyInfo(info, ThreadSignals.CaughtInfo(&t->Signals));
            t->Signals.CaughtSignal = 0;
        }

        UpdatePending(t);
        return signal;
    }

    /// <summary>Sets <see cref="GuestThread.SignalPending"/> when something deliverable is noted. After every change of the guest's mask.</summary>
    public static void UpdatePending(GuestThread* t)
    {
        if (t->Signals.CaughtSignal != 0 || t->Signals.SyncSignal != 0 || (Volatile.Read(ref t->Signals.VirtualPending) & ~EffectiveMask(t)) != 0)
        {
            t->SignalPending = 1;
        }
    }

    /// <summary>
    /// Faults that are not the guest's: a store to a page whose code was translated, and the return stack's end (deep recursion: the
    /// return stack starts afresh, and returns beyond find their way by address).
    /// </summary>
    private static bool IsOurs(GuestThread* t, int signal, byte* info)
    {
        ulong address = *(ulong*)(info + 16);
        if (signal == Sig.SIGSEGV && *(int*)(info + 8) > 0 && address - (t->Links.ReturnStackLow - ThreadBlock.GuardSize) < ThreadBlock.GuardSize)
        {
            t->Exec.ReturnStackPointer = t->Exec.ReturnStackBase;
            return true;
        }

        return IsResolved(t, signal, info, (t->Signals.ErrorCode & 2) != 0);
    }

    /// <summary>Whether a page fault in guest memory has been made good, and the access can be tried again.</summary>
    private static bool IsResolved(GuestThread* t, int signal, byte* info, bool write)
    {
        if (signal != Sig.SIGSEGV || *(int*)(info + 8) is not (Sig.SEGV_ACCERR or Sig.SEGV_MAPERR))
        {
            return false;
        }

        ulong address = *(ulong*)(info + 16);
        return write ? GuestPages.OnWriteFault(t, address) : GuestPages.OnReadFault(t, address);
    }

    /// <summary>get_signal and handle_signal for one signal.</summary>
    private static void DeliverOne(GuestThread* t, int signal, byte* info, bool synchronous)
    {
        ulong bit = Sig.Bit(signal);
        ulong mask = EffectiveMask(t);
        t->Sighand->Lock.Acquire(t);
        SigAction* slot = Known(t->Sighand, signal);
        if (synchronous && ((mask & bit) != 0 || slot->Handler == Sig.SIG_IGN))
        {
            // force_sig_info: a fault cannot wait and cannot be ignored.
            slot->Handler = Sig.SIG_DFL;
            t->Signals.Blocked &= ~bit;
            t->Signals.TemporaryMask &= ~bit;
        }
        else if ((mask & bit) != 0)
        {
            // Caught, and blocked since: the kernel keeps it.
            t->Sighand->Lock.Release(t);
            Requeue(t, signal, info);
            return;
        }

        SigAction action = *slot;
        if ((action.Flags & Sig.SA_RESETHAND) != 0 && action.Handler > Sig.SIG_IGN)
        {
            slot->Handler = Sig.SIG_DFL;
        }

        t->Sighand->Lock.Release(t);
        if (action.Handler == Sig.SIG_DFL)
        {
            DefaultAction(t, signal);
            return;
        }

        if (action.Handler == Sig.SIG_IGN)
        {
            return;
        }

        if (synchronous)
        {
            GuestFrames.FixFaultInfo(t, signal, info);
        }

        if (!GuestFrames.SetupFrame(t, signal, &action, info, t->Signals.Blocked))
        {
            ForceSegv(t, signal);
            return;
        }

        mask |= action.Mask;
        if ((action.Flags & Sig.SA_NODEFER) == 0)
        {
            mask |= bit;
        }

        t->Signals.HasTemporaryMask = 0;
        t->Signals.Blocked = mask & ~Sig.Unmaskable;
        if ((t->Signals.AltStackFlags & Sig.SS_AUTODISARM) != 0)
        {
            AltStack.Disarm(t);
        }

        // A fault signal that was open may be blocked now; SignalPending only promises a look.
    }

    /// <summary>force_sigsegv: a frame could not be built or read; a SIGSEGV that cannot be delivered either ends the process.</summary>
    public static void ForceSegv(GuestThread* t, int failed)
    {
        if (failed == Sig.SIGSEGV)
        {
            t->Sighand->Lock.Acquire(t);
            Known(t->Sighand, Sig.SIGSEGV)->Handler = Sig.SIG_DFL;
            t->Sighand->Lock.Release(t);
        }

        Force(t, Sig.SIGSEGV, Sig.SI_KERNEL, 0);
    }

    /// <summary>What the kernel does by itself; it reaches us only for the fault signals, or when the action changed after the catch.</summary>
    private static void DefaultAction(GuestThread* t, int signal)
    {
        ulong bit = Sig.Bit(signal);
        if ((bit & Sig.IgnoredByDefault) != 0)
        {
            return;
        }

        if ((bit & Sig.StopsByDefault) != 0)
        {
            Host.Syscall(Nr.kill, Host.Syscall(Nr.getpid), Sig.SIGSTOP);
            return;
        }

        Die(t, signal);
    }

    /// <summary>Ends the process by a signal, so that its parent sees that signal and the kernel dumps core where it would.</summary>
    public static void Die(GuestThread* t, int signal)
    {
        RobustList.Exit(t, wholeGroup: true);
        for (;;)
        {
            SetHostAction(signal, HostDefault, 0);
            Host.Syscall(Nr.tgkill, Host.Syscall(Nr.getpid), t->Tid, signal);
            BlockHost(t, ~Sig.Bit(signal));
        }
    }
}
