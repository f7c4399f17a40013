using HostAbi = Lodge.Abi.Host;

namespace Lodge.Shim;

/// <summary>
/// fcntl and fcntl64 (fs/fcntl.c do_compat_fcntl64): record locks in the guest's two layouts, flag numbering, duplicates.
/// </summary>
public static unsafe partial class Syscalls<TAbi>
{
    /// <summary>fcntl64(fd, command, argument).</summary>
    public static int sys_fcntl64(GuestThread* t) => Fcntl64(t);

    /// <summary>
    /// fcntl(fd, command, argument). i386's entry is the same as fcntl64's; arm's (compat_sys_fcntl) knows no 64-bit locks.
    /// </summary>
    public static int sys_fcntl(GuestThread* t)
    {
        if (!TAbi.IsI386)
        {
            switch ((int)TAbi.Arg(t, 1))
            {
                case FileConstants.F_GETLK64:
                case FileConstants.F_SETLK64:
                case FileConstants.F_SETLKW64:
                case FileConstants.F_OFD_GETLK:
                case FileConstants.F_OFD_SETLK:
                case FileConstants.F_OFD_SETLKW:
                    return -Errno.EINVAL;
                default:
                    break;
            }
        }

        return Fcntl64(t);
    }

    private static int Fcntl64(GuestThread* t)
    {
        int fd = (int)TAbi.Arg(t, 0);
        int command = (int)TAbi.Arg(t, 1);
        uint argument = TAbi.Arg(t, 2);
        if (FilesStruct.IsHidden(t->Files, fd))
        {
            return -Errno.EBADF;
        }

        switch (command)
        {
            case FileConstants.F_GETLK:
            case FileConstants.F_SETLK:
            case FileConstants.F_SETLKW:
                return Lock(t, fd, command, argument, false);
            case FileConstants.F_GETLK64:
            case FileConstants.F_SETLK64:
            case FileConstants.F_SETLKW64:
                return Lock(t, fd, command - FileConstants.F_GETLK64 + FileConstants.F_GETLK, argument, true);
            case FileConstants.F_OFD_GETLK:
            case FileConstants.F_OFD_SETLK:
            case FileConstants.F_OFD_SETLKW:
                return Lock(t, fd, command, argument, true);
            case FileConstants.F_GETFL:
                return GetFlags(t, fd);
            case FileConstants.F_SETFL:
                argument = OpenFlags.ToHost<TAbi>(argument);
                break;
            case FileConstants.F_DUPFD:
            case FileConstants.F_DUPFD_CLOEXEC:
                int copy = (int)Host.Syscall(Nr.fcntl, (uint)fd, command, argument);
                if (copy >= 0)
                {
                    FilesStruct.Duplicate(t->Files, fd, copy);
                }

                return copy;
            default:
                break;
        }

        // Everything else has one layout (f_owner_ex, write hints, delegations) or a plain number.
        return (int)Host.BlockingCall(t, Nr.fcntl, (uint)fd, (uint)command, argument);
    }

    private static int GetFlags(GuestThread* t, int fd)
    {
        int flags = (int)Host.Syscall(Nr.fcntl, (uint)fd, FileConstants.F_GETFL, 0);
        if (flags < 0)
        {
            return flags;
        }

        uint guest = OpenFlags.ToGuest<TAbi>((uint)flags);
        return (int)(FilesStruct.IsNoLargeFile(t->Files, fd) ? guest & ~OpenFlags.GuestLargeFile<TAbi>() : guest);
    }

    private static int Lock(GuestThread* t, int fd, int command, uint address, bool wide)
    {
        HostAbi.flock host;
        bool read = wide ? ReadLock64(address, &host) : ReadLock(address, &host);
        if (!read)
        {
            // A bad descriptor is found before a bad pointer.
            return Host.Syscall(Nr.fcntl, (uint)fd, FileConstants.F_GETFD, 0) < 0 ? -Errno.EBADF : -Errno.EFAULT;
        }

        int result = (int)Host.BlockingCall(t, Nr.fcntl, (uint)fd, command, (long)&host);
        if (result < 0 || (command != FileConstants.F_GETLK && command != FileConstants.F_OFD_GETLK))
        {
            return result;
        }

        if (wide)
        {
            return WriteLock64(address, &host) ? 0 : -Errno.EFAULT;
        }

        int error = FlockLayout.Fit(ref host);
        return error < 0 ? error : WriteLock(address, &host) ? 0 : -Errno.EFAULT;
    }

    private static bool ReadLock(uint address, HostAbi.flock* host)
    {
        bool read = User.Get(address, out Lodge.Abi.Compat.flock guest);
        FlockLayout.ToHost(in guest, out *host);
        return read;
    }

    private static bool WriteLock(uint address, HostAbi.flock* host)
    {
        FlockLayout.ToGuest(in *host, out Lodge.Abi.Compat.flock guest);
        return User.Put(address, in guest);
    }

    private static bool ReadLock64(uint address, HostAbi.flock* host)
    {
        bool read;
        if (TAbi.IsI386)
        {
            read = User.Get(address, out Lodge.Abi.I386.flock64 i386);
            FlockLayout.ToHost(in i386, out *host);
            return read;
        }

        read = User.Get(address, out Lodge.Abi.Arm.flock64 arm);
        FlockLayout.ToHost(in arm, out *host);
        return read;
    }

    private static bool WriteLock64(uint address, HostAbi.flock* host)
    {
        if (TAbi.IsI386)
        {
            FlockLayout.ToGuest(in *host, out Lodge.Abi.I386.flock64 i386);
            return User.Put(address, in i386);
        }

        FlockLayout.ToGuest(in *host, out Lodge.Abi.Arm.flock64 arm);
        return User.Put(address, in arm);
    }
}
