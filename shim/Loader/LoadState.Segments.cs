namespace Lodge.Shim;

/// <summary>Mapping the segments of the program and of its interpreter (load_elf_binary, load_elf_interp, elf_load, elf_map).</summary>
internal unsafe partial struct LoadState
{
    private const uint PrivateFlag = HostMemory.MapPrivate, FixedFlag = HostMemory.MapFixed, NoReplaceFlag = HostMemory.MapFixedNoReplace;

    /// <summary>COMPAT_ELF_ET_DYN_BASE: TASK_UNMAPPED_BASE and 16 MiB; 0x56555000 with the usual task size.</summary>
    private readonly uint DynBase => Placement.PageUp(Mm->Placement.TaskSize / 3) + 0x1000000;

    /// <summary>Maps the program and learns its bias, entry, headers and bounds.</summary>
    /// <param name="program">The program.</param>
    /// <param name="hasInterpreter">Whether it asks for an interpreter: then a position-independent one goes to its own area.</param>
    /// <returns>0 or -errno.</returns>
    public int MapProgram(in ElfFile program, bool hasInterpreter)
    {
        bool first = true, isDyn = program.Header.e_type == ElfFile.EtDyn;
        uint taskSize = Mm->Placement.TaskSize;
        uint headers = 0, end = 0, startCode = uint.MaxValue, endCode = 0, startData = 0, endData = 0;
        for (int i = 0; i < program.Count; i++)
        {
            ref Elf32_Phdr segment = ref program.Segments[i];
            if (segment.p_type != ElfFile.PtLoad)
            {
                continue;
            }

            uint flags = PrivateFlag, total = 0;
            if (!first)
            {
                flags |= FixedFlag;
            }
            else if (!isDyn)
            {
                flags |= NoReplaceFlag;
            }
            else
            {
                int error = ChooseBias(program, segment, hasInterpreter, ref flags, out total);
                if (error != 0)
                {
                    return error;
                }
            }

            int result = MapSegment(program, i, Bias, flags, total, out uint at);
            if (result != 0)
            {
                return result;
            }

            if (first && isDyn)
            {
                Bias = unchecked(Bias + (at - Placement.PageDown(Bias + segment.p_vaddr)));
            }

            first = false;
            if (segment.p_offset <= program.Header.e_phoff && program.Header.e_phoff < (ulong)segment.p_offset + segment.p_filesz)
            {
                headers = program.Header.e_phoff - segment.p_offset + segment.p_vaddr;
            }

            uint start = segment.p_vaddr;
            if (start >= taskSize || segment.p_filesz > segment.p_memsz || segment.p_memsz > taskSize || taskSize - segment.p_memsz < start)
            {
                return -Errno.EINVAL;
            }

            uint fileEnd = start + segment.p_filesz, memoryEnd = start + segment.p_memsz;
            if ((segment.p_flags & ElfFile.PfX) != 0)
            {
                startCode = start < startCode ? start : startCode;
                endCode = fileEnd > endCode ? fileEnd : endCode;
            }

            startData = start > startData ? start : startData;
            endData = fileEnd > endData ? fileEnd : endData;
            end = memoryEnd > end ? memoryEnd : end;
        }

        unchecked
        {
            Entry = program.Header.e_entry + Bias;
            HeadersAddress = headers + Bias;
            End = end + Bias;
            Mm->StartCode = startCode + Bias;
            Mm->EndCode = endCode + Bias;
            Mm->StartData = startData + Bias;
            Mm->EndData = endData + Bias;
        }

        return 0;
    }

    private int ChooseBias(in ElfFile program, in Elf32_Phdr first, bool hasInterpreter, ref uint flags, out uint total)
    {
        uint alignment = program.MaximumAlignment();
        uint bias = 0;
        total = program.TotalSize();
        if (total == 0)
        {
            return -Errno.EINVAL;
        }

        if (hasInterpreter)
        {
            bias = DynBase + ProgramRandom();
            if (alignment != 0)
            {
                bias &= ~(alignment - 1);
            }

            flags |= NoReplaceFlag;
        }
        else if (alignment > GuestMap.PageSize)
        {
            // A loader (or static PIE) with large alignment: see where it would go, then round that down.
            int error = Mm->Placement.GetUnmappedArea(Mm->Map, 0, Placement.PageUp(total), false, 0, out uint at);
            if (error != 0)
            {
                return error;
            }

            bias = at & ~(alignment - 1);
            flags |= NoReplaceFlag;
        }

        Bias = Placement.PageDown(unchecked(bias - first.p_vaddr));
        return 0;
    }

