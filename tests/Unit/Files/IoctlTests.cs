using System;
using Lodge.Abi;
using Lodge.Shim;
using Xunit;

namespace Lodge.UnitTests.Files;

/// <summary>The ioctl table and the converted requests that work without special devices.</summary>
public sealed unsafe class IoctlTests : IDisposable
{
    private readonly GuestCalls guest = new();

    public void Dispose() => guest.Dispose();

    [Fact]
    public void The_table_is_sorted_and_finds_every_row()
    {
        for (int i = 0; i < IoctlTable.Count; i++)
        {
            Assert.True(i == 0 || IoctlTable.RequestAt(i - 1) < IoctlTable.RequestAt(i), $"row {i}");
            Assert.True(IoctlTable.TryFind(IoctlTable.RequestAt(i), out IoctlKind kind, out _));
            Assert.NotEqual(IoctlKind.Unknown, kind);
        }

        Assert.False(IoctlTable.TryFind(0xdeadbeef, out _, out _));
        Assert.False(IoctlTable.TryFind(0, out _, out _));
    }

    [Fact]
    public void Unknown_requests_are_ENOTTY_on_good_descriptors_and_EBADF_on_bad_ones()
    {
        int fd = guest.Open("f");
        Assert.Equal(-Errno.ENOTTY, guest.I386(&Syscalls<I386Abi>.sys_ioctl, (uint)fd, 0xdeadbeef, 0));
        Assert.Equal(-Errno.EBADF, guest.I386(&Syscalls<I386Abi>.sys_ioctl, 9999, 0xdeadbeef, 0));
        int path = guest.Open("f", FileConstants.O_PATH);
        Assert.Equal(-Errno.EBADF, guest.I386(&Syscalls<I386Abi>.sys_ioctl, (uint)path, 0xdeadbeef, 0));
        Assert.Equal(-Errno.ENOTTY, guest.I386(&Syscalls<I386Abi>.sys_ioctl, (uint)fd, 0x5401, guest.Room(64)));
        guest.Close(path);
        guest.Close(fd);
    }

    [Fact]
    public void File_flags_have_32_bit_numbers()
    {
        int fd = guest.Open("f");
        uint flags = guest.Put(-1);
        int result = guest.I386(&Syscalls<I386Abi>.sys_ioctl, (uint)fd, Lodge.Abi.I386.Constants.FS_IOC_GETFLAGS, flags);
        Assert.True(result is 0 or -Errno.ENOTTY or -Errno.EOPNOTSUPP, $"{result}");
        Assert.True(result != 0 || *(int*)flags != -1);
        guest.Close(fd);
    }

    [Fact]
    public void Bytes_waiting_in_a_pipe()
    {
        uint fds = guest.Room(8);
        Assert.Equal(0, (int)Host.Syscall(Nr.pipe2, fds, 0));
        uint count = guest.Put(-1);
        Host.Syscall(Nr.write, ((int*)fds)[1], guest.Text("12345"), 5);
        Assert.Equal(0, guest.I386(&Syscalls<I386Abi>.sys_ioctl, ((uint*)fds)[0], 0x541b, count));
        Assert.Equal(5, *(int*)count);
        Assert.Equal(-Errno.EFAULT, guest.I386(&Syscalls<I386Abi>.sys_ioctl, ((uint*)fds)[0], 0x541b, guest.End));
        guest.Close(((int*)fds)[0]);
        guest.Close(((int*)fds)[1]);
    }

    [Fact]
    public void Interfaces_have_32_byte_requests()
    {
        const int AF_INET = 2;
        const int SOCK_DGRAM = 2;
        int fd = (int)Host.Syscall(Nr.socket, AF_INET, SOCK_DGRAM, 0);
        // ifreq for lo at the very end of guest memory: eight bytes more would be EFAULT.
        uint request = guest.End - 32;
        "lo\0"u8.CopyTo(new Span<byte>((void*)request, 16));
        Assert.Equal(0, guest.I386(&Syscalls<I386Abi>.sys_ioctl, (uint)fd, 0x8913, request));
        const short IFF_LOOPBACK = 8;
        Assert.Equal(IFF_LOOPBACK, (short)(*(short*)(request + 16) & IFF_LOOPBACK));
        Assert.Equal(0, guest.I386(&Syscalls<I386Abi>.sys_ioctl, (uint)fd, 0x8933, request));
        int index = *(int*)(request + 16);
        Assert.True(index > 0);
        new Span<byte>((void*)request, 16).Clear();
        Assert.Equal(0, guest.I386(&Syscalls<I386Abi>.sys_ioctl, (uint)fd, 0x8910, request));
        Assert.Equal((byte)'l', *(byte*)request);

        uint list = guest.Room(320);
        uint conf = guest.Put((0, 0));
        Assert.Equal(0, guest.I386(&Syscalls<I386Abi>.sys_ioctl, (uint)fd, 0x8912, conf));
        int all = *(int*)conf;
        Assert.Equal(0, all % 32);
        *(int*)conf = 320;
        ((uint*)conf)[1] = list;
        Assert.Equal(0, guest.I386(&Syscalls<I386Abi>.sys_ioctl, (uint)fd, 0x8912, conf));
        Assert.Equal(all, *(int*)conf);
        Assert.Equal(-Errno.EFAULT, guest.I386(&Syscalls<I386Abi>.sys_ioctl, (uint)fd, 0x8912, guest.End));
        guest.Close(fd);
    }
}
