using System;

namespace Lodge.Shim;

/// <summary>
/// socketcall, i386's one entry for all socket calls: a number and an array of words. Calls whose arguments mean the same to the host kernel
/// are made here; the others go to the methods that the direct entries use.
/// </summary>
public static unsafe partial class Syscalls<TAbi>
    where TAbi : unmanaged, IGuestAbi
{
    private const int SocketcallSocket = 1;
    private const int SocketcallBind = 2;
    private const int SocketcallConnect = 3;
    private const int SocketcallListen = 4;
    private const int SocketcallAccept = 5;
    private const int SocketcallGetsockname = 6;
    private const int SocketcallGetpeername = 7;
    private const int SocketcallSocketpair = 8;
    private const int SocketcallSend = 9;
    private const int SocketcallRecv = 10;
    private const int SocketcallSendto = 11;
    private const int SocketcallRecvfrom = 12;
    private const int SocketcallShutdown = 13;
    private const int SocketcallSetsockopt = 14;
    private const int SocketcallGetsockopt = 15;
    private const int SocketcallSendmsg = 16;
    private const int SocketcallRecvmsg = 17;
    private const int SocketcallAccept4 = 18;
    private const int SocketcallRecvmmsg = 19;
    private const int SocketcallSendmmsg = 20;

    /// <summary>Number of argument words per call.</summary>
    private static ReadOnlySpan<byte> SocketcallArguments => [0, 3, 3, 3, 2, 3, 3, 3, 4, 4, 4, 6, 6, 2, 5, 5, 3, 3, 4, 5, 4];

    /// <summary>socketcall: EINVAL for an unknown number, EFAULT for an unreadable array.</summary>
    public static int sys_socketcall(GuestThread* t)
    {
        uint call = TAbi.Arg(t, 0);
        if (call is < SocketcallSocket or > SocketcallSendmmsg)
        {
            return -Errno.EINVAL;
        }

        uint* a = stackalloc uint[6];
        if (!User.CopyIn(a, TAbi.Arg(t, 1), (nuint)(SocketcallArguments[(int)call] * 4)))
        {
            return -Errno.EFAULT;
        }

        int descriptor = (int)a[0];
        switch (call)
        {
            case SocketcallSocket:
                return (int)Host.Syscall(Nr.socket, (int)a[0], (int)a[1], (int)a[2]);
            case SocketcallBind:
                return (int)Host.Syscall(Nr.bind, descriptor, a[1], (int)a[2]);
            case SocketcallConnect:
                return (int)Host.BlockingCall(t, Nr.connect, descriptor, a[1], (int)a[2]);
            case SocketcallListen:
                return (int)Host.Syscall(Nr.listen, descriptor, (int)a[1]);
            case SocketcallAccept:
                return Accept(t, descriptor, a[1], a[2], 0);
            case SocketcallAccept4:
                return Accept(t, descriptor, a[1], a[2], (int)a[3]);
            case SocketcallGetsockname:
                return GetName(t, Nr.getsockname, descriptor, a[1], a[2]);
            case SocketcallGetpeername:
                return GetName(t, Nr.getpeername, descriptor, a[1], a[2]);
            case SocketcallSocketpair:
                Mm.PrepareWrite(t, a[3], 8);
                return (int)Host.Syscall(Nr.socketpair, (int)a[0], (int)a[1], (int)a[2], a[3]);
            case SocketcallSend:
                return (int)Host.BlockingCall(t, Nr.sendto, descriptor, a[1], a[2], a[3] & ~MsgCmsgCompat);
            case SocketcallSendto:
                return (int)Host.BlockingCall(t, Nr.sendto, descriptor, a[1], a[2], a[3] & ~MsgCmsgCompat, a[4], (int)a[5]);
            case SocketcallRecv:
                return Receive(t, descriptor, a[1], a[2], a[3], 0, 0);
            case SocketcallRecvfrom:
                return Receive(t, descriptor, a[1], a[2], a[3], a[4], a[5]);
            case SocketcallShutdown:
                return (int)Host.Syscall(Nr.shutdown, descriptor, (int)a[1]);
            case SocketcallSetsockopt:
                return SetSocketOption(descriptor, (int)a[1], (int)a[2], a[3], (int)a[4]);
            case SocketcallGetsockopt:
                return GetSocketOption(t, descriptor, (int)a[1], (int)a[2], a[3], a[4]);
            case SocketcallSendmsg:
                return SendMessage(t, descriptor, a[1], a[2]);
            case SocketcallRecvmsg:
                return ReceiveMessage(t, descriptor, a[1], a[2]);
            case SocketcallRecvmmsg:
                return ReceiveMessages(t, descriptor, a[1], a[2], a[3], a[4], false);
            default:
                return SendMessages(t, descriptor, a[1], a[2], a[3]);
        }
    }

    /// <summary>An address and its length, both of which the kernel may write. No address is longer than sockaddr_storage.</summary>
    private static void PrepareAddress(GuestThread* t, uint address, uint length)
    {
        const uint SockaddrStorage = 128;
        if (address != 0)
        {
            Mm.PrepareWrite(t, address, SockaddrStorage);
            Mm.PrepareWrite(t, length, 4);
        }
    }

    private static int Accept(GuestThread* t, int descriptor, uint address, uint length, int flags)
    {
        PrepareAddress(t, address, length);
        return (int)Host.BlockingCall(t, Nr.accept4, descriptor, address, length, flags);
    }

    private static int GetName(GuestThread* t, int call, int descriptor, uint address, uint length)
    {
        PrepareAddress(t, address, length);
        return (int)Host.Syscall(call, descriptor, address, length);
    }

    private static int Receive(GuestThread* t, int descriptor, uint buffer, uint size, uint flags, uint address, uint length)
    {
        Mm.PrepareWrite(t, buffer, size);
        PrepareAddress(t, address, length);
        return (int)Host.BlockingCall(t, Nr.recvfrom, descriptor, buffer, size, flags & ~MsgCmsgCompat, address, length);
    }
}
