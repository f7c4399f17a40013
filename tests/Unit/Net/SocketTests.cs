using System;
using System.IO;
using System.Linq;
using Lodge.Abi;
using Lodge.Shim;
using Xunit;
using Arm = Lodge.Shim.Syscalls<Lodge.Shim.ArmAbi>;
using I386 = Lodge.Shim.Syscalls<Lodge.Shim.I386Abi>;

namespace Lodge.UnitTests.Net;

/// <summary>Socket calls of both guests against the running kernel.</summary>
public sealed unsafe class SocketTests : IDisposable
{
    private const uint Unix = 1;
    private const uint Inet = 2;
    private const uint Stream = 1;
    private const uint Datagram = 2;
    private const uint Dontwait = 0x40;
    private readonly GuestCall _guest = new();

    public void Dispose() => _guest.Dispose();

    private int Socketcall(uint call, params uint[] arguments) => I386.sys_socketcall(_guest.Args(call, _guest.Put(arguments)));

    private (uint A, uint B) Pair(uint type)
    {
        uint pair = _guest.Alloc(8);
        Assert.Equal(0, Socketcall(8, Unix, type, 0, pair));
        return (GuestCall.Word(pair, 0), GuestCall.Word(pair, 1));
    }

    private static void Close(params uint[] descriptors)
    {
        foreach (uint descriptor in descriptors)
        {
            Assert.Equal(0, Host.Syscall(Nr.close, descriptor));
        }
    }

    /// <summary>A msghdr with one buffer.</summary>
    private uint Message(uint buffer, int length, uint control = 0, int controlLength = 0) =>
        _guest.Put(0, 0, _guest.Put(buffer, (uint)length), 1, control, (uint)controlLength, 0);

    [Fact]
    public void Socketcall_sends_and_receives()
    {
        (uint a, uint b) = Pair(Stream);
        uint text = _guest.Put("hello"u8);
        uint buffer = _guest.Alloc(16);
        Assert.Equal(5, Socketcall(9, a, text, 5, 0));
        Assert.Equal(5, Socketcall(10, b, buffer, 16, 0));
        Assert.Equal("hello"u8, GuestCall.Bytes(buffer, 5));
        Assert.Equal(-Errno.EAGAIN, Socketcall(12, b, buffer, 16, Dontwait, 0, 0));
        Assert.Equal(0, Socketcall(13, a, 1));
        Assert.Equal(0, Socketcall(10, b, buffer, 16, 0));
        Close(a, b);
    }

    [Fact]
    public void Socketcall_checks_number_then_array()
    {
        Assert.Equal(-Errno.EINVAL, I386.sys_socketcall(_guest.Args(0, GuestCall.Bad)));
        Assert.Equal(-Errno.EINVAL, I386.sys_socketcall(_guest.Args(21, GuestCall.Bad)));
        Assert.Equal(-Errno.EFAULT, I386.sys_socketcall(_guest.Args(1, GuestCall.Bad)));
        Assert.Equal(-Errno.EFAULT, I386.sys_socketcall(_guest.Args(1, _guest.End - 8)));
        Assert.Equal(-Errno.EAFNOSUPPORT, Socketcall(1, 99, 1, 0));
    }

    [Fact]
    public void Stream_sockets_listen_accept_and_name_themselves()
    {
        int listener = Socketcall(1, Inet, Stream, 0);
        uint address = _guest.Put(Inet, 0x0100007F, 0, 0);
        Assert.Equal(0, Socketcall(2, (uint)listener, address, 16));
        Assert.Equal(0, Socketcall(4, (uint)listener, 5));
        uint length = _guest.Put(16);
        Assert.Equal(0, Socketcall(6, (uint)listener, address, length));
        int client = Socketcall(1, Inet, Stream, 0);
        Assert.Equal(0, Socketcall(3, (uint)client, address, 16));
        uint peer = _guest.Alloc(16);
        GuestCall.Word(length, 0) = 16;
        int accepted = Socketcall(18, (uint)listener, peer, length, 0x80000);
        Assert.True(accepted >= 0);
        Assert.Equal(16u, GuestCall.Word(length, 0));
        Assert.Equal(0x0100007Fu, GuestCall.Word(peer, 1));
        Assert.Equal(0, Socketcall(7, (uint)accepted, peer, length));
        Close((uint)listener, (uint)client, (uint)accepted);
    }

