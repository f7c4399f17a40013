using System;
using System.Runtime.InteropServices;

namespace Lodge.Interop;

/// <summary>What epoll reports or is asked for (EPOLL* of the kernel).</summary>
[Flags]
public enum EpollBits : uint
{
    /// <summary>Nothing; errors and hang-ups are reported all the same.</summary>
    None = 0,
    /// <summary>Readable.</summary>
    Readable = 1,
    /// <summary>Writable.</summary>
    Writable = 4,
    /// <summary>Error.</summary>
    Error = 8,
    /// <summary>The other end is gone.</summary>
    HangUp = 16,
}

/// <summary>
/// An epoll instance. Mono.Posix has one, too, but with the packed event structure of x86-64 only; AArch64's is not packed. Registering and removing
/// may be done from any thread, waiting from one.
/// </summary>
public sealed unsafe partial class Epoll : IDisposable
{
    private const int EPOLL_CTL_ADD = 1, EPOLL_CTL_DEL = 2, EPOLL_CTL_MOD = 3;
    private const int EPOLL_CLOEXEC = 0x80000;
    private const int Batch = 256;

    private static readonly int s_stride = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : 16;
    private static readonly int s_data = s_stride - sizeof(ulong);

    private readonly byte[] _events = GC.AllocateArray<byte>(Batch * 16, pinned: true);
    private int _fd;

    /// <summary>A new instance; throws when the kernel refuses.</summary>
    public Epoll()
    {
        _fd = epoll_create1(EPOLL_CLOEXEC);
        if (_fd < 0)
        {
            throw new InvalidOperationException($"epoll_create1: errno {Marshal.GetLastPInvokeError()}");
        }
    }

    /// <summary>Watches <paramref name="fd"/>; <paramref name="data"/> comes back with its events. 0 or -errno.</summary>
    public int Add(int fd, EpollBits bits, ulong data) => Control(EPOLL_CTL_ADD, fd, bits, data);

    /// <summary>Changes what is watched. 0 or -errno.</summary>
    public int Modify(int fd, EpollBits bits, ulong data) => Control(EPOLL_CTL_MOD, fd, bits, data);

    /// <summary>Stops watching; needed before a descriptor is closed that another process might share. 0 or -errno.</summary>
    public int Remove(int fd) => Control(EPOLL_CTL_DEL, fd, EpollBits.None, 0);

    /// <summary>Waits; -1 = without end. Returns how many events there are (0 after the time or a signal).</summary>
    public int Wait(int milliseconds)
    {
        int count = epoll_wait(_fd, (byte*)Marshal.UnsafeAddrOfPinnedArrayElement(_events, 0), Batch, milliseconds);
        return Math.Max(count, 0);
    }

    /// <summary>An event of the last wait.</summary>
    public (EpollBits Bits, ulong Data) this[int index]
    {
        get
        {
            ReadOnlySpan<byte> at = _events.AsSpan(index * s_stride, s_stride);
            return ((EpollBits)MemoryMarshal.Read<uint>(at), MemoryMarshal.Read<ulong>(at[s_data..]));
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_fd >= 0)
        {
            _ = close(_fd);
            _fd = -1;
        }
    }

    private int Control(int operation, int fd, EpollBits bits, ulong data)
    {
        Span<byte> one = stackalloc byte[16];
        MemoryMarshal.Write(one, (uint)bits);
        MemoryMarshal.Write(one[s_data..], data);
        fixed (byte* bytes = one)
        {
            return epoll_ctl(_fd, operation, fd, bytes) == 0 ? 0 : -Marshal.GetLastPInvokeError();
        }
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int epoll_create1(int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int epoll_ctl(int epoll, int operation, int fd, byte* one);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int epoll_wait(int epoll, byte* events, int count, int milliseconds);

    [LibraryImport("libc")]
    private static partial int close(int fd);
}
