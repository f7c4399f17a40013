namespace Lodge.Shim;

/// <summary>lseek and _llseek (fs/read_write.c). Positions of directories are the guest's 32-bit ones: see <see cref="DirectoryPositions"/>.</summary>
public static unsafe partial class Syscalls<TAbi>
{
    /// <summary>
    /// lseek(fd, offset, whence): the offset is signed. The result is cut to 32 bits, as a 64-bit kernel's compat entry does it (its EOVERFLOW
    /// check compares 64-bit numbers).
    /// </summary>
    public static int sys_lseek(GuestThread* t)
        => (int)Seek(t, (int)TAbi.Arg(t, 0), (int)TAbi.Arg(t, 1), TAbi.Arg(t, 2));

    /// <summary>_llseek(fd, offset high, offset low, result, whence).</summary>
    public static int sys_llseek(GuestThread* t)
    {
        long offset = (long)(((ulong)TAbi.Arg(t, 1) << 32) | TAbi.Arg(t, 2));
        long position = Seek(t, (int)TAbi.Arg(t, 0), offset, TAbi.Arg(t, 4));
        return Host.IsError(position) ? (int)position : User.Put(TAbi.Arg(t, 3), in position) ? 0 : -Errno.EFAULT;
    }

    private static long Seek(GuestThread* t, int fd, long offset, uint whence)
    {
        DescriptorKind kind = DirectoryPositions.KindOf(t->Files, fd);
        return kind is DescriptorKind.Other or DescriptorKind.Unknown
            ? Host.Syscall(Nr.lseek, (uint)fd, offset, whence)
            : DirectoryPositions.Seek(t->Files, fd, kind, offset, whence);
    }
}