    [Fact]
    public void Messages_gather_and_scatter()
    {
        (uint a, uint b) = Pair(Datagram);
        uint vector = _guest.Put(_guest.Put("ab"u8), 2, _guest.Put("cde"u8), 3);
        Assert.Equal(5, I386.sys_sendmsg(_guest.Args(a, _guest.Put(0, 0, vector, 2, 0, 0, 0), 0)));
        uint first = _guest.Alloc(4);
        uint second = _guest.Alloc(4);
        uint header = _guest.Put(0, 0x55, _guest.Put(first, 1, second, 2), 2, 0, 77, 0xFFFF);
        Assert.Equal(3, I386.sys_recvmsg(_guest.Args(b, header, 0)));
        Assert.Equal("a"u8, GuestCall.Bytes(first, 1));
        Assert.Equal("bc"u8, GuestCall.Bytes(second, 2));

        // MSG_TRUNC; the length of a name that is not asked for stays, as do the pointers.
        Assert.Equal(0x20u, GuestCall.Word(header, 6));
        Assert.Equal(0u, GuestCall.Word(header, 5));
        Assert.Equal(0x55u, GuestCall.Word(header, 1));
        Assert.Equal(2u, GuestCall.Word(header, 3));
        Close(a, b);
    }

    [Fact]
    public void Message_errors_come_in_the_kernels_order()
    {
        (uint a, uint b) = Pair(Datagram);
        uint text = _guest.Put("x"u8);
        Assert.Equal(-Errno.EBADF, I386.sys_sendmsg(_guest.Args(999999, GuestCall.Bad, 0)));
        Assert.Equal(-Errno.EBADF, I386.sys_recvmsg(_guest.Args(999999, GuestCall.Bad, 0)));
        Assert.Equal(-Errno.EFAULT, I386.sys_sendmsg(_guest.Args(a, GuestCall.Bad, 0)));
        Assert.Equal(-Errno.EFAULT, I386.sys_recvmsg(_guest.Args(a, GuestCall.Bad, 0)));
        Assert.Equal(-Errno.EMSGSIZE, I386.sys_sendmsg(_guest.Args(a, _guest.Put(0, 0, GuestCall.Bad, 1025, 0, 0, 0), 0)));
        Assert.Equal(-Errno.EFAULT, I386.sys_sendmsg(_guest.Args(a, _guest.Put(0, 0, GuestCall.Bad, 1024, 0, 0, 0), 0)));
        Assert.Equal(-Errno.EINVAL, I386.sys_sendmsg(_guest.Args(a, _guest.Put(0, 0, _guest.Put(text, 0x80000000), 1, 0, 0, 0), 0)));
        Assert.Equal(-Errno.EINVAL, I386.sys_sendmsg(_guest.Args(a, _guest.Put(GuestCall.Bad, 0xFFFFFFFF, 0, 0, 0, 0, 0), 0)));
        Assert.Equal(-Errno.EFAULT, I386.sys_sendmsg(_guest.Args(a, Message(text, 1, GuestCall.Bad, 16), 0)));
        Assert.Equal(-Errno.EINVAL, I386.sys_sendmsg(_guest.Args(a, Message(text, 1, _guest.Put(11, 1, 1), 12), 0)));
        Assert.Equal(-Errno.EBADF, I386.sys_sendmsg(_guest.Args(999999, Message(text, 1, _guest.Put(11, 1, 1), 12), 0)));
        Assert.Equal(-Errno.ENOBUFS, I386.sys_sendmsg(_guest.Args(a, Message(text, 1, text, int.MinValue), 0)));
        Assert.Equal(-Errno.EBADF, I386.sys_sendmsg(_guest.Args(a, Message(text, 1, _guest.Put(16, 1, 1, 999999), 16), 0)));
        Assert.Equal(1, I386.sys_sendmsg(_guest.Args(a, Message(text, 1), 0x80000000)));
        Close(a, b);
    }

