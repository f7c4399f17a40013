using System.Runtime.CompilerServices;

namespace Lodge.Shim;

/// <summary>
/// Starting another program. Guest programs go on being run by us, whether or not binfmt_misc knows us: if it started us, the kernel is given the
/// file itself and comes back here, but for files that it could not hand over by then (<see cref="IsOutOfBinfmtsReach"/>); otherwise it is given our own image, by a descriptor opened at start, with a record in front of
/// the guest's arguments (<see cref="ExecRecord"/>). 64-bit programs are the kernel's. All checks that the kernel makes before its
/// point of no return are made before ours, so an execve that fails leaves the guest as it was.
/// </summary>
public static unsafe class Exec
{
    private const uint AtSymlinkNoFollow = 0x100, AtEmptyPath = 0x1000, AtExecveCheck = 0x10000;
    private const int AtFdCwd = -100;
    private const int FGetFd = 1, FSetFd = 2, FdCloExec = 1;
    private const int SmallVector = 256;

    /// <summary>What is to be started, and how the guest named it.</summary>
    private ref struct Request
    {
        internal int DirFd;
        internal byte* Path;
        internal uint Argv;
        internal uint Envp;
        internal uint Flags;
        /// <summary>bprm->filename: AT_EXECFN.</summary>
        internal byte* ExecFn;
        /// <summary>Named by descriptor alone: the thread's name is then the file's (bprm->comm_from_dentry).</summary>
        internal bool ByDescriptor;
        /// <summary>Named through /proc/self/exe, which is the guest's program only to the guest.</summary>
        internal bool ThroughSelfExe;
        /// <summary>Words in front of the guest's arguments, which then lose their first; outermost interpreter first.</summary>
        internal ulong* Prefix;
        internal int PrefixCount;
    }

    /// <summary>execveat. Returns only errors.</summary>
    public static int Execute(GuestThread* t, int dirfd, uint path, uint argv, uint envp, uint flags)
    {
        byte* name = stackalloc byte[4096];
        int length = User.CopyString(name, path, 4096);
        if (length < 0)
        {
            return length;
        }

        if (length == 0 && (flags & AtEmptyPath) == 0)
        {
            return -Errno.ENOENT;
        }

        if ((flags & ~(AtSymlinkNoFollow | AtEmptyPath | AtExecveCheck)) != 0)
        {
            return -Errno.EINVAL;
        }

        byte* link = stackalloc byte[64];
        byte* open = length == 0 ? null : name;
        if (length != 0 && ProcFs.MayIntercept(t, dirfd, path) && ProcFs.ExePath(t, dirfd, path, link))
        {
            open = link;
        }

        ExecTarget target;
        int error = ExecTarget.Open(&target, dirfd, open, (flags & AtSymlinkNoFollow) != 0);

        // A file that may be executed but not read: the kernel decides, and hands it to binfmt_misc's interpreter open.
        bool unreadable = error == -Errno.EACCES && t->Group->StartedByBinfmt != 0;
        if (error != 0 && !unreadable)
        {
            return error;
        }

        Request request = default;
        request.DirFd = open == link ? AtFdCwd : dirfd;
        request.ByDescriptor = length == 0;
        request.ThroughSelfExe = open == link;
        request.Path = open == link ? link : (byte*)(nuint)path;
        request.Argv = argv;
        request.Envp = envp;
        request.Flags = flags;
        request.ExecFn = name;
        error = unreadable ? StartByKernel(t, request)
            : dirfd != AtFdCwd && name[0] != '/' ? StartRelative(t, &target, ref request, dirfd, name, length)
            : Start(t, &target, ref request, dirfd, name);
        ExecTarget.Close(&target);
        return error;
    }

    // By itself, for its frame: each page of one costs a forked child a fault.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int StartRelative(GuestThread* t, ExecTarget* target, ref Request request, int dirfd, byte* name, int length)
    {
        // What the kernel calls it: /dev/fd/N or /dev/fd/N/path.
        byte* execFn = stackalloc byte[4096 + 32];
        byte* at = ExecTarget.Descriptor(execFn, "/dev/fd/"u8, dirfd);
        if (length != 0)
        {
            *at++ = (byte)'/';
            for (int i = 0; i <= length; i++)
            {
                at[i] = name[i];
            }
        }

        request.ExecFn = execFn;
        return Start(t, target, ref request, dirfd, name);
    }

