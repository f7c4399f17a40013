using System.Runtime.InteropServices;

namespace Lodge.Shim;

/// <summary>Elf32_Phdr.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct Elf32_Phdr
{
    public uint p_type, p_offset, p_vaddr, p_paddr, p_filesz, p_memsz, p_flags, p_align;
}

/// <summary>Elf32_Ehdr.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct Elf32_Ehdr
{
    public fixed byte e_ident[16];
    public ushort e_type, e_machine;
    public uint e_version, e_entry, e_phoff, e_shoff, e_flags;
    public ushort e_ehsize, e_phentsize, e_phnum, e_shentsize, e_shnum, e_shstrndx;
}

/// <summary>The headers of an ELF32 file, read and checked as load_elf_binary does (fs/binfmt_elf.c, as compat_binfmt_elf.c includes it).</summary>
public unsafe struct ElfFile
{
    /// <summary>p_type values.</summary>
    public const uint PtLoad = 1, PtInterp = 3, PtGnuStack = 0x6474E551;
    /// <summary>p_flags bits.</summary>
    public const uint PfX = 1, PfW = 2, PfR = 4;
    /// <summary>e_type values.</summary>
    public const ushort EtExec = 2, EtDyn = 3;
    /// <summary>Largest number of program headers: 64 KiB of them.</summary>
    public const int MaxHeaders = 65536 / 32;

    /// <summary>The file.</summary>
    public int Fd;
    /// <summary>Its header.</summary>
    public Elf32_Ehdr Header;
    /// <summary>Its program headers, e_phnum of them; memory of our own.</summary>
    public Elf32_Phdr* Segments;

    /// <summary>Number of program headers.</summary>
    public readonly int Count => Header.e_phnum;

    /// <summary>
    /// Reads and checks the headers.
    /// </summary>
    /// <param name="fd">The file.</param>
    /// <param name="arm">Whether an AArch32 program is wanted instead of i386.</param>
    /// <param name="bad">errno for a file of another kind: ENOEXEC for programs, ELIBBAD for interpreters.</param>
    /// <returns>0 or -errno. On success <see cref="Release"/> gives the headers' memory back.</returns>
    public int Read(int fd, bool arm, int bad)
    {
        Fd = fd;
        Segments = null;
        Header = default;
        fixed (Elf32_Ehdr* header = &Header)
        {
            long got = ReadAt(fd, (byte*)header, sizeof(Elf32_Ehdr), 0);
            if (got < 0)
            {
                return bad == Errno.ENOEXEC ? -bad : (int)got;
            }

            if (got < sizeof(Elf32_Ehdr) && bad == Errno.ELIBBAD)
            {
                return -Errno.EIO;
            }

            // A shorter program leaves zeros behind its end, as in the kernel's buffer. The class is not looked at by the kernel
            // either; the machine decides.
            const uint Magic = 0x464C457F;
            if (*(uint*)header->e_ident != Magic || !IsMachine(header->e_machine, arm))
            {
                return -bad;
            }
        }

        if (bad == Errno.ENOEXEC && Header.e_type is not (EtExec or EtDyn))
        {
            return -bad;
        }

        uint size = (uint)Header.e_phnum * (uint)sizeof(Elf32_Phdr);
        if (Header.e_phentsize != sizeof(Elf32_Phdr) || size == 0 || size > 65536)
        {
            return -bad;
        }

        Segments = (Elf32_Phdr*)HostMemory.Map(size);
        if (Segments == null)
        {
            return -Errno.ENOMEM;
        }

        if (ReadAt(fd, (byte*)Segments, (int)size, Header.e_phoff) != size)
        {
            Release();
            return -bad;
        }

        return 0;
    }

    /// <summary>Gives the program headers' memory back.</summary>
    public void Release()
    {
        if (Segments != null)
        {
            HostMemory.Unmap(Segments, (ulong)Header.e_phnum * (ulong)sizeof(Elf32_Phdr));
            Segments = null;
        }
    }

    private static bool IsMachine(ushort machine, bool arm) => arm ? machine == 40 : machine is 3 or 6;

