using Lodge.Protocol;

namespace Lodge.Shim;

/// <summary>The new program's stack: mapping, strings, pointers and auxiliary vector (setup_arg_pages, create_elf_tables).</summary>
internal unsafe partial struct LoadState
{
    /// <summary>What the kernel leaves between the end of the stack and the first string: one pointer of its own, 64-bit, size.</summary>
    private const uint TopGap = 8;
    private const uint FirstExpansion = 128 << 10;
    /// <summary>Largest room mapped ahead of use: the kernel, too, writes there without a fault that we could see. Costs address space only.</summary>
    private const uint MaxRoom = 64 << 20;

    /// <summary>The room's largest part of a limit that counts it.</summary>
    private const ulong TightShare = 16;

    /// <summary>Maps the stack with its room. Its end is <see cref="Mm.StackEnd"/>.</summary>
    /// <param name="stringBytes">Bytes of all strings with their zero bytes.</param>
    /// <param name="executable">Whether the stack is executable.</param>
    /// <param name="request">The exec.</param>
    /// <returns>0 or -errno.</returns>
    public int MapStack(uint stringBytes, bool executable, in ExecRequest request)
    {
        uint end = Mm->StackEnd;
        uint lowest = end - TopGap - stringBytes;
        ulong limit = Thread->Group->Limits.Stack & ~4095ul;
        uint size = end - Placement.PageDown(lowest);
        ulong visible = size + FirstExpansion > limit && limit > size ? limit : limit > size ? size + FirstExpansion : size;
        // The pointers and the vector lie below the strings; natively they would fault their pages in.
        ulong tables = (((ulong)(uint)request.Argc + (uint)request.Envc + 3) * 4) + (64 * 4) + 8192 + 64;
        if (end - lowest + tables > visible)
        {
            visible = (end - lowest + tables + 4095) & ~4095ul;
        }

        ulong most = Mm->IsTight ? Placement.PageDown((uint)(Mm->StartLimits.Least / TightShare < MaxRoom ? Mm->StartLimits.Least / TightShare : MaxRoom)) : MaxRoom;
        ulong room = limit < most ? limit : most;
        if (room < visible)
        {
            room = visible;
        }

        if (room > end - Shim.Mm.LowestAddress)
        {
            return -Errno.ENOMEM;
        }

        GuestMapping mapping = default;
        mapping.Start = end - (uint)visible;
        mapping.End = end;
        mapping.Flags = MappingFlags.Read | MappingFlags.Write | MappingFlags.GrowsDown;
        if (executable || (Thread->Group->Personality & Personalities.ReadImpliesExec) != 0)
        {
            mapping.Flags |= MappingFlags.Exec;
        }

        return Mm->MapStack(mapping, end - (uint)room);
    }

    /// <summary>
    /// Writes strings, pointers and auxiliary vector.
    /// </summary>
    /// <returns>The stack pointer at entry, where argc lies.</returns>
    public uint WriteStack(in ExecRequest request, in ElfFile program, uint interpreterBase)
    {
        uint p = Mm->StackEnd - TopGap;
        p = PushString(p, request.Path);
        PathAddress = p;
        Mm->EnvEnd = p;
        p = PushStrings(p, request.Envp, request.Envc);
        EnvironmentAddress = p;
        p = request.Argc == 0 ? PushEmpty(p) : PushStrings(p, request.Argv, request.Argc);
        ArgumentsAddress = p;
        Mm->ArgStart = p;
        Mm->ArgEnd = EnvironmentAddress;
        Mm->EnvStart = EnvironmentAddress;

        p = (p - Small(1)) & ~15u;
        p -= 5;
        uint platform = p;
        byte* name = (byte*)(nuint)p;
        name[0] = (byte)'i';
        name[1] = (byte)'6';
        name[2] = (byte)'8';
        name[3] = (byte)'6';
        name[4] = 0;
        p -= 16;
        uint random = p;
        CopyAuxRandom((byte*)(nuint)p);

        int argc = request.Argc == 0 ? 1 : request.Argc;
        AuxVector vector = default;
        FillVector(ref vector, request, program, interpreterBase, random, platform);
        uint items = (uint)argc + 1 + (uint)request.Envc + 1 + 1;
        uint sp = (p - (vector.Length * 4) - (items * 4)) & ~15u;
        uint* next = (uint*)(nuint)sp;
        *next++ = (uint)argc;
        next = WritePointers(next, ArgumentsAddress, argc);
        next = WritePointers(next, EnvironmentAddress, request.Envc);
        for (uint i = 0; i < vector.Length; i++)
        {
            next[i] = vector.Words[i];
            Mm->SavedAuxv[i] = vector.Words[i];
        }

        Mm->AuxvLength = vector.Length * 4;
        return sp;
    }

