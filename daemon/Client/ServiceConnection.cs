using System;
using System.Runtime.InteropServices;
using System.Text;
using Lodge.Interop;
using Lodge.Protocol;
using Mono.Unix.Native;

namespace Lodge.Client;

/// <summary>
/// One connection to a service: requests and their replies, then perhaps events. The other end's user is checked before anything is sent.
/// For one thread at a time.
/// </summary>
public sealed unsafe class ServiceConnection : IDisposable
{
    private const int Backlogged = 5;

    private readonly byte[] _buffer = new byte[MessageHeader.MaxReply];
    private int _fd;
    private ulong _sequence;

    // Mono.Posix reads the last error from the runtime, and finding a native function for the first time overwrites it there: what lies between a
    // failing connect and the reading is called once before it counts. The error is read once only, for the same reason.
    static ServiceConnection() => _ = Syscall.connect(-1, new SockaddrUn("/", false));

    private ServiceConnection(int fd, string path)
    {
        _fd = fd;
        Path = path;
    }

    /// <summary>The socket's path.</summary>
    public string Path { get; }

    /// <summary>The descriptor, for poll(2).</summary>
    public int Descriptor => _fd;

    /// <summary>How long to wait for a reply.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Connects to the user's service, or else the system's. Throws <see cref="ServiceException"/>.</summary>
    public static ServiceConnection Open()
    {
        ServiceException? first = null;
        foreach (string path in ServiceAddress.Candidates)
        {
            try
            {
                return Open(path);
            }
            catch (ServiceException e)
            {
                // The reason that matters is the one of a service that is there.
                if (first == null || (first.NotRunning && !e.NotRunning))
                {
                    first = e;
                }
            }
        }

        throw first!;
    }

