using System.Runtime.CompilerServices;
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
internal unsafe struct ElfFile
{
    /// <summary>p_type values.</summary>
    public const uint PtLoad = 1, PtInterp = 3, PtGnuStack = 0x6474E551;
    /// <summary>p_flags bits.</summary>
    public const uint PfX = 1, PfW = 2, PfR = 4;
    /// <summary>e_type values.</summary>
    public const ushort EtExec = 2, EtDyn = 3;
    /// <summary>Largest number of program headers: 64 KiB of them.</summary>
    public const int MaxHeaders = 65536 / 32;

    /// <summary>Bytes of a file's beginning that are read at once: header, program headers and interpreter of all but odd files.</summary>
    public const int HeadBytes = 512;

    /// <summary>The file.</summary>
    public int Fd;
    /// <summary>What the file is.</summary>
    public FileIdentity Identity;
    /// <summary>Its header.</summary>
    public Elf32_Ehdr Header;
    /// <summary>Its program headers, e_phnum of them; in the caller's buffer or in memory of our own.</summary>
    public Elf32_Phdr* Segments;

    private byte* _head;
    private uint _headLength;

    /// <summary>Number of program headers.</summary>
    public readonly int Count => Header.e_phnum;

    /// <summary>Reads a file's beginning, at most <see cref="HeadBytes"/>: how many, or -errno.</summary>
    public static int ReadHead(int fd, byte* head) => (int)ReadAt(fd, head, HeadBytes, 0);

    /// <summary>Reads and checks the headers.</summary>
    /// <param name="fd">The file.</param>
    /// <param name="head">Its beginning (<see cref="ReadHead"/>), kept until <see cref="Release"/>.</param>
    /// <param name="got">Bytes of it, or -errno of reading them.</param>
    /// <param name="arm">Whether an AArch32 program is wanted instead of i386.</param>
    /// <param name="bad">errno for a file of another kind: ENOEXEC for programs, ELIBBAD for interpreters.</param>
    /// <returns>0 or -errno. On success <see cref="Release"/> gives the headers' memory back.</returns>
    public int Read(int fd, byte* head, int got, bool arm, int bad)
    {
        Fd = fd;
        Segments = null;
        _head = head;
        if (got < 0)
        {
            return bad == Errno.ENOEXEC ? -bad : got;
        }

        if (got < sizeof(Elf32_Ehdr) && bad == Errno.ELIBBAD)
        {
            return -Errno.EIO;
        }

        // A shorter program leaves zeros behind its end, as in the kernel's buffer. The class is not looked at by the kernel
        // either; the machine decides.
        for (int i = got; i < sizeof(Elf32_Ehdr); i++)
        {
            head[i] = 0;
        }

        const uint Magic = 0x464C457F;
        _headLength = (uint)got;
        Header = *(Elf32_Ehdr*)head;
        if (*(uint*)head != Magic || !IsMachine(Header.e_machine, arm))
        {
            return -bad;
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

        if (IsInHead(Header.e_phoff, size))
        {
            Segments = (Elf32_Phdr*)(head + Header.e_phoff);
            return 0;
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
        if (Segments != null && !IsInHead(Header.e_phoff, (uint)Header.e_phnum * (uint)sizeof(Elf32_Phdr)))
        {
            HostMemory.Unmap(Segments, (ulong)Header.e_phnum * (ulong)sizeof(Elf32_Phdr));
        }

        Segments = null;
    }

    private readonly bool IsInHead(uint offset, uint length) => (ulong)offset + length <= _headLength;

    private static bool IsMachine(ushort machine, bool arm) => arm ? machine == 40 : machine is 3 or 6;

    /// <summary>
    /// Opens the program interpreter that the file asks for.
    /// </summary>
    /// <param name="interpreter">Its descriptor (close-on-exec) and identity; the descriptor is -1 when no interpreter is asked for.</param>
    /// <returns>0 or -errno: ENOEXEC, EIO, or what opening it gave.</returns>
    public readonly int OpenInterpreter(ref ElfFile interpreter)
    {
        const int PathMax = 4096;
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

            return IsInHead(Segments[i].p_offset, length)
                ? OpenProgram(_head + Segments[i].p_offset, length, ref interpreter)
                : OpenFarInterpreter(Segments[i].p_offset, length, ref interpreter);
        }

        return 0;
    }

    // By itself, for its frame.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private readonly int OpenFarInterpreter(uint offset, uint length, ref ElfFile interpreter)
    {
        const int PathMax = 4096;
        byte* path = stackalloc byte[PathMax];
        long got = ReadAt(Fd, path, (int)length, offset);
        return got == length ? OpenProgram(path, length, ref interpreter) : got < 0 ? (int)got : -Errno.EIO;
    }

    /// <summary>open_exec: a regular file that may be executed.</summary>
    private static int OpenProgram(byte* path, uint length, ref ElfFile file)
    {
        const int AtFdCwd = -100, OpenFlags = 0x80000, XOk = 1, EffectiveIds = 0x200, EmptyPath = 0x1000;
        if (path[length - 1] != 0)
        {
            return -Errno.ENOEXEC;
        }

        int fd = (int)Host.Syscall(Nr.openat, AtFdCwd, (long)path, OpenFlags, 0);
        if (fd < 0)
        {
            return fd;
        }

        byte nothing = 0;
        if (FileIdentity.Of(fd, true, out file.Identity) != 0 || !file.Identity.IsRegular
            || Host.Syscall(Nr.faccessat2, fd, (long)&nothing, XOk, EffectiveIds | EmptyPath) == -Errno.EACCES)
        {
            Host.Syscall(Nr.close, fd);
            return -Errno.EACCES;
        }

        file.Fd = fd;
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
