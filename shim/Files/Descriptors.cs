namespace Lodge.Shim;

/// <summary>Calls that create, duplicate and close descriptors (fs/file.c, fs/open.c, fs/pipe.c).</summary>
public static unsafe partial class Syscalls<TAbi>
    where TAbi : unmanaged, IGuestAbi
{
    private const uint CLOSE_RANGE_UNSHARE = 2;

    /// <summary>close(fd).</summary>
    public static int sys_close(GuestThread* t)
    {
        int fd = (int)TAbi.Arg(t, 0);
        if (FilesStruct.IsHidden(t->Files, fd))
        {
            return -Errno.EBADF;
        }

        FilesStruct.Forget(t->Files, fd);
        int result = (int)Host.Syscall(Nr.close, (uint)fd);
        FilesStruct.Forget(t->Files, fd);
        return result;
    }

    /// <summary>close_range(first, last, flags): our own descriptors in the range are left out.</summary>
    public static int sys_close_range(GuestThread* t)
    {
        uint first = TAbi.Arg(t, 0);
        uint last = TAbi.Arg(t, 1);
        uint flags = TAbi.Arg(t, 2);
        if (first > last)
        {
            return (int)Host.Syscall(Nr.close_range, first, last, flags);
        }

        FilesStruct.ForgetRange(t->Files, first, last);
        long result = 0;
        uint from = first;
        while (true)
        {
            long hidden = NextHidden(t->Files, from, last);
            uint to = hidden < 0 ? last : (uint)hidden - 1;
            if (hidden < 0 || (uint)hidden > from)
            {
                result = Host.Syscall(Nr.close_range, from, to, flags);
                if (result < 0)
                {
                    break;
                }

                flags &= ~CLOSE_RANGE_UNSHARE;
            }

            if (hidden < 0 || (uint)hidden == last)
            {
                break;
            }

            from = (uint)hidden + 1;
        }

        FilesStruct.ForgetRange(t->Files, first, last);
        return (int)result;
    }

    private static long NextHidden(FilesStruct* files, uint from, uint last)
    {
        long best = -1;
        for (int i = 0; i < FilesStruct.HiddenSlots; i++)
        {
            int fd = files->Hidden[i] - 1;
            if (fd >= 0 && (uint)fd >= from && (uint)fd <= last && (best < 0 || fd < best))
            {
                best = fd;
            }
        }

        return best;
    }

    /// <summary>dup(fd).</summary>
    public static int sys_dup(GuestThread* t)
    {
        int fd = (int)TAbi.Arg(t, 0);
        if (FilesStruct.IsHidden(t->Files, fd))
        {
            return -Errno.EBADF;
        }

        int result = (int)Host.Syscall(Nr.dup, (uint)fd);
        if (result >= 0)
        {
            FilesStruct.Duplicate(t->Files, fd, result);
        }

        return result;
    }

    /// <summary>dup2(old, new): equal numbers only check the descriptor.</summary>
    public static int sys_dup2(GuestThread* t)
    {
        int from = (int)TAbi.Arg(t, 0);
        int to = (int)TAbi.Arg(t, 1);
        if (from == to)
        {
            if (FilesStruct.IsHidden(t->Files, from) || Host.Syscall(Nr.fcntl, (uint)from, FileConstants.F_GETFD) < 0)
            {
                return -Errno.EBADF;
            }

            return to;
        }

        return Dup3(t, from, to, 0);
    }

    /// <summary>dup3(old, new, flags).</summary>
    public static int sys_dup3(GuestThread* t) => Dup3(t, (int)TAbi.Arg(t, 0), (int)TAbi.Arg(t, 1), TAbi.Arg(t, 2));

    private static int Dup3(GuestThread* t, int from, int to, uint flags)
    {
        if (FilesStruct.IsHidden(t->Files, from))
        {
            // The kernel's order: flags, equal numbers, the target's range, then the source.
            return (flags & ~FileConstants.O_CLOEXEC) != 0 || from == to ? -Errno.EINVAL : -Errno.EBADF;
        }

        if (FilesStruct.IsHidden(t->Files, to))
        {
            int moved = HiddenFiles.Evade(t->Files, to);
            if (moved < 0)
            {
                return moved;
            }
        }

        int result = (int)Host.Syscall(Nr.dup3, (uint)from, (uint)to, flags);
        if (result >= 0)
        {
            FilesStruct.Duplicate(t->Files, from, to);
        }

        return result;
    }
}
