using System;
using System.Runtime.InteropServices;

namespace Lodge.Interop;

/// <summary>Who is at the other end of a Unix socket, as the kernel recorded it at connect or listen (struct ucred).</summary>
[StructLayout(LayoutKind.Sequential)]
public struct PeerCredentials
{
    /// <summary>Process id in our pid namespace; 0 when it is not visible there.</summary>
    public int Pid;
    /// <summary>Effective user.</summary>
    public uint Uid;
    /// <summary>Effective group.</summary>
    public uint Gid;
}

/// <summary>
/// System calls that Mono.Posix lacks: pidfd, memfd, peer descriptors, limits, file locks. Results are the call's value or -errno. Thread-safe.
/// </summary>
public static unsafe partial class LinuxCalls
{
    private const int SOL_SOCKET = 1, SO_PEERCRED = 17, SO_PEERPIDFD = 77, SO_TYPE = 3, SO_ACCEPTCONN = 30, SO_DOMAIN = 39;
    private const int RLIMIT_NOFILE = 7;

    // _IOWR(0xFF, 11, struct pidfd_info) for the first published size, 64 bytes (include/uapi/linux/pidfd.h).
    private const nuint PIDFD_GET_INFO = 0xC040FF0B;
    private const ulong PIDFD_INFO_EXIT = 8;
    private const int PidfdInfoExitCode = 60;

    /// <summary>memfd_create flag: close-on-exec.</summary>
    public const uint MFD_CLOEXEC = 1;

    /// <summary>flock operation: exclusive, without waiting.</summary>
    public const int LOCK_EX_NB = 2 | 4;

    private const int O_CLOEXEC = 0x80000, O_NONBLOCK = 0x800;

    private static readonly bool IsArm64 = RuntimeInformation.ProcessArchitecture == Architecture.Arm64;

    private static long MemfdCreateNumber => IsArm64 ? 279 : 319;

    /// <summary>pidfd_open(2): a descriptor that becomes readable when the process ends. Close-on-exec.</summary>
    public static int pidfd_open(int pid, uint flags) => Result(syscall(434, pid, flags, 0, 0));

    /// <summary>memfd_create(2).</summary>
    public static int memfd_create(string name, uint flags)
    {
        nint text = Marshal.StringToCoTaskMemUTF8(name);
        try
        {
            return Result(syscall(MemfdCreateNumber, text, flags, 0, 0));
        }
        finally
        {
            Marshal.FreeCoTaskMem(text);
        }
    }

    /// <summary>flock(2). -EWOULDBLOCK (-11) when somebody else holds the lock.</summary>
    public static int flock(int fd, int operation) => Result(flock_(fd, operation));

    /// <summary>getsockopt(SO_PEERCRED). 0 or -errno.</summary>
    public static int GetPeerCredentials(int socket, out PeerCredentials peer)
    {
        PeerCredentials value = default;
        uint length = (uint)sizeof(PeerCredentials);
        int result = Result(getsockopt_(socket, SOL_SOCKET, SO_PEERCRED, &value, &length));
        peer = value;
        return result;
    }

    /// <summary>
    /// getsockopt(SO_PEERPIDFD), Linux 6.5: a pidfd of the very process that connected, immune to reuse of its number. -ENOPROTOOPT (-92) on
    /// older kernels, -ESRCH or -EINVAL when the process is gone (from 6.16 on its descriptor is given even then).
    /// </summary>
    public static int GetPeerPidfd(int socket)
    {
        int pidfd = -1;
        uint length = sizeof(int);
        int result = Result(getsockopt_(socket, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &length));
        return result < 0 ? result : pidfd;
    }

    /// <summary>Is <paramref name="fd"/> a listening socket of this family and type (AF_* and SOCK_* of the kernel)?</summary>
    public static bool IsListening(int fd, int family, int type) =>
        Option(fd, SO_DOMAIN) == family && Option(fd, SO_TYPE) == type && Option(fd, SO_ACCEPTCONN) == 1;

    /// <summary>
    /// Status of an ended process as wait(2) gives it, by PIDFD_GET_INFO (Linux 6.15). False when the kernel does not tell, or the process lives.
    /// </summary>
    public static bool TryGetExitStatus(int pidfd, out int status)
    {
        byte* info = stackalloc byte[64];
        new Span<byte>(info, 64).Clear();
        *(ulong*)info = PIDFD_INFO_EXIT;
        bool told = ioctl(pidfd, PIDFD_GET_INFO, info) == 0 && (*(ulong*)info & PIDFD_INFO_EXIT) != 0;
        status = told ? *(int*)(info + PidfdInfoExitCode) : -1;
        return told;
    }

    /// <summary>Raises the soft limit on descriptors to the hard one. Returns the limit in force, or -errno.</summary>
    public static long RaiseDescriptorLimit()
    {
        ulong* limit = stackalloc ulong[2];
        int result = Result(getrlimit(RLIMIT_NOFILE, limit));
        if (result < 0)
        {
            return result;
        }

        if (limit[0] < limit[1])
        {
            ulong before = limit[0];
            limit[0] = limit[1];
            if (setrlimit(RLIMIT_NOFILE, limit) != 0)
            {
                limit[0] = before;
            }
        }

        return (long)Math.Min(limit[0], int.MaxValue);
    }

    /// <summary>eventfd(2), close-on-exec and non-blocking: wakes an event loop from another thread.</summary>
    public static int eventfd() => Result(eventfd_(0, O_CLOEXEC | O_NONBLOCK));

    /// <summary>Adds <paramref name="value"/> to an eventfd's counter. Async-signal-safe.</summary>
    public static void SignalEventfd(int fd, ulong value = 1) => _ = write(fd, &value, sizeof(ulong));

    /// <summary>Sets an eventfd's counter back to zero.</summary>
    public static void ClearEventfd(int fd)
    {
        ulong value;
        _ = read(fd, &value, sizeof(ulong));
    }

    private static int Option(int fd, int option)
    {
        int value = -1;
        uint length = sizeof(int);
        return getsockopt_(fd, SOL_SOCKET, option, &value, &length) == 0 ? value : -1;
    }

    private static int Result(long value) => value >= 0 ? (int)value : -Marshal.GetLastPInvokeError();

    [LibraryImport("libc", SetLastError = true)]
    private static partial long syscall(long number, long a, long b, long c, long d);

    [LibraryImport("libc", EntryPoint = "getsockopt", SetLastError = true)]
    private static partial int getsockopt_(int fd, int level, int option, void* value, uint* length);

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    private static partial int flock_(int fd, int operation);

    [LibraryImport("libc", EntryPoint = "eventfd", SetLastError = true)]
    private static partial int eventfd_(uint initial, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint write(int fd, void* bytes, nuint length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint read(int fd, void* bytes, nuint length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int ioctl(int fd, nuint request, void* argument);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int getrlimit(int resource, ulong* limit);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int setrlimit(int resource, ulong* limit);
}
