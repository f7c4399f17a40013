using System;
using System.Runtime.InteropServices;
using Lodge.Protocol;
using Mono.Unix.Native;

namespace Lodge.Service;

/// <summary>How receiving a packet went.</summary>
internal enum Received
{
    /// <summary>A packet.</summary>
    Packet,
    /// <summary>None there yet.</summary>
    Nothing,
    /// <summary>The other end has closed.</summary>
    End,
    /// <summary>Too long, with descriptors, or an error of the socket.</summary>
    Bad,
}

/// <summary>Sends and receives packets on non-blocking sockets, into one buffer of its own. For the loop's thread.</summary>
internal sealed unsafe class PacketSocket
{
    private readonly byte[] _buffer = GC.AllocateArray<byte>(MessageHeader.MaxRequest, pinned: true);
    private readonly Iovec[] _iov;
    private readonly Msghdr _message;

    // Mono.Posix reads the last error from the runtime, and looking a native function up for the first time overwrites it there. So all that
    // the loop calls is called once before it counts, and everywhere the error is read once, at once.
    static PacketSocket()
    {
        byte nothing = 0;
        Msghdr message = new() { msg_iov = [new Iovec { iov_base = (nint)(&nothing), iov_len = 1 }], msg_iovlen = 1 };
        _ = Syscall.recvmsg(-1, message, MessageFlags.MSG_DONTWAIT);
        _ = Syscall.sendmsg(-1, message, MessageFlags.MSG_DONTWAIT);
        _ = Syscall.send(-1, &nothing, 1, MessageFlags.MSG_DONTWAIT);
        _ = Syscall.recv(-1, &nothing, 1, MessageFlags.MSG_DONTWAIT);
        _ = Syscall.accept4(-1, null, UnixSocketFlags.SOCK_CLOEXEC);
        _ = Syscall.write(-1, &nothing, 1);
        _ = Stdlib.GetLastError();
    }

    public PacketSocket()
    {
        _iov = [new Iovec { iov_base = Marshal.UnsafeAddrOfPinnedArrayElement(_buffer, 0) }];
        _message = new Msghdr { msg_iov = _iov, msg_iovlen = 1 };
    }

    /// <summary>
    /// Receives one packet. There is no room for control messages, so that the kernel itself throws descriptors away that somebody sends; the
    /// packet counts as bad then.
    /// </summary>
    public Received Receive(int fd, out ReadOnlySpan<byte> packet)
    {
        packet = default;
        long length;
        Errno errno;
        do
        {
            _iov[0].iov_len = (ulong)_buffer.Length;
            _message.msg_control = null;
            _message.msg_controllen = 0;
            _message.msg_flags = 0;
            length = Syscall.recvmsg(fd, _message, MessageFlags.MSG_DONTWAIT);
            errno = length < 0 ? Stdlib.GetLastError() : 0;
        }
        while (errno == Errno.EINTR);
        if (errno != 0)
        {
            return errno == Errno.EAGAIN ? Received.Nothing : Received.Bad;
        }

        if ((_message.msg_flags & (MessageFlags.MSG_TRUNC | MessageFlags.MSG_CTRUNC)) != 0)
        {
            return Received.Bad;
        }

        packet = _buffer.AsSpan(0, (int)length);
        return length == 0 ? Received.End : Received.Packet;
    }

    /// <summary>
    /// Sends one packet, perhaps with a descriptor. False when the socket's queue is full (EAGAIN); errors count as sent, the end shows them.
    /// </summary>
    public static bool Send(int fd, ReadOnlySpan<byte> packet, int descriptor = -1)
    {
        fixed (byte* bytes = packet)
        {
            Errno errno;
            do
            {
                long sent = descriptor < 0
                    ? Syscall.send(fd, bytes, (ulong)packet.Length, MessageFlags.MSG_DONTWAIT | MessageFlags.MSG_NOSIGNAL)
                    : SendWith(fd, bytes, packet.Length, descriptor);
                errno = sent < 0 ? Stdlib.GetLastError() : 0;
            }
            while (errno == Errno.EINTR);
            return errno is not (Errno.EAGAIN or Errno.ENOBUFS);
        }
    }

    private static long SendWith(int fd, byte* bytes, int length, int descriptor)
    {
        Msghdr message = new()
        {
            msg_iov = [new Iovec { iov_base = (nint)bytes, iov_len = (ulong)length }],
            msg_iovlen = 1,
            msg_control = new byte[Syscall.CMSG_SPACE(sizeof(int))],
        };
        message.msg_controllen = message.msg_control.Length;
        Cmsghdr header = new()
        {
            cmsg_len = (long)Syscall.CMSG_LEN(sizeof(int)),
            cmsg_level = UnixSocketProtocol.SOL_SOCKET,
            cmsg_type = UnixSocketControlMessage.SCM_RIGHTS,
        };
        header.WriteToBuffer(message, 0);
        BitConverter.TryWriteBytes(message.msg_control.AsSpan((int)Syscall.CMSG_DATA(message, 0)), descriptor);
        return Syscall.sendmsg(fd, message, MessageFlags.MSG_DONTWAIT | MessageFlags.MSG_NOSIGNAL);
    }
}
