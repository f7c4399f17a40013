using System.Threading;

namespace Lodge.Shim;

/// <summary>
/// Makes and ends guest threads and processes. All are the host kernel's own, made by its clone with the guest's flags, so ids,
/// parents, exit signals, namespaces and CLEARTID are real. A child that shares memory gets a record and stacks of its own;
/// one that does not goes on with the copy of its parent's.
/// </summary>
public static unsafe class Tasks
{
    /// <summary>
    /// Everything behind clone, fork, vfork and clone3.
    /// </summary>
    /// <param name="t">The calling thread.</param>
    /// <param name="args">Flags and addresses; stack is the guest's new stack pointer (stack_size is 0), tls what SETTLS takes.</param>
    /// <param name="byClone3">Use the host's clone3, for what clone cannot say.</param>
    /// <returns>The child's id; 0 in a child that has its own memory; -errno.</returns>
    public static int Clone<TAbi>(GuestThread* t, ref CloneArgs args, bool byClone3)
        where TAbi : unmanaged, IGuestAbi
    {
        // From here to the end nothing may arrive: the child inherits no pending signal, and has no signal stack yet.
        Signals.BlockHost(t, ~0UL);
        int result = t->SignalPending != 0 ? -Errno.ERESTARTSYS
            : (args.flags & CloneFlags.CLONE_VM) != 0 ? CloneSharing<TAbi>(t, ref args, byClone3)
            : CloneCopying<TAbi>(t, ref args, byClone3);
        Signals.RestoreHostMask(t);
        return result;
    }

    private static int CloneCopying<TAbi>(GuestThread* t, ref CloneArgs args, bool byClone3)
        where TAbi : unmanaged, IGuestAbi
    {
        ulong* tls = stackalloc ulong[Segments.TlsCount];
        for (int i = 0; i < Segments.TlsCount; i++)
        {
            tls[i] = t->Links.Tls[i];
        }

        I386Frame savedI386 = t->I386;
        ArmFrame savedArm = t->Arm;
        ulong flags = args.flags;
        if ((flags & CloneFlags.CLONE_SETTLS) != 0)
        {
            int error = SetTls<TAbi>(t, t, (uint)args.tls);
            if (error != 0)
            {
                return error;
            }
        }

#if X64
        if (t->Mm->Code != null)
        {
            t->Mm->Code->LearnFromChildren(t);
        }
#endif

        // Nobody else is in this memory, mostly: then no lock can be held, and pages that are not written are not copied.
        bool alone = Volatile.Read(ref t->Mm->Users) == 1;
        PrepareTidWrites(t, args);
        if (!alone)
        {
            ForkLocks.AcquireAll(t);
        }

        args.flags &= ~CloneFlags.CLONE_SETTLS;
        uint stack = (uint)args.stack;
        args.stack = 0;
        long pid;
        if (byClone3)
        {
            CloneArgs host = args;
            pid = Host.Syscall(Nr.clone3, (long)&host, sizeof(CloneArgs));
        }
        else
        {
            pid = Host.Fork(args.flags | args.exit_signal, (int*)args.parent_tid, (int*)args.child_tid);
        }

        if (pid == 0)
        {
            if (!alone)
            {
                ForkLocks.ResetAll(t);
            }

            BecomeOnly(t);
            t->Links.ClearChildTid = (flags & CloneFlags.CLONE_CHILD_CLEARTID) != 0 ? (uint)args.child_tid : 0;
            if ((flags & CloneFlags.CLONE_CLEAR_SIGHAND) != 0)
            {
                Signals.ResetHandlers(t);
            }

            if (stack != 0)
            {
                TAbi.SetStackPointer(t, stack);
            }

            return 0;
        }

        if (!alone)
        {
            ForkLocks.ReleaseAll(t);
        }

        if ((flags & CloneFlags.CLONE_SETTLS) != 0)
        {
            t->I386 = savedI386;
            t->Arm = savedArm;
            for (int i = 0; i < Segments.TlsCount; i++)
            {
                t->Links.Tls[i] = tls[i];
            }
        }

        return (int)pid;
    }