    private static int Start(GuestThread* t, ExecTarget* target, ref Request request, int dirfd, byte* name)
    {
        if (t->Group->StartedByBinfmt != 0 || target->Kind == ExecKind.Host || (request.Flags & AtExecveCheck) != 0)
        {
            if (target->Kind == ExecKind.I386 && (request.Flags & AtExecveCheck) == 0)
            {
                // What the kernel's own loader would refuse, it gives to the interpreter: too late for an error.
                int refused = Loader.Check(target, false);
                if (refused != 0)
                {
                    return refused;
                }

                if (IsOutOfBinfmtsReach(request, dirfd, name) && !target->IsPrivileged())
                {
                    return StartShim(t, target->Fd, request);
                }
            }

            return StartByKernel(t, request);
        }

        ulong* prefix = stackalloc ulong[(Script.MaxDepth * 2) + 2];
        byte* heads = stackalloc byte[Script.MaxDepth * Script.HeadSize];
        int first = (Script.MaxDepth * 2) + 1;
        for (int depth = 0; target->Kind == ExecKind.Script; depth++)
        {
            if (depth == Script.MaxDepth)
            {
                return -Errno.ELOOP;
            }

            byte* head = heads + (depth * Script.HeadSize);
            for (int i = 0; i < Script.HeadSize; i++)
            {
                head[i] = target->Head[i];
            }

            if (!Script.Parse(head, out Script script))
            {
                return -Errno.ENOEXEC;
            }

            if (depth == 0)
            {
                if (dirfd != AtFdCwd && name[0] != '/' && (Host.Syscall(Nr.fcntl, dirfd, FGetFd) & FdCloExec) != 0)
                {
                    // The interpreter could not open it: the descriptor is closed by then.
                    return -Errno.ENOENT;
                }

                prefix[first] = (ulong)request.ExecFn;
            }

            if (script.Argument != null)
            {
                prefix[--first] = (ulong)script.Argument;
            }

            prefix[--first] = (ulong)script.Interpreter;
            ExecTarget.Close(target);
            int opened = ExecTarget.Open(target, AtFdCwd, script.Interpreter, false);
            if (opened != 0)
            {
                return opened;
            }

            if (target->Kind == ExecKind.Host)
            {
                // The kernel does all of it by itself.
                return StartByKernel(t, request);
            }

            request.Prefix = prefix + first;
            request.PrefixCount = (Script.MaxDepth * 2) + 2 - first;
        }

        int error = Loader.Check(target, false);
        if (error != 0)
        {
            return error;
        }

        if (target->IsPrivileged())
        {
            Line line = new(stackalloc byte[300]);
            line.Add("lodge-shim: "u8);
            line.Add(request.ExecFn);
            line.Add(": set-id and capability programs need binfmt_misc with flag C; not started\n"u8);
            line.Flush(2);
            return -Errno.EPERM;
        }

        return StartShim(t, target->Fd, request);
    }

    /// <summary>
    /// True for files that binfmt_misc refuses or takes for others: named by a descriptor that is closed by the time it looks (ENOENT), or through
    /// /proc/self/exe, which is the shim to it.
    /// </summary>
    private static bool IsOutOfBinfmtsReach(in Request request, int dirfd, byte* name)
        => request.ThroughSelfExe
            || (dirfd != AtFdCwd && name[0] != '/' && (Host.Syscall(Nr.fcntl, dirfd, FGetFd) & FdCloExec) != 0);

    /// <summary>The kernel gets the guest's own arguments.</summary>
    private static int StartByKernel(GuestThread* t, in Request request)
    {
        ulong* small = stackalloc ulong[SmallVector];
        int error = Vectors(t, request, 0, small, out ulong* argv, out ulong* envp);
        if (error != 0)
        {
            return error;
        }

        byte empty = 0;
        byte* path = request.Path != null ? request.Path : &empty;
        error = Call(t, request.DirFd, path, argv, envp, request.Flags);
        FreeVectors(t);
        return error;
    }

