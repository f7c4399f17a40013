using System;
using System.Collections.Generic;
using Mono.Unix.Native;

namespace Lodge.DaemonTests;

/// <summary>A client without manners: sends any bytes, with or without descriptors, and sees when it is cut off.</summary>
internal sealed unsafe class RawClient : IDisposable
{
    private int _fd;

    public RawClient(string path)
    {
        _fd = Syscall.socket(UnixAddressFamily.AF_UNIX, UnixSocketType.SOCK_SEQPACKET, UnixSocketFlags.SOCK_CLOEXEC, 0);
        int result = Syscall.connect(_fd, new SockaddrUn(path, false));
        IsConnected = result == 0;
    }

    public bool IsConnected { get; }

    /// <summary>Sends without waiting for room; false when it did not work.</summary>
    public bool Send(ReadOnlySpan<byte> packet)
    {
        fixed (byte* bytes = packet)
        {
            return Syscall.send(_fd, bytes, (ulong)packet.Length, MessageFlags.MSG_NOSIGNAL | MessageFlags.MSG_DONTWAIT) >= 0;
        }
    }

    /// <summary>Sends with descriptors.</summary>
    public bool SendWith(ReadOnlySpan<byte> packet, params int[] descriptors)
    {
        fixed (byte* bytes = packet)
        {
            Msghdr message = new()
            {
                msg_iov = [new Iovec { iov_base = (nint)bytes, iov_len = (ulong)packet.Length }],
                msg_iovlen = 1,
                msg_control = new byte[Syscall.CMSG_SPACE((ulong)(sizeof(int) * descriptors.Length))],
            };
            message.msg_controllen = message.msg_control.Length;
            new Cmsghdr
            {
                cmsg_len = (long)Syscall.CMSG_LEN((ulong)(sizeof(int) * descriptors.Length)),
                cmsg_level = UnixSocketProtocol.SOL_SOCKET,
                cmsg_type = UnixSocketControlMessage.SCM_RIGHTS,
            }.WriteToBuffer(message, 0);
            Buffer.BlockCopy(descriptors, 0, message.msg_control, (int)Syscall.CMSG_DATA(message, 0), sizeof(int) * descriptors.Length);
            return Syscall.sendmsg(_fd, message, MessageFlags.MSG_NOSIGNAL) >= 0;
        }
    }

    /// <summary>Waits until the service has closed the connection; false after <paramref name="milliseconds"/>. Packets on the way are read and forgotten.</summary>
    public bool IsCutOff(int milliseconds = 60_000)
    {
        long deadline = Environment.TickCount64 + milliseconds;
        byte[] buffer = new byte[65536];
        fixed (byte* bytes = buffer)
        {
            for (;;)
            {
                Pollfd[] one = [new Pollfd { fd = _fd, events = PollEvents.POLLIN }];
                int left = (int)Math.Max(0, deadline - Environment.TickCount64);
                if (Syscall.poll(one, 1, left) == 0)
                {
                    return false;
                }

                if (Syscall.recv(_fd, bytes, (ulong)buffer.Length, MessageFlags.MSG_DONTWAIT) <= 0)
                {
                    return true;
                }
            }
        }
    }

    public void Dispose()
    {
        if (_fd >= 0)
        {
            _ = Syscall.close(_fd);
            _fd = -1;
        }
    }

    /// <summary>Closes many.</summary>
    public static void Close(IEnumerable<RawClient> clients)
    {
        foreach (RawClient client in clients)
        {
            client.Dispose();
        }
    }
}
