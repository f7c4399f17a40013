using HostAbi = Lodge.Abi.Host;

namespace Lodge.Shim;

/// <summary>
/// The end at 2 GiB - 1 of regular files that were opened without O_LARGEFILE (mm/filemap.c generic_write_check_limits).
/// </summary>
internal static unsafe class WriteLimit
{
    /// <summary>Stands for the descriptor's own position.</summary>
    public const long OwnPosition = -1;

    private const uint O_APPEND = 0x400;
    private const ulong PROC_SUPER_MAGIC = 0x9fa0;

    /// <summary>
    /// Cuts <paramref name="count"/> so that the write ends at the limit: 0, -EFBIG when it would begin there, or what the host says about a
    /// descriptor that cannot be written at all.
    /// </summary>
    public static int Cut(int fd, long position, ref ulong count)
    {
        long start = position;
        long flags = Host.Syscall(Nr.fcntl, (uint)fd, FileConstants.F_GETFL, 0);
        if (flags >= 0 && ((uint)flags & O_APPEND) != 0)
        {
            HostAbi.stat st;
            start = Host.Syscall(Nr.fstat, (uint)fd, (long)&st) == 0 ? st.st_size : 0;
        }
        else if (position == OwnPosition)
        {
            start = Host.Syscall(Nr.lseek, (uint)fd, 0, FileConstants.SEEK_CUR);
        }

        ulong room = start >= FileConstants.MAX_NON_LFS ? 0 : (ulong)(FileConstants.MAX_NON_LFS - (start < 0 ? 0 : start));
        if (count <= room)
        {
            return 0;
        }

        // The files of /proc have their own write and no limit: offsets of /proc/self/mem are addresses. f_type is statfs' first word.
        ulong* statfs = stackalloc ulong[16];
        if (Host.Syscall(Nr.fstatfs, (uint)fd, (long)statfs) == 0 && statfs[0] == PROC_SUPER_MAGIC)
        {
            return 0;
        }

        count = room;
        if (room != 0)
        {
            return 0;
        }

        long writable = Host.Syscall(Nr.write, (uint)fd, 0, 0);
        return writable < 0 ? (int)writable : -Errno.EFBIG;
    }
}
