using System;
using System.Runtime.InteropServices;
using Lodge.Protocol;
using HostStat = Lodge.Abi.Host.stat;

namespace Lodge.Shim;

/// <summary>
/// One message to the service: connect, look who it is, send, close. Never waits but for a full queue, and then for a few milliseconds.
/// Nothing stays open, and no signal is raised. Any thread; not from signal handlers.
/// </summary>
internal static unsafe class ServiceSocket
{
    private const int AF_UNIX = 1, SOCK_SEQPACKET = 5, SOCK_CLOEXEC = 0x80000, SOCK_NONBLOCK = 0x800;
    private const int SOL_SOCKET = 1, SO_PEERCRED = 17, SO_SNDTIMEO = 21;
    private const int MSG_DONTWAIT = 0x40, MSG_NOSIGNAL = 0x4000;
    private const int F_SETFL = 4, AT_FDCWD = -100, AT_SYMLINK_NOFOLLOW = 0x100;
    private const long DeadlineMicroseconds = 4000;
    private const int FamilySize = 2, PathSize = 108;

    private struct Credentials
    {
        public int Pid;
        public uint Uid;
        public uint Gid;
    }

    private ref struct Address
    {
        public fixed byte Bytes[FamilySize + PathSize + 1];
        public int Length;

        public void Start()
        {
            Bytes[0] = AF_UNIX;
            Bytes[1] = 0;
            Length = FamilySize;
        }

        // What does not fit makes the length impossible, and is not used. Behind the text is a zero byte.
        public void Add(ReadOnlySpan<byte> text)
        {
            for (int i = 0; i < text.Length; i++, Length++)
            {
                if (Length < FamilySize + PathSize)
                {
                    Bytes[Length] = text[i];
                    Bytes[Length + 1] = 0;
                }
            }
        }

        // The kernel wants no final zero: the length says it.
        public readonly bool Fits => Length < FamilySize + PathSize;
    }

    /// <summary>
    /// Connects to the user's service (below <paramref name="runtimeDirectory"/>, unless null), or else to the system's. A descriptor for
    /// <see cref="Send"/>, or -1 when no service can be reached that may be trusted: then three or four short calls were all.
    /// </summary>
    public static int Open(byte* runtimeDirectory, bool mayWait)
    {
        Address address = default;
        if (runtimeDirectory != null && runtimeDirectory[0] == '/')
        {
            address.Start();
            address.Add(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(runtimeDirectory));
            address.Add(ServicePaths.UserSocketSuffix);
            int fd = Open(ref address, mayWait, system: false);
            if (fd >= 0)
            {
                return fd;
            }
        }

        address.Start();
        address.Add(ServicePaths.SystemSocket);
        return Open(ref address, mayWait, system: true);
    }

    private static int Open(ref Address address, bool mayWait, bool system)
    {
        fixed (byte* bytes = address.Bytes)
        {
            // Mostly there is none, and a look at the name costs a tenth of a socket that then finds nobody.
            if (!address.Fits || Host.Syscall(Nr.faccessat, AT_FDCWD, (long)(bytes + FamilySize), 0) != 0)
            {
                return -1;
            }

            int fd = NewSocket();
            if (fd < 0)
            {
                return -1;
            }

            if (Connect(fd, bytes, address.Length, mayWait) && IsTrusted(fd, system))
            {
                return fd;
            }

            Host.Syscall(Nr.close, fd);
            return -1;
        }
    }

    /// <summary>Sends one message and closes. False when the service did not take it.</summary>
    public static bool Send(int fd, void* message, int length)
    {
        long sent = Host.Syscall(Nr.sendto, fd, (long)message, length, MSG_DONTWAIT | MSG_NOSIGNAL, 0, 0);
        Host.Syscall(Nr.close, fd);
        return sent == length;
    }

    private static int NewSocket() => (int)Host.Syscall(Nr.socket, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    private static bool Connect(int fd, byte* address, int length, bool mayWait)
    {
        long result = Host.Syscall(Nr.connect, fd, (long)address, length);
        if (result == -Errno.EAGAIN && mayWait)
        {
            // The service's queue is full: a moment's patience, bounded by the kernel.
            long* time = stackalloc long[2];
            time[0] = 0;
            time[1] = DeadlineMicroseconds;
            Host.Syscall(Nr.setsockopt, fd, SOL_SOCKET, SO_SNDTIMEO, (long)time, 2 * sizeof(long));
            Host.Syscall(Nr.fcntl, fd, F_SETFL, 0);
            result = Host.Syscall(Nr.connect, fd, (long)address, length);
        }

        return result == 0;
    }

    // Root; on the user's socket ourselves; on the system's the owner of its directory, a name that only root can make.
    private static bool IsTrusted(int fd, bool system)
    {
        Credentials server = default;
        int length = sizeof(Credentials);
        if (Host.Syscall(Nr.getsockopt, fd, SOL_SOCKET, SO_PEERCRED, (long)&server, (long)&length) != 0)
        {
            return false;
        }

        if (server.Uid == 0)
        {
            return true;
        }

        if (!system)
        {
            return server.Uid == (uint)Host.Syscall(Nr.geteuid);
        }

        HostStat directory;
        fixed (byte* path = "/run/lodge\0"u8)
        {
            return Host.Syscall(Nr.newfstatat, AT_FDCWD, (long)path, (long)&directory, AT_SYMLINK_NOFOLLOW) == 0 && directory.st_uid == server.Uid;
        }
    }
}
