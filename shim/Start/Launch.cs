using System.Runtime.CompilerServices;

namespace Lodge.Shim;

/// <summary>From the shim's own start to the guest's first instruction: records, memory, program.</summary>
public static unsafe class Launch
{
    private const ulong AtMinSigStkSz = 51, AtSysinfoEhdr = 33, AtHwcap2 = 26, AtExecFn = 31;
    private const int O_RDONLY = 0, O_CLOEXEC = 0x80000;
    private const int AT_FDCWD = -100;

    /// <summary>Exit status when the program cannot be started: found but not executable, and not found (POSIX shells).</summary>
    private const int CannotExecute = 126, NotFound = 127;

    /// <summary>What the start goes on with on the first thread's own stack; lies on the kernel's.</summary>
    private struct Handover
    {
        internal StartInfo Start;
        internal Options Options;
        internal Mm* Mm;
        internal ThreadBlock* Block;
        internal ulong SignalStack;
    }

    /// <summary>Starts the program that the command line names. Does not return.</summary>
    public static void Run(in StartInfo start, in Options options)
    {
        // Before anything else is mapped: the guest's 4 GiB.
        Handover handover = default;
        start.TryAux(AtMinSigStkSz, out ulong minimum);
        handover.SignalStack = (minimum + (64 * 1024) + 4095) & ~4095ul;
        handover.Mm = Mm.Create(handover.SignalStack, out handover.Block);
        if (handover.Mm == null)
        {
            Fatal.Stop("no memory for the guest's address space"u8);
        }

        handover.Start = start;
        handover.Options = options;
        ThreadStubs.RunOn((void*)handover.Block->Thread.Links.HostStackTop, &RunOnOwnStack, &handover);
    }

    private static void RunOnOwnStack(void* handover)
    {
        GuestThread* t = &((Handover*)handover)->Block->Thread;
        bool isDescribed = Load(((Handover*)handover)->Start, ((Handover*)handover)->Options, (Handover*)handover);
        if (isDescribed)
        {
            GiveUpInitialStack((byte*)handover, ((Handover*)handover)->Start);
        }

        Dispatcher.Run(t);
    }

    /// <summary>
    /// Unmaps the kernel's own stack, once nothing refers to it: it would be a mapping, three pages and two pages of page tables in every
    /// forked child. Its lowest page is not known, but the kernel maps 128 KiB below what it wrote, and keeps a gap of 1 MiB free below that.
    /// </summary>
    /// <param name="current">An address in it that is not much above the lowest one used.</param>
    /// <param name="start">What the kernel put on it.</param>
    private static void GiveUpInitialStack(byte* current, in StartInfo start)
    {
        const ulong Room = 512 << 10, EndMarker = 8;
        if (start.TryAux(AtExecFn, out ulong name))
        {
            // The name of the executed file is the highest string, behind it 8 zero bytes end the stack.
            ulong end = (name + Loader.Length((byte*)name) + 1 + EndMarker + 4095) & ~4095ul;
            // Whole pages on every host.
            ulong low = ((ulong)current & ~0xFFFFul) - Room;
            Host.Syscall(Nr.munmap, (long)low, (long)(end - low));
        }
    }

    /// <summary>Everything up to the guest's first instruction.</summary>
    /// <returns>True when nothing on the initial stack is needed any more, by others who look at the process neither.</returns>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool Load(in StartInfo start, in Options options, Handover* handover)
    {
        Mm* mm = handover->Mm;
        GuestThread* t = FirstThread(mm, handover->Block, handover->SignalStack, start, options);
        if (options.HasRecord)
        {
            t->Group->Limits.LowerHard(options.Record.AddressSpaceMax, options.Record.DataMax);
        }

        t->Group->Trace = !options.Strace ? 0 : options.StraceTimes ? Strace.WithTimes : 1;
        t->Group->Statistics = options.Statistics ? 1 : 0;
        t->Group->StartedByBinfmt = start.FromBinfmt || options.Record.Binfmt ? 1 : 0;
        PerfMap.Setup(t->Group, start.Environment("LODGE_PERF_MAP"u8));
        if (options.Strace)
        {
            _ = Strace.Start(t->Files, options.StraceFd);
        }

        Signals.Start(t);
        bool isExecuted = true;
        int image = options.HasRecord ? options.Record.Image : OpenImage(start, out isExecuted);
        int service = -1;
        if (options.Root != null)
        {
            service = ServiceClient.Connect(t, start);
            int refused = Root.Enter(options.Root);
            if (refused != 0)
            {
                Complain(options.Root, refused);
                Host.ExitGroup(CannotExecute);
            }
        }

        int fd = options.HasRecord ? options.Record.Program : start.ExecFd;
        if (fd < 0)
        {
            fd = (int)Host.Syscall(Nr.openat, AT_FDCWD, (long)options.Program, O_RDONLY | O_CLOEXEC, 0);
            if (fd < 0)
            {
                Complain(options.Program, fd);
                Host.ExitGroup(fd == -Errno.ENOENT ? NotFound : CannotExecute);
            }
        }

        ExecRequest request = default;
        request.Fd = fd;
        request.Path = options.Program;
        request.Argv = options.Arguments;
        request.Argc = Count(options.Arguments);
        request.Envp = start.Envp;
        request.Envc = Count(start.Envp);
        request.HostAuxv = start.Auxv;
        request.KeepName = start.FromBinfmt;
        request.ImagePlusOne = image >= 0 && isExecuted ? image + 1 : 0;
        int error = options.HasRecord || start.FromBinfmt ? 0 : ScriptStart.Resolve(ref request);
        fd = request.Fd;
        if (error == 0)
        {
            ProgramConfiguration.Apply(t, start, options, ref request, ref service);
            error = Loader.Exec(t, request);
        }

        if (error != 0)
        {
            if (mm->ExecFailed)
            {
                Loader.DieBehindPointOfNoReturn();
            }

            Complain(options.Program, error);
            Host.ExitGroup(CannotExecute);
        }

        if (start.FromBinfmt)
        {
            Exec.CorrectThreadName(start.Argv[0], fd);
        }
        else if (options.HasRecord && options.Record.NameFromFile)
        {
            Exec.NameThreadAfter(fd);
        }

        ServiceClient.Register(t, start, options, fd, service);

        // Kept for execve and for /proc/self/exe, out of the guest's sight.
        HiddenFiles.AdoptFirst(t->Files, image, fd);
        return mm->IsDescribed;
    }

