using HostAbi = Lodge.Abi.Host;

namespace Lodge.Shim;

/// <summary>
/// Converted ioctls of sockets and network interfaces (net/socket.c compat_sock_ioctl_trans, net/core/dev_ioctl.c). struct ifreq is 32 bytes for
/// the guest and 40 for the host: 16 bytes of name, then a union that is only longer.
/// </summary>
internal static unsafe class SocketIoctls
{
    private const int GuestRequest = 32;
    private const int HostRequest = 40;
    private const int NameLength = 16;
    private const int SOL_SOCKET = 1;
    private const int SO_DOMAIN = 39;
    private const int AF_INET6 = 10;

    /// <summary>Makes one call. Result or -errno.</summary>
    public static long Call(GuestThread* t, int fd, uint request, IoctlKind kind, uint argument) => kind switch
    {
        IoctlKind.InterfaceRequest => Interface(t, fd, request, argument),
        IoctlKind.InterfaceData => InterfaceData(t, fd, request, argument),
        IoctlKind.InterfaceMap => InterfaceMap(t, fd, request, argument),
        IoctlKind.InterfaceList => InterfaceList(t, fd, request, argument),
        IoctlKind.Route => Route(t, fd, request, argument),
        _ => Stamp(t, fd, request, kind, argument),
    };

    // Three addresses in a row have the same place and form on both sides.
    private static void Copy(void* to, void* from, int count)
    {
        for (int i = 0; i < count; i++)
        {
            ((byte*)to)[i] = ((byte*)from)[i];
        }
    }

    private static long Refuse(int fd, uint request) => Host.Syscall(Nr.ioctl, (uint)fd, request, BadPointer.Value);

    private static long Interface(GuestThread* t, int fd, uint request, uint argument)
    {
        byte* host = stackalloc byte[HostRequest];
        *(ulong*)(host + GuestRequest) = 0;
        if (!User.CopyIn(host, argument, GuestRequest))
        {
            return Refuse(fd, request);
        }

        long result = Host.BlockingCall(t, Nr.ioctl, (uint)fd, request, (long)host);
        return result < 0 || User.CopyOut(argument, host, GuestRequest) ? result : -Errno.EFAULT;
    }

    // ifr_data: a pointer behind the name. What it points to is equal on both sides for ethtool's own commands (64-bit members are aligned
    // by hand), for bonding and for time stamping.
    private static long InterfaceData(GuestThread* t, int fd, uint request, uint argument)
    {
        byte* host = stackalloc byte[HostRequest];
        byte* guest = stackalloc byte[GuestRequest];
        if (!User.CopyIn(guest, argument, GuestRequest))
        {
            return Refuse(fd, request);
        }

        for (int i = 0; i < NameLength; i++)
        {
            host[i] = guest[i];
        }

        uint data = *(uint*)(guest + NameLength);
        *(ulong*)(host + NameLength) = data;
        *(ulong*)(host + NameLength + 8) = 0;
        *(ulong*)(host + NameLength + 16) = 0;
        Mm.PrepareWrite(t, data, 4096);
        return Host.BlockingCall(t, Nr.ioctl, (uint)fd, request, (long)host);
    }

    private static long InterfaceMap(GuestThread* t, int fd, uint request, uint argument)
    {
        const uint SIOCGIFMAP = 0x8970;
        byte* guest = stackalloc byte[GuestRequest];
        byte* host = stackalloc byte[HostRequest];
        if (!User.CopyIn(guest, argument, GuestRequest))
        {
            return Refuse(fd, request);
        }

        for (int i = 0; i < NameLength; i++)
        {
            host[i] = guest[i];
        }

        Lodge.Abi.Compat.ifmap* narrow = (Lodge.Abi.Compat.ifmap*)(guest + NameLength);
        HostAbi.ifmap* wide = (HostAbi.ifmap*)(host + NameLength);
        *wide = default;
        wide->mem_start = narrow->mem_start;
        wide->mem_end = narrow->mem_end;
        wide->base_addr = narrow->base_addr;
        wide->irq = narrow->irq;
        wide->dma = narrow->dma;
        wide->port = narrow->port;
        long result = Host.BlockingCall(t, Nr.ioctl, (uint)fd, request, (long)host);
        if (result < 0 || request != SIOCGIFMAP)
        {
            return result;
        }

        narrow->mem_start = (uint)wide->mem_start;
        narrow->mem_end = (uint)wide->mem_end;
        narrow->base_addr = wide->base_addr;
        narrow->irq = wide->irq;
        narrow->dma = wide->dma;
        narrow->port = wide->port;
        return User.CopyOut(argument, guest, GuestRequest) ? result : -Errno.EFAULT;
    }