    /// <summary>
    /// Opens the program interpreter that the file asks for.
    /// </summary>
    /// <param name="fd">The descriptor (close-on-exec), or -1 when no interpreter is asked for.</param>
    /// <returns>0 or -errno: ENOEXEC, EIO, or what opening it gave.</returns>
    public readonly int OpenInterpreter(out int fd)
    {
        const int PathMax = 4096;
        fd = -1;
        for (int i = 0; i < Count; i++)
        {
            if (Segments[i].p_type != PtInterp)
            {
                continue;
            }

            uint length = Segments[i].p_filesz;
            if (length is > PathMax or < 2)
            {
                return -Errno.ENOEXEC;
            }

            byte* path = stackalloc byte[PathMax];
            long got = ReadAt(Fd, path, (int)length, Segments[i].p_offset);
            if (got != length)
            {
                return got < 0 ? (int)got : -Errno.EIO;
            }

            return path[length - 1] != 0 ? -Errno.ENOEXEC : OpenProgram(path, out fd);
        }

        return 0;
    }

    /// <summary>open_exec: a regular file that may be executed.</summary>
    private static int OpenProgram(byte* path, out int fd)
    {
        const int AtFdCwd = -100, OpenFlags = 0x80000, XOk = 1, SIfMt = 0xF000, SIfReg = 0x8000, EffectiveIds = 0x200;
        fd = (int)Host.Syscall(Nr.openat, AtFdCwd, (long)path, OpenFlags, 0);
        if (fd < 0)
        {
            int error = fd;
            fd = -1;
            return error;
        }

        uint* status = stackalloc uint[36];
        // st_mode: word 6 of struct stat on x86-64, word 4 on arm64.
        int mode = Host.Syscall(Nr.fstat, fd, (long)status) == 0 ? (int)status[HostLayoutOf.ModeWord] : 0;
        long access = Host.Syscall(Nr.faccessat2, AtFdCwd, (long)path, XOk, EffectiveIds);
        if ((mode & SIfMt) != SIfReg || access == -Errno.EACCES)
        {
            Host.Syscall(Nr.close, fd);
            fd = -1;
            return -Errno.EACCES;
        }

        return 0;
    }

    /// <summary>pread until <paramref name="length"/> bytes or the end of the file.</summary>
    private static long ReadAt(int fd, byte* buffer, int length, ulong offset)
    {
        long done = 0;
        while (done < length)
        {
            long got = Host.Syscall(Nr.pread64, fd, (long)(buffer + done), length - done, (long)offset + done);
            if (got == -Errno.EINTR)
            {
                continue;
            }

            if (got < 0)
            {
                return got;
            }

            if (got == 0)
            {
                break;
            }

            done += got;
        }

        return done;
    }

    /// <summary>PT_GNU_STACK's answer: 0 when there is none, else its p_flags with bit 31 set.</summary>
    public readonly uint StackFlags()
    {
        uint flags = 0;
        for (int i = 0; i < Count; i++)
        {
            if (Segments[i].p_type == PtGnuStack)
            {
                flags = Segments[i].p_flags | 0x80000000;
            }
        }

        return flags;
    }

    /// <summary>total_mapping_size: from the first segment's page to the end of the last; 0 without PT_LOAD.</summary>
    public readonly uint TotalSize()
    {
        uint low = uint.MaxValue, high = 0;
        bool any = false;
        for (int i = 0; i < Count; i++)
        {
            if (Segments[i].p_type == PtLoad)
            {
                uint start = Placement.PageDown(Segments[i].p_vaddr), end = unchecked(Segments[i].p_vaddr + Segments[i].p_memsz);
                low = start < low ? start : low;
                high = end > high ? end : high;
                any = true;
            }
        }

        return any ? unchecked(high - low) : 0;
    }

    /// <summary>maximum_alignment: the largest power of two that a PT_LOAD asks for, 0 when there is none.</summary>
    public readonly uint MaximumAlignment()
    {
        uint alignment = 0;
        for (int i = 0; i < Count; i++)
        {
            uint wanted = Segments[i].p_align;
            if (Segments[i].p_type == PtLoad && (wanted & (wanted - 1)) == 0 && wanted > alignment)
            {
                alignment = wanted;
            }
        }

        return Placement.PageUp(alignment);
    }
}

/// <summary>The few offsets of host structures that the loader reads.</summary>
internal static class HostLayoutOf
{
#if ARM64
    /// <summary>Word of st_mode in struct stat.</summary>
    internal const int ModeWord = 4;
#else
    /// <summary>Word of st_mode in struct stat.</summary>
    internal const int ModeWord = 6;
#endif
}