    [Fact]
    public void Descriptors_travel_and_are_counted_exactly()
    {
        (uint a, uint b) = Pair(Datagram);
        uint control = _guest.Put(20, 1, 1, a, b);
        uint text = _guest.Put("x"u8);
        Assert.Equal(1, I386.sys_sendmsg(_guest.Args(a, Message(text, 1, control, 20), 0)));
        uint back = _guest.Put(0, 0, 0, 0, 0, 0, 0, 0, 0xABABABAB);
        uint header = Message(text, 1, back, 32);
        const uint CloseOnExec = 0x40000000;
        Assert.Equal(1, Arm.sys_recvmsg(_guest.Args(b, header, CloseOnExec)));
        Assert.Equal(20u, GuestCall.Word(header, 5));
        Assert.Equal(20u, GuestCall.Word(back, 0));
        const int GetDescriptorFlags = 1;
        Assert.Equal(1, Host.Syscall(Nr.fcntl, GuestCall.Word(back, 3), GetDescriptorFlags));
        Close(GuestCall.Word(back, 3), GuestCall.Word(back, 4));

        // Room for one of two.
        Assert.Equal(1, I386.sys_sendmsg(_guest.Args(a, Message(text, 1, control, 20), 0)));
        header = Message(text, 1, back, 16);
        int before = DescriptorsOf(a, b);
        Assert.Equal(1, I386.sys_recvmsg(_guest.Args(b, header, 0)));
        Assert.Equal(before + 1, DescriptorsOf(a, b));
        Assert.Equal(16u, GuestCall.Word(header, 5));
        Assert.Equal(16u, GuestCall.Word(back, 0));
        Assert.Equal(8u, GuestCall.Word(header, 6) & 8);
        Close(GuestCall.Word(back, 3));

        // A control buffer that cannot be written: nothing is received.
        Assert.Equal(1, I386.sys_sendmsg(_guest.Args(a, Message(text, 1, control, 20), 0)));
        header = Message(text, 1, GuestCall.Bad, 32);
        Assert.Equal(1, I386.sys_recvmsg(_guest.Args(b, header, 0)));
        Assert.Equal(before, DescriptorsOf(a, b));
        Assert.Equal(0u, GuestCall.Word(header, 5));
        Close(a, b);
    }

    [Fact]
    public void Descriptors_of_the_shim_do_not_travel()
    {
        (uint a, uint b) = Pair(Datagram);
        int ours = (int)Host.Syscall(Nr.eventfd2, 0, 0);
        uint control = _guest.Put(20, 1, 1, a, (uint)ours);
        uint text = _guest.Put("x"u8);
        Assert.Equal(1, I386.sys_sendmsg(_guest.Args(a, Message(text, 1, control, 20), 0)));
        FilesStruct.SetHidden(_guest.Thread->Files, (HiddenFile)0, ours);
        Assert.Equal(-Errno.EBADF, I386.sys_sendmsg(_guest.Args(a, Message(text, 1, control, 20), 0)));
        GuestCall.Word(control, 4) = b;
        Assert.Equal(1, I386.sys_sendmsg(_guest.Args(a, Message(text, 1, control, 20), 0)));
        FilesStruct.SetHidden(_guest.Thread->Files, (HiddenFile)0, -1);
        Host.Syscall(Nr.close, ours);
        Close(a, b);
    }

    /// <summary>How many descriptors lead to these two sockets. Other tests open and close descriptors of their own meanwhile.</summary>
    private static int DescriptorsOf(uint a, uint b)
    {
        const string Descriptors = "/proc/self/fd/";
        string? first = new FileInfo(Descriptors + a).LinkTarget;
        string? second = new FileInfo(Descriptors + b).LinkTarget;
        Assert.NotNull(first);
        return Directory.GetFileSystemEntries(Descriptors).Count(entry => new FileInfo(entry).LinkTarget is { } link && (link == first || link == second));
    }

    [Fact]
    public void Credentials_and_timestamps_arrive_in_the_guests_layout()
    {
        (uint a, uint b) = Pair(Datagram);
        uint one = _guest.Put(1);
        const uint SolSocket = 1, SoPasscred = 16, SoTimestampOld = 29;
        Assert.Equal(0, Socketcall(14, b, SolSocket, SoPasscred, one, 4));
        uint text = _guest.Put("x"u8);
        Assert.Equal(1, I386.sys_sendmsg(_guest.Args(a, Message(text, 1), 0)));
        uint control = _guest.Alloc(64);
        uint header = Message(text, 1, control, 64);
        Assert.Equal(1, I386.sys_recvmsg(_guest.Args(b, header, 0)));
        Assert.Equal(24u, GuestCall.Word(header, 5));
        Assert.Equal(24u, GuestCall.Word(control, 0));
        Assert.Equal(2u, GuestCall.Word(control, 2));
        Assert.Equal((uint)Environment.ProcessId, GuestCall.Word(control, 3));
        Close(a, b);

        uint udp = (uint)Socketcall(1, Inet, Datagram, 0);
        uint address = _guest.Put(Inet, 0x0100007F, 0, 0);
        Assert.Equal(0, Socketcall(2, udp, address, 16));
        Assert.Equal(0, Socketcall(6, udp, address, _guest.Put(16)));
        Assert.Equal(0, Socketcall(14, udp, SolSocket, SoTimestampOld, one, 4));
        Assert.Equal(1, Socketcall(11, udp, text, 1, 0, address, 16));
        uint name = _guest.Alloc(32);
        header = _guest.Put(name, 32, _guest.Put(text, 1), 1, control, 64, 0);
        Assert.Equal(1, I386.sys_recvmsg(_guest.Args(udp, header, 0)));
        Assert.Equal(16u, GuestCall.Word(header, 1));
        Assert.Equal(20u, GuestCall.Word(control, 0));
        Assert.Equal(SoTimestampOld, GuestCall.Word(control, 2));
        GuestCall.AssertIsNow((int)GuestCall.Word(control, 3));
        Assert.InRange(GuestCall.Word(control, 4), 0u, 999_999u);
        Close(udp);
    }

