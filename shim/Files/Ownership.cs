namespace Lodge.Shim;

/// <summary>The calls with 16-bit user and group ids (kernel/uid16.c): -1 means "leave it", other values are themselves.</summary>
public static unsafe partial class Syscalls<TAbi>
{
    /// <summary>chown(path, user, group) with 16-bit ids.</summary>
    public static int sys_chown(GuestThread* t)
        => (int)Host.Syscall(Nr.fchownat, FileConstants.AT_FDCWD, TAbi.Arg(t, 0), Id32(t, 1), Id32(t, 2), 0);

    /// <summary>lchown(path, user, group) with 16-bit ids.</summary>
    public static int sys_lchown(GuestThread* t)
        => (int)Host.Syscall(
            Nr.fchownat, FileConstants.AT_FDCWD, TAbi.Arg(t, 0), Id32(t, 1), Id32(t, 2), FileConstants.AT_SYMLINK_NOFOLLOW);

    /// <summary>fchown(fd, user, group) with 16-bit ids.</summary>
    public static int sys_fchown(GuestThread* t) => (int)Host.Syscall(Nr.fchown, TAbi.Arg(t, 0), Id32(t, 1), Id32(t, 2));

    private static uint Id32(GuestThread* t, int index) => StatLayout.Id32((ushort)TAbi.Arg(t, index));
}
