using Compat = Lodge.Abi.Compat;

namespace Lodge.Shim;

/// <summary>utime and its relatives (fs/utimes.c), all made with the host's utimensat.</summary>
public static unsafe partial class Syscalls<TAbi>
{
    private const int MicrosecondsPerSecond = 1000000;

    /// <summary>utime(path, times): struct old_utimbuf32, whole seconds.</summary>
    public static int sys_utime(GuestThread* t)
    {
        uint address = TAbi.Arg(t, 1);
        Compat.__kernel_timespec* times = stackalloc Compat.__kernel_timespec[2];
        if (address != 0)
        {
            if (!User.Get(address, out Compat.old_utimbuf32 user))
            {
                return -Errno.EFAULT;
            }

            times[0].tv_sec = user.actime;
            times[0].tv_nsec = 0;
            times[1].tv_sec = user.modtime;
            times[1].tv_nsec = 0;
        }

        return (int)Host.Syscall(Nr.utimensat, FileConstants.AT_FDCWD, TAbi.Arg(t, 0), address == 0 ? 0 : (long)times, 0);
    }

    /// <summary>utimes(path, times): two struct old_timeval32.</summary>
    public static int sys_utimes(GuestThread* t) => Utimes(FileConstants.AT_FDCWD, TAbi.Arg(t, 0), TAbi.Arg(t, 1));

    /// <summary>futimesat(dirfd, path, times).</summary>
    public static int sys_futimesat(GuestThread* t) => Utimes((int)TAbi.Arg(t, 0), TAbi.Arg(t, 1), TAbi.Arg(t, 2));

    private static int Utimes(int dirfd, uint path, uint address)
    {
        Compat.__kernel_timespec* times = stackalloc Compat.__kernel_timespec[2];
        if (address != 0)
        {
            if (!User.Get(address, out Compat.old_timeval32 access)
                || !User.Get(address + (uint)sizeof(Compat.old_timeval32), out Compat.old_timeval32 change))
            {
                return -Errno.EFAULT;
            }

            if ((uint)access.tv_usec >= MicrosecondsPerSecond || (uint)change.tv_usec >= MicrosecondsPerSecond)
            {
                return -Errno.EINVAL;
            }

            times[0].tv_sec = access.tv_sec;
            times[0].tv_nsec = access.tv_usec * 1000;
            times[1].tv_sec = change.tv_sec;
            times[1].tv_nsec = change.tv_usec * 1000;
        }

        return (int)Host.Syscall(Nr.utimensat, dirfd, path, address == 0 ? 0 : (long)times, 0);
    }

    /// <summary>utimensat(dirfd, path, times, flags) with 32-bit times.</summary>
    public static int sys_utimensat(GuestThread* t) => Utimensat(t, false);

    /// <summary>utimensat_time64(dirfd, path, times, flags): the upper half of tv_nsec is padding.</summary>
    public static int sys_utimensat_time64(GuestThread* t) => Utimensat(t, true);

    private static int Utimensat(GuestThread* t, bool is64)
    {
        uint address = TAbi.Arg(t, 2);
        uint size = is64 ? (uint)sizeof(Compat.__kernel_timespec) : (uint)sizeof(Compat.old_timespec32);
        Compat.__kernel_timespec* times = stackalloc Compat.__kernel_timespec[2];
        if (address != 0 && (!UserTime.Get(is64, address, &times[0]) || !UserTime.Get(is64, address + size, &times[1])))
        {
            return -Errno.EFAULT;
        }

        return (int)Host.Syscall(
            Nr.utimensat, (int)TAbi.Arg(t, 0), TAbi.Arg(t, 1), address == 0 ? 0 : (long)times, (int)TAbi.Arg(t, 3));
    }
}