    /// <summary>The kernel gets our image, the record, and the guest's arguments.</summary>
    private static int StartShim(GuestThread* t, int program, in Request request)
    {
        int image = FilesStruct.GetHidden(t->Files, HiddenFile.ShimImage);
        if (image < 0)
        {
            Out.Write(2, "lodge-shim: its own image could not be opened at start (no /proc?): no program can be executed\n"u8);
            return -Errno.ENOENT;
        }

        ulong* small = stackalloc ulong[SmallVector];
        int error = Vectors(t, request, ExecRecord.Words, small, out ulong* argv, out ulong* envp);
        if (error != 0)
        {
            return error;
        }

        byte* record = stackalloc byte[ExecRecord.MaxLength];
        ExecRecord words = default;
        words.Program = program;
        words.Image = image;
        words.Trace = t->Group->Trace is not (0 or ThreadGroup.TracedByConfiguration);
        words.TraceTimes = t->Group->Trace == Strace.WithTimes;
        words.TraceFd = words.Trace ? Strace.Descriptor(t->Files) : 0;
        words.Binfmt = t->Group->StartedByBinfmt != 0;
        words.NameFromFile = request.ByDescriptor;
        words.Statistics = t->Group->Statistics != 0;
        words.HasRoot = t->Group->HasRoot != 0;
        words.IsScript = request.PrefixCount != 0;
        words.SystemConfiguration = FilesStruct.GetHidden(t->Files, HiddenFile.SystemConfiguration);
        words.UserConfiguration = FilesStruct.GetHidden(t->Files, HiddenFile.UserConfiguration);
        words.AddressSpaceMax = t->Group->Limits.AddressSpaceMax;
        words.DataMax = t->Group->Limits.DataMax;
        ExecRecord.Write(record, words, t->Cpuid);
        fixed (byte* self = "lodge-shim\0"u8, option = "--exec-record\0"u8)
        {
            argv[0] = (ulong)self;
            argv[1] = (ulong)option;
            argv[2] = (ulong)record;
            argv[3] = (ulong)request.ExecFn;
            byte empty = 0;
            Inherit(words, 0);
            error = Call(t, image, &empty, argv, envp, AtEmptyPath);
            Inherit(words, FdCloExec);
        }

        FreeVectors(t);
        return error;
    }

    /// <summary>Sets or clears close-on-exec of the descriptors in a record.</summary>
    private static void Inherit(in ExecRecord record, int flags)
    {
        Host.Syscall(Nr.fcntl, record.Program, FSetFd, flags);
        Host.Syscall(Nr.fcntl, record.Image, FSetFd, flags);
        if (record.TraceFd > 2)
        {
            Host.Syscall(Nr.fcntl, record.TraceFd, FSetFd, flags);
        }

        if (record.SystemConfiguration >= 0)
        {
            Host.Syscall(Nr.fcntl, record.SystemConfiguration, FSetFd, flags);
        }

        if (record.UserConfiguration >= 0)
        {
            Host.Syscall(Nr.fcntl, record.UserConfiguration, FSetFd, flags);
        }
    }

    private static int Call(GuestThread* t, int dirfd, byte* path, ulong* argv, ulong* envp, uint flags)
    {
        if (t->SignalPending != 0)
        {
            return -Errno.ERESTARTSYS;
        }

        uint robust = t->Links.RobustList;
        if ((flags & AtExecveCheck) == 0)
        {
            Signals.HandToHost(t);
            RobustList.Exit(t, wholeGroup: true);
            LimitsAtExec.Apply(t->Group);
        }

        long result = Host.BlockingCall(t, Nr.execveat, dirfd, (long)path, (long)argv, (long)envp, flags);
        if ((flags & AtExecveCheck) == 0)
        {
            LimitsAtExec.Restore();
            t->Links.RobustList = robust;
            Signals.TakeBackFromHost(t);
        }

        return (int)result;
    }

