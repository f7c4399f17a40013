using System.Runtime.CompilerServices;
using System.Threading;
using Lodge.Translator.X64;

namespace Lodge.Shim;

/// <summary>
/// The loop every i386 guest thread runs: enter translated code, see why it came back, act, go on from the register frame. Guest code
/// never calls C#; nothing is kept on the host stack between two rounds.
/// </summary>
public static unsafe class Dispatcher
{
    private const int ArchSetGs = 0x1001;

    /// <summary>Selectors up to this one are null: an access through them is #GP.</summary>
    private const ushort NullSelector = 3;

    /// <summary>
    /// GS base that stands for a null selector: in the guard above the guest, so that an access faults, and <see cref="Faults.CheckLimit"/>
    /// makes the #GP of it that the guest's CPU raises.
    /// </summary>
    public const ulong NullGsBase = 32ul << 30;

    private const ulong NonCanonical = 1ul << 47;

    /// <summary>EFLAGS.TF.</summary>
    private const uint TrapFlag = 0x100;

    /// <summary>Runs the thread from its frame; never returns. Sets up what of the execution state depends on the address space.</summary>
    public static void Run(GuestThread* t)
    {
        CodeCache* cache = Prepare(t);
        while (true)
        {
            if (t->SignalPending != 0)
            {
                GuestFpu.Store(t);
                Signals.Deliver(t);
            }

            ulong gs = t->I386.gs > NullSelector ? t->I386.gs_base : NullGsBase;
            if (gs != t->Exec.HostGsBase)
            {
                SetGsBase(t, gs);
            }

            t->Exec.FsTrap = t->I386.fs > NullSelector ? 0 : NonCanonical;
            t->Exec.GsTrap = t->I386.gs > NullSelector ? 0 : NonCanonical;

            if (((t->I386.ds_base | t->I386.es_base | t->I386.ss_base | t->I386.cs_base) != 0) != (t->Exec.Segmented != 0))
            {
                SelectTargets(t, cache);
            }

            bool guarded = SegmentGuard.Applies(t);
            t->Exec.Guarded = guarded ? 1u : 0;
            if (guarded && !Emulation.MayRun(t))
            {
                continue;
            }

            if ((t->I386.eflags & TrapFlag) != 0 || t->Exec.StepOver != 0 || guarded)
            {
                Step(t, cache);
                continue;
            }

            uint eip = t->I386.eip;
            Volatile.Write(ref t->Exec.InCache, 1);
            bool recent = t->Exec.Segmented == 0;
            if (t->Exec.Reason == (uint)ExitReason.Miss)
            {
                recent &= t->Exec.FreeMisses != 0;
                t->Exec.FreeMisses -= recent ? 1u : 0;
            }

            uint offset = recent ? cache->Recent(eip) : TargetTables.Read((byte*)t->Exec.TargetTable, eip, cache->Layout.NestedTargets);
            if (offset == 0)
            {
                t->Exec.InCache = 0;
                offset = cache->Find(t, eip);
                if (offset == 0)
                {
                    Emulation.FetchFailed(t, eip);
                    continue;
                }
            }

            Enter(t, cache, offset);
        }
    }

    private static CodeCache* Prepare(GuestThread* t)
    {
        if (t->Mm->Code == null)
        {
            t->Mm->Code = CodeCache.Create(CodeCacheSizes.For(t->Mm->CodeCacheBytes, t->Mm->StartLimits.Least), t->Mm->CacheTables, t->Mm->CacheTablesBytes);
            if (t->Mm->Code == null)
            {
                Fatal.Stop("no memory for translated code (RLIMIT_AS?)"u8);
            }
        }

        CodeCache* cache = t->Mm->Code;
        t->Exec.CodeBase = (ulong)cache->Base;
        t->Exec.TargetTable = (ulong)cache->Targets;
        t->Exec.Segmented = 0;
        ResetReturnStack(t);
        SetGsBase(t, NullGsBase);

        // A thread that begins while another empties the cache has not been told.
        Interlocked.MemoryBarrier();
        cache->Pause(t);
        return cache;
    }

    /// <summary>Empties the return stack: every return now goes through the target table until calls have filled it again.</summary>
    public static void ResetReturnStack(GuestThread* t) => ResetReturnStack(t, t->Mm->Code->Stubs.Sentinel);

    /// <summary>The same for a thread that is outside translated code and may not have come so far as to know its cache.</summary>
    public static void ResetReturnStack(GuestThread* t, ulong sentinel)
    {
        t->Exec.ReturnStackBase = t->Links.ReturnStackTop - 64;
        *(ulong*)t->Exec.ReturnStackBase = sentinel;
        t->Exec.ReturnStackPointer = t->Exec.ReturnStackBase;
    }

    /// <summary>
    /// Runs guest code from a code cache offset, following links, until something else is to be done. Inlined with what follows: the CPU's
    /// return predictor holds guest addresses here, so every C# return on the way of a system call would be mispredicted.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Enter(GuestThread* t, CodeCache* cache, uint offset)
    {
        while (true)
        {
            cache->Stubs.Enter(t, (ulong)cache->Base + offset);
            if (t->Exec.Reason != (uint)ExitReason.Link)
            {
                Act(t, cache);
                return;
            }

            uint exit = t->Exec.Argument;
            uint target = cache->TargetOf(exit);
            uint generation = cache->Generation;
            t->I386.eip = target;
            Volatile.Write(ref t->Exec.InCache, 0);
            if (t->SignalPending != 0)
            {
                return;
            }

            offset = cache->Link(t, exit, generation, target);
            if (offset == 0)
            {
                Emulation.FetchFailed(t, t->I386.eip);
                return;
            }
        }
    }

