using Lodge.Translator.X64;

namespace Lodge.Shim;

/// <summary>
/// The loop every i386 guest thread runs: enter translated code, see why it came back, act, go on from the register frame. Guest code
/// never calls C#; nothing is kept on the host stack between two rounds.
/// </summary>
public static unsafe class Dispatcher
{
    private const int ArchSetGs = 0x1001;

    /// <summary>Runs the thread from its frame. Returns only if the thread record is told to stop (never in normal operation).</summary>
    public static void Run(GuestThread* t)
    {
        if (t->Mm->Code == null)
        {
            t->Mm->Code = CodeCache.Create();
            if (t->Mm->Code == null)
            {
                Fatal.Stop("no memory for translated code (RLIMIT_AS?)"u8);
            }
        }

        CodeCache* cache = t->Mm->Code;
        t->Exec.CodeBase = (ulong)cache->Base;
        t->Exec.TargetTable = (ulong)cache->Targets;
        SetGsBase(t);
        while (true)
        {
            if (t->SignalPending != 0)
            {
                Signals.ExitToGuest(t);
            }

            if (t->I386.gs_base != t->Exec.HostGsBase)
            {
                SetGsBase(t);
            }

            uint eip = t->I386.eip;
            uint offset = cache->Targets[eip];
            if (offset == 0)
            {
                offset = cache->Find(t, eip);
                if (offset == 0)
                {
                    Faults.FetchFault(t, eip);
                    continue;
                }
            }

            Enter(t, cache, offset);
        }
    }

    /// <summary>Runs guest code from a code cache offset, following links, until something else is to be done.</summary>
    private static void Enter(GuestThread* t, CodeCache* cache, uint offset)
    {
        while (true)
        {
            cache->Stubs.Enter(t, (ulong)cache->Base + offset);
            switch ((ExitReason)t->Exec.Reason)
            {
                case ExitReason.Link:
                    uint exit = t->Exec.Argument;
                    t->I386.eip = cache->TargetOf(exit);
                    if (t->SignalPending != 0)
                    {
                        return;
                    }

                    offset = cache->Link(t, exit);
                    if (offset == 0)
                    {
                        Faults.FetchFault(t, t->I386.eip);
                        return;
                    }

                    continue;
                case ExitReason.Syscall:
                    Syscall(t);
                    break;
                case ExitReason.Emulate:
                    Emulation.Execute(t);
                    break;
                case ExitReason.Interrupted:
                    Recovery.Recover(t, cache);
                    Signals.OnInterrupted(t);
                    break;
                case ExitReason.Sysenter:
                    Emulation.Sysenter(t);
                    break;
                default:
                    // Miss: EIP is set, the loop looks it up. NotEntered: a signal waits, the loop delivers it.
                    break;
            }

            return;
        }
    }

    /// <summary>The system call in EAX; EIP is behind the instruction. Whatever the handler leaves in the frame is where the guest goes on.</summary>
    public static void Syscall(GuestThread* t)
    {
        uint nr = t->I386.eax;
        t->I386.orig_eax = nr;
        int result;
        if (t->Group->Trace == 0)
        {
            result = I386Dispatch.Call(t, nr);
        }
        else
        {
            Strace.Enter(t, nr);
            result = I386Dispatch.Call(t, nr);
            Strace.Leave(t, nr, result);
        }

        t->I386.eax = (uint)result;
        if (t->SignalPending != 0 || (uint)result - unchecked((uint)-516) < 5)
        {
            Signals.ExitToGuest(t);
        }
    }

    /// <summary>Chooses the target table by whether data segments have bases: code is translated differently then.</summary>
    public static void SelectTargets(GuestThread* t)
    {
    }

    private static void SetGsBase(GuestThread* t)
    {
        Host.Syscall(Nr.arch_prctl, ArchSetGs, t->I386.gs_base);
        t->Exec.HostGsBase = t->I386.gs_base;
    }
}