    /// <summary>Our own image, for execve: it may be out of reach by name later (chroot, another mount namespace). -errno without /proc.</summary>
    /// <param name="start">What the kernel passed.</param>
    /// <param name="isExecuted">False for a file that only has the name of the one that is executed.</param>
    private static int OpenImage(in StartInfo start, out bool isExecuted)
    {
        fixed (byte* path = "/proc/self/exe\0"u8)
        {
            long fd = Host.Syscall(Nr.openat, AT_FDCWD, (long)path, O_RDONLY | O_CLOEXEC, 0);

            isExecuted = !Host.IsError(fd);

            // Without /proc (a bare chroot): the path that we were executed by.
            return start.TryAux(AtExecFn, out ulong name) && Host.IsError(fd)
                ? (int)Host.Syscall(Nr.openat, AT_FDCWD, (long)name, O_RDONLY | O_CLOEXEC, 0)
                : (int)fd;
        }
    }

    private static int Count(byte** vector)
    {
        int count = 0;
        while (vector[count] != null)
        {
            count++;
        }

        return count;
    }

    private static GuestThread* FirstThread(Mm* mm, ThreadBlock* block, ulong signalStack, in StartInfo start, in Options options)
    {
        mm->BlockUse = 1;
        GuestThread* t = &block->Thread;
        Host.SetThread(t);
        t->Mm = mm;
        t->Tid = (int)Host.Syscall(Nr.gettid);
        t->Links.Tgid = t->Tid;

        // Of the largest one only the beginning is mostly used: real-time signals come last.
        t->Fs = (FsStruct*)Mm.Allocate(t, (ulong)sizeof(FsStruct));
        t->Group = (ThreadGroup*)Mm.Allocate(t, (ulong)sizeof(ThreadGroup));
        t->Files = (FilesStruct*)Mm.Allocate(t, (ulong)sizeof(FilesStruct));
        t->Sighand = (Sighand*)Mm.Allocate(t, (ulong)sizeof(Sighand));
        if (t->Sighand == null || t->Files == null || t->Fs == null || t->Group == null)
        {
            Fatal.Stop("no memory for the first thread's records"u8);
        }

        t->Sighand->Users = 1;
        t->Files->Users = 1;
        t->Fs->Users = 1;
        ThreadGroup* group = t->Group;
        group->Users = 1;
        group->Threads = t;
        group->SelfFd = -1;
        group->HostSignalStackSize = (uint)signalStack;
        group->Limits = mm->StartLimits;
        group->Personality = (uint)Host.Syscall(Nr.personality, uint.MaxValue);
        start.TryAux(AtHwcap2, out ulong hwcap2);
        group->HasFsGsBase = (hwcap2 & 2) != 0 ? 1 : 0;
        start.TryAux(AtSysinfoEhdr, out ulong vdso);
        group->HostVdso = (byte*)vdso;
        if (options.HasRecord)
        {
            GuestCpu.Inherit(t, options.Record.Answers);
        }

        GuestCpu.DescribeXstate(t);
        return t;
    }

    private static void Complain(byte* program, int error)
    {
        Line line = new(stackalloc byte[512]);
        line.Add("lodge-shim: "u8);
        line.Add(program);
        line.Add(": "u8);
        line.Add(error switch
        {
            -Errno.ENOENT => "not found"u8,
            -Errno.EACCES => "permission denied"u8,
            -Errno.ENOEXEC => "not an i386 program"u8,
            -Errno.ELIBBAD => "its program interpreter is not an i386 program"u8,
            -Errno.ENOMEM => "not enough memory"u8,
            -Errno.E2BIG => "argument list too long"u8,
            _ => "cannot be executed, errno "u8,
        });
        if (error is not (-Errno.ENOENT or -Errno.EACCES or -Errno.ENOEXEC or -Errno.ELIBBAD or -Errno.ENOMEM or -Errno.E2BIG))
        {
            line.Dec(-error);
        }

        line.Add("\n"u8);
        line.Flush(2);
    }
}
