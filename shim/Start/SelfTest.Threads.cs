using System;
using System.Threading;

namespace Lodge.Shim;

public static unsafe partial class SelfTest
{
    private const int SigSegv = 11, SigAlrm = 14, SigChld = 17;
    private const ulong SaSigInfo = 4, SaRestorer = 0x0400_0000, SaOnStack = 0x0800_0000, SaRestart = 0x1000_0000;
    private const ulong CloneVm = 0x100, CloneVfork = 0x4000, CloneSetTls = 0x8_0000, CloneParentSetTid = 0x10_0000, CloneChildClearTid = 0x20_0000;

    // CLONE_VM, FS, FILES, SIGHAND, THREAD, SYSVSEM: what a thread library asks for.
    private const ulong CloneThread = 0x5_0F00;
    private const long StackSize = 0x1_0000;

    /// <summary>The checks' thread: the guest thread's record first, so that the thread register leads to both.</summary>
    private struct Record
    {
        internal GuestThread Thread;
        internal int Signals;
        internal int Redirected;
        internal int OnSignalStack;
        internal int Tid;
        internal ulong SignalStack;
        internal Record* Parent;
    }

    /// <summary>sigaction as the kernel takes it (include/linux/signal_types.h), with sa_restorer on both hosts.</summary>
    private struct KernelSigAction
    {
        internal void* Handler;
        internal ulong Flags;
        internal nuint Restorer;
        internal ulong Mask;
    }

    private struct SigAltStack
    {
        internal ulong Pointer;
        internal int Flags;
        internal ulong Size;
    }

    private static Record* PrepareThread(ref Report report)
    {
        Record* record = (Record*)MapBlock();
        if (record == null)
        {
            report.Check("thread: memory for its record"u8, false, 0);
            return null;
        }

        record->Thread.Self = &record->Thread;
        Host.SetThread(&record->Thread);
        report.Check("thread: register leads to the record"u8, Host.Thread == &record->Thread, (long)Host.Thread);
        SigAltStack stack = default;
        stack.Pointer = record->SignalStack = (ulong)MapBlock();
        stack.Size = (ulong)StackSize;
        long result = Host.Syscall(Nr.sigaltstack, (long)&stack, 0);
        report.Check("signals: stack of their own"u8, result == 0, result);
        result = Install(SigSegv, 0);
        report.Check("signals: handler"u8, result == 0, result);
        return record;
    }

    private static void GuestMemory(ref Report report)
    {
        bool ok = User.Put(GuestPage, 0x1122334455667788UL);
        ok &= User.Get(GuestPage + 2, out uint middle);
        report.Check("guest memory: values in and out"u8, ok && middle == 0x33445566, middle);
        byte* buffer = stackalloc byte[256];
        int wrong = 0;
        for (int length = 0; length < 200; length++)
        {
            for (int i = 0; i < length; i++)
            {
                buffer[i] = (byte)(i + length);
            }

            wrong += User.CopyOut(GuestPage + 64, buffer, (nuint)length) ? 0 : 1;
            new Span<byte>(buffer, 256).Clear();
            wrong += User.CopyIn(buffer, GuestPage + 64, (nuint)length) ? 0 : 1;
            for (int i = 0; i < length; i++)
            {
                wrong += buffer[i] == (byte)(i + length) ? 0 : 1;
            }
        }

        report.Check("guest memory: copies of 0 to 199 bytes"u8, wrong == 0, wrong);
        const uint Edge = GuestPage + 4096;
        report.Check("guest memory: reading what is not mapped gives EFAULT"u8, !User.Get(Edge, out uint _), 0);
        report.Check("guest memory: reading across the edge gives EFAULT"u8, !User.CopyIn(buffer, Edge - 100, 200), 0);
        report.Check("guest memory: writing across the edge gives EFAULT"u8, !User.CopyOut(Edge - 5, buffer, 6) && !User.Fill(Edge - 5, 0, 6), 0);
        report.Check("guest memory: null and the top give EFAULT"u8, !User.Get(0, out byte _) && !User.Get(0xFFFF_FFFC, out ulong _), 0);
        Host.Syscall(Nr.mprotect, GuestPage, 4096, ProtRead);
        report.Check("guest memory: writing to read-only pages gives EFAULT"u8, !User.Put(GuestPage, 1) && User.Get(GuestPage, out int _), 0);
        Host.Syscall(Nr.mprotect, GuestPage, 4096, ProtReadWrite);

        fixed (byte* text = "text"u8)
        {
            ok = User.CopyOut(Edge - 5, text, 5);
        }

        int size = User.CopyString(buffer, Edge - 5, 256);
        report.Check("guest memory: string that ends at the edge"u8, ok && size == 4 && buffer[3] == (byte)'t' && buffer[4] == 0, size);
        size = User.CopyString(buffer, Edge - 5, 4);
        report.Check("guest memory: string that is too long"u8, size == -Errno.ENAMETOOLONG, size);
        User.Put(Edge - 1, (byte)'x');
        size = User.CopyString(buffer, Edge - 5, 256);
        report.Check("guest memory: string without end gives EFAULT"u8, size == -Errno.EFAULT, size);
        User.Put(GuestPage, 7u);
        ok = User.CompareExchange(GuestPage, 7, 8, out uint first) && User.CompareExchange(GuestPage, 7, 9, out uint second) && first == 7 && second == 8;
        report.Check("guest memory: compare and exchange"u8, ok && !User.CompareExchange(Edge, 0, 1, out uint _), first);
    }

