using System.Threading;
using HostAbi = Lodge.Abi.Host;

namespace Lodge.Shim;

/// <summary>
/// Directory positions for a 32-bit reader. The kernel gives a 32-bit task positions that fit 31 bits where the file system has a rule
/// for it; a 64-bit host process always gets the wide ones.
/// <para>Directories read in hash order (ext4; overlayfs on top of it): the wide position is (hash &gt;&gt; 1, minor hash), 32 bits each, its end is
/// 2^63 - 1; the narrow one is the upper half, its end 2^31 - 1 (fs/ext4/dir.c hash2pos, pos2maj_hash). That needs no state, so it holds for
/// inherited and duplicated descriptors and across execve.</para>
/// <para>All others: a position below <see cref="DirectoryCookies.First"/> is itself, a larger one gets a cookie.</para>
/// </summary>
public static unsafe class DirectoryPositions
{
    /// <summary>The largest position a 32-bit reader can hold; hash order's end of directory.</summary>
    public const uint Highest = 0x7fffffff;

    private const long ExtMagic = 0xef53;

    /// <summary>Narrow form of a position in hash order.</summary>
    public static uint NarrowHash(long position) => position < 0 ? Highest : (uint)(position >> 32);

    /// <summary>Wide form of a position in hash order.</summary>
    public static long WidenHash(uint position) => position == Highest ? long.MaxValue : (long)position << 32;

    /// <summary>True for a position that stands for itself where no rule of the file system applies.</summary>
    public static bool IsPlain(long position) => (ulong)position < DirectoryCookies.First || position == Highest;

    /// <summary>
    /// The kind of a descriptor. A directory counts as <see cref="DescriptorKind.Directory"/> until its order was probed.
    /// <see cref="DescriptorKind.Unknown"/> for a bad descriptor.
    /// </summary>
    public static DescriptorKind KindOf(FilesStruct* files, int fd)
    {
        DescriptorKind kind = FilesStruct.Kind(files, fd);
        if (kind != DescriptorKind.Unknown)
        {
            return kind;
        }

        uint generation = Volatile.Read(ref files->Generation);
        HostAbi.stat st;
        if (Host.Syscall(Nr.fstat, (uint)fd, (long)&st) < 0)
        {
            return DescriptorKind.Unknown;
        }

        kind = DescriptorKind.Other;
        if ((st.st_mode & FileConstants.S_IFMT) == FileConstants.S_IFDIR)
        {
            kind = Probe(fd);
        }

        FilesStruct.SetKind(files, fd, kind, generation);
        return kind;
    }

    /// <summary>
    /// The kind of a directory that has just given a position which is not plain; hash order on ext is then certain (a linear ext directory
    /// would have to be larger than 2 GiB).
    /// </summary>
    public static DescriptorKind KindOfWide(FilesStruct* files, int fd)
    {
        DescriptorKind kind = FilesStruct.Kind(files, fd);
        if (kind == DescriptorKind.HashedDirectory)
        {
            return kind;
        }

        uint generation = Volatile.Read(ref files->Generation);
        HostAbi.statfs fs;
        kind = Host.Syscall(Nr.fstatfs, (uint)fd, (long)&fs) == 0 && fs.f_type == ExtMagic ? DescriptorKind.HashedDirectory : Probe(fd);
        FilesStruct.SetKind(files, fd, kind, generation);
        return kind;
    }

    /// <summary>Narrow form of a host position of a directory of that kind.</summary>
    public static uint Narrow(FilesStruct* files, DescriptorKind kind, long position)
    {
        if (kind == DescriptorKind.HashedDirectory)
        {
            return NarrowHash(position);
        }

        if (IsPlain(position))
        {
            return (uint)position;
        }

        DirectoryCookies* table = files->Cookies;
        if (table == null)
        {
            table = DirectoryCookies.Create();
            if (table != null)
            {
                long seen = Interlocked.CompareExchange(ref files->CookiesAddress, (long)table, 0);
                if (seen != 0)
                {
                    DirectoryCookies.Destroy(table);
                    table = (DirectoryCookies*)seen;
                }
            }
        }

        uint cookie = table == null ? 0 : DirectoryCookies.Enter(table, position);
        return cookie != 0 ? cookie : (uint)position & Highest;
    }

    /// <summary>Host position behind a narrow one.</summary>
    public static long Widen(FilesStruct* files, DescriptorKind kind, uint position)
        => kind == DescriptorKind.HashedDirectory ? WidenHash(position)
            : files->Cookies != null && DirectoryCookies.TryDecode(files->Cookies, position, out long wide) ? wide
            : position;

    /// <summary>lseek on a directory with narrow positions. A position or -errno.</summary>
    public static long Seek(FilesStruct* files, int fd, DescriptorKind kind, long offset, uint whence)
    {
        bool hashed = kind == DescriptorKind.HashedDirectory;
        long target = offset;
        switch (whence)
        {
            case FileConstants.SEEK_SET:
                break;
            case FileConstants.SEEK_CUR:
                long current = Host.Syscall(Nr.lseek, (uint)fd, 0, FileConstants.SEEK_CUR);
                if (current < 0)
                {
                    return current;
                }

                current = Narrow(files, kind, current);
                if (offset == 0)
                {
                    return current;
                }

                target = current + offset;
                break;
            case FileConstants.SEEK_END when hashed:
                target = Highest + offset;
                break;
            default:
                long end = Host.Syscall(Nr.lseek, (uint)fd, offset, whence);
                return end < 0 ? end : Narrow(files, kind, end);
        }

        if (hashed && (target < 0 || target > Highest))
        {
            return -Errno.EINVAL;
        }

        long wide = target is >= 0 and <= Highest ? Widen(files, kind, (uint)target) : target;
        long result = Host.Syscall(Nr.lseek, (uint)fd, wide, FileConstants.SEEK_SET);
        return result < 0 ? result : target;
    }

    // A second open file description of the same directory is asked for its end, so that the guest's position stays where it is. Where
    // search permission is missing the description itself has to be asked; going back to the same place keeps its reading state.
    private static DescriptorKind Probe(int fd)
    {
        byte* dot = stackalloc byte[2];
        dot[0] = (byte)'.';
        dot[1] = 0;
        long own = Host.Syscall(Nr.openat, (uint)fd, (long)dot, OpenFlags.HostDirectory | FileConstants.O_CLOEXEC, 0);
        long end;
        if (own >= 0)
        {
            end = Host.Syscall(Nr.lseek, own, 0, FileConstants.SEEK_END);
            _ = Host.Syscall(Nr.close, own);
        }
        else
        {
            long position = Host.Syscall(Nr.lseek, (uint)fd, 0, FileConstants.SEEK_CUR);
            end = Host.Syscall(Nr.lseek, (uint)fd, 0, FileConstants.SEEK_END);
            _ = Host.Syscall(Nr.lseek, (uint)fd, position, FileConstants.SEEK_SET);
        }

        return end == long.MaxValue ? DescriptorKind.HashedDirectory : DescriptorKind.Directory;
    }
}
