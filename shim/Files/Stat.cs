using HostAbi = Lodge.Abi.Host;

namespace Lodge.Shim;

/// <summary>
/// The stat family (fs/stat.c). All of them ask the host's newfstatat or fstat; /proc/self/exe and the files that we write ourselves
/// are answered by <see cref="ProcFs"/>.
/// </summary>
public static unsafe partial class Syscalls<TAbi>
{
    private static int HostStat(GuestThread* t, int dirfd, uint path, uint flags, HostAbi.stat* st)
    {
        if (ProcFs.MayIntercept(t, dirfd, path) && ProcFs.Stat(t, dirfd, path, flags, st, out int result))
        {
            return SmallInodes.Stat(t, st, result);
        }

        if (HiddenFiles.IsStart(t, dirfd, path))
        {
            return -Errno.EBADF;
        }

        return SmallInodes.Stat(t, st, (int)Host.Syscall(Nr.newfstatat, dirfd, path, (long)st, flags));
    }

    private static int PutStat(uint address, HostAbi.stat* st)
    {
        int result = StatLayout.ToStat(in *st, out Lodge.Abi.Compat.stat to);
        return result < 0 ? result : User.Put(address, in to) ? 0 : -Errno.EFAULT;
    }

    private static int PutOldStat(uint address, HostAbi.stat* st)
    {
        int result = StatLayout.ToOldStat(in *st, out Lodge.Abi.I386.__old_kernel_stat to);
        return result < 0 ? result : User.Put(address, in to) ? 0 : -Errno.EFAULT;
    }

    private static int PutStat64(uint address, HostAbi.stat* st)
    {
        if (TAbi.IsI386)
        {
            StatLayout.ToStat64(in *st, out Lodge.Abi.I386.stat64 i386);
            return User.Put(address, in i386) ? 0 : -Errno.EFAULT;
        }

        StatLayout.ToStat64(in *st, out Lodge.Abi.Arm.stat64 arm);
        return User.Put(address, in arm) ? 0 : -Errno.EFAULT;
    }

    /// <summary>oldstat(path, statbuf), i386 number 18.</summary>
    public static int sys_stat(GuestThread* t)
    {
        HostAbi.stat st;
        int result = HostStat(t, FileConstants.AT_FDCWD, TAbi.Arg(t, 0), 0, &st);
        return result < 0 ? result : PutOldStat(TAbi.Arg(t, 1), &st);
    }

    /// <summary>oldlstat(path, statbuf).</summary>
    public static int sys_lstat(GuestThread* t)
    {
        HostAbi.stat st;
        int result = HostStat(t, FileConstants.AT_FDCWD, TAbi.Arg(t, 0), FileConstants.AT_SYMLINK_NOFOLLOW, &st);
        return result < 0 ? result : PutOldStat(TAbi.Arg(t, 1), &st);
    }

    /// <summary>oldfstat(fd, statbuf).</summary>
    public static int sys_fstat(GuestThread* t)
    {
        HostAbi.stat st;
        int result = HostFstat(t, &st);
        return result < 0 ? result : PutOldStat(TAbi.Arg(t, 1), &st);
    }

    /// <summary>stat(path, statbuf), number 106.</summary>
    public static int sys_newstat(GuestThread* t)
    {
        HostAbi.stat st;
        int result = HostStat(t, FileConstants.AT_FDCWD, TAbi.Arg(t, 0), 0, &st);
        return result < 0 ? result : PutStat(TAbi.Arg(t, 1), &st);
    }

    /// <summary>lstat(path, statbuf), number 107.</summary>
    public static int sys_newlstat(GuestThread* t)
    {
        HostAbi.stat st;
        int result = HostStat(t, FileConstants.AT_FDCWD, TAbi.Arg(t, 0), FileConstants.AT_SYMLINK_NOFOLLOW, &st);
        return result < 0 ? result : PutStat(TAbi.Arg(t, 1), &st);
    }

    /// <summary>fstat(fd, statbuf), number 108.</summary>
    public static int sys_newfstat(GuestThread* t)
    {
        HostAbi.stat st;
        int result = HostFstat(t, &st);
        return result < 0 ? result : PutStat(TAbi.Arg(t, 1), &st);
    }

    /// <summary>stat64(path, statbuf).</summary>
    public static int sys_stat64(GuestThread* t)
    {
        HostAbi.stat st;
        int result = HostStat(t, FileConstants.AT_FDCWD, TAbi.Arg(t, 0), 0, &st);
        return result < 0 ? result : PutStat64(TAbi.Arg(t, 1), &st);
    }

    /// <summary>lstat64(path, statbuf).</summary>
    public static int sys_lstat64(GuestThread* t)
    {
        HostAbi.stat st;
        int result = HostStat(t, FileConstants.AT_FDCWD, TAbi.Arg(t, 0), FileConstants.AT_SYMLINK_NOFOLLOW, &st);
        return result < 0 ? result : PutStat64(TAbi.Arg(t, 1), &st);
    }

    /// <summary>fstat64(fd, statbuf).</summary>
    public static int sys_fstat64(GuestThread* t)
    {
        HostAbi.stat st;
        int result = HostFstat(t, &st);
        return result < 0 ? result : PutStat64(TAbi.Arg(t, 1), &st);
    }

    /// <summary>fstatat64(dirfd, path, statbuf, flags).</summary>
    public static int sys_fstatat64(GuestThread* t)
    {
        HostAbi.stat st;
        int result = HostStat(t, (int)TAbi.Arg(t, 0), TAbi.Arg(t, 1), TAbi.Arg(t, 3), &st);
        return result < 0 ? result : PutStat64(TAbi.Arg(t, 2), &st);
    }

    /// <summary>statx(dirfd, path, flags, mask, buffer): the layout is the same everywhere.</summary>
    public static int sys_statx(GuestThread* t)
    {
        int dirfd = (int)TAbi.Arg(t, 0);
        uint path = TAbi.Arg(t, 1);
        uint buffer = TAbi.Arg(t, 4);
        Mm.PrepareWrite(t, buffer, 256);
        if (ProcFs.MayIntercept(t, dirfd, path) && ProcFs.Statx(t, dirfd, path, TAbi.Arg(t, 2), TAbi.Arg(t, 3), buffer, out int result))
        {
            return SmallInodes.Statx(t, buffer, result);
        }

        if (HiddenFiles.IsStart(t, dirfd, path))
        {
            return -Errno.EBADF;
        }

        return SmallInodes.Statx(t, buffer, (int)Host.Syscall(Nr.statx, dirfd, path, TAbi.Arg(t, 2), TAbi.Arg(t, 3), buffer));
    }

    private static int HostFstat(GuestThread* t, HostAbi.stat* st)
    {
        int fd = (int)TAbi.Arg(t, 0);
        return FilesStruct.IsHidden(t->Files, fd) ? -Errno.EBADF : SmallInodes.Stat(t, st, (int)Host.Syscall(Nr.fstat, (uint)fd, (long)st));
    }
}