    /// <summary>Maps the interpreter; <paramref name="bias"/> is AT_BASE.</summary>
    public int MapInterpreter(in ElfFile interpreter, out uint bias)
    {
        bias = 0;
        uint total = interpreter.TotalSize(), taskSize = Mm->Placement.TaskSize;
        bool isDyn = interpreter.Header.e_type == ElfFile.EtDyn, placed = false;
        if (total == 0 || interpreter.Header.e_type is not (ElfFile.EtExec or ElfFile.EtDyn))
        {
            return -Errno.EINVAL;
        }

        for (int i = 0; i < interpreter.Count; i++)
        {
            ref Elf32_Phdr segment = ref interpreter.Segments[i];
            if (segment.p_type != ElfFile.PtLoad)
            {
                continue;
            }

            uint flags = PrivateFlag;
            if (!isDyn || placed)
            {
                flags |= FixedFlag;
            }
            else if (Bias != 0)
            {
                // The program is position-independent, too: no address is preferred.
                bias = unchecked(0u - segment.p_vaddr);
            }

            int result = MapSegment(interpreter, i, bias, flags, total, out uint at);
            total = 0;
            if (result != 0)
            {
                return result;
            }

            if (isDyn && !placed)
            {
                bias = unchecked(at - Placement.PageDown(segment.p_vaddr));
                placed = true;
            }

            uint start = unchecked(bias + segment.p_vaddr);
            if (start >= taskSize || segment.p_filesz > segment.p_memsz || segment.p_memsz > taskSize || taskSize - segment.p_memsz < start)
            {
                return -Errno.ENOMEM;
            }
        }

        return 0;
    }

    /// <summary>
    /// elf_load: the file part of a segment, zeros behind it to the end of its page, and anonymous memory for the rest.
    /// </summary>
    /// <param name="file">The file.</param>
    /// <param name="index">Number of the segment.</param>
    /// <param name="bias">Distance from the link address.</param>
    /// <param name="flags">MAP_* of placement.</param>
    /// <param name="total">Size of the whole image when this segment finds the place for all, else 0.</param>
    /// <param name="at">Start of the segment's first page.</param>
    /// <returns>0 or -errno.</returns>
    private int MapSegment(in ElfFile file, int index, uint bias, uint flags, uint total, out uint at)
    {
        ref Elf32_Phdr segment = ref file.Segments[index];
        ulong wanted = unchecked(bias + segment.p_vaddr);
        uint inPage = segment.p_vaddr & (GuestMap.PageSize - 1);
        MappingFlags access = ((segment.p_flags & ElfFile.PfR) != 0 ? MappingFlags.Read : 0)
            | ((segment.p_flags & ElfFile.PfW) != 0 ? MappingFlags.Write : 0)
            | ((segment.p_flags & ElfFile.PfX) != 0 ? MappingFlags.Exec : 0);
        StaleRange stale = default;
        at = Placement.PageDown((uint)wanted);
        ulong zeroStart, zeroEnd;
        if (segment.p_filesz != 0)
        {
            int error = MapFilePart(file, index, at, access, flags, total, ref stale, out at);
            if (error != 0)
            {
                return error;
            }

            zeroStart = (ulong)at + inPage + segment.p_filesz;
            zeroEnd = (ulong)at + inPage + segment.p_memsz;
            if (segment.p_memsz > segment.p_filesz && (access & MappingFlags.Write) != 0 && !ZeroPageEnd((uint)zeroStart))
            {
                return -Errno.EFAULT;
            }
        }
        else
        {
            zeroStart = at;
            zeroEnd = (ulong)at + inPage + segment.p_memsz;
        }

        if (segment.p_memsz > segment.p_filesz)
        {
            zeroStart = (zeroStart + 4095) & ~4095ul;
            zeroEnd = (zeroEnd + 4095) & ~4095ul;
            if (zeroEnd > Mm->Placement.TaskSize)
            {
                return -Errno.ENOMEM;
            }

            if (zeroEnd > zeroStart)
            {
                return Mm->DoBrk(Thread, (uint)zeroStart, (uint)(zeroEnd - zeroStart), access & MappingFlags.Exec, ref stale);
            }
        }

        return 0;
    }