    /// <summary>Connects to the service at <paramref name="path"/>. Throws <see cref="ServiceException"/>.</summary>
    /// <param name="path">Its socket.</param>
    /// <param name="trusted">A user who may serve there besides root and ourselves.</param>
    public static ServiceConnection Open(string path, uint? trusted = null)
    {
        int fd = Syscall.socket(UnixAddressFamily.AF_UNIX, UnixSocketType.SOCK_SEQPACKET, UnixSocketFlags.SOCK_CLOEXEC, 0);
        if (fd < 0)
        {
            throw Error(Stdlib.GetLastError(), "socket");
        }

        ServiceConnection connection = new(fd, path);
        try
        {
            Errno errno;
            int tries = 0;
            do
            {
                errno = Syscall.connect(fd, new SockaddrUn(path, false)) < 0 ? Stdlib.GetLastError() : 0;
            }
            while (errno is Errno.EINTR or Errno.EAGAIN && ++tries < Backlogged);
            if (errno != 0)
            {
                throw new ServiceException(errno, $"{path}: {Stdlib.strerror(errno)}");
            }

            connection.CheckServer(trusted);
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Sends a message whose fixed part is <paramref name="message"/>; fills its head in. Returns the sequence number.</summary>
    public ulong Send<T>(MessageType type, T message, ReadOnlySpan<byte> tail = default)
        where T : unmanaged
    {
        int length = sizeof(T) + tail.Length;
        Span<byte> packet = length <= 4096 ? stackalloc byte[length] : new byte[length];
        MessageHeader header = new(type, length, ++_sequence);
        MemoryMarshal.Write(packet, in message);
        MemoryMarshal.Write(packet, in header);
        tail.CopyTo(packet[sizeof(T)..]);
        SendRaw(packet);
        return _sequence;
    }

    /// <summary>Sends any bytes as one packet.</summary>
    public void SendRaw(ReadOnlySpan<byte> packet)
    {
        fixed (byte* bytes = packet)
        {
            while (Syscall.send(_fd, bytes, (ulong)packet.Length, MessageFlags.MSG_NOSIGNAL) < 0)
            {
                Errno errno = Stdlib.GetLastError();
                if (errno != Errno.EINTR)
                {
                    throw Error(errno, "send to " + Path);
                }
            }
        }
    }

    /// <summary>
    /// Waits for the next message. The span is valid until the next call. Throws <see cref="ServiceException"/>: ETIMEDOUT, EPROTO, EPIPE at the
    /// end of the connection.
    /// </summary>
    public ReadOnlySpan<byte> Receive(out MessageHeader header) => Receive(out header, out _);

    /// <summary>As <see cref="Receive(out MessageHeader)"/>, with the descriptor that came along (close-on-exec), or -1.</summary>
    public ReadOnlySpan<byte> Receive(out MessageHeader header, out int descriptor)
    {
        Wait();
        int length = ReceiveMessage(out descriptor);
        if (length == 0)
        {
            throw new ServiceException(Errno.EPIPE, $"{Path}: the service closed the connection");
        }

        ReadOnlySpan<byte> message = _buffer.AsSpan(0, length);
        header = length >= MessageHeader.Size ? MemoryMarshal.Read<MessageHeader>(message) : default;
        if (!header.IsSound(length))
        {
            throw new ServiceException(Errno.EPROTO, $"{Path}: not a message of this protocol");
        }

        return message;
    }

    /// <summary>Takes a message's fixed part.</summary>
    public T Fixed<T>(ReadOnlySpan<byte> message)
        where T : unmanaged =>
        message.Length >= sizeof(T) ? MemoryMarshal.Read<T>(message) : throw new ServiceException(Errno.EPROTO, $"{Path}: a message is too short");

    /// <summary>Waits for the reply to the last request. A Result with an error, where another type is wanted, is thrown.</summary>
    public ReadOnlySpan<byte> Reply(MessageType wanted) => Reply(wanted, out _);

    /// <summary>As <see cref="Reply(MessageType)"/>, with the descriptor that came along, or -1.</summary>
    public ReadOnlySpan<byte> Reply(MessageType wanted, out int descriptor)
    {
        for (;;)
        {
            ReadOnlySpan<byte> message = Receive(out MessageHeader header, out descriptor);
            if (header.Type == MessageType.Event)
            {
                continue;
            }

            if (header.Type == MessageType.Result)
            {
                ResultMessage result = Fixed<ResultMessage>(message);
                if (result.Error != 0)
                {
                    throw new ServiceException((Errno)result.Error, Text(message, ResultMessage.Size, result.TextLength));
                }
            }

            return header.Version == MessageHeader.CurrentVersion && header.Sequence == _sequence && header.Type == wanted
                ? message
                : throw new ServiceException(Errno.EPROTO, $"{Path}: an unexpected message, type {header.Type}, version {header.Version}");
        }
    }

    /// <summary>The text behind a fixed part, control characters replaced.</summary>
    public static string Text(ReadOnlySpan<byte> message, int offset, int length)
    {
        if (offset < 0 || length < 0 || offset + length > message.Length)
        {
            return "";
        }

        StringBuilder text = new(Encoding.UTF8.GetString(message.Slice(offset, length)));
        for (int i = 0; i < text.Length; i++)
        {
            // Line separators and bidirectional overrides as well: they could make a line look like another.
            if (char.IsControl(text[i]) || text[i] is (>= '\u2028' and <= '\u202E') or (>= '\u2066' and <= '\u2069'))
            {
                text[i] = '?';
            }
        }

        return text.ToString();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_fd >= 0)
        {
            _ = Syscall.close(_fd);
            _fd = -1;
        }
    }

    // Root, ourselves, or on the system's path whoever owns its directory, which only root can have made.
    private void CheckServer(uint? trusted)
    {
        int result = LinuxCalls.GetPeerCredentials(_fd, out PeerCredentials server);
        bool good = result == 0 && (server.Uid == 0 || server.Uid == Syscall.geteuid() || server.Uid == trusted
            || (Path == ServiceAddress.System && Syscall.lstat(System.IO.Path.GetDirectoryName(Path)!, out Stat directory) == 0
                && directory.st_uid == server.Uid));
        if (!good)
        {
            throw new ServiceException(Errno.EPERM, $"{Path}: served by user {server.Uid}, who is neither root nor you");
        }
    }

    private void Wait()
    {
        Pollfd[] wait = [new Pollfd { fd = _fd, events = PollEvents.POLLIN }];
        long deadline = Environment.TickCount64 + (long)Timeout.TotalMilliseconds;
        for (;;)
        {
            long left = Timeout == System.Threading.Timeout.InfiniteTimeSpan ? -1 : Math.Max(0, deadline - Environment.TickCount64);
            int ready = Syscall.poll(wait, 1, (int)Math.Min(left, int.MaxValue));
            if (ready > 0)
            {
                return;
            }

            if (ready == 0)
            {
                throw new ServiceException(Errno.ETIMEDOUT, $"{Path}: no answer");
            }

            Errno errno = Stdlib.GetLastError();
            if (errno != Errno.EINTR)
            {
                throw Error(errno, "poll");
            }
        }
    }

    private int ReceiveMessage(out int descriptor)
    {
        descriptor = -1;
        fixed (byte* bytes = _buffer)
        {
            Msghdr message = new()
            {
                msg_iov = [new Iovec { iov_base = (nint)bytes, iov_len = (ulong)_buffer.Length }],
                msg_iovlen = 1,
                msg_control = new byte[64],
                msg_controllen = 64,
            };
            long length;
            Errno errno;
            do
            {
                length = Syscall.recvmsg(_fd, message, MessageFlags.MSG_CMSG_CLOEXEC);
                errno = length < 0 ? Stdlib.GetLastError() : 0;
            }
            while (errno == Errno.EINTR);
            if (errno != 0)
            {
                throw Error(errno, "receive from " + Path);
            }

            for (long at = Syscall.CMSG_FIRSTHDR(message); at != -1; at = Syscall.CMSG_NXTHDR(message, at))
            {
                Cmsghdr control = Cmsghdr.ReadFromBuffer(message, at);
                if (control.cmsg_type == UnixSocketControlMessage.SCM_RIGHTS)
                {
                    int fd = BitConverter.ToInt32(message.msg_control, (int)Syscall.CMSG_DATA(message, at));
                    if (descriptor >= 0)
                    {
                        _ = Syscall.close(descriptor);
                    }

                    descriptor = fd;
                }
            }

            return (int)length;
        }
    }

    // The error is read once, right behind the call: asking a second time may find it gone.
    private static ServiceException Error(Errno errno, string what) => new(errno, $"{what}: {Stdlib.strerror(errno)}");
}
