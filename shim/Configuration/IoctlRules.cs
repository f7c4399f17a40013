using Lodge.Protocol;

namespace Lodge.Shim;

public unsafe partial struct ThreadGroup
{
    /// <summary>Requests that the log has a line about.</summary>
    public SeenRequests LoggedRequests;
}

/// <summary>What the configuration says about ioctl requests. Any thread.</summary>
public static unsafe class IoctlRules
{
    /// <summary>Bytes that a request may write when its number does not say.</summary>
    private const uint UnknownSize = 4096;

    /// <summary>Applies the rule for one request; false when there is none, or when the request goes on as without it.</summary>
    public static bool TryDecide(GuestThread* t, int fd, uint request, uint argument, out int result)
    {
        result = 0;
        if (!t->Group->Settings.TryFindIoctl(request, out IoctlPolicy policy))
        {
            return false;
        }

        switch (policy)
        {
            case IoctlPolicy.Refuse:
                result = Refuse(fd);
                return true;
            case IoctlPolicy.Pass:
                result = Pass(t, fd, request, argument);
                return true;
            default:
                Log(t, LogLevel.Warning, fd, request, argument, false);
                return false;
        }
    }

    /// <summary>A request that is not in the table: ENOTTY, or what the configuration says.</summary>
    public static int Unknown(GuestThread* t, int fd, uint request, uint argument)
    {
        int policy = t->Group->Settings.UnknownIoctl - 1;
        if (policy == (int)IoctlPolicy.Pass)
        {
            return Pass(t, fd, request, argument);
        }

        int result = Refuse(fd);
        if (result != -Errno.ENOTTY || policy == (int)IoctlPolicy.Refuse)
        {
            return result;
        }

        if (t->Group->Trace != 0)
        {
            Strace.UnknownIoctl(t, fd, request);
        }

        ServiceClient.UnknownIoctl(t, fd, request);
        LogLevel level = policy == (int)IoctlPolicy.Log ? LogLevel.Warning : LogLevel.Info;
        Log(t, level, fd, request, argument, true);
        return result;
    }

    private static int Refuse(int fd)
    {
        int flags = (int)Host.Syscall(Nr.fcntl, (uint)fd, FileConstants.F_GETFL, 0);
        return flags < 0 || ((uint)flags & FileConstants.O_PATH) != 0 ? -Errno.EBADF : -Errno.ENOTTY;
    }

    private static int Pass(GuestThread* t, int fd, uint request, uint argument)
    {
        uint size = IoctlNumber.Size(request);
        Mm.PrepareWrite(t, argument, size != 0 ? size : UnknownSize);
        return (int)Host.BlockingCall(t, Nr.ioctl, (uint)fd, request, argument);
    }

    private static void Log(GuestThread* t, LogLevel level, int fd, uint request, uint argument, bool unknown)
    {
        if (!GuestLog.Says(t, level) || (!IsFirst(t->Group, request) && !GuestLog.Says(t, LogLevel.Debug)))
        {
            return;
        }

        Line line = new(stackalloc byte[160]);
        line.Add("ioctl "u8);
        line.Hex(request, 8);
        line.Add(" on descriptor "u8);
        line.Dec(fd);
        line.Add(", argument "u8);
        line.Hex(argument, 8);
        line.Add(unknown ? ": not known, ENOTTY"u8 : ""u8);
        GuestLog.Write(t, level, line.Text);
    }

    private static bool IsFirst(ThreadGroup* group, uint request) =>
        !group->LoggedRequests.Contains(request) && group->LoggedRequests.TryAdd(request, SeenRequests.Capacity);
}