    /// <summary>
    /// Widens the guest's vectors into host memory. The strings stay where they are: the kernel copies them, and answers EFAULT and
    /// E2BIG for them.
    /// </summary>
    private static int Vectors(GuestThread* t, in Request request, int leading, ulong* small, out ulong* argv, out ulong* envp)
    {
        argv = null;
        envp = null;
        int argc = Count(request.Argv);
        int envc = Count(request.Envp);
        if (argc < 0 || envc < 0)
        {
            return argc < 0 ? argc : envc;
        }

        ulong words = (ulong)leading + (ulong)request.PrefixCount + (ulong)argc + (ulong)envc + 4;
        argv = small;
        if (words > SmallVector)
        {
            argv = (ulong*)HostMemory.Map(words * 8);
            if (argv == null)
            {
                return -Errno.ENOMEM;
            }

            // Found again when the block is used again, should the call succeed in memory that others share.
            t->Links.Block->ScratchBase = (ulong)argv;
            t->Links.Block->ScratchSize = ((words * 8) + 4095) & ~4095UL;
        }

        ulong* next = argv + leading;
        for (int i = 0; i < request.PrefixCount; i++)
        {
            *next++ = request.Prefix[i];
        }

        bool ok = Widen(ref next, request.Argv, request.PrefixCount != 0 && argc > 0 ? 1 : 0, argc);
        envp = next;
        ok &= Widen(ref next, request.Envp, 0, envc);
        if (!ok)
        {
            FreeVectors(t);
            return -Errno.EFAULT;
        }

        return 0;
    }

    private static bool Widen(ref ulong* next, uint vector, int skip, int count)
    {
        for (int i = skip; i < count; i++)
        {
            if (!User.Get(vector + ((uint)i * 4), out uint pointer))
            {
                return false;
            }

            *next++ = pointer;
        }

        *next++ = 0;
        return true;
    }

    private static void FreeVectors(GuestThread* t)
    {
        ThreadBlock* block = t->Links.Block;
        if (block->ScratchSize != 0)
        {
            HostMemory.Unmap((void*)block->ScratchBase, block->ScratchSize);
            block->ScratchSize = 0;
        }
    }

    /// <summary>Entries of a vector of guest pointers; 0 for a null vector, as in the kernel.</summary>
    private static int Count(uint vector)
    {
        if (vector == 0)
        {
            return 0;
        }

        const int MaxArgStrings = 0x7fffffff / 8;
        for (int i = 0; i < MaxArgStrings; i++)
        {
            if (!User.Get(vector + ((uint)i * 4), out uint pointer))
            {
                return -Errno.EFAULT;
            }

            if (pointer == 0)
            {
                return i;
            }
        }

        return -Errno.E2BIG;
    }

    /// <summary>
    /// Started by binfmt_misc, the kernel has named the thread after the path that was executed, or, when there was only a descriptor, after our own image
    /// (whose path is <paramref name="image"/>): then it is named after the program.
    /// </summary>
    public static void CorrectThreadName(byte* image, int program)
    {
        const int PrGetName = 16, NameLength = 16;
        byte* name = stackalloc byte[NameLength];
        if (Host.Syscall(Nr.prctl, PrGetName, (long)name) != 0)
        {
            return;
        }

        byte* own = image;
        for (byte* at = image; *at != 0; at++)
        {
            own = *at == '/' ? at + 1 : own;
        }

        int i = 0;
        while (i < NameLength - 1 && own[i] == name[i] && own[i] != 0)
        {
            i++;
        }

        if (i == NameLength - 1 || own[i] == name[i])
        {
            NameThreadAfter(program);
        }
    }

    /// <summary>Calls the thread by the last part of an open file's name.</summary>
    public static void NameThreadAfter(int fd)
    {
        const int PrSetName = 15, PathMax = 4096;
        byte* link = stackalloc byte[32];
        byte* path = stackalloc byte[PathMax];
        ExecTarget.Descriptor(link, "/proc/self/fd/"u8, fd);
        long length = Host.Syscall(Nr.readlinkat, AtFdCwd, (long)link, (long)path, PathMax - 1);
        if (length <= 0)
        {
            return;
        }

        path[length] = 0;
        byte* name = path;
        for (byte* at = path; *at != 0; at++)
        {
            name = *at == '/' ? at + 1 : name;
        }

        Host.Syscall(Nr.prctl, PrSetName, (long)name);
    }
}
