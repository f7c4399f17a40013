using Compat = Lodge.Abi.Compat;
using HostLayout = Lodge.Abi.Host;

namespace Lodge.Shim;

/// <summary>
/// Socket options. Nearly all have one layout; the exceptions are named here: old timeouts (longs), packet filters (a pointer), multicast
/// groups (an address aligned to 4 instead of 8), and the netfilter tables, whose blobs would need a translation of every match and
/// target: they are refused with ENOPROTOOPT, the answer of a kernel that does not have them (nftables goes through netlink and works).
/// </summary>
public static unsafe partial class Syscalls<TAbi>
    where TAbi : unmanaged, IGuestAbi
{
    private const int SolIp = 0;
    private const int SolSocket = 1;
    private const int SolIpv6 = 41;
    private const int SolPacket = 263;
    private const int SoRcvtimeoOld = 20;
    private const int SoSndtimeoOld = 21;
    private const int SoAttachFilter = 26;
    private const int SoAttachReuseportCbpf = 51;
    private const int PacketFanoutData = 22;
    private const int IpPktoptions = 9;
    private const int Ipv6PktoptionsOld = 6;
    private const int McastJoinGroup = 42;
    private const int McastLeaveGroup = 45;
    private const int McastMsfilter = 48;

    /// <summary>struct group_req: interface and one address, as the guest lays it out. The host has 4 bytes more, behind the interface.</summary>
    private const int GroupReq = 132;

    /// <summary>struct group_source_req: interface and two addresses.</summary>
    private const int GroupSourceReq = 260;

    /// <summary>struct group_filter without its list: interface, address, mode, number.</summary>
    private const int GroupFilter = 140;

    /// <summary>What a 64-bit kernel aligns away behind the interface number.</summary>
    private const int GroupPadding = 4;

    /// <summary>setsockopt.</summary>
    public static int sys_setsockopt(GuestThread* t) =>
        SetSocketOption((int)TAbi.Arg(t, 0), (int)TAbi.Arg(t, 1), (int)TAbi.Arg(t, 2), TAbi.Arg(t, 3), (int)TAbi.Arg(t, 4));

    /// <summary>getsockopt.</summary>
    public static int sys_getsockopt(GuestThread* t) =>
        GetSocketOption(t, (int)TAbi.Arg(t, 0), (int)TAbi.Arg(t, 1), (int)TAbi.Arg(t, 2), TAbi.Arg(t, 3), TAbi.Arg(t, 4));

    /// <summary>
    /// Tables of iptables (64, 65), arptables (96, 97; level IP) and ebtables (128 to 131; level IP): numbers that no other option has.
    /// </summary>
    private static bool IsNetfilterTable(int level, int name) => level switch
    {
        SolIp => name is 64 or 65 or 96 or 97 or (>= 128 and <= 131),
        SolIpv6 => name is 64 or 65,
        _ => false,
    };

    private static int SetSocketOption(int descriptor, int level, int name, uint value, int length)
    {
        if (level == SolSocket)
        {
            switch (name)
            {
                case SoRcvtimeoOld:
                case SoSndtimeoOld:
                    if (length < sizeof(Compat.old_timespec32))
                    {
                        break;
                    }

                    // A timeval has the shape of a timespec.
                    Compat.__kernel_timespec timeout;
                    return (int)Host.Syscall(
                        Nr.setsockopt, descriptor, level, name, UserTime.Required(false, value, &timeout), sizeof(Compat.__kernel_timespec));
                case SoAttachFilter:
                case SoAttachReuseportCbpf:
                    return SetFilter(descriptor, level, name, value, length);
            }
        }
        else if (level is SolIp or SolIpv6)
        {
            if (name is >= McastJoinGroup and <= McastMsfilter)
            {
                return SetMulticast(descriptor, level, name, value, length);
            }

            if (IsNetfilterTable(level, name))
            {
                return RefuseOption(descriptor);
            }
        }
        else if (level == SolPacket && name == PacketFanoutData && length == CompatSockFprog)
        {
            // The same option takes a descriptor (4 bytes) where the fanout is an eBPF one.
            return SetFilter(descriptor, level, name, value, length);
        }

        return (int)Host.Syscall(Nr.setsockopt, descriptor, level, name, value, length);
    }

    private const int CompatSockFprog = 8;

    /// <summary>ENOPROTOOPT, unless the descriptor is bad or no socket: EBADF, ENOTSOCK.</summary>
    private static int RefuseOption(int descriptor)
    {
        const int SoType = 3;
        int length = 4;
        int type;
        int result = (int)Host.Syscall(Nr.getsockopt, descriptor, SolSocket, SoType, (long)&type, (long)&length);
        return result < 0 ? result : -Errno.ENOPROTOOPT;
    }

    private static int SetFilter(int descriptor, int level, int name, uint value, int length)
    {
        HostLayout.sock_fprog program = default;
        if (length != CompatSockFprog)
        {
            // EINVAL, but not before the checks that come first; 16 bytes, a 64-bit caller's size, would be taken.
            int wrong = length == sizeof(HostLayout.sock_fprog) ? length + 1 : length;
            return (int)Host.Syscall(Nr.setsockopt, descriptor, level, name, value, wrong);
        }

        uint* words = stackalloc uint[2];
        long pointer = BadPointer.Value;
        if (User.CopyIn(words, value, CompatSockFprog))
        {
            program.len = (ushort)words[0];
            program.filter = words[1];
            pointer = (long)&program;
        }

        return (int)Host.Syscall(Nr.setsockopt, descriptor, level, name, pointer, sizeof(HostLayout.sock_fprog));
    }

    private static int SetMulticast(int descriptor, int level, int name, uint value, int length)
    {
        const int OnStack = 1024;
        const int Most = 1 << 20;
        int least = name switch
        {
            McastJoinGroup or McastLeaveGroup => GroupReq,
            McastMsfilter => GroupFilter,
            _ => GroupSourceReq,
        };
        if (length < least)
        {
            // Shorter than the host's structure, too: EINVAL in its turn.
            return (int)Host.Syscall(Nr.setsockopt, descriptor, level, name, value, length);
        }

        if (name != McastMsfilter)
        {
            length = least;
        }
        else if (length > Most)
        {
            return -Errno.ENOBUFS;
        }

        byte* stack = stackalloc byte[OnStack];
        byte* copy = stack;
        HostBuffer buffer = default;
        if (length + GroupPadding > OnStack)
        {
            if (!buffer.Allocate((nuint)(length + GroupPadding)))
            {
                return -Errno.ENOBUFS;
            }

            copy = buffer.Pointer;
        }

        long pointer = BadPointer.Value;
        if (User.CopyIn(copy + GroupPadding, value, (nuint)length))
        {
            *(uint*)copy = *(uint*)(copy + GroupPadding);
            *(uint*)(copy + GroupPadding) = 0;
            pointer = (long)copy;
        }

        int result = (int)Host.Syscall(Nr.setsockopt, descriptor, level, name, pointer, length + GroupPadding);
        buffer.Free();
        return result;
    }

    private static int GetSocketOption(GuestThread* t, int descriptor, int level, int name, uint value, uint lengthAddress)
    {
        if (level == SolSocket && name is SoRcvtimeoOld or SoSndtimeoOld)
        {
            return GetTimeout(descriptor, level, name, value, lengthAddress);
        }

        if (level is SolIp or SolIpv6)
        {
            if (name == McastMsfilter)
            {
                return GetMulticastFilter(descriptor, level, name, value, lengthAddress);
            }

            if (IsNetfilterTable(level, name))
            {
                return RefuseOption(descriptor);
            }

            if (name == (level == SolIp ? IpPktoptions : Ipv6PktoptionsOld))
            {
                return GetPacketOptions(descriptor, level, name, value, lengthAddress);
            }
        }

        if (User.Get(lengthAddress, out int length) && length > 0)
        {
            Mm.PrepareWrite(t, value, (uint)length);
            Mm.PrepareWrite(t, lengthAddress, 4);
        }

        return (int)Host.Syscall(Nr.getsockopt, descriptor, level, name, value, lengthAddress);
    }

    /// <summary>A timeout in a 32-bit timeval. A shorter buffer gets as much as fits.</summary>
    private static int GetTimeout(int descriptor, int level, int name, uint value, uint lengthAddress)
    {
        int length;
        if (!User.Get(lengthAddress, out length) || length < 0)
        {
            // EFAULT or EINVAL by the host kernel, behind EBADF and ENOTSOCK.
            return (int)Host.Syscall(Nr.getsockopt, descriptor, level, name, value, lengthAddress);
        }

        Compat.__kernel_timespec timeout;
        int hostLength = sizeof(Compat.__kernel_timespec);
        int result = (int)Host.Syscall(Nr.getsockopt, descriptor, level, name, (long)&timeout, (long)&hostLength);
        if (result != 0)
        {
            return result;
        }

        Compat.old_timespec32 user;
        user.tv_sec = (int)timeout.tv_sec;
        user.tv_nsec = (int)timeout.tv_nsec;
        if (length > sizeof(Compat.old_timespec32))
        {
            length = sizeof(Compat.old_timespec32);
        }

        return User.CopyOut(value, &user, (nuint)length) && User.Put(lengthAddress, length) ? 0 : -Errno.EFAULT;
    }

    private static int GetMulticastFilter(int descriptor, int level, int name, uint value, uint lengthAddress)
    {
        const int OnStack = 1024;
        const int Most = 1 << 20;
        if (!User.Get(lengthAddress, out int length) || length < GroupFilter)
        {
            return (int)Host.Syscall(Nr.getsockopt, descriptor, level, name, value, lengthAddress);
        }

        if (length > Most)
        {
            length = Most;
        }

        byte* stack = stackalloc byte[OnStack];
        byte* copy = stack;
        HostBuffer buffer = default;
        if (length + GroupPadding > OnStack)
        {
            if (!buffer.Allocate((nuint)(length + GroupPadding)))
            {
                return -Errno.ENOBUFS;
            }

            copy = buffer.Pointer;
        }

        int result = -Errno.EFAULT;
        if (User.CopyIn(copy + GroupPadding, value, GroupFilter))
        {
            *(uint*)copy = *(uint*)(copy + GroupPadding);
            int hostLength = length + GroupPadding;
            result = (int)Host.Syscall(Nr.getsockopt, descriptor, level, name, (long)copy, (long)&hostLength);
            if (result == 0)
            {
                *(uint*)(copy + GroupPadding) = *(uint*)copy;
                int used = hostLength - GroupPadding;
                if (!User.CopyOut(value, copy + GroupPadding, (nuint)used) || !User.Put(lengthAddress, used))
                {
                    result = -Errno.EFAULT;
                }
            }
        }

        buffer.Free();
        return result;
    }

    /// <summary>Options of the last packet of a stream: a block of control messages in the caller's layout.</summary>
    private static int GetPacketOptions(int descriptor, int level, int name, uint value, uint lengthAddress)
    {
        const int Most = 512;
        if (!User.Get(lengthAddress, out int length) || length < 0)
        {
            return (int)Host.Syscall(Nr.getsockopt, descriptor, level, name, value, lengthAddress);
        }

        length = length > Most ? Most : length;
        byte* host = stackalloc byte[(Most * 2) + 32];
        byte* guest = stackalloc byte[Most];
        int hostLength = (int)ControlMessages.HostSpace((uint)length);
        int result = (int)Host.Syscall(Nr.getsockopt, descriptor, level, name, (long)host, (long)&hostLength);
        if (result != 0)
        {
            return result;
        }

        uint flags = 0;
        uint used = ControlMessages.ToGuest(host, (nuint)hostLength, guest, (uint)length, ref flags);
        return User.CopyOut(value, guest, used) && User.Put(lengthAddress, used) ? 0 : -Errno.EFAULT;
    }
}
