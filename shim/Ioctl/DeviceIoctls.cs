using HostAbi = Lodge.Abi.Host;

namespace Lodge.Shim;

/// <summary>Converted ioctls of files and block devices (fs/ioctl.c, block/ioctl.c).</summary>
internal static unsafe class DeviceIoctls
{
    /// <summary>struct fiemap without extents, one extent, and where the number of extents is.</summary>
    private const uint FiemapHead = 32, FiemapExtent = 56, FiemapCount = 24;

    /// <summary>struct file_dedupe_range without entries, one entry, and where the 16-bit number of entries is.</summary>
    private const uint DedupeHead = 24, DedupeEntry = 32, DedupeCount = 16;

    /// <summary>Makes one call. Result or -errno.</summary>
    public static long Call(GuestThread* t, int fd, uint request, IoctlKind kind, uint argument)
    {
        switch (kind)
        {
            case IoctlKind.WordOut:
                return Word(t, fd, request, argument);
            case IoctlKind.DiskGeometry:
                return Geometry(t, fd, request, argument);
            case IoctlKind.ExtentMap:
                if (User.Get(argument + FiemapCount, out uint extents))
                {
                    Mm.PrepareWrite(t, argument, FiemapHead + ((nuint)(extents & 0xffffff) * FiemapExtent));
                }

                return Host.BlockingCall(t, Nr.ioctl, (uint)fd, request, argument);
            case IoctlKind.DedupeRange:
                if (User.Get(argument + DedupeCount, out ushort entries))
                {
                    Mm.PrepareWrite(t, argument, DedupeHead + ((nuint)entries * DedupeEntry));
                }

                return Host.BlockingCall(t, Nr.ioctl, (uint)fd, request, argument);
            default:
                return -Errno.ENOTTY;
        }
    }

    // BLKGETSIZE and the read-ahead: a long, EFBIG where the device is too large for one of 32 bits (blkdev compat_put_ulong).
    private static long Word(GuestThread* t, int fd, uint request, uint argument)
    {
        const uint BLKGETSIZE = 0x1260;
        ulong word = 0;
        long result = Host.BlockingCall(t, Nr.ioctl, (uint)fd, request, argument == 0 ? 0 : (long)&word);
        if (result < 0)
        {
            return result;
        }

        if (request == BLKGETSIZE && word > uint.MaxValue)
        {
            return -Errno.EFBIG;
        }

        uint narrow = (uint)word;
        return User.Put(argument, in narrow) ? result : -Errno.EFAULT;
    }

    private static long Geometry(GuestThread* t, int fd, uint request, uint argument)
    {
        HostAbi.hd_geometry host = default;
        long result = Host.BlockingCall(t, Nr.ioctl, (uint)fd, request, argument == 0 ? 0 : (long)&host);
        if (result < 0)
        {
            return result;
        }

        Lodge.Abi.Compat.hd_geometry guest = default;
        guest.heads = host.heads;
        guest.sectors = host.sectors;
        guest.cylinders = host.cylinders;
        guest.start = (uint)host.start;
        return User.Put(argument, in guest) ? result : -Errno.EFAULT;
    }
}
