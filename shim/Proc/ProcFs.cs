using HostAbi = Lodge.Abi.Host;

namespace Lodge.Shim;

/// <summary>
/// /proc as the guest must see it. The file calls ask <see cref="MayIntercept"/> first, which for ordinary paths is one load and a compare;
/// what it lets through is looked at closely by the methods behind it, which return false to let the host answer.
/// Relative paths count only where their last name is one of ours and their directory lies in procfs.
/// </summary>
public static unsafe class ProcFs
{
    /// <summary>Bytes for the path of a descriptor link, zero included.</summary>
    public const int LinkLength = 48;

    private const int MaxPath = 256;
    private const ulong ProcPrefix = 0x2f636f72702f;
    private const ulong PrefixMask = 0xffffffffffff;

    /// <summary>False for every path that certainly is none of ours. <paramref name="path"/> is the guest's pointer, good or bad.</summary>
    public static bool MayIntercept(GuestThread* t, int dirfd, uint path)
    {
        if (User.Get(path, out ulong head))
        {
            if ((byte)head == '/')
            {
                return (head & PrefixMask) == ProcPrefix;
            }

            if ((byte)head == 0)
            {
                return false;
            }
        }

        return MayBeRelative(t, dirfd, path);
    }

    private static bool MayBeRelative(GuestThread* t, int dirfd, uint path)
    {
        byte* text = stackalloc byte[MaxPath];
        int length = User.CopyString(text, path, MaxPath);
        if (length <= 0)
        {
            return false;
        }

        if (text[0] == '/')
        {
            return length > 6 && (*(ulong*)text & PrefixMask) == ProcPrefix;
        }

        int leaf = length;
        while (leaf > 0 && text[leaf - 1] != '/')
        {
            leaf--;
        }

        return ProcName.IsKnownLeaf(text + leaf, length - leaf) && IsProc(dirfd);
    }

    private static bool IsProc(int dirfd)
    {
        HostAbi.statfs fs;
        byte* dot = stackalloc byte[2];
        dot[0] = (byte)'.';
        dot[1] = 0;
        long result = dirfd == FileConstants.AT_FDCWD
            ? Host.Syscall(Nr.statfs, (long)dot, (long)&fs)
            : Host.Syscall(Nr.fstatfs, dirfd, (long)&fs);
        return result == 0 && fs.f_type == FileConstants.PROC_SUPER_MAGIC;
    }

    /// <summary>open: true when the answer is in <paramref name="result"/>. <paramref name="flags"/> in the host's numbering.</summary>
    public static bool Open(GuestThread* t, int dirfd, uint path, uint flags, out int result)
    {
        result = 0;
        byte* link = stackalloc byte[LinkLength];
        switch (Find(t, dirfd, path, out ProcName name, link))
        {
            case ProcFile.None:
                return false;
            case ProcFile.HiddenDescriptor:
                result = -Errno.ENOENT;
                return true;
            case ProcFile.Exe:
                result = (int)Host.BlockingCall(t, Nr.openat, FileConstants.AT_FDCWD, (long)link, flags, 0);
                return true;
            case ProcFile.Mem:
                if ((flags & (FileConstants.O_PATH | OpenFlags.HostDirectory)) != 0)
                {
                    return false;
                }

                result = ProcMem.Open(t, flags & ~FileConstants.O_CREAT);
                return true;
            default:
                const uint NotJustReading = FileConstants.O_ACCMODE | FileConstants.O_PATH | FileConstants.O_CREAT | OpenFlags.HostDirectory;
                return (flags & NotJustReading) == 0 && ProcText.Open(t, in name, flags, out result);
        }
    }

    /// <summary>readlink: true when the answer is in <paramref name="result"/>.</summary>
    public static bool ReadLink(GuestThread* t, int dirfd, uint path, uint buffer, int size, out int result)
    {
        result = 0;
        byte* link = stackalloc byte[LinkLength];
        switch (Find(t, dirfd, path, out _, link))
        {
            case ProcFile.HiddenDescriptor:
                result = -Errno.ENOENT;
                return true;
            case ProcFile.Exe:
                result = (int)Host.Syscall(Nr.readlinkat, FileConstants.AT_FDCWD, (long)link, buffer, size);
                return true;
            default:
                return false;
        }
    }

    /// <summary>newfstatat into a host structure at <paramref name="buffer"/>: true when the answer is in <paramref name="result"/>.</summary>
    public static bool Stat(GuestThread* t, int dirfd, uint path, uint flags, void* buffer, out int result)
    {
        result = 0;
        byte* link = stackalloc byte[LinkLength];
        switch (Find(t, dirfd, path, out _, link))
        {
            case ProcFile.HiddenDescriptor:
                result = -Errno.ENOENT;
                return true;
            case ProcFile.Exe when (flags & FileConstants.AT_SYMLINK_NOFOLLOW) == 0:
                result = (int)Host.Syscall(Nr.newfstatat, FileConstants.AT_FDCWD, (long)link, (long)buffer, (int)flags);
                return true;
            default:
                return false;
        }
    }