    // The list is fetched in host form into memory of our own; lengths count whole requests.
    private static long InterfaceList(GuestThread* t, int fd, uint request, uint argument)
    {
        if (!User.Get(argument, out Lodge.Abi.Compat.ifconf guest))
        {
            return Refuse(fd, request);
        }

        uint buffer = guest.ifc_ifcu_ifcu_buf;
        HostAbi.ifconf host = default;
        long memory = 0;
        ulong size = 0;
        if (buffer != 0 && guest.ifc_len > 0)
        {
            ulong count = (uint)guest.ifc_len / GuestRequest;
            count = count < 0x10000 ? count : 0x10000;
            size = ((count * HostRequest) + 4096) & ~4095UL;
            memory = Host.Syscall(Nr.mmap, 0, (long)size, 3, 0x22, -1, 0);
            if (Host.IsError(memory))
            {
                return -Errno.ENOMEM;
            }

            host.ifc_len = (int)(count * HostRequest);
        }
        else
        {
            host.ifc_len = buffer == 0 ? 0 : guest.ifc_len;
        }

        host.ifc_ifcu_ifcu_buf = buffer == 0 ? 0 : memory == 0 ? buffer : (ulong)memory;
        long result = Host.BlockingCall(t, Nr.ioctl, (uint)fd, request, (long)&host);
        if (result >= 0)
        {
            int count = host.ifc_len / HostRequest;
            for (int i = 0; i < count && memory != 0 && result >= 0; i++)
            {
                if (!User.CopyOut(buffer + (uint)(i * GuestRequest), (byte*)memory + (i * HostRequest), GuestRequest))
                {
                    result = -Errno.EFAULT;
                }
            }

            guest.ifc_len = count * GuestRequest;
            if (result >= 0 && !User.Put(argument, in guest))
            {
                result = -Errno.EFAULT;
            }
        }

        if (memory != 0)
        {
            _ = Host.Syscall(Nr.munmap, memory, (long)size);
        }

        return result;
    }

    private static long Route(GuestThread* t, int fd, uint request, uint argument)
    {
        int family = 0;
        uint length = sizeof(int);
        if (Host.Syscall(Nr.getsockopt, (uint)fd, SOL_SOCKET, SO_DOMAIN, (long)&family, (long)&length) == 0 && family == AF_INET6)
        {
            return Route6(t, fd, request, argument);
        }

        if (!User.Get(argument, out Lodge.Abi.Compat.rtentry guest))
        {
            return Refuse(fd, request);
        }

        HostAbi.rtentry host = default;
        Copy(&host.rt_dst, &guest.rt_dst, 3 * sizeof(HostAbi.sockaddr));
        host.rt_flags = guest.rt_flags;
        host.rt_metric = guest.rt_metric;
        host.rt_dev = guest.rt_dev;
        host.rt_mtu = guest.rt_mtu;
        host.rt_window = guest.rt_window;
        host.rt_irtt = guest.rt_irtt;
        return Host.BlockingCall(t, Nr.ioctl, (uint)fd, request, (long)&host);
    }

    private static long Route6(GuestThread* t, int fd, uint request, uint argument)
    {
        if (!User.Get(argument, out Lodge.Abi.Compat.in6_rtmsg guest))
        {
            return Refuse(fd, request);
        }

        HostAbi.in6_rtmsg host = default;
        Copy(&host.rtmsg_dst, &guest.rtmsg_dst, 3 * sizeof(HostAbi.in6_addr));
        host.rtmsg_type = guest.rtmsg_type;
        host.rtmsg_dst_len = guest.rtmsg_dst_len;
        host.rtmsg_src_len = guest.rtmsg_src_len;
        host.rtmsg_metric = guest.rtmsg_metric;
        host.rtmsg_info = guest.rtmsg_info;
        host.rtmsg_flags = guest.rtmsg_flags;
        host.rtmsg_ifindex = guest.rtmsg_ifindex;
        return Host.BlockingCall(t, Nr.ioctl, (uint)fd, request, (long)&host);
    }

    private static long Stamp(GuestThread* t, int fd, uint request, IoctlKind kind, uint argument)
    {
        long* host = stackalloc long[2];
        long result = Host.BlockingCall(t, Nr.ioctl, (uint)fd, request, (long)host);
        if (result < 0)
        {
            return result;
        }

        if (kind == IoctlKind.StampTimeval)
        {
            Lodge.Abi.Compat.old_timeval32 time;
            time.tv_sec = (int)host[0];
            time.tv_usec = (int)host[1];
            return User.Put(argument, in time) ? result : -Errno.EFAULT;
        }

        Lodge.Abi.Compat.old_timespec32 precise;
        precise.tv_sec = (int)host[0];
        precise.tv_nsec = (int)host[1];
        return User.Put(argument, in precise) ? result : -Errno.EFAULT;
    }
}
