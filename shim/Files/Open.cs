using HostAbi = Lodge.Abi.Host;

namespace Lodge.Shim;

/// <summary>
/// open and its relatives (fs/open.c, fs/fhandle.c). The host gives every file of a 64-bit process O_LARGEFILE, so what its absence means
/// is done here: a regular file above 2 GiB - 1 gives EOVERFLOW, before O_TRUNC cuts it.
/// </summary>
public static unsafe partial class Syscalls<TAbi>
{
    private struct OpenHow
    {
        public ulong Flags;
        public ulong Mode;
        public ulong Resolve;
    }

    /// <summary>open(path, flags, mode). May block (FIFOs, leases).</summary>
    public static int sys_open(GuestThread* t)
        => Open(t, FileConstants.AT_FDCWD, TAbi.Arg(t, 0), TAbi.Arg(t, 1), TAbi.Arg(t, 2));

    /// <summary>openat(dirfd, path, flags, mode).</summary>
    public static int sys_openat(GuestThread* t)
        => Open(t, (int)TAbi.Arg(t, 0), TAbi.Arg(t, 1), TAbi.Arg(t, 2), TAbi.Arg(t, 3));

    /// <summary>creat(path, mode).</summary>
    public static int sys_creat(GuestThread* t)
        => Open(t, FileConstants.AT_FDCWD, TAbi.Arg(t, 0), FileConstants.O_CREAT | FileConstants.O_WRONLY | FileConstants.O_TRUNC, TAbi.Arg(t, 1));

    /// <summary>openat2(dirfd, path, how, size): a native call, so O_LARGEFILE is implied as on the host.</summary>
    public static int sys_openat2(GuestThread* t)
    {
        int dirfd = (int)TAbi.Arg(t, 0);
        uint path = TAbi.Arg(t, 1);
        uint address = TAbi.Arg(t, 2);
        uint size = TAbi.Arg(t, 3);
        OpenHow how;
        if (size == (uint)sizeof(OpenHow) && User.CopyIn(&how, address, size))
        {
            uint low = (uint)how.Flags;
            how.Flags = (how.Flags & ~0xffffffffUL) | OpenFlags.ToHost<TAbi>(low);
            if (how.Resolve == 0 && ProcFs.MayIntercept(t, dirfd, path) && ProcFs.Open(t, dirfd, path, (uint)how.Flags, out int result))
            {
                return result;
            }

            return (int)Host.BlockingCall(t, Nr.openat2, dirfd, path, (long)&how, size);
        }

        // Larger or faulty structures are the kernel's to judge; the flags of a larger one are renumbered only if the numbering differs.
        if (TAbi.IsI386 == !OpenFlags.HostIsArm || size < (uint)sizeof(OpenHow) || size > FileConstants.PATH_MAX)
        {
            return (int)Host.BlockingCall(t, Nr.openat2, dirfd, path, address, size);
        }

        byte* copy = stackalloc byte[FileConstants.PATH_MAX];
        if (!User.CopyIn(copy, address, size))
        {
            return -Errno.EFAULT;
        }

        ((OpenHow*)copy)->Flags = (((OpenHow*)copy)->Flags & ~0xffffffffUL) | OpenFlags.ToHost<TAbi>((uint)((OpenHow*)copy)->Flags);
        return (int)Host.BlockingCall(t, Nr.openat2, dirfd, path, (long)copy, size);
    }

    /// <summary>open_by_handle_at(mountdirfd, handle, flags).</summary>
    public static int sys_open_by_handle_at(GuestThread* t)
    {
        uint flags = OpenFlags.ToHost<TAbi>(TAbi.Arg(t, 2));
        int fd = (int)Host.BlockingCall(t, Nr.open_by_handle_at, (int)TAbi.Arg(t, 0), TAbi.Arg(t, 1), flags);
        return fd >= 0 && (flags & (OpenFlags.HostLargeFile | FileConstants.O_PATH)) == 0 ? CheckNotLarge(t, fd) : fd;
    }

    private static int Open(GuestThread* t, int dirfd, uint path, uint guestFlags, uint mode)
    {
        uint flags = OpenFlags.ToHost<TAbi>(guestFlags);
        if (ProcFs.MayIntercept(t, dirfd, path) && ProcFs.Open(t, dirfd, path, flags, out int result))
        {
            return result;
        }

        if ((flags & (OpenFlags.HostLargeFile | FileConstants.O_PATH)) != 0)
        {
            return (int)Host.BlockingCall(t, Nr.openat, dirfd, path, flags, mode);
        }

        uint kept = flags;
        if ((flags & FileConstants.O_TRUNC) != 0)
        {
            HostAbi.stat st;
            uint follow = (flags & OpenFlags.HostNoFollow) != 0 ? FileConstants.AT_SYMLINK_NOFOLLOW : 0u;
            if (Host.Syscall(Nr.newfstatat, dirfd, path, (long)&st, follow) == 0 && IsLarge(&st))
            {
                kept &= ~FileConstants.O_TRUNC;
            }
        }

        int fd = (int)Host.BlockingCall(t, Nr.openat, dirfd, path, kept, mode);
        return fd >= 0 ? CheckNotLarge(t, fd) : fd;
    }

    private static bool IsLarge(HostAbi.stat* st)
        => (st->st_mode & FileConstants.S_IFMT) == FileConstants.S_IFREG && st->st_size > FileConstants.MAX_NON_LFS;

    private static int CheckNotLarge(GuestThread* t, int fd)
    {
        HostAbi.stat st;
        bool known = Host.Syscall(Nr.fstat, fd, (long)&st) == 0;
        if (known && IsLarge(&st))
        {
            _ = Host.Syscall(Nr.close, fd);
            return -Errno.EOVERFLOW;
        }

        FilesStruct.MarkNoLargeFile(t->Files, fd, known && (st.st_mode & FileConstants.S_IFMT) == FileConstants.S_IFREG);
        return fd;
    }
}