    private static uint PushString(uint p, byte* text)
    {
        uint length = Loader.Length(text) + 1;
        p -= length;
        System.Buffer.MemoryCopy(text, (byte*)(nuint)p, length, length);
        return p;
    }

    private static uint PushEmpty(uint p)
    {
        p--;
        *(byte*)(nuint)p = 0;
        return p;
    }

    private static uint PushStrings(uint p, byte** strings, int count)
    {
        for (int i = count - 1; i >= 0; i--)
        {
            p = PushString(p, strings[i]);
        }

        return p;
    }

    /// <summary>Writes the addresses of consecutive strings and a zero.</summary>
    private static uint* WritePointers(uint* next, uint address, int count)
    {
        for (int i = 0; i < count; i++)
        {
            *next++ = address;
            address += Loader.Length((byte*)(nuint)address) + 1;
        }

        *next++ = 0;
        return next;
    }

    /// <summary>An id of the process: as the kernel told the shim, unless a user namespace was entered since.</summary>
    private readonly uint Id(in ExecRequest request, uint type, int call) =>
        Thread->Group->HasRoot == 0 && request.HostAuxv != null ? (uint)AuxVector.HostValue(request.HostAuxv, type) : (uint)Host.Syscall(call);

    /// <summary>AT_* pairs in the kernel's order (ARCH_DLINFO_IA32, create_elf_tables).</summary>
    private readonly void FillVector(
        ref AuxVector vector, in ExecRequest request, in ElfFile program, uint interpreterBase, uint random, uint platform)
    {
        const uint PreserveArgv0 = 1;
        if (Mm->VdsoBase != 0)
        {
            vector.Add(AuxVector.AtSysinfo, Mm->VdsoBase + VdsoImage.KernelVsyscall);
            vector.Add(AuxVector.AtSysinfoEhdr, Mm->VdsoBase);
        }

        vector.Add(AuxVector.AtMinSigStkSz, AuxVector.MinimumSignalStack(Thread->Group->XstateSize));
        vector.Add(AuxVector.AtHwcap, AuxVector.Hwcap(request.HostAuxv) & ~CpuFeatures.HiddenBits(CpuidWord.Leaf1Edx, Thread->Group->HiddenFeatures));
        vector.Add(AuxVector.AtPageSz, GuestMap.PageSize);
        vector.Add(AuxVector.AtClkTck, 100);
        vector.Add(AuxVector.AtPhdr, HeadersAddress);
        vector.Add(AuxVector.AtPhEnt, (uint)sizeof(Elf32_Phdr));
        vector.Add(AuxVector.AtPhNum, program.Header.e_phnum);
        vector.Add(AuxVector.AtBase, interpreterBase);
        vector.Add(AuxVector.AtFlags, request.PreserveArgv0 ? PreserveArgv0 : 0);
        vector.Add(AuxVector.AtEntry, Entry);
        vector.Add(AuxVector.AtUid, Id(request, AuxVector.AtUid, Nr.getuid));
        vector.Add(AuxVector.AtEuid, Id(request, AuxVector.AtEuid, Nr.geteuid));
        vector.Add(AuxVector.AtGid, Id(request, AuxVector.AtGid, Nr.getgid));
        vector.Add(AuxVector.AtEgid, Id(request, AuxVector.AtEgid, Nr.getegid));
        vector.Add(AuxVector.AtSecure, request.Secure || AuxVector.HostValue(request.HostAuxv, AuxVector.AtSecure) != 0 ? 1u : 0);
        vector.Add(AuxVector.AtRandom, random);
        vector.Add(AuxVector.AtHwcap2, AuxVector.Hwcap2(request.HostAuxv));
        vector.Add(AuxVector.AtExecFn, PathAddress);
        vector.Add(AuxVector.AtPlatform, platform);
        if (request.ExecFdPlusOne != 0)
        {
            vector.Add(AuxVector.AtExecFd, (uint)request.ExecFdPlusOne - 1);
        }

        vector.Add(0, 0);
    }
}
