namespace Lodge.Shim;

/// <summary>
/// ioctl(fd, request, argument): by table (<see cref="IoctlTable"/>). What is not in the table gives ENOTTY on a good descriptor, EBADF on a bad
/// one; a trace shows it. The configuration may say otherwise (<see cref="IoctlRules"/>).
/// </summary>
public static unsafe partial class Syscalls<TAbi>
{
    /// <summary>ioctl. May block (TCSBRK, draining forms of TCSETS, VT_WAITACTIVE).</summary>
    public static int sys_ioctl(GuestThread* t)
    {
        int fd = (int)TAbi.Arg(t, 0);
        uint request = TAbi.Arg(t, 1);
        uint argument = TAbi.Arg(t, 2);
        if (FilesStruct.IsHidden(t->Files, fd))
        {
            return -Errno.EBADF;
        }

        if (t->Group->Settings.IoctlCount != 0 && IoctlRules.TryDecide(t, fd, request, argument, out int decided))
        {
            return decided;
        }

        if (request == (TAbi.IsI386 ? IoctlTable.FioQSize : IoctlTable.ArmFioQSize))
        {
            Mm.PrepareWrite(t, argument, 8);
            return (int)Host.BlockingCall(t, Nr.ioctl, (uint)fd, IoctlTable.FioQSize, argument);
        }

        if (!IoctlTable.TryFind(request, out IoctlKind kind, out uint written))
        {
            return IoctlRules.Unknown(t, fd, request, argument);
        }

        switch (kind)
        {
            case IoctlKind.Pass:
                Mm.PrepareWrite(t, argument, written);
                return (int)Host.BlockingCall(t, Nr.ioctl, (uint)fd, request, argument);
            case IoctlKind.PassWide:
                Mm.PrepareWrite(t, argument, written);
                return (int)Host.BlockingCall(t, Nr.ioctl, (uint)fd, IoctlNumber.Widen(request), argument);
            case IoctlKind.OpenFlags:
                return (int)Host.BlockingCall(t, Nr.ioctl, (uint)fd, request, OpenFlags.ToHost<TAbi>(argument));
            case IoctlKind.WordOut:
            case IoctlKind.DiskGeometry:
            case IoctlKind.ExtentMap:
            case IoctlKind.DedupeRange:
                return (int)DeviceIoctls.Call(t, fd, request, kind, argument);
            default:
                return (int)SocketIoctls.Call(t, fd, request, kind, argument);
        }
    }
}

/// <summary>The fields of an ioctl number (asm-generic/ioctl.h).</summary>
public static class IoctlNumber
{
    private const int SizeShift = 16;
    private const uint SizeMask = 0x3fff;

    /// <summary>Bytes of the argument, for numbers made with _IOR, _IOW, _IOWR.</summary>
    public static uint Size(uint request) => (request >> SizeShift) & SizeMask;

    /// <summary>The same number with a size of eight bytes.</summary>
    public static uint Widen(uint request) => (request & ~(SizeMask << SizeShift)) | (8u << SizeShift);
}
