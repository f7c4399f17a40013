namespace Lodge.Shim;

/// <summary>readlink and readlinkat (fs/stat.c): /proc/self/exe names the guest program.</summary>
public static unsafe partial class Syscalls<TAbi>
{
    /// <summary>readlink(path, buffer, size).</summary>
    public static int sys_readlink(GuestThread* t)
        => ReadLink(t, FileConstants.AT_FDCWD, TAbi.Arg(t, 0), TAbi.Arg(t, 1), (int)TAbi.Arg(t, 2));

    /// <summary>readlinkat(dirfd, path, buffer, size).</summary>
    public static int sys_readlinkat(GuestThread* t)
        => ReadLink(t, (int)TAbi.Arg(t, 0), TAbi.Arg(t, 1), TAbi.Arg(t, 2), (int)TAbi.Arg(t, 3));

    private static int ReadLink(GuestThread* t, int dirfd, uint path, uint buffer, int size)
    {
        if (size > 0)
        {
            Mm.PrepareWrite(t, buffer, (uint)size < FileConstants.PATH_MAX ? (uint)size : FileConstants.PATH_MAX);
            if (ProcFs.MayIntercept(t, dirfd, path) && ProcFs.ReadLink(t, dirfd, path, buffer, size, out int result))
            {
                return result;
            }
        }

        return (int)Host.Syscall(Nr.readlinkat, dirfd, path, buffer, size);
    }
}
