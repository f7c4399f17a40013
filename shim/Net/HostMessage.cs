using System.Runtime.InteropServices;

namespace Lodge.Shim;

/// <summary>struct user_msghdr of a 64-bit kernel (include/linux/socket.h).</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct HostMsghdr
{
    /// <summary>Address buffer or 0.</summary>
    public long msg_name;
    /// <summary>Its length in bytes.</summary>
    public int msg_namelen;
    /// <summary>Pointer to <see cref="HostIovec"/> records.</summary>
    public long msg_iov;
    /// <summary>Number of records.</summary>
    public ulong msg_iovlen;
    /// <summary>Control message buffer or 0.</summary>
    public long msg_control;
    /// <summary>Its length in bytes.</summary>
    public ulong msg_controllen;
    /// <summary>Flags of a received message.</summary>
    public uint msg_flags;
}

/// <summary>struct mmsghdr of a 64-bit kernel.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct HostMmsghdr
{
    /// <summary>The message.</summary>
    public HostMsghdr msg_hdr;
    /// <summary>Bytes sent or received.</summary>
    public uint msg_len;
}

/// <summary>struct iovec of a 64-bit kernel.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct HostIovec
{
    /// <summary>A guest address.</summary>
    public long iov_base;
    /// <summary>Length in bytes; negative ones are EINVAL.</summary>
    public long iov_len;
}

/// <summary>struct cmsghdr of a 64-bit kernel; the data follows, the next header lies at a multiple of 8.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct HostCmsghdr
{
    /// <summary>Length of header and data.</summary>
    public ulong cmsg_len;
    /// <summary>Protocol.</summary>
    public int cmsg_level;
    /// <summary>Meaning of the data.</summary>
    public int cmsg_type;
}

/// <summary>struct compat_cmsghdr, the guest's; the data follows, the next header lies at a multiple of 4.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct CompatCmsghdr
{
    /// <summary>Length of header and data.</summary>
    public uint cmsg_len;
    /// <summary>Protocol.</summary>
    public int cmsg_level;
    /// <summary>Meaning of the data.</summary>
    public int cmsg_type;
}

/// <summary>A piece of memory that the parts of one or more messages are cut from, first come first served.</summary>
internal unsafe struct MessageArena
{
    private byte* _next;
    private readonly byte* _end;

    /// <summary>An arena over <paramref name="size"/> bytes.</summary>
    public MessageArena(byte* start, nuint size)
    {
        _next = start;
        _end = start + size;
    }

    /// <summary>Cuts off <paramref name="size"/> bytes, aligned to 8. Null where they are not there.</summary>
    public byte* Take(nuint size)
    {
        nuint rounded = (size + 7) & ~(nuint)7;
        if ((nuint)(_end - _next) < rounded)
        {
            return null;
        }

        byte* result = _next;
        _next += rounded;
        return result;
    }
}
