using HostAbi = Lodge.Abi.Host;

namespace Lodge.Shim;

/// <summary>
/// A guest's iovec array in the host's layout, with the checks of lib/iov_iter.c iovec_from_user: at most 1024 segments, EFAULT for the
/// array, EINVAL for a negative length, the total cut at MAX_RW_COUNT. Small arrays lie in the caller's buffer, larger ones in a mapping that
/// <see cref="Release"/> gives back. Shared by the file, socket and process_vm calls.
/// </summary>
public unsafe ref struct Iovec
{
    /// <summary>Segments that need no mapping.</summary>
    public const int InlineCount = 16;

    /// <summary>Most bytes of one transfer (INT_MAX rounded down to a page, x86 and 4 KiB arm64).</summary>
    public const ulong MAX_RW_COUNT = 0x7ffff000;

    private const int GuestSize = 8;
    private HostAbi.iovec* segments;
    private ulong mapped;

    /// <summary>The converted segments.</summary>
    public readonly HostAbi.iovec* Segments => segments;

    /// <summary>Number of segments.</summary>
    public uint Count { get; private set; }

    /// <summary>Sum of the lengths after cutting.</summary>
    public ulong Total { get; private set; }

    /// <summary>
    /// Converts <paramref name="count"/> segments at <paramref name="address"/>. <paramref name="inline"/> has room for
    /// <see cref="InlineCount"/> and outlives this value. 0, -EINVAL, -EFAULT or -ENOMEM.
    /// </summary>
    public int Load(uint address, uint count, HostAbi.iovec* inline)
    {
        Count = 0;
        Total = 0;
        segments = inline;
        mapped = 0;
        if (count > FileConstants.UIO_MAXIOV)
        {
            return -Errno.EINVAL;
        }

        if (count > InlineCount)
        {
            ulong size = (count * (ulong)sizeof(HostAbi.iovec) + 4095) & ~4095UL;
            long memory = Host.Syscall(Nr.mmap, 0, (long)size, 3, 0x22, -1, 0);
            if (Host.IsError(memory))
            {
                return -Errno.ENOMEM;
            }

            segments = (HostAbi.iovec*)memory;
            mapped = size;
        }

        // The guest's pairs go to the end of the buffer and are widened in place, first to last: source never behind target.
        uint* pairs = (uint*)((byte*)segments + (count * (uint)(sizeof(HostAbi.iovec) - GuestSize)));
        if (!User.CopyIn(pairs, address, count * GuestSize))
        {
            Release();
            return -Errno.EFAULT;
        }

        for (uint i = 0; i < count; i++)
        {
            uint start = pairs[2 * i];
            uint length = pairs[(2 * i) + 1];
            if ((int)length < 0)
            {
                Release();
                return -Errno.EINVAL;
            }

            ulong cut = length > MAX_RW_COUNT - Total ? MAX_RW_COUNT - Total : length;
            segments[i].iov_base = start;
            segments[i].iov_len = cut;
            Total += cut;
        }

        Count = count;
        return 0;
    }

    /// <summary>Leaves only the first <paramref name="total"/> bytes.</summary>
    public void Cut(ulong total)
    {
        ulong left = total;
        for (uint i = 0; i < Count; i++)
        {
            if (segments[i].iov_len > left)
            {
                segments[i].iov_len = left;
            }

            left -= segments[i].iov_len;
        }

        Total -= Total > total ? Total - total : 0;
    }

    /// <summary>Announces that the kernel is about to write into the segments.</summary>
    public readonly void PrepareWrite(GuestThread* t)
    {
        for (uint i = 0; i < Count; i++)
        {
            Mm.PrepareWrite(t, (uint)segments[i].iov_base, (nuint)segments[i].iov_len);
        }
    }

    /// <summary>Gives the mapping back, if there is one.</summary>
    public void Release()
    {
        if (mapped != 0)
        {
            _ = Host.Syscall(Nr.munmap, (long)segments, (long)mapped);
            mapped = 0;
        }
    }
}
