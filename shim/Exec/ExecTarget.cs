namespace Lodge.Shim;

/// <summary>What kind of file an execve is about.</summary>
public enum ExecKind
{
    /// <summary>Everything that the kernel starts or refuses by itself: 64-bit programs, other machines, garbage.</summary>
    Host,
    /// <summary>An i386 program.</summary>
    I386,
    /// <summary>A script.</summary>
    Script,
}

/// <summary>A file opened for execve, and its first bytes.</summary>
public unsafe struct ExecTarget
{
    private const int ORdOnly = 0, ONonBlock = 0x800, OCloExec = 0x80000;
#if ARM64
    private const int ONoFollow = 0x8000;
#else
    private const int ONoFollow = 0x20000;
#endif
    private const int AtEmptyPath = 0x1000, AtNoAutomount = 0x800;
    private const int FDupFdCloExec = 1030;
    private const uint SIfMt = 0xf000, SIfReg = 0x8000, SIsUid = 0x800, SIsGid = 0x400, SIxGrp = 8;

    /// <summary>Close-on-exec descriptor; -1 = none.</summary>
    public int Fd;
    /// <summary>What it is.</summary>
    public ExecKind Kind;
    /// <summary>The file's beginning, zero-padded.</summary>
    public fixed byte Head[ElfFile.HeadBytes];
    /// <summary>Bytes of it that the file has.</summary>
    public int HeadLength;

    private uint _mode, _owner, _group;

    /// <summary>Opens the file, checks that it may be executed, and looks at its head.</summary>
    /// <param name="target">Filled; Fd is -1 on error.</param>
    /// <param name="dirfd">Directory for relative paths.</param>
    /// <param name="path">Host address of the path (guest memory is good); empty = dirfd itself, where that is allowed.</param>
    /// <param name="noFollow">A symbolic link at the end gives ELOOP.</param>
    /// <returns>0 or -errno.</returns>
    public static int Open(ExecTarget* target, int dirfd, byte* path, bool noFollow)
    {
        target->Fd = -1;
        long fd;
        if (path == null)
        {
            byte* link = stackalloc byte[32];
            Descriptor(link, "/proc/self/fd/"u8, dirfd);
            fd = Host.Syscall(Nr.openat, -100, (long)link, ORdOnly | ONonBlock | OCloExec, 0);
            if (fd is -Errno.ENOENT or -Errno.ENOTDIR)
            {
                // No /proc here: good enough unless it is an O_PATH descriptor.
                fd = Host.Syscall(Nr.fcntl, dirfd, FDupFdCloExec, 0);
            }
        }
        else
        {
            fd = Host.Syscall(Nr.openat, dirfd, (long)path, ORdOnly | ONonBlock | OCloExec | (noFollow ? ONoFollow : 0), 0);
        }

        if (fd < 0)
        {
            return fd == -Errno.ENXIO ? -Errno.EACCES : (int)fd;
        }

        target->Fd = (int)fd;
        int error = Check(target);
        if (error != 0)
        {
            Close(target);
        }

        return error;
    }

    /// <summary>Closes the file.</summary>
    public static void Close(ExecTarget* target)
    {
        if (target->Fd >= 0)
        {
            Host.Syscall(Nr.close, target->Fd);
            target->Fd = -1;
        }
    }

    private static int Check(ExecTarget* target)
    {
        target->AskMode();
        uint mode = target->_mode;
        if ((mode & SIfMt) != SIfReg)
        {
            return -Errno.EACCES;
        }

        // The kernel's own opinion, mount options and writers (ETXTBSY) included: it opens the file for execution before it looks at the
        // arguments, which cannot be read.
        byte empty = 0;
        long access = Host.Syscall(Nr.execveat, target->Fd, (long)&empty, BadPointer.Value, 0, AtEmptyPath);
        if (access == -Errno.ENOSYS)
        {
            access = (mode & 0x49) != 0 ? -Errno.EFAULT : -Errno.EACCES;
        }

        if (access != -Errno.EFAULT)
        {
            return (int)access;
        }

        long got = Host.Syscall(Nr.pread64, target->Fd, (long)target->Head, ElfFile.HeadBytes, 0);
        if (got < 0)
        {
            return (int)got;
        }

        target->HeadLength = (int)got;
        for (long i = got; i < ElfFile.HeadBytes; i++)
        {
            target->Head[i] = 0;
        }

        target->Kind = Classify(target->Head);
        return 0;
    }

