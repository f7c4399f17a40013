using System.Threading;

namespace Lodge.Shim;

/// <summary>
/// Signals of guest threads. Three stages:
/// <code>
/// host handler    notes the signal in the thread's record and blocks everything; moves the program counter out of guest code
///                 (to the interrupt exit) or out of a call that has not begun (to its -ERESTARTSYS exit)
/// exit path       in the dispatcher, with a precise register frame: restarts the call if the kernel wants it restarted
/// delivery        takes the noted signal, builds the guest's frame, sets the mask that the guest's handler runs under
/// </code>
/// The kernel queues, orders and decides restarts: the host's actions carry the guest's SA_RESTART, and at most one
/// asynchronous signal per thread is out of the kernel at a time.
/// </summary>
public static unsafe partial class Signals
{
    /// <summary>
    /// The handler of every signal that the guest handles, and of the five fault signals always. Runs on the thread's signal
    /// stack with everything blocked; uses no lock and no guest memory.
    /// </summary>
    public static void HostHandler(int signal, byte* info, byte* context)
    {
        GuestThread* t = Host.Thread;
        ulong pc = SignalContext.ProgramCounter(context);
        int code = *(int*)(info + 8);
        if ((Sig.Bit(signal) & Sig.Faults) != 0 && code > 0 && pc != Stubs.BlockingEnd && !(signal == Sig.SIGBUS && code == Sig.BUS_MCEERR_AO))
        {
            Fault(t, signal, info, context, pc);
            return;
        }

        if ((Sig.Bit(signal) & Sig.Faults) != 0)
        {
            if (signal == KickSignal)
            {
                // Whichever of two that were joined came first: a thread that waits for the kick waits no longer.
                Volatile.Write(ref t->Exec.Kick, 0);
            }

            if (IsKick(t, signal, info))
            {
                Redirect(t, context, pc);
                return;
            }

            int index = Sig.FaultIndex(signal);
            if ((t->Signals.VirtualPending & Sig.Bit(signal)) == 0)
            {
                CopyInfo(ThreadSignals.VirtualInfo(&t->Signals, index), info);
                Interlocked.Or(ref t->Signals.VirtualPending, Sig.Bit(signal));
            }

            if ((EffectiveMask(t) & Sig.Bit(signal)) != 0)
            {
                // Blocked for the guest: it stays pending here, and what was interrupted goes on.
                return;
            }
        }
        else if (t->Signals.CaughtSignal == 0)
        {
            CopyInfo(ThreadSignals.CaughtInfo(&t->Signals), info);
            t->Signals.CaughtSignal = signal;
        }
        else
        {
            // The mask should have kept it away. Back to the kernel, which holds it until the mask allows it.
            Requeue(t, signal, info);
        }

        t->SignalPending = 1;
        *SignalContext.Mask(context) = Sig.AllButFaults;
        t->Signals.HostBlocked = Sig.AllButFaults;
        if (pc - Stubs.BlockingStart < Stubs.BlockingEnd - Stubs.BlockingStart)
        {
            if (SignalContext.IsRestartBlock(context))
            {
                SignalContext.SetResult(context, -Errno.EINTR);
                SignalContext.SetProgramCounter(context, Stubs.BlockingEnd);
            }
            else
            {
                SignalContext.SetProgramCounter(context, Stubs.BlockingInterrupted);
            }

            return;
        }

        Redirect(t, context, pc);
    }

    /// <summary>A fault: of guest code, of our access to guest memory, or our own.</summary>
    private static void Fault(GuestThread* t, int signal, byte* info, byte* context, ulong pc)
    {
        if (pc - Stubs.AccessStart < Stubs.AccessFault - Stubs.AccessStart)
        {
            if (IsResolved(t, signal, info, SignalContext.IsWrite(context)))
            {
                return;
            }

            SignalContext.SetProgramCounter(context, Stubs.AccessFault);
            return;
        }

        if (!Redirect(t, context, pc))
        {
            Bug(signal, info, context, pc);
            return;
        }

        CopyInfo(ThreadSignals.SyncInfo(&t->Signals), info);
        t->Signals.SyncSignal = signal;
        t->Signals.TrapNumber = SignalContext.TrapNumber(context);
        t->Signals.ErrorCode = SignalContext.ErrorCode(context);
        if (t->Signals.TrapNumber == PageFaultTrap)
        {
            t->Signals.FaultAddress = (uint)SignalContext.FaultAddress(context);
        }

        t->SignalPending = 1;
    }

    private static bool Redirect(GuestThread* t, byte* context, ulong pc)
    {
        ulong target = Recovery.InterruptTarget(t, pc);
        if (target == 0)
        {
            return false;
        }

        t->Exec.InterruptedPc = pc;
        SignalContext.SaveScratch(t, context);
        SignalContext.SetProgramCounter(context, target);
        return true;
    }

    /// <summary>A fault in the shim's own code: says where, and lets the signal end the process there.</summary>
    private static void Bug(int signal, byte* info, byte* context, ulong pc)
    {
        Line line = new(stackalloc byte[160]);
        line.Add("lodge-shim: internal error: signal "u8);
        line.Dec(signal);
        line.Add(" at "u8);
        line.Hex(pc);
        line.Add(", address "u8);
        line.Hex(*(ulong*)(info + 16));
        line.Add(", stack "u8);
        line.Hex(SignalContext.StackPointer(context));
        line.Add("\n"u8);
        line.Flush(2);
        SetHostAction(signal, HostDefault, 0);
    }

    /// <summary>Sends a signal that this thread was handed back to itself, with its siginfo; it must be blocked on the host.</summary>
    private static void Requeue(GuestThread* t, int signal, byte* info) =>
        Host.Syscall(Nr.rt_tgsigqueueinfo, Host.Syscall(Nr.getpid), t->Tid, signal, (long)info);

    private static void CopyInfo(byte* to, byte* from)
    {
        ulong* d = (ulong*)to;
        ulong* s = (ulong*)from;
        for (int i = 0; i < Sig.InfoSize / 8; i++)
        {
            d[i] = s[i];
        }
    }
}
