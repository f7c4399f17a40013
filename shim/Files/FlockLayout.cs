using HostAbi = Lodge.Abi.Host;

namespace Lodge.Shim;

/// <summary>Record locks: struct flock (32-bit offsets) and struct flock64 of both guests against the host's struct flock (fs/fcntl.c).</summary>
public static class FlockLayout
{
    /// <summary>Widens struct flock; offsets are signed.</summary>
    public static void ToHost(in Lodge.Abi.Compat.flock from, out HostAbi.flock to)
    {
        to = default;
        to.l_type = from.l_type;
        to.l_whence = from.l_whence;
        to.l_start = from.l_start;
        to.l_len = from.l_len;
        to.l_pid = from.l_pid;
    }

    /// <summary>Widens i386's struct flock64 (offsets at 4-byte alignment).</summary>
    public static void ToHost(in Lodge.Abi.I386.flock64 from, out HostAbi.flock to)
    {
        to = default;
        to.l_type = from.l_type;
        to.l_whence = from.l_whence;
        to.l_start = from.l_start;
        to.l_len = from.l_len;
        to.l_pid = from.l_pid;
    }

    /// <summary>Converts arm's struct flock64 (the host's own layout).</summary>
    public static void ToHost(in Lodge.Abi.Arm.flock64 from, out HostAbi.flock to)
    {
        to = default;
        to.l_type = from.l_type;
        to.l_whence = from.l_whence;
        to.l_start = from.l_start;
        to.l_len = from.l_len;
        to.l_pid = from.l_pid;
    }

    /// <summary>
    /// What F_GETLK does with a lock beyond 2 GiB (fixup_compat_flock): a start that does not fit is EOVERFLOW, a length is cut.
    /// </summary>
    public static int Fit(ref HostAbi.flock host)
    {
        if (host.l_start > FileConstants.MAX_NON_LFS)
        {
            return -Errno.EOVERFLOW;
        }

        if (host.l_len > FileConstants.MAX_NON_LFS)
        {
            host.l_len = FileConstants.MAX_NON_LFS;
        }

        return 0;
    }

    /// <summary>Narrows to struct flock.</summary>
    public static void ToGuest(in HostAbi.flock from, out Lodge.Abi.Compat.flock to)
    {
        to = default;
        to.l_type = from.l_type;
        to.l_whence = from.l_whence;
        to.l_start = (int)from.l_start;
        to.l_len = (int)from.l_len;
        to.l_pid = from.l_pid;
    }

    /// <summary>Narrows to i386's struct flock64.</summary>
    public static void ToGuest(in HostAbi.flock from, out Lodge.Abi.I386.flock64 to)
    {
        to = default;
        to.l_type = from.l_type;
        to.l_whence = from.l_whence;
        to.l_start = from.l_start;
        to.l_len = from.l_len;
        to.l_pid = from.l_pid;
    }

    /// <summary>Converts to arm's struct flock64.</summary>
    public static void ToGuest(in HostAbi.flock from, out Lodge.Abi.Arm.flock64 to)
    {
        to = default;
        to.l_type = from.l_type;
        to.l_whence = from.l_whence;
        to.l_start = from.l_start;
        to.l_len = from.l_len;
        to.l_pid = from.l_pid;
    }
}