    /// <summary>statx into the guest's buffer: true when the answer is in <paramref name="result"/>.</summary>
    public static bool Statx(GuestThread* t, int dirfd, uint path, uint flags, uint mask, uint buffer, out int result)
    {
        result = 0;
        byte* link = stackalloc byte[LinkLength];
        switch (Find(t, dirfd, path, out _, link))
        {
            case ProcFile.HiddenDescriptor:
                result = -Errno.ENOENT;
                return true;
            case ProcFile.Exe when (flags & FileConstants.AT_SYMLINK_NOFOLLOW) == 0:
                result = (int)Host.Syscall(Nr.statx, FileConstants.AT_FDCWD, (long)link, flags, mask, buffer);
                return true;
            default:
                return false;
        }
    }

    /// <summary>
    /// For execve and the like: if the path is this process's exe link, writes a path that leads to the guest program into
    /// <paramref name="link"/> (<see cref="LinkLength"/> bytes) and returns true.
    /// </summary>
    public static bool ExePath(GuestThread* t, int dirfd, uint path, byte* link)
        => MayIntercept(t, dirfd, path) && Find(t, dirfd, path, out _, link) == ProcFile.Exe;

    /// <summary>
    /// True if a directory entry of <paramref name="fd"/> is one of the shim's own descriptors: the directory is this process's
    /// /proc/.../fd or fdinfo. At most <paramref name="available"/> bytes of the name can be read.
    /// </summary>
    public static bool IsHiddenEntry(GuestThread* t, int fd, byte* name, int available)
    {
        if ((uint)(name[0] - '1') > 8)
        {
            return false;
        }

        int length = 0;
        while (length < available && length < 11 && name[length] != 0)
        {
            length++;
        }

        int number = length == available ? -1 : ProcName.ParseNumber(name, length);
        if (number < 0 || !FilesStruct.IsHidden(t->Files, number) || !IsProc(fd))
        {
            return false;
        }

        byte* directory = stackalloc byte[MaxPath];
        int end = DirectoryPath(fd, directory);
        if (end <= 0 || end > MaxPath - 4)
        {
            return false;
        }

        directory[end] = (byte)'/';
        directory[end + 1] = (byte)'1';
        directory[end + 2] = 0;
        ProcName parsed = default;
        return parsed.Parse(directory) && parsed.File == ProcFile.HiddenDescriptor && IsOwn(in parsed);
    }

    // For exe, "link" gets a path to the guest program (LinkLength bytes).
    private static ProcFile Find(GuestThread* t, int dirfd, uint path, out ProcName name, byte* link)
    {
        name = default;
        byte* text = stackalloc byte[MaxPath * 2];
        int at = 0;
        if (User.Get(path, out byte first) && first != '/')
        {
            at = DirectoryPath(dirfd, text);
            if (at <= 0)
            {
                return ProcFile.None;
            }

            text[at++] = (byte)'/';
        }

        if (User.CopyString(text + at, path, MaxPath) <= 0 || !name.Parse(text))
        {
            return ProcFile.None;
        }

        switch (name.File)
        {
            case ProcFile.CpuInfo:
                return name.File;
            case ProcFile.Exe:
                bool found = IsOwn(in name) ? ProgramLink(t, link) : name.TaskNumber == 0 && OtherGuests.ProgramLink(name.Number, link);
                return found ? name.File : ProcFile.None;
            case ProcFile.HiddenDescriptor:
                return FilesStruct.IsHidden(t->Files, name.Descriptor) && IsOwn(in name) ? name.File : ProcFile.None;
            default:
                return IsOwn(in name) ? name.File : ProcFile.None;
        }
    }

    // Path of a directory descriptor (or of the working directory); its length or -errno.
    private static int DirectoryPath(int dirfd, byte* to)
    {
        byte* link = stackalloc byte[LinkLength];
        if (dirfd == FileConstants.AT_FDCWD)
        {
            Put(link, 0, "/proc/self/cwd"u8);
        }
        else if (dirfd < 0)
        {
            return -Errno.EBADF;
        }
        else
        {
            DescriptorLink(dirfd, link);
        }

        return (int)Host.Syscall(Nr.readlinkat, FileConstants.AT_FDCWD, (long)link, (long)to, MaxPath - 1);
    }

    private static bool IsOwn(in ProcName name)
        => (name.Number == 0 || IsOwn(name.Number)) && (name.TaskNumber == 0 || IsOwn(name.TaskNumber));

    private static bool IsOwn(int number)
    {
        long process = Host.Syscall(Nr.getpid);
        return number == process || Host.Syscall(Nr.tgkill, process, number, 0) == 0;
    }

    private static bool ProgramLink(GuestThread* t, byte* link)
    {
        int fd = FilesStruct.GetHidden(t->Files, HiddenFile.Program);
        if (fd < 0)
        {
            return false;
        }

        DescriptorLink(fd, link);
        return true;
    }

    /// <summary>Writes /proc/self/fd/N.</summary>
    public static void DescriptorLink(int fd, byte* link)
    {
        int at = Put(link, 0, "/proc/self/fd/"u8);
        uint rest = (uint)fd;
        int digits = 1;
        for (uint value = rest; value >= 10; value /= 10)
        {
            digits++;
        }

        for (int i = digits - 1; i >= 0; i--)
        {
            link[at + i] = (byte)('0' + (rest % 10));
            rest /= 10;
        }

        link[at + digits] = 0;
    }

    private static int Put(byte* to, int at, System.ReadOnlySpan<byte> text)
    {
        for (int i = 0; i < text.Length; i++)
        {
            to[at + i] = text[i];
        }

        to[at + text.Length] = 0;
        return at + text.Length;
    }
}
