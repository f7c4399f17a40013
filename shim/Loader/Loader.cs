namespace Lodge.Shim;

/// <summary>
/// Puts a program into the guest's memory: what execve does between the old program and the first instruction of the new one
/// (fs/exec.c, fs/binfmt_elf.c). Addresses are chosen as the kernel chooses them for a 32-bit process of a 64-bit kernel.
/// </summary>
public static unsafe partial class Loader
{
    /// <summary>
    /// The checks before the point of no return: can this file be started, and does its interpreter exist?
    /// </summary>
    /// <param name="fd">The file.</param>
    /// <param name="arm">Whether an AArch32 program is wanted.</param>
    /// <returns>0, or -ENOEXEC, -ELIBBAD, -EIO, -ENOMEM or what opening the interpreter gave.</returns>
    public static int Check(int fd, bool arm)
    {
        ExecTarget target;
        target.Fd = fd;
        target.HeadLength = ElfFile.ReadHead(fd, target.Head);
        return Check(&target, arm);
    }

    /// <inheritdoc cref="Check(int, bool)"/>
    internal static int Check(ExecTarget* file, bool arm)
    {
        byte* head = stackalloc byte[ElfFile.HeadBytes];
        int error = Open(file->Fd, file->Head, file->HeadLength, head, arm, out ElfFile program, out ElfFile interpreter);
        if (error == 0)
        {
            Close(ref program, ref interpreter);
        }

        return error;
    }

    /// <summary>
    /// Replaces the program of the calling thread, which must be the only one in its memory. On success memory and registers are those of
    /// the new program's start.
    /// </summary>
    /// <param name="t">The calling thread; without locks. <see cref="ThreadGroup.Limits"/> and <see cref="ThreadGroup.Personality"/> are set.</param>
    /// <param name="request">The program and its strings.</param>
    /// <returns>
    /// 0 or -errno. When <see cref="Mm.ExecFailed"/> is set the old program is gone and the process must end by SIGSEGV, as the kernel does it.
    /// </returns>
    public static int Exec(GuestThread* t, in ExecRequest request)
    {
        byte* heads = stackalloc byte[2 * ElfFile.HeadBytes];
        int error = Open(
            request.Fd, heads, ElfFile.ReadHead(request.Fd, heads), heads + ElfFile.HeadBytes, false, out ElfFile program, out ElfFile interpreter);
        if (error != 0)
        {
            return error;
        }

        error = CheckStrings(t, request, out uint stringBytes);
        if (error == 0)
        {
            LoadState state = default;
            state.Thread = t;
            state.Mm = t->Mm;
            state.Mm->ExecFailed = true;
            StaleRange stale = default;
            state.Mm->Lock.Acquire(t);
            state.Mm->Empty(ref stale);
            state.Mm->Lock.Release(t);
            stale.Invalidate(state.Mm);
            state.Mm->Lock.Acquire(t);
            FileIdentity.Of(request.Fd, true, out program.Identity);
            error = Load(ref state, program, interpreter, request, stringBytes);
            state.Mm->Lock.Release(t);
            if (error == 0)
            {
                state.Mm->ExecFailed = false;
                DescribeProcess(state.Mm, request.KeepName ? null : request.Path);
            }
        }

        Close(ref program, ref interpreter);
        return error;
    }

    private static int Open(int fd, byte* head, int got, byte* second, bool arm, out ElfFile program, out ElfFile interpreter)
    {
        interpreter = default;
        interpreter.Fd = -1;
        program = default;
        int error = program.Read(fd, head, got, arm, Errno.ENOEXEC);
        if (error != 0)
        {
            return error;
        }

        error = program.OpenInterpreter(ref interpreter);
        if (error == 0 && interpreter.Fd >= 0)
        {
            error = interpreter.Read(interpreter.Fd, second, ElfFile.ReadHead(interpreter.Fd, second), arm, Errno.ELIBBAD);
        }

        if (error != 0)
        {
            Close(ref program, ref interpreter);
        }

        return error;
    }

    private static void Close(ref ElfFile program, ref ElfFile interpreter)
    {
        program.Release();
        interpreter.Release();
        if (interpreter.Fd >= 0)
        {
            Host.Syscall(Nr.close, interpreter.Fd);
            interpreter.Fd = -1;
        }
    }

    private static int Load(ref LoadState state, in ElfFile program, in ElfFile interpreter, in ExecRequest request, uint stringBytes)
    {
        Mm* mm = state.Mm;
        ThreadGroup* group = state.Thread->Group;
        uint stackFlags = program.StackFlags();
        if (stackFlags == 0)
        {
            // No PT_GNU_STACK: on i386 everything readable is executable.
            group->Personality |= Personalities.ReadImpliesExec;
        }

        state.DrawRandom(group->Personality, request.HostAuxv);
        uint taskSize = (group->Personality & Personalities.AddrLimit3Gb) != 0 ? Placement.TaskSize3Gb : Placement.TaskSizeX86;
        mm->Placement = Placement.ForExec(
            taskSize,
            Mm.LowestAddress,
            group->Limits.Stack,
            state.MmapRandom(),
            state.Randomise,
            (group->Personality & Personalities.AddrCompatLayout) != 0);
        mm->StackEnd = Placement.PageUp((taskSize - state.StackRandom() - state.Small(0)) & ~15u);

        bool executableStack = stackFlags == 0 || (stackFlags & ElfFile.PfX) != 0;
        int error = state.MapStack(stringBytes, executableStack, request);
        if (error != 0)
        {
            return error;
        }

        error = state.MapProgram(program, interpreter.Fd >= 0);
        if (error != 0)
        {
            return error;
        }

        uint entry = state.Entry;
        uint interpreterBase = 0;
        if (interpreter.Fd >= 0)
        {
            error = state.MapInterpreter(interpreter, out interpreterBase);
            if (error != 0)
            {
                return error;
            }

            entry = unchecked(interpreterBase + interpreter.Header.e_entry);
        }

        if (entry >= taskSize)
        {
            return -Errno.EINVAL;
        }

        error = state.MapVdso(request.ImagePlusOne - 1);
        if (error != 0)
        {
            return error;
        }

        uint stackPointer = state.WriteStack(request, program, interpreterBase);
        mm->StartStack = stackPointer;
        state.PlaceHeap(program, interpreter.Fd >= 0);
        if ((group->Personality & Personalities.MmapPageZero) != 0)
        {
            const uint PrivateAnonymousFixed = 0x32;
            StaleRange stale = default;

            // The shim itself may have been started with it.
            Host.Syscall(Nr.munmap, 0, GuestMap.PageSize);
            mm->DoMmap(state.Thread, 0, GuestMap.PageSize, 5, PrivateAnonymousFixed, -1, 0, default, ref stale, out _);
        }

        StartThread(state.Thread, entry, stackPointer);
        return 0;
    }

    /// <summary>start_thread and ELF_PLAT_INIT for i386: everything 0 but the flat selectors, EFLAGS.IF, and what the caller knows.</summary>
    private static void StartThread(GuestThread* t, uint entry, uint stackPointer)
    {
        t->I386 = default;
        t->I386.eip = entry;
        t->I386.esp = stackPointer;
        t->I386.eflags = 0x202;
        t->I386.orig_eax = uint.MaxValue;
        t->I386.cs = 0x23;
        t->I386.ds = 0x2B;
        t->I386.es = 0x2B;
        t->I386.ss = 0x2B;
        t->I386.mxcsr = 0x1F80;
    }
}
