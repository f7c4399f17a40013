using CompatAbi = Lodge.Abi.Compat;
using HostAbi = Lodge.Abi.Host;

namespace Lodge.Shim;

/// <summary>
/// Conversions of file and file system attributes, with the overflow rules of the kernel's compat layer (fs/stat.c cp_compat_stat,
/// fs/statfs.c put_compat_statfs, arch/x86/kernel/sys_ia32.c cp_stat64). Pure functions: 0 or -errno.
/// </summary>
public static unsafe class StatLayout
{
    /// <summary>The uid or gid that stands for one that does not fit 16 bits (fs_overflowuid's default).</summary>
    public const ushort OverflowId = 65534;

    /// <summary>16-bit form of an id (high2lowuid).</summary>
    public static ushort Id16(uint id) => id > 0xffff ? OverflowId : (ushort)id;

    /// <summary>32-bit form of a 16-bit id argument: -1 stays "leave it" (low2highuid).</summary>
    public static uint Id32(ushort id) => id == 0xffff ? uint.MaxValue : id;

    /// <summary>struct stat of the first 32-bit calls with 32-bit sizes (newstat). -EOVERFLOW where a number does not fit.</summary>
    public static int ToStat(in HostAbi.stat from, out CompatAbi.stat to)
    {
        to = default;
        if (from.st_ino != (uint)from.st_ino || from.st_nlink != (ushort)from.st_nlink || (ulong)from.st_size > FileConstants.MAX_NON_LFS)
        {
            return -Errno.EOVERFLOW;
        }

        to.st_dev = (uint)from.st_dev;
        to.st_ino = (uint)from.st_ino;
        to.st_mode = (ushort)from.st_mode;
        to.st_nlink = (ushort)from.st_nlink;
        to.st_uid = Id16(from.st_uid);
        to.st_gid = Id16(from.st_gid);
        to.st_rdev = (uint)from.st_rdev;
        to.st_size = (uint)from.st_size;
        to.st_blksize = (uint)from.st_blksize;
        to.st_blocks = (uint)from.st_blocks;
        to.st_atime = (uint)from.st_atime;
        to.st_atime_nsec = (uint)from.st_atime_nsec;
        to.st_mtime = (uint)from.st_mtime;
        to.st_mtime_nsec = (uint)from.st_mtime_nsec;
        to.st_ctime = (uint)from.st_ctime;
        to.st_ctime_nsec = (uint)from.st_ctime_nsec;
        return 0;
    }

    /// <summary>struct __old_kernel_stat (cp_old_stat of a 64-bit kernel: the size is cut, not refused).</summary>
    public static int ToOldStat(in HostAbi.stat from, out Lodge.Abi.I386.__old_kernel_stat to)
    {
        to = default;
        if (from.st_ino != (ushort)from.st_ino || from.st_nlink != (ushort)from.st_nlink)
        {
            return -Errno.EOVERFLOW;
        }

        to.st_dev = OldDevice(from.st_dev);
        to.st_ino = (ushort)from.st_ino;
        to.st_mode = (ushort)from.st_mode;
        to.st_nlink = (ushort)from.st_nlink;
        to.st_uid = Id16(from.st_uid);
        to.st_gid = Id16(from.st_gid);
        to.st_rdev = OldDevice(from.st_rdev);
        to.st_size = (uint)from.st_size;
        to.st_atime = (uint)from.st_atime;
        to.st_mtime = (uint)from.st_mtime;
        to.st_ctime = (uint)from.st_ctime;
        return 0;
    }

    /// <summary>struct stat64 of i386; nothing overflows, the inode number is stored twice.</summary>
    public static void ToStat64(in HostAbi.stat from, out Lodge.Abi.I386.stat64 to)
    {
        to = default;
        to.st_dev = (uint)from.st_dev;
        to.__st_ino = (uint)from.st_ino;
        to.st_mode = from.st_mode;
        to.st_nlink = (uint)from.st_nlink;
        to.st_uid = from.st_uid;
        to.st_gid = from.st_gid;
        to.st_rdev = (uint)from.st_rdev;
        to.st_size = from.st_size;
        to.st_blksize = (uint)from.st_blksize;
        to.st_blocks = (ulong)from.st_blocks;
        to.st_atime = (uint)from.st_atime;
        to.st_atime_nsec = (uint)from.st_atime_nsec;
        to.st_mtime = (uint)from.st_mtime;
        to.st_mtime_nsec = (uint)from.st_mtime_nsec;
        to.st_ctime = (uint)from.st_ctime;
        to.st_ctime_nsec = (uint)from.st_ctime_nsec;
        to.st_ino = from.st_ino;
    }