    [Fact]
    public void Vector_calls_stop_where_the_kernel_stops()
    {
        (uint a, uint b) = Pair(Datagram);
        uint text = _guest.Put("abc"u8);
        uint Vector(uint buffer, uint third) => _guest.Put(
            0, 0, _guest.Put(buffer, 1), 1, 0, 0, 0, 0, 0, 0, _guest.Put(buffer, 2), 1, 0, 0, 0, 0, 0, 0, third, 1, 0, 0, 0, 0);
        uint vector = Vector(text, GuestCall.Bad);
        Assert.Equal(2, I386.sys_sendmmsg(_guest.Args(a, vector, 3, 0)));
        Assert.Equal(1u, GuestCall.Word(vector, 7));
        Assert.Equal(2u, GuestCall.Word(vector, 15));
        Assert.Equal(-Errno.EBADF, I386.sys_sendmmsg(_guest.Args(999999, vector, 3, 0)));
        Assert.Equal(0, I386.sys_sendmmsg(_guest.Args(a, vector, 0, 0)));
        Assert.Equal(-Errno.EFAULT, I386.sys_sendmmsg(_guest.Args(a, GuestCall.Bad, 1, 0)));

        uint buffer = _guest.Alloc(8);
        vector = Vector(buffer, _guest.Put(buffer, 3));
        uint timeout = _guest.Put(5000, 0, 0, 0xFFFFFFFF);
        const uint WaitForOne = 0x10000;
        Assert.Equal(2, I386.sys_recvmmsg_time64(_guest.Args(b, vector, 3, WaitForOne, timeout)));
        Assert.Equal(1u, GuestCall.Word(vector, 7));
        Assert.Equal(2u, GuestCall.Word(vector, 15));
        Assert.InRange(*(long*)timeout, 4000, 5000);
        Assert.Equal(-Errno.EFAULT, I386.sys_recvmmsg(_guest.Args(b, vector, 3, 0, GuestCall.Bad)));
        Assert.Equal(-Errno.EINVAL, I386.sys_recvmmsg(_guest.Args(b, vector, 3, 0, _guest.Put(0, 1_000_000_000))));
        Assert.Equal(-Errno.EAGAIN, I386.sys_recvmmsg(_guest.Args(b, vector, 3, Dontwait, _guest.Put(1, 0))));
        Close(a, b);
    }

    [Fact]
    public void Timeouts_have_the_guests_width()
    {
        (uint a, uint b) = Pair(Stream);
        const uint SolSocket = 1, SoRcvtimeoOld = 20, SoRcvtimeoNew = 66;
        Assert.Equal(0, I386.sys_setsockopt(_guest.Args(a, SolSocket, SoRcvtimeoOld, _guest.Put(3, 250_000), 8)));
        uint value = _guest.Put(0, 0, 0xAB, 0xAB);
        uint length = _guest.Put(16);
        Assert.Equal(0, I386.sys_getsockopt(_guest.Args(a, SolSocket, SoRcvtimeoOld, value, length)));
        Assert.Equal(8u, GuestCall.Word(length, 0));
        Assert.Equal(3u, GuestCall.Word(value, 0));
        Assert.InRange(GuestCall.Word(value, 1), 249_000u, 252_000u);
        Assert.Equal(0xABu, GuestCall.Word(value, 2));
        GuestCall.Word(length, 0) = 16;
        Assert.Equal(0, Arm.sys_getsockopt(_guest.Args(a, SolSocket, SoRcvtimeoNew, value, length)));
        Assert.Equal(16u, GuestCall.Word(length, 0));
        Assert.Equal(3, *(long*)value);
        GuestCall.Word(length, 0) = 4;
        Assert.Equal(0, I386.sys_getsockopt(_guest.Args(a, SolSocket, SoRcvtimeoOld, value, length)));
        Assert.Equal(4u, GuestCall.Word(length, 0));
        Assert.Equal(-Errno.EINVAL, I386.sys_setsockopt(_guest.Args(a, SolSocket, SoRcvtimeoOld, value, 7)));
        Assert.Equal(-Errno.EFAULT, I386.sys_setsockopt(_guest.Args(a, SolSocket, SoRcvtimeoOld, GuestCall.Bad, 8)));
        Assert.Equal(-Errno.EBADF, I386.sys_setsockopt(_guest.Args(999999, SolSocket, SoRcvtimeoOld, GuestCall.Bad, 8)));
        Assert.Equal(-Errno.EFAULT, I386.sys_getsockopt(_guest.Args(a, SolSocket, SoRcvtimeoOld, value, GuestCall.Bad)));
        GuestCall.Word(length, 0) = 0xFFFFFFFF;
        Assert.Equal(-Errno.EINVAL, I386.sys_getsockopt(_guest.Args(a, SolSocket, SoRcvtimeoOld, value, length)));
        Close(a, b);
    }