    /// <summary>In a forked child: one thread, nothing pending, and every record is its own.</summary>
    private static void BecomeOnly(GuestThread* t)
    {
        t->Tid = (int)Host.Syscall(Nr.gettid);
        t->Links.Tgid = t->Tid;
        t->Exec.FreeMisses = 16;
        t->Signals.VirtualPending = 0;
        t->Links.RobustList = 0;
        t->Links.Next = null;
        t->Links.Previous = null;
        if (t->Group->Threads != t)
        {
            t->Group->Threads = t;
        }

        SetOne(ref t->Group->Users);
        SetOne(ref t->Mm->Users);
        SetOne(ref t->Sighand->Users);
        SetOne(ref t->Files->Users);
        SetOne(ref t->Fs->Users);
        ThreadBlock.KeepOnly(t);
        t->Mm->BecomeChild();
#if X64
        if (t->Group->Statistics != 0 && t->Mm->Code != null)
        {
            t->Mm->Code->ForgetStatistics();
        }
#endif
    }

    // A page that is not written is not copied.
    private static void SetOne(ref int users)
    {
        if (users != 1)
        {
            users = 1;
        }
    }

    private static int CloneSharing<TAbi>(GuestThread* t, ref CloneArgs args, bool byClone3)
        where TAbi : unmanaged, IGuestAbi
    {
        ulong flags = args.flags;
        ThreadBlock* block = ThreadBlock.Take(t);
        if (block == null)
        {
            return -Errno.ENOMEM;
        }

        long use = block->Use;
        GuestThread* c = &block->Thread;
        Fill(t, c, flags);
        TAbi.SetResult(c, 0);
        if (args.stack != 0)
        {
            TAbi.SetStackPointer(c, (uint)args.stack);
        }

        int error = (flags & CloneFlags.CLONE_SETTLS) != 0 ? SetTls<TAbi>(t, c, (uint)args.tls) : 0;
        if (error == 0)
        {
            error = TaskRecords.Share(t, c, flags);
        }

        if (error != 0)
        {
            ThreadBlock.Free(block, use);
            return error;
        }

        c->Links.ClearChildTid = (flags & CloneFlags.CLONE_CHILD_CLEARTID) != 0 ? (uint)args.child_tid : 0;
        c->Links.Tgid = (flags & CloneFlags.CLONE_THREAD) != 0 ? t->Links.Tgid : 0;
        block->Process = c->Links.Tgid;
        PrepareTidWrites(t, args);
        args.flags |= CloneFlags.CLONE_SETTLS;
        long tid;
        if (byClone3)
        {
            CloneArgs host = args;
            host.tls = (ulong)c;
            host.stack = c->Links.HostStackTop - ThreadBlock.HostStackSize;
            host.stack_size = ThreadBlock.HostStackSize;
            tid = Host.Clone3(&host, (nuint)sizeof(CloneArgs), &ChildMain<TAbi>, c);
        }
        else
        {
            tid = Host.Clone(
                args.flags | args.exit_signal, (void*)c->Links.HostStackTop, (int*)args.parent_tid, (int*)args.child_tid, c, &ChildMain<TAbi>, c);
        }

        if (tid < 0 || (flags & CloneFlags.CLONE_VFORK) != 0)
        {
            // Never begun, or has left this memory: execve, exit or death. A thread that left by exit has tidied up by itself.
            if (Volatile.Read(ref block->Use) == use)
            {
                TaskRecords.Release(t, c);
                ThreadBlock.Free(block, use);
            }
        }

        return (int)tid;
    }

    /// <summary>The child's first steps, on its own stack, with everything blocked.</summary>
    private static void ChildMain<TAbi>(void* record)
        where TAbi : unmanaged, IGuestAbi
    {
        GuestThread* t = (GuestThread*)record;
        t->Tid = (int)Host.Syscall(Nr.gettid);
        if (t->Links.Tgid == 0)
        {
            t->Links.Tgid = t->Tid;
            t->Links.Block->Process = t->Tid;
        }

        TaskRecords.EnterGroup(t);
        Signals.EnterThread(t);
        if (t->Links.ResetHandlers != 0)
        {
            t->Links.ResetHandlers = 0;
            Signals.ResetHandlers(t);
        }

        Signals.SetHostMask(t, t->Signals.Blocked);
        Dispatcher.Run(t);
    }

