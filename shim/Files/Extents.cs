namespace Lodge.Shim;

/// <summary>
/// Calls on a file's length and ranges (fs/open.c, mm/fadvise.c, mm/readahead.c, fs/sync.c): 64-bit numbers arrive in halves, on arm in even
/// register pairs, and two of arm's calls have their arguments reordered to save a pair.
/// </summary>
public static unsafe partial class Syscalls<TAbi>
{
    /// <summary>truncate(path, length): the length is signed.</summary>
    public static int sys_truncate(GuestThread* t) => (int)Host.Syscall(Nr.truncate, TAbi.Arg(t, 0), (int)TAbi.Arg(t, 1));

    /// <summary>ftruncate(fd, length): the length is signed.</summary>
    public static int sys_ftruncate(GuestThread* t) => (int)Host.Syscall(Nr.ftruncate, TAbi.Arg(t, 0), (int)TAbi.Arg(t, 1));

    /// <summary>truncate64(path, length).</summary>
    public static int sys_truncate64(GuestThread* t) => (int)Host.Syscall(Nr.truncate, TAbi.Arg(t, 0), TAbi.LoffArg(t, 1));

    /// <summary>ftruncate64(fd, length): EINVAL beyond 2 GiB - 1 without O_LARGEFILE.</summary>
    public static int sys_ftruncate64(GuestThread* t)
    {
        int fd = (int)TAbi.Arg(t, 0);
        long length = TAbi.LoffArg(t, 1);
        return length > FileConstants.MAX_NON_LFS && FilesStruct.IsLimited(t->Files, fd)
            ? -Errno.EINVAL
            : (int)Host.Syscall(Nr.ftruncate, (uint)fd, length);
    }

    /// <summary>fallocate(fd, mode, offset, length).</summary>
    public static int sys_fallocate(GuestThread* t)
        => (int)Host.BlockingCall(t, Nr.fallocate, TAbi.Arg(t, 0), (int)TAbi.Arg(t, 1), TAbi.LoffArg(t, 2), TAbi.LoffArg(t, 4));

    /// <summary>fadvise64(fd, offset, length, advice), i386: the length is 32 bits.</summary>
    public static int sys_fadvise64(GuestThread* t)
        => (int)Host.Syscall(Nr.fadvise64, TAbi.Arg(t, 0), TAbi.LoffArg(t, 1), TAbi.Arg(t, 3), (int)TAbi.Arg(t, 4));

    /// <summary>fadvise64_64(fd, offset, length, advice), i386.</summary>
    public static int sys_fadvise64_64(GuestThread* t)
        => (int)Host.Syscall(Nr.fadvise64, TAbi.Arg(t, 0), TAbi.LoffArg(t, 1), TAbi.LoffArg(t, 3), (int)TAbi.Arg(t, 5));

    /// <summary>arm_fadvise64_64(fd, advice, offset, length).</summary>
    public static int sys_arm_fadvise64_64(GuestThread* t)
        => (int)Host.Syscall(Nr.fadvise64, TAbi.Arg(t, 0), TAbi.LoffArg(t, 2), TAbi.LoffArg(t, 4), (int)TAbi.Arg(t, 1));

    /// <summary>readahead(fd, offset, count).</summary>
    public static int sys_readahead(GuestThread* t)
        => (int)Host.Syscall(Nr.readahead, TAbi.Arg(t, 0), TAbi.LoffArg(t, 1), TAbi.Arg(t, TAbi.IsI386 ? 3 : 4));

    /// <summary>sync_file_range(fd, offset, length, flags), i386.</summary>
    public static int sys_sync_file_range(GuestThread* t)
        => (int)Host.BlockingCall(t, Nr.sync_file_range, TAbi.Arg(t, 0), TAbi.LoffArg(t, 1), TAbi.LoffArg(t, 3), TAbi.Arg(t, 5));

    /// <summary>arm_sync_file_range(fd, flags, offset, length).</summary>
    public static int sys_arm_sync_file_range(GuestThread* t)
        => (int)Host.BlockingCall(t, Nr.sync_file_range, TAbi.Arg(t, 0), TAbi.LoffArg(t, 2), TAbi.LoffArg(t, 4), TAbi.Arg(t, 1));

    /// <summary>fanotify_mark(fd, flags, mask, dirfd, path): six registers, the mask in halves.</summary>
    public static int sys_fanotify_mark(GuestThread* t)
        => (int)Host.Syscall(
            Nr.fanotify_mark, (int)TAbi.Arg(t, 0), TAbi.Arg(t, 1), TAbi.LoffArg(t, 2), (int)TAbi.Arg(t, 4), TAbi.Arg(t, 5));
}