    [Fact]
    public void Packet_filters_work_and_are_checked()
    {
        (uint a, uint b) = Pair(Datagram);
        const uint SolSocket = 1, SoAttachFilter = 26;

        // ret #2: keep two bytes of every message.
        uint program = _guest.Put(1, _guest.Put(0x00000006, 2));
        Assert.Equal(-Errno.EINVAL, I386.sys_setsockopt(_guest.Args(b, SolSocket, SoAttachFilter, program, 16)));
        Assert.Equal(-Errno.EINVAL, I386.sys_setsockopt(_guest.Args(b, SolSocket, SoAttachFilter, program, 4)));
        Assert.Equal(0, I386.sys_setsockopt(_guest.Args(b, SolSocket, SoAttachFilter, program, 8)));
        uint text = _guest.Put("abcdef"u8);
        Assert.Equal(6, Socketcall(9, a, text, 6, 0));
        Assert.Equal(2, Socketcall(10, b, _guest.Alloc(16), 16, 0));
        Assert.Equal(-Errno.EFAULT, I386.sys_setsockopt(_guest.Args(b, SolSocket, SoAttachFilter, _guest.Put(1, GuestCall.Bad), 8)));
        Close(a, b);
    }

    [Fact]
    public void Multicast_groups_have_their_address_aligned_to_4()
    {
        uint udp = (uint)Socketcall(1, Inet, Datagram, 0);
        uint group = _guest.Alloc(260);
        GuestCall.Word(group, 0) = 1;
        GuestCall.Word(group, 1) = Inet;
        GuestCall.Word(group, 2) = 0x010000E0 | 0x7F0000;
        const uint SolIp = 0, McastJoinGroup = 42, McastMsfilter = 48;
        Assert.Equal(-Errno.EINVAL, I386.sys_setsockopt(_guest.Args(udp, SolIp, McastJoinGroup, group, 131)));
        int joined = I386.sys_setsockopt(_guest.Args(udp, SolIp, McastJoinGroup, group, 132));
        Assert.True(joined is 0 or -Errno.ENODEV or -Errno.EOPNOTSUPP, $"{joined}");
        if (joined == 0)
        {
            uint filter = _guest.Alloc(300);
            GuestCall.Word(filter, 0) = 1;
            GuestCall.Word(filter, 1) = Inet;
            GuestCall.Word(filter, 2) = GuestCall.Word(group, 2);
            uint length = _guest.Put(300);
            Assert.Equal(0, I386.sys_getsockopt(_guest.Args(udp, SolIp, McastMsfilter, filter, length)));
            Assert.Equal(140u, GuestCall.Word(length, 0));
            Assert.Equal(1u, GuestCall.Word(filter, 0));

            // MCAST_EXCLUDE, no sources.
            Assert.Equal(0u, GuestCall.Word(filter, 33));
            Assert.Equal(0u, GuestCall.Word(filter, 34));
            Assert.Equal(-Errno.EADDRINUSE, I386.sys_setsockopt(_guest.Args(udp, SolIp, McastJoinGroup, group, 132)));
        }

        Close(udp);
    }

    [Fact]
    public void Netfilter_tables_are_not_there()
    {
        (uint a, uint b) = Pair(Stream);
        Assert.Equal(-Errno.ENOPROTOOPT, I386.sys_setsockopt(_guest.Args(a, 0, 64, GuestCall.Bad, 8)));
        Assert.Equal(-Errno.ENOPROTOOPT, I386.sys_getsockopt(_guest.Args(a, 41, 65, GuestCall.Bad, GuestCall.Bad)));
        Assert.Equal(-Errno.EBADF, I386.sys_setsockopt(_guest.Args(999999, 0, 64, GuestCall.Bad, 8)));
        Close(a, b);
    }
}