    /// <summary>struct stat64 of arm: the same members, 64-bit ones aligned to 8.</summary>
    public static void ToStat64(in HostAbi.stat from, out Lodge.Abi.Arm.stat64 to)
    {
        to = default;
        to.st_dev = (uint)from.st_dev;
        to.__st_ino = (uint)from.st_ino;
        to.st_mode = from.st_mode;
        to.st_nlink = (uint)from.st_nlink;
        to.st_uid = from.st_uid;
        to.st_gid = from.st_gid;
        to.st_rdev = (uint)from.st_rdev;
        to.st_size = from.st_size;
        to.st_blksize = (uint)from.st_blksize;
        to.st_blocks = (ulong)from.st_blocks;
        to.st_atime = (uint)from.st_atime;
        to.st_atime_nsec = (uint)from.st_atime_nsec;
        to.st_mtime = (uint)from.st_mtime;
        to.st_mtime_nsec = (uint)from.st_mtime_nsec;
        to.st_ctime = (uint)from.st_ctime;
        to.st_ctime_nsec = (uint)from.st_ctime_nsec;
        to.st_ino = from.st_ino;
    }

    /// <summary>struct statfs. Block counts and sizes must fit 32 bits; file counts may be "unknown" (-1).</summary>
    public static int ToStatfs(in HostAbi.statfs from, out CompatAbi.statfs to)
    {
        to = default;
        ulong sizes = (ulong)from.f_blocks | (ulong)from.f_bfree | (ulong)from.f_bavail | (ulong)from.f_bsize | (ulong)from.f_frsize;
        if (sizes > uint.MaxValue || !IsCount((ulong)from.f_files) || !IsCount((ulong)from.f_ffree))
        {
            return -Errno.EOVERFLOW;
        }

        to.f_type = (uint)from.f_type;
        to.f_bsize = (uint)from.f_bsize;
        to.f_blocks = (uint)from.f_blocks;
        to.f_bfree = (uint)from.f_bfree;
        to.f_bavail = (uint)from.f_bavail;
        to.f_files = (uint)from.f_files;
        to.f_ffree = (uint)from.f_ffree;
        to.f_fsid_val[0] = from.f_fsid_val[0];
        to.f_fsid_val[1] = from.f_fsid_val[1];
        to.f_namelen = (uint)from.f_namelen;
        to.f_frsize = (uint)from.f_frsize;
        to.f_flags = (uint)from.f_flags;
        return 0;
    }

    /// <summary>struct statfs64 (84 bytes for both guests). Only block sizes can overflow.</summary>
    public static int ToStatfs64(in HostAbi.statfs from, out CompatAbi.statfs64 to)
    {
        to = default;
        if (((ulong)from.f_bsize | (ulong)from.f_frsize) > uint.MaxValue)
        {
            return -Errno.EOVERFLOW;
        }

        to.f_type = (uint)from.f_type;
        to.f_bsize = (uint)from.f_bsize;
        to.f_blocks = (ulong)from.f_blocks;
        to.f_bfree = (ulong)from.f_bfree;
        to.f_bavail = (ulong)from.f_bavail;
        to.f_files = (ulong)from.f_files;
        to.f_ffree = (ulong)from.f_ffree;
        to.f_fsid_val[0] = from.f_fsid_val[0];
        to.f_fsid_val[1] = from.f_fsid_val[1];
        to.f_namelen = (uint)from.f_namelen;
        to.f_frsize = (uint)from.f_frsize;
        to.f_flags = (uint)from.f_flags;
        return 0;
    }

    private static bool IsCount(ulong files) => files is <= uint.MaxValue or ulong.MaxValue;

    private static ushort OldDevice(ulong device)
    {
        // new_encode_dev: minor 0-7, major 8-19, minor 8-19 in bits 20-31.
        ulong major = (device >> 8) & 0xfff;
        ulong minor = (device & 0xff) | ((device >> 12) & 0xfff00);
        return (ushort)((major << 8) | minor);
    }
}
