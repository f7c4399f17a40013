using Compat = Lodge.Abi.Compat;

namespace Lodge.Shim;

/// <summary>
/// The epoll calls (fs/eventpoll.c). struct epoll_event is packed on x86 (12 bytes) and padded on ARM (16): equal inside one CPU family, converted
/// across.
/// </summary>
public static unsafe partial class Syscalls<TAbi>
{
    private const int EPOLL_CTL_DEL = 2;

    /// <summary>Events of one wait where they have to be converted; more come with the next call.</summary>
    private const int ConvertedEvents = 128;

    private const int PackedSize = 12;
    private const int PaddedSize = 16;

    private static int GuestEventSize => TAbi.IsI386 ? PackedSize : PaddedSize;

    private static int HostEventSize => OpenFlags.HostIsArm ? PaddedSize : PackedSize;

    // Offset of the data member: behind the events, at its alignment.
    private static int DataOffset(int size) => size - 8;

    /// <summary>epoll_create(size): the size is only checked; newer hosts have epoll_create1 alone.</summary>
    public static int sys_epoll_create(GuestThread* t) => (int)TAbi.Arg(t, 0) <= 0 ? -Errno.EINVAL : (int)Host.Syscall(Nr.epoll_create1, 0);

    /// <summary>epoll_ctl(epfd, operation, fd, event).</summary>
    public static int sys_epoll_ctl(GuestThread* t)
    {
        int operation = (int)TAbi.Arg(t, 1);
        uint address = TAbi.Arg(t, 3);
        if (GuestEventSize == HostEventSize || operation == EPOLL_CTL_DEL)
        {
            return (int)Host.Syscall(Nr.epoll_ctl, (int)TAbi.Arg(t, 0), operation, (int)TAbi.Arg(t, 2), address);
        }

        byte* guest = stackalloc byte[PaddedSize];
        byte* host = stackalloc byte[PaddedSize];
        if (!User.CopyIn(guest, address, (nuint)GuestEventSize))
        {
            return -Errno.EFAULT;
        }

        ConvertEvent(guest, GuestEventSize, host, HostEventSize);
        return (int)Host.Syscall(Nr.epoll_ctl, (int)TAbi.Arg(t, 0), operation, (int)TAbi.Arg(t, 2), (long)host);
    }

    /// <summary>epoll_wait(epfd, events, count, milliseconds).</summary>
    public static int sys_epoll_wait(GuestThread* t)
        => (int)EpollWait(t, Nr.epoll_pwait, (int)TAbi.Arg(t, 3), 0);

    /// <summary>epoll_pwait(epfd, events, count, milliseconds, mask, size).</summary>
    public static int sys_epoll_pwait(GuestThread* t)
    {
        uint mask = TAbi.Arg(t, 4);
        int error = Signals.BeginTemporaryMask(t, mask, TAbi.Arg(t, 5), out ulong set);
        if (error < 0)
        {
            return error;
        }

        return (int)Signals.EndTemporaryMask(t, EpollWait(t, Nr.epoll_pwait, (int)TAbi.Arg(t, 3), mask == 0 ? 0 : (long)&set));
    }

    /// <summary>epoll_pwait2(epfd, events, count, 64-bit time, mask, size).</summary>
    public static int sys_epoll_pwait2(GuestThread* t)
    {
        uint timeAddress = TAbi.Arg(t, 3);
        Compat.__kernel_timespec time;
        if (timeAddress != 0 && !UserTime.Get64(timeAddress, &time))
        {
            return -Errno.EFAULT;
        }

        if (timeAddress != 0 && !PollTime.IsValid(&time))
        {
            return -Errno.EINVAL;
        }

        uint mask = TAbi.Arg(t, 4);
        int error = Signals.BeginTemporaryMask(t, mask, TAbi.Arg(t, 5), out ulong set);
        if (error < 0)
        {
            return error;
        }

        return (int)Signals.EndTemporaryMask(t, EpollWait(t, Nr.epoll_pwait2, timeAddress == 0 ? 0 : (long)&time, mask == 0 ? 0 : (long)&set));
    }

    private static long EpollWait(GuestThread* t, int nr, long time, long mask)
    {
        int epfd = (int)TAbi.Arg(t, 0);
        uint events = TAbi.Arg(t, 1);
        int count = (int)TAbi.Arg(t, 2);
        if (GuestEventSize == HostEventSize || count <= 0)
        {
            Mm.PrepareWrite(t, events, count <= 0 ? 0 : (nuint)((uint)count < 65536 ? (uint)count : 65536) * (nuint)GuestEventSize);
            return Host.BlockingCall(t, nr, epfd, events, count, time, mask, 8);
        }

        byte* host = stackalloc byte[ConvertedEvents * PaddedSize];
        byte* guest = stackalloc byte[PaddedSize];
        long found = Host.BlockingCall(t, nr, epfd, (long)host, count < ConvertedEvents ? count : ConvertedEvents, time, mask, 8);
        for (long i = 0; i < found; i++)
        {
            ConvertEvent(host + (i * HostEventSize), HostEventSize, guest, GuestEventSize);
            if (!User.CopyOut(events + (uint)(i * GuestEventSize), guest, (nuint)GuestEventSize))
            {
                return i != 0 ? i : -Errno.EFAULT;
            }
        }

        return found;
    }

    private static void ConvertEvent(byte* from, int fromSize, byte* to, int toSize)
    {
        *(ulong*)to = *(uint*)from;
        *(ulong*)(to + DataOffset(toSize)) = *(ulong*)(from + DataOffset(fromSize));
    }
}