    /// <summary>The parts of the record that a child has from its creator.</summary>
    private static void Fill(GuestThread* t, GuestThread* c, ulong flags)
    {
        c->SignalPending = 0;
        c->Tid = 0;
        c->Exec = default;
        c->I386 = t->I386;
        c->Arm = t->Arm;
        c->Mm = t->Mm;
        c->Links.RobustList = 0;
        c->Links.Next = null;
        c->Links.Previous = null;
        c->Links.ResetHandlers = (flags & CloneFlags.CLONE_CLEAR_SIGHAND) != 0 ? 1 : 0;
        for (int i = 0; i < Segments.TlsCount; i++)
        {
            c->Links.Tls[i] = t->Links.Tls[i];
        }

        ThreadSignals* s = &c->Signals;
        s->Blocked = t->Signals.Blocked;
        s->HostBlocked = ~0UL;
        s->TemporaryMask = 0;
        s->HasTemporaryMask = 0;
        s->NoRestart = 0;
        s->CaughtSignal = 0;
        s->SyncSignal = 0;
        s->VirtualPending = 0;
        s->TrapNumber = t->Signals.TrapNumber;
        s->ErrorCode = t->Signals.ErrorCode;
        s->FaultAddress = t->Signals.FaultAddress;
        if ((flags & CloneFlags.CLONE_VFORK) != 0)
        {
            s->AltStack = t->Signals.AltStack;
            s->AltStackSize = t->Signals.AltStackSize;
            s->AltStackFlags = t->Signals.AltStackFlags;
        }
        else
        {
            AltStack.Disarm(c);
        }
    }

    private static int SetTls<TAbi>(GuestThread* t, GuestThread* target, uint tls)
        where TAbi : unmanaged, IGuestAbi
    {
        if (TAbi.IsI386)
        {
            return Syscalls<TAbi>.SetThreadArea(t, target, tls, false);
        }

        target->Arm.tls = tls;
        return 0;
    }

    /// <summary>The kernel writes ids here.</summary>
    private static void PrepareTidWrites(GuestThread* t, in CloneArgs args)
    {
        if ((args.flags & (CloneFlags.CLONE_PARENT_SETTID | CloneFlags.CLONE_PIDFD)) != 0)
        {
            Mm.PrepareWrite(t, (uint)args.parent_tid, 4);
            Mm.PrepareWrite(t, (uint)args.pidfd, 4);
        }

        if ((args.flags & CloneFlags.CLONE_CHILD_SETTID) != 0)
        {
            Mm.PrepareWrite(t, (uint)args.child_tid, 4);
        }
    }

    /// <summary>exit: the calling thread ends, the process with it if it was the last one.</summary>
    public static void ExitThread(GuestThread* t, int status)
    {
        RobustList.Exit(t, wholeGroup: false);
        if (t->Links.ClearChildTid != 0)
        {
            // The kernel clears it when the thread is gone; a write-protected page would keep a joiner waiting.
            Mm.PrepareWrite(t, t->Links.ClearChildTid, 4);
        }

        Signals.BlockHost(t, ~0UL);
        TaskRecords.LeaveGroup(t);
        ThreadBlock* block = t->Links.Block;
        if (block == null || (t->Mm->Users == 1 && t->Group->Users == 1))
        {
            PrintStatistics(t);
            PerfMap.Write(t);
            ServiceClient.Report(t, status);
            Host.Syscall(Nr.exit, status);
        }

        TaskRecords.Release(t, t);
        ThreadStubs.Exit(&block->Use, status);
    }

    /// <summary>exit_group.</summary>
    public static void ExitGroup(GuestThread* t, int status)
    {
        RobustList.Exit(t, wholeGroup: true);
        if (t->Links.Block != null && t->Group->Users == 1 && t->Mm->Users > 1)
        {
            // A process of one thread in memory that others use: what it has is to be used again.
            ExitThread(t, status);
        }

        PrintStatistics(t);
        PerfMap.Write(t);
        ServiceClient.Report(t, status);
        Host.ExitGroup(status);
    }

    private static void PrintStatistics(GuestThread* t)
    {
#if X64
        if (t->Group->Statistics != 0 && t->Mm->Code != null)
        {
            t->Mm->Code->PrintStatistics(t);
        }
#endif
    }
}
