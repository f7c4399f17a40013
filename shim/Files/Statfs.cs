using HostAbi = Lodge.Abi.Host;

namespace Lodge.Shim;

/// <summary>statfs, statfs64, ustat (fs/statfs.c).</summary>
public static unsafe partial class Syscalls<TAbi>
{
    /// <summary>Size of the guest's struct statfs64; arm programs may also say 88 (arch/arm64/kernel/sys32.c aarch32_statfs64).</summary>
    private static bool IsStatfs64Size(uint size) => size == (uint)sizeof(Lodge.Abi.Compat.statfs64) || (!TAbi.IsI386 && size == 88);

    private static int PutStatfs(uint address, HostAbi.statfs* st)
    {
        int result = StatLayout.ToStatfs(in *st, out Lodge.Abi.Compat.statfs to);
        return result < 0 ? result : User.Put(address, in to) ? 0 : -Errno.EFAULT;
    }

    private static int PutStatfs64(uint address, HostAbi.statfs* st)
    {
        int result = StatLayout.ToStatfs64(in *st, out Lodge.Abi.Compat.statfs64 to);
        return result < 0 ? result : User.Put(address, in to) ? 0 : -Errno.EFAULT;
    }

    /// <summary>statfs(path, buffer).</summary>
    public static int sys_statfs(GuestThread* t)
    {
        HostAbi.statfs st;
        int result = (int)Host.Syscall(Nr.statfs, TAbi.Arg(t, 0), (long)&st);
        return result < 0 ? result : PutStatfs(TAbi.Arg(t, 1), &st);
    }

    /// <summary>fstatfs(fd, buffer).</summary>
    public static int sys_fstatfs(GuestThread* t)
    {
        HostAbi.statfs st;
        int result = (int)Host.Syscall(Nr.fstatfs, TAbi.Arg(t, 0), (long)&st);
        return result < 0 ? result : PutStatfs(TAbi.Arg(t, 1), &st);
    }

    /// <summary>statfs64(path, size, buffer); a wrong size is EINVAL before anything else.</summary>
    public static int sys_statfs64(GuestThread* t)
    {
        if (!IsStatfs64Size(TAbi.Arg(t, 1)))
        {
            return -Errno.EINVAL;
        }

        HostAbi.statfs st;
        int result = (int)Host.Syscall(Nr.statfs, TAbi.Arg(t, 0), (long)&st);
        return result < 0 ? result : PutStatfs64(TAbi.Arg(t, 2), &st);
    }

    /// <summary>fstatfs64(fd, size, buffer).</summary>
    public static int sys_fstatfs64(GuestThread* t)
    {
        if (!IsStatfs64Size(TAbi.Arg(t, 1)))
        {
            return -Errno.EINVAL;
        }

        HostAbi.statfs st;
        int result = (int)Host.Syscall(Nr.fstatfs, TAbi.Arg(t, 0), (long)&st);
        return result < 0 ? result : PutStatfs64(TAbi.Arg(t, 2), &st);
    }

    /// <summary>ustat(device, buffer): ENOSYS on hosts without the call (arm64).</summary>
    public static int sys_ustat(GuestThread* t)
    {
#if ARM64
        return -Errno.ENOSYS;
#else
        HostAbi.ustat host;
        int result = (int)Host.Syscall(Nr.ustat, TAbi.Arg(t, 0), (long)&host);
        if (result < 0)
        {
            return result;
        }

        Lodge.Abi.Compat.compat_ustat guest = default;
        guest.f_tfree = host.f_tfree;
        guest.f_tinode = (uint)host.f_tinode;
        return User.Put(TAbi.Arg(t, 1), in guest) ? 0 : -Errno.EFAULT;
#endif
    }
}