    private int MapFilePart(
        in ElfFile file, int index, uint address, MappingFlags access, uint flags, uint total, ref StaleRange stale, out uint at)
    {
        ref Elf32_Phdr segment = ref file.Segments[index];
        uint inPage = segment.p_vaddr & (GuestMap.PageSize - 1);
        ulong size = ((ulong)segment.p_filesz + inPage + 4095) & ~4095ul;
        bool isFirst = total != 0 || (flags & FixedFlag) == 0;
        at = address;
        if (size > Mm->Placement.TaskSize)
        {
            return -Errno.ENOMEM;
        }

        if (segment.p_offset < inPage || ((segment.p_offset - inPage) & (GuestMap.PageSize - 1)) != 0)
        {
            return -Errno.EINVAL;
        }

        ulong whole = total == 0 ? size : ((ulong)total + 4095) & ~4095ul;
        if (whole > Mm->Placement.TaskSize)
        {
            return -Errno.ENOMEM;
        }

        if (total != 0)
        {
            // There must be room for the whole image; only what is needed gets mapped.
            int error = Mm->FindPlace(address, (uint)whole, flags, file.Identity.AlignMask, out address);
            if (error != 0)
            {
                return error;
            }

            flags = PrivateFlag | FixedFlag;
        }

        if (isFirst)
        {
            size += FollowingBytes(file, index);
        }

        return Mm->DoMmap(
            Thread, address, (uint)size, (uint)access, flags, file.Fd, segment.p_offset - inPage, file.Identity, ref stale, out at);
    }

    /// <summary>
    /// Bytes of the segments behind the first that the host may map together with it, since they continue it in the file and in memory and nothing in them may be
    /// written. They are mapped each for itself then, which costs no call any more (see <c>Mm.IsThere</c>).
    /// </summary>
    private readonly ulong FollowingBytes(in ElfFile file, int index)
    {
        ref Elf32_Phdr first = ref file.Segments[index];
        ulong start = ((ulong)first.p_vaddr + first.p_filesz + 4095) & ~4095ul, end = start;
        uint distance = unchecked(first.p_vaddr - first.p_offset);
        if ((first.p_flags & ElfFile.PfR) == 0 || (first.p_flags & ElfFile.PfW) != 0 || first.p_memsz != first.p_filesz)
        {
            return 0;
        }

        for (int i = index + 1; i < file.Count; i++)
        {
            ref Elf32_Phdr next = ref file.Segments[i];
            if (next.p_type != ElfFile.PtLoad)
            {
                continue;
            }

            if (Placement.PageDown(next.p_vaddr) != end || unchecked(next.p_vaddr - next.p_offset) != distance
                || (next.p_flags & ElfFile.PfR) == 0 || (next.p_flags & ElfFile.PfW) != 0 || next.p_filesz == 0 || next.p_memsz != next.p_filesz)
            {
                break;
            }

            end = ((ulong)next.p_vaddr + next.p_filesz + 4095) & ~4095ul;
        }

        // What does not fit is refused with its own segment.
        return end > Mm->Placement.TaskSize ? 0 : end - start;
    }

    /// <summary>padzero: clears from <paramref name="address"/> to the end of its page. False for memory that cannot be written.</summary>
    private static bool ZeroPageEnd(uint address)
    {
        uint offset = address & (GuestMap.PageSize - 1);
        return offset == 0 || User.Fill(address, 0, GuestMap.PageSize - offset);
    }

    /// <summary>Maps the vDSO and tells the signal code where its trampolines are.</summary>
    /// <param name="image">Descriptor of the shim's image, or -1.</param>
    public int MapVdso(int image)
    {
        StaleRange stale = default;
        int error = Mm->DoMmap(
            Thread, 0, VdsoImage.Size, 3, HostMemory.MapPrivate | HostMemory.MapAnonymous, -1, 0, default, ref stale, out uint at);
        if (error != 0)
        {
            return error;
        }

        VdsoImage.Place(at, image);
        Mm->Map.Change(
            at, at + VdsoImage.Size, MappingFlags.Access, MappingFlags.Read | MappingFlags.Exec | MappingFlags.Vdso);
        Mm->VdsoBase = at;
        Thread->Group->SigreturnTrampoline = at + VdsoImage.KernelSigreturn;
        Thread->Group->RtSigreturnTrampoline = at + VdsoImage.KernelRtSigreturn;
        return 0;
    }

    /// <summary>Places the heap: behind the program, for a program that is its own loader in the area of position-independent programs.</summary>
    public readonly void PlaceHeap(in ElfFile program, bool hasInterpreter)
    {
        bool moved = program.Header.e_type == ElfFile.EtDyn && !hasInterpreter;
        uint start = moved ? DynBase : Placement.PageUp(End);
        if (RandomiseHeap)
        {
            start += (moved ? 0 : GuestMap.PageSize) + HeapRandom();
        }

        Mm->StartBrk = start;
        Mm->Brk = start;
    }
}