    private static void Threads(ref Report report)
    {
        Record* child = (Record*)MapBlock();
        byte* stack = MapBlock();
        child->Thread.Self = &child->Thread;
        child->Tid = -1;
        const ulong Flags = CloneThread | CloneSetTls | CloneParentSetTid | CloneChildClearTid;
        long tid = Host.Clone(Flags, stack + StackSize, &child->Tid, &child->Tid, child, &ThreadBody, stack);
        report.Check("threads: clone"u8, tid > 0, tid);
        if (tid <= 0)
        {
            return;
        }

        Join(&child->Tid);
        report.Check("threads: ran with its own thread register"u8, child->Thread.Tid == tid, child->Thread.Tid);
    }

    private static void ThreadBody(void* stack)
    {
        Host.Thread->Tid = (int)Host.Syscall(Nr.gettid);
        Host.UnmapAndExit(stack, (nuint)StackSize, 0);
    }

    private static void BlockingCalls(ref Report report, Record* record)
    {
        int* pipe = stackalloc int[2];
        byte* buffer = stackalloc byte[8];
        Host.Syscall(Nr.pipe2, (long)pipe, 0);
        Host.Syscall(Nr.write, pipe[1], (long)buffer, 2);
        long result = Host.BlockingCall(&record->Thread, Nr.read, pipe[0], (long)buffer, 1);
        report.Check("blocking calls: result"u8, result == 1, result);
        record->Thread.SignalPending = 1;
        result = Host.BlockingCall(&record->Thread, Nr.read, pipe[0], (long)buffer, 1);
        report.Check("blocking calls: not made while a signal is pending"u8, result == -Errno.ERESTARTSYS, result);
        record->Thread.SignalPending = 0;
        result = Host.BlockingCall(&record->Thread, Nr.read, pipe[0], (long)buffer, 8);
        report.Check("blocking calls: nothing was lost by that"u8, result == 1, result);

        // Without SA_RESTART the call ends with EINTR by itself; with it the kernel rewinds, and the handler takes the thread out.
        long* timer = stackalloc long[4];
        for (int restart = 0; restart < 2; restart++)
        {
            Install(SigAlrm, restart == 0 ? 0 : SaRestart);
            record->Signals = record->Redirected = 0;
            timer[0] = timer[1] = timer[2] = 0;
            timer[3] = 30_000;
            Host.Syscall(Nr.setitimer, 0, (long)timer, 0);
            result = Host.BlockingCall(&record->Thread, Nr.read, pipe[0], (long)buffer, 1);
            if (restart == 0)
            {
                report.Check("blocking calls: a signal ends them"u8, result == -Errno.EINTR && record->Signals == 1, result);
            }
            else
            {
                bool ok = result == -Errno.ERESTARTSYS && record->Signals == 1 && record->Redirected == 1;
                report.Check("blocking calls: a restarted call is left by the handler"u8, ok, result);
            }
        }

        report.Check("signals: handlers ran on their own stack"u8, record->OnSignalStack > 0, record->OnSignalStack);
        Host.Syscall(Nr.close, pipe[0]);
        Host.Syscall(Nr.close, pipe[1]);
    }