    /// <summary>Does what the exit asks for; EIP is set except after <see cref="ExitReason.Link"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Act(GuestThread* t, CodeCache* cache)
    {
        switch ((ExitReason)t->Exec.Reason)
        {
            case ExitReason.Link:
                t->I386.eip = cache->TargetOf(t->Exec.Argument);
                Volatile.Write(ref t->Exec.InCache, 0);
                break;
            case ExitReason.Syscall:
                Volatile.Write(ref t->Exec.InCache, 0);
                Syscall(t);
                break;
            case ExitReason.Emulate:
                Volatile.Write(ref t->Exec.InCache, 0);
                Emulation.Execute(t);
                break;
            case ExitReason.Interrupted:
                Recovery.Recover(t, cache);
                Volatile.Write(ref t->Exec.InCache, 0);
                Faults.CheckLimit(t);
                GuestFpu.Store(t);
                Signals.OnInterrupted(t);
                break;
            case ExitReason.X87State:
                Volatile.Write(ref t->Exec.InCache, 0);
                Emulation.FixX87State(t);
                break;
            case ExitReason.JumpTable:
                uint generation = cache->Generation;
                Volatile.Write(ref t->Exec.InCache, 0);
                cache->ResolveJump(t, t->Exec.Argument, generation, t->I386.eip);
                break;
            default:
                // Miss: EIP is set, the loop looks it up. NotEntered: a signal waits, the loop delivers it.
                Volatile.Write(ref t->Exec.InCache, 0);
                break;
        }
    }

    /// <summary>
    /// One instruction on its own. With TF the guest then gets SIGTRAP (the flag is kept from the CPU meanwhile); otherwise it is a store
    /// into the instruction's own page, which is writable until the page's code is translated again.
    /// </summary>
    private static void Step(GuestThread* t, CodeCache* cache)
    {
        bool trap = (t->I386.eflags & TrapFlag) != 0;
        t->Exec.StepOver = 0;
        uint eip = t->I386.eip;
        uint offset = cache->Single(t, eip);
        if (offset == 0)
        {
            Emulation.FetchFailed(t, eip);
            return;
        }

        if (!trap)
        {
            cache->Stubs.Enter(t, (ulong)cache->Base + offset);
            Act(t, cache);
            return;
        }

        if (cache->NoTargets == null)
        {
            cache->NoTargets = (byte*)HostMemory.Map(TargetTables.Bytes(cache->Sizes.TargetNodes != 0 ? 1u : 0));
        }

        bool completed;
        if (Emulation.HandlesTrapFlag(t, eip))
        {
            Volatile.Write(ref t->Exec.InCache, 0);
            Emulation.Execute(t);
            completed = true;
        }
        else
        {
            ulong targets = t->Exec.TargetTable;
            t->Exec.TargetTable = (ulong)cache->NoTargets;
            t->I386.eflags &= ~TrapFlag;
            cache->Stubs.Enter(t, (ulong)cache->Base + offset);
            t->Exec.TargetTable = targets;
            t->I386.eflags |= TrapFlag;
            uint reason = t->Exec.Reason;
            if (reason == (uint)ExitReason.Interrupted)
            {
                // A signal came in between; the instruction may be done nevertheless. Its trap goes first.
                Recovery.Recover(t, cache);
                Volatile.Write(ref t->Exec.InCache, 0);
                Faults.CheckLimit(t);
                completed = t->I386.eip != eip;
            }
            else
            {
                Act(t, cache);

                // The CPU does not trap behind INT 80h: the flag is looked at again only after the instruction that follows the return.
                completed = reason is (uint)ExitReason.Link or (uint)ExitReason.Miss or (uint)ExitReason.X87State
                    || (reason == (uint)ExitReason.Emulate && t->I386.eip != eip);
            }
        }

        if (completed && t->Signals.SyncSignal == 0)
        {
            Faults.DebugTrap(t, Faults.TRAP_TRACE);
        }
    }

    /// <summary>The system call in EAX; EIP is behind the instruction. Whatever the handler leaves in the frame is where the guest goes on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
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
            long began = Strace.Enter(t, nr);
            result = I386Dispatch.Call(t, nr);
            Strace.Leave(t, nr, result, began);
        }

        t->I386.eax = (uint)result;
        if (t->SignalPending != 0 || (uint)result - unchecked((uint)-516) < 5)
        {
            GuestFpu.Store(t);
            Signals.ExitToGuest(t);
        }
    }

    /// <summary>
    /// Chooses the target table by whether data segments have bases: code is translated differently then. The return stack is emptied, so
    /// that no return lands in code of the other kind.
    /// </summary>
    private static void SelectTargets(GuestThread* t, CodeCache* cache)
    {
        t->Exec.Segmented ^= 1;
        if (cache->SegmentedTargets == null)
        {
            cache->SegmentedTargets = (byte*)HostMemory.Map(TargetTables.Bytes(cache->Sizes.TargetNodes));
        }

        t->Exec.TargetTable = (ulong)(t->Exec.Segmented != 0 ? cache->SegmentedTargets : cache->Targets);
        ResetReturnStack(t);
    }

    private static void SetGsBase(GuestThread* t, ulong value)
    {
        Host.Syscall(Nr.arch_prctl, ArchSetGs, (long)value);
        t->Exec.HostGsBase = value;
    }
}

/// <summary>MXCSR of the guest: it stays in the CPU while C# runs, and is put into the frame only where the frame is looked at.</summary>
public static unsafe class GuestFpu
{
    /// <summary>Copies the CPU's MXCSR into the frame.</summary>
    public static void Store(GuestThread* t) => t->I386.mxcsr = CpuStubs.StoreMxcsr();
}