    /// <summary>Which kind of file begins like this.</summary>
    public static ExecKind Classify(byte* head)
    {
        const uint ElfMagic = 0x464c457f;
        const ushort Em386 = 3, Em486 = 6;
        if (head[0] == '#' && head[1] == '!')
        {
            return ExecKind.Script;
        }

        // As the kernel's elf_check_arch: the machine decides, whatever class and byte order say. It would run such a file natively.
        bool is32 = *(uint*)head == ElfMagic;
        return is32 && *(ushort*)(head + 18) is Em386 or Em486 ? ExecKind.I386 : ExecKind.Host;
    }

    /// <summary>
    /// True when the kernel would change ids or capabilities for this file, and we cannot: it is our image that it starts.
    /// </summary>
    public readonly bool IsPrivileged()
    {
        const int PrGetNoNewPrivs = 39;
        int fd = Fd;
        bool setUid = (_mode & SIsUid) != 0 && _owner != (uint)Host.Syscall(Nr.geteuid);
        bool setGid = (_mode & (SIsGid | SIxGrp)) == (SIsGid | SIxGrp) && _group != (uint)Host.Syscall(Nr.getegid);
        bool capable = false;
        fixed (byte* name = "security.capability\0"u8)
        {
            byte* value = stackalloc byte[64];
            capable = Host.Syscall(Nr.geteuid) != 0 && Host.Syscall(Nr.fgetxattr, fd, (long)name, (long)value, 64) > 0;
        }

        if (!setUid && !setGid && !capable)
        {
            return false;
        }

        return Host.Syscall(Nr.prctl, PrGetNoNewPrivs, 0, 0, 0, 0) != 1 && !IsOnNoSuidMount(fd);
    }

    private static bool IsOnNoSuidMount(int fd)
    {
        // struct statfs: f_flags is the eleventh word on both hosts (after f_fsid, f_namelen, f_frsize).
        const int FlagsWord = 10;
        const long StNoSuid = 2;
        long* buffer = stackalloc long[15];
        return Host.Syscall(Nr.fstatfs, fd, (long)buffer) == 0 && (buffer[FlagsWord] & StNoSuid) != 0;
    }

    private void AskMode()
    {
        // statx has one layout on all hosts: stx_uid at 20, stx_gid at 24, stx_mode at 28.
        const uint TypeModeUidGid = 1 | 2 | 8 | 16;
        byte* buffer = stackalloc byte[256];
        byte empty = 0;
        long result = Host.Syscall(Nr.statx, Fd, (long)&empty, AtEmptyPath | AtNoAutomount, TypeModeUidGid, (long)buffer);
        _owner = *(uint*)(buffer + 20);
        _group = *(uint*)(buffer + 24);
        _mode = result == 0 ? *(ushort*)(buffer + 28) : 0u;
    }

    /// <summary>Writes a prefix and a decimal number, zero-terminated; returns the end.</summary>
    public static byte* Descriptor(byte* to, System.ReadOnlySpan<byte> prefix, int fd)
    {
        for (int i = 0; i < prefix.Length; i++)
        {
            *to++ = prefix[i];
        }

        return Decimal(to, fd);
    }

    /// <summary>Writes a number that is not negative, zero-terminated; returns the end.</summary>
    public static byte* Decimal(byte* to, int value) => Decimal(to, (ulong)value);

    /// <inheritdoc cref="Decimal(byte*, int)"/>
    public static byte* Decimal(byte* to, ulong value)
    {
        ulong scale = 1;
        while (value / scale >= 10)
        {
            scale *= 10;
        }

        for (; scale != 0; scale /= 10)
        {
            *to++ = (byte)('0' + (value / scale % 10));
        }

        *to = 0;
        return to;
    }
}