    private static void Processes(ref Report report)
    {
        int status = 0;
        long pid = Host.Fork(SigChld);
        if (pid == 0)
        {
            Host.ExitGroup(7);
        }

        long waited = Host.Syscall(Nr.wait4, pid, (long)&status, 0, 0);
        report.Check("processes: fork and wait"u8, pid > 0 && waited == pid && status == 7 << 8, status);

        // A child on a stack of its own that suspends us until it ends, as posix_spawn makes them.
        byte* stack = MapBlock();
        pid = Host.Clone(CloneVm | CloneVfork | SigChld, stack + StackSize, null, null, null, &ProcessBody, (void*)9);
        waited = Host.Syscall(Nr.wait4, pid, (long)&status, 0, 0);
        report.Check("processes: vfork on another stack"u8, pid > 0 && waited == pid && status == 9 << 8, status);
        ulong* args = stackalloc ulong[11];
        new Span<ulong>(args, 11).Clear();
        args[4] = SigChld;
        args[5] = (ulong)stack;
        args[6] = (ulong)StackSize;
        pid = Host.Clone3(args, 88, &ProcessBody, (void*)11);
        if (pid == -Errno.ENOSYS)
        {
            // Emulators and sandboxes leave clone3 out; callers fall back to clone.
            return;
        }

        waited = Host.Syscall(Nr.wait4, pid, (long)&status, 0, 0);
        report.Check("processes: clone3"u8, pid > 0 && waited == pid && status == 11 << 8, status);
    }

    private static void ProcessBody(void* status) => Host.ExitGroup((int)(long)status);

    private static long Install(int signal, ulong flags)
    {
        KernelSigAction action = default;
        action.Handler = (delegate*<int, void*, void*, void>)&Handler;
        action.Flags = SaSigInfo | SaRestorer | SaOnStack | flags;
        action.Restorer = Stubs.Restorer;
        return Host.Syscall(Nr.rt_sigaction, signal, (long)&action, 0, 8);
    }

    // Runs in the interrupted thread, on the signal stack.
    private static void Handler(int signal, void* info, void* context)
    {
        Record* record = (Record*)Host.Thread;
        ulong* pc = HostContext.ProgramCounter(context);
        record->Signals++;
        record->OnSignalStack += (ulong)&pc - record->SignalStack < (ulong)StackSize ? 1 : 0;
        if (*pc >= Stubs.AccessStart && *pc < Stubs.AccessFault)
        {
            *pc = Stubs.AccessFault;
        }
        else if (*pc >= Stubs.BlockingStart && *pc < Stubs.BlockingEnd)
        {
            *pc = Stubs.BlockingInterrupted;
            record->Redirected++;
        }
        else if (signal == SigSegv)
        {
            Fatal.Stop("SIGSEGV outside the guest-memory routines"u8);
        }
    }

    private static void Join(int* tid)
    {
        for (;;)
        {
            int seen = Volatile.Read(ref *tid);
            if (seen == 0)
            {
                return;
            }

            // The kernel's wake-up for CLEARTID is on a shared futex.
            Host.Syscall(Nr.futex, (long)tid, 0, seen, 0);
        }
    }

    private static byte* MapBlock()
    {
        long block = Host.Syscall(Nr.mmap, 0, StackSize, ProtReadWrite, MapPrivate | MapAnonymous, -1, 0);
        return Host.IsError(block) ? null : (byte*)block;
    }
}
