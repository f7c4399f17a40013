using System;
using System.IO;
using System.Text;
using Lodge.Abi;
using Lodge.Shim;
using Xunit;

namespace Lodge.UnitTests.Files;

/// <summary>File calls on real files: positions, limits, descriptors, error numbers and their order.</summary>
public sealed unsafe class CallTests : IDisposable
{
    private const uint ReadWrite = FileConstants.O_RDWR | FileConstants.O_CREAT;
    private readonly GuestCalls guest = new();

    public void Dispose() => guest.Dispose();

    [Fact]
    public void A_large_file_needs_O_LARGEFILE_and_is_not_truncated_without()
    {
        string path = guest.Path("large");
        using (FileStream file = File.Create(path))
        {
            file.SetLength(3L << 30);
        }

        uint name = guest.Text(path);
        Assert.Equal(-Errno.EOVERFLOW, guest.I386(&Syscalls<I386Abi>.sys_open, name, FileConstants.O_RDWR));
        Assert.Equal(-Errno.EOVERFLOW, guest.I386(&Syscalls<I386Abi>.sys_open, name, FileConstants.O_RDWR | FileConstants.O_TRUNC));
        Assert.Equal(3L << 30, new FileInfo(path).Length);
        Assert.Equal(-Errno.EOVERFLOW, guest.I386(&Syscalls<I386Abi>.sys_creat, name, 0x180));
        Assert.Equal(3L << 30, new FileInfo(path).Length);
        int fd = guest.Arm(&Syscalls<ArmAbi>.sys_open, name, OpenFlags.ArmLargeFile);
        Assert.True(fd >= 0);
        uint buffer = guest.Room(256);
        Assert.Equal(-Errno.EOVERFLOW, guest.I386(&Syscalls<I386Abi>.sys_newfstat, (uint)fd, buffer));
        Assert.Equal(0, guest.I386(&Syscalls<I386Abi>.sys_fstat64, (uint)fd, buffer));
        Assert.Equal(3L << 30, *(long*)(buffer + 44));
        Assert.Equal(0, guest.Arm(&Syscalls<ArmAbi>.sys_fstat64, (uint)fd, buffer));
        Assert.Equal(3L << 30, *(long*)(buffer + 48));
        // The compat entry cuts the result instead of refusing it; _llseek has room for it.
        Assert.Equal(unchecked((int)(3u << 30)), guest.I386(&Syscalls<I386Abi>.sys_lseek, (uint)fd, 0, 2));
        Assert.Equal(0, guest.I386(&Syscalls<I386Abi>.sys_llseek, (uint)fd, 1, 5, buffer, 0));
        Assert.Equal(0x1_0000_0005, *(long*)buffer);
        Assert.Equal(-Errno.EFAULT, guest.I386(&Syscalls<I386Abi>.sys_llseek, (uint)fd, 0, 0, guest.End, 1));
        guest.Close(fd);
    }

    [Fact]
    public void F_GETFL_shows_O_LARGEFILE_only_where_the_guest_gave_it()
    {
        int small = guest.Open("f", ReadWrite);
        int large = guest.Open("f", ReadWrite | OpenFlags.X86LargeFile);
        Assert.Equal(2, guest.I386(&Syscalls<I386Abi>.sys_fcntl64, (uint)small, FileConstants.F_GETFL));
        Assert.Equal(0x8002, guest.I386(&Syscalls<I386Abi>.sys_fcntl64, (uint)large, FileConstants.F_GETFL));
        Assert.Equal(0x20002, guest.Arm(&Syscalls<ArmAbi>.sys_fcntl64, (uint)large, FileConstants.F_GETFL));
        int copy = guest.I386(&Syscalls<I386Abi>.sys_fcntl64, (uint)small, FileConstants.F_DUPFD, 20);
        Assert.Equal(2, guest.I386(&Syscalls<I386Abi>.sys_fcntl64, (uint)copy, FileConstants.F_GETFL));
        guest.Close(copy);
        guest.Close(small);
        guest.Close(large);
    }

    [Fact]
    public void Seek_offsets_are_signed()
    {
        int fd = guest.Open("f");
        Assert.Equal(100, guest.I386(&Syscalls<I386Abi>.sys_lseek, (uint)fd, 100, 0));
        Assert.Equal(90, guest.I386(&Syscalls<I386Abi>.sys_lseek, (uint)fd, unchecked((uint)-10), 1));
        Assert.Equal(-Errno.EINVAL, guest.I386(&Syscalls<I386Abi>.sys_lseek, (uint)fd, unchecked((uint)-1), 0));
        Assert.Equal(-Errno.EINVAL, guest.I386(&Syscalls<I386Abi>.sys_lseek, (uint)fd, 0, 9));
        Assert.Equal(-Errno.EBADF, guest.I386(&Syscalls<I386Abi>.sys_lseek, 9999, 0, 0));
        guest.Close(fd);
    }

    [Fact]
    public void Vectors_have_the_kernels_limits()
    {
        int fd = guest.Open("f");
        uint data = guest.Room(2048);
        uint vector = guest.Room(1025 * 8);
        for (int i = 0; i < 1025; i++)
        {
            *(byte*)(data + (uint)i) = (byte)(i * 7);
            ((uint*)vector)[2 * i] = data + (uint)i;
            ((uint*)vector)[(2 * i) + 1] = 1;
        }

        Assert.Equal(1024, guest.I386(&Syscalls<I386Abi>.sys_writev, (uint)fd, vector, 1024));
        Assert.Equal(-Errno.EINVAL, guest.I386(&Syscalls<I386Abi>.sys_writev, (uint)fd, vector, 1025));
        Assert.Equal(0, guest.I386(&Syscalls<I386Abi>.sys_writev, (uint)fd, vector, 0));
        byte[] written = File.ReadAllBytes(guest.Path("f"));
        Assert.Equal(1024, written.Length);
        Assert.Equal(unchecked((byte)(1000 * 7)), written[1000]);
        new Span<byte>((void*)data, 1025).Clear();
        Assert.Equal(3, guest.I386(&Syscalls<I386Abi>.sys_preadv, (uint)fd, vector, 3, 1000, 0));
        Assert.Equal(unchecked((byte)(1002 * 7)), *(byte*)(data + 2));
        Assert.Equal(3, guest.Arm(&Syscalls<ArmAbi>.sys_preadv2, (uint)fd, vector, 3, 10, 0, 0));
        Assert.Equal((byte)70, *(byte*)data);
        Assert.Equal(0, guest.I386(&Syscalls<I386Abi>.sys_preadv2, (uint)fd, vector, 3, uint.MaxValue, uint.MaxValue, 0));
        ((uint*)vector)[1] = uint.MaxValue;
        Assert.Equal(-Errno.EINVAL, guest.I386(&Syscalls<I386Abi>.sys_writev, (uint)fd, vector, 1));
        Assert.Equal(-Errno.EFAULT, guest.I386(&Syscalls<I386Abi>.sys_readv, (uint)fd, guest.End, 1));
        Assert.Equal(-Errno.EFAULT, guest.I386(&Syscalls<I386Abi>.sys_readv, (uint)fd, guest.End, 40));
        Assert.Equal(-Errno.EBADF, guest.I386(&Syscalls<I386Abi>.sys_readv, 9999, guest.End, 1));
        Assert.Equal(-Errno.EINVAL, guest.I386(&Syscalls<I386Abi>.sys_preadv, (uint)fd, vector, 1, 0, 0x80000000));
        guest.Close(fd);
    }

    [Fact]
    public void Positions_come_in_halves_and_on_arm_in_even_registers()
    {
        int fd = guest.Open("f");
        uint data = guest.Put((byte)'Q');
        Assert.Equal(1, guest.I386(&Syscalls<I386Abi>.sys_pwrite64, (uint)fd, data, 1, 0x23456789, 1));
        *(byte*)data = 0;
        Assert.Equal(1, guest.Arm(&Syscalls<ArmAbi>.sys_pread64, (uint)fd, data, 1, 0xdead, 0x23456789, 1));
        Assert.Equal((byte)'Q', *(byte*)data);
        Assert.Equal(0, guest.I386(&Syscalls<I386Abi>.sys_ftruncate64, (uint)fd, 5, 2));
        Assert.Equal(0x2_0000_0005, new FileInfo(guest.Path("f")).Length);
        Assert.Equal(0, guest.Arm(&Syscalls<ArmAbi>.sys_ftruncate64, (uint)fd, 0xdead, 7, 1));
        Assert.Equal(0x1_0000_0007, new FileInfo(guest.Path("f")).Length);
        Assert.Equal(0, guest.Arm(&Syscalls<ArmAbi>.sys_truncate64, guest.Text(guest.Path("f")), 0xdead, 9, 0));
        Assert.Equal(9, new FileInfo(guest.Path("f")).Length);
        Assert.Equal(0, guest.I386(&Syscalls<I386Abi>.sys_fallocate, (uint)fd, 0, 0, 1, 4096, 0));
        Assert.Equal(0x1_0000_1000, new FileInfo(guest.Path("f")).Length);
        Assert.Equal(-Errno.EINVAL, guest.I386(&Syscalls<I386Abi>.sys_ftruncate, (uint)fd, unchecked((uint)-1)));
        Assert.Equal(0, guest.I386(&Syscalls<I386Abi>.sys_fadvise64_64, (uint)fd, 0, 1, 0, 1, 4));
        Assert.Equal(-Errno.EINVAL, guest.I386(&Syscalls<I386Abi>.sys_fadvise64_64, (uint)fd, 0, 1, 0, 1, 99));
        Assert.Equal(0, guest.Arm(&Syscalls<ArmAbi>.sys_arm_fadvise64_64, (uint)fd, 4, 0, 1, 0, 1));
        Assert.Equal(-Errno.EINVAL, guest.Arm(&Syscalls<ArmAbi>.sys_arm_fadvise64_64, (uint)fd, 99, 0, 1, 0, 1));
        guest.Close(fd);
    }

    [Fact]
    public void A_lock_that_cannot_be_described_in_32_bits_is_EOVERFLOW()
    {
        int holder = guest.Open("f");
        int other = guest.Open("f");
        // An OFD lock of another description conflicts with our own process's record locks, too.
        byte* wide = stackalloc byte[24];
        new Span<byte>(wide, 24).Clear();
        *(short*)wide = 1;
        *(long*)(wide + 4) = 0x1_0000_0000;
        *(long*)(wide + 12) = 0x10;
        uint at = guest.Room(32);
        User.CopyOut(at, wide, 24);
        Assert.Equal(0, guest.I386(&Syscalls<I386Abi>.sys_fcntl64, (uint)holder, FileConstants.F_OFD_SETLK, at));
        uint narrow = guest.Room(16);
        *(short*)narrow = 0;
        Assert.Equal(-Errno.EOVERFLOW, guest.I386(&Syscalls<I386Abi>.sys_fcntl64, (uint)other, FileConstants.F_GETLK, narrow));
        *(short*)at = 0;
        *(long*)(at + 4) = 0;
        *(long*)(at + 12) = 0;
        Assert.Equal(0, guest.I386(&Syscalls<I386Abi>.sys_fcntl64, (uint)other, FileConstants.F_GETLK64, at));
        Assert.Equal((1, 0x1_0000_0000L, 0x10L), (*(short*)at, *(long*)(at + 4), *(long*)(at + 12)));
        Assert.Equal(-Errno.EINVAL, guest.Arm(&Syscalls<ArmAbi>.sys_fcntl, (uint)other, FileConstants.F_GETLK64, at));
        Assert.Equal(-Errno.EFAULT, guest.I386(&Syscalls<I386Abi>.sys_fcntl64, (uint)other, FileConstants.F_GETLK, guest.End - 8));
        Assert.Equal(-Errno.EBADF, guest.I386(&Syscalls<I386Abi>.sys_fcntl64, 9999, FileConstants.F_GETLK, guest.End - 8));
        guest.Close(holder);
        guest.Close(other);
    }

    [Fact]
    public void Equal_descriptors_in_dup2_are_only_checked()
    {
        int fd = guest.Open("f");
        Assert.Equal(fd, guest.I386(&Syscalls<I386Abi>.sys_dup2, (uint)fd, (uint)fd));
        Assert.Equal(-Errno.EBADF, guest.I386(&Syscalls<I386Abi>.sys_dup2, 9999, 9999));
        Assert.Equal(-Errno.EINVAL, guest.I386(&Syscalls<I386Abi>.sys_dup3, (uint)fd, (uint)fd, 0));
        guest.Close(fd);
    }

    [Theory]
    [InlineData(64)]
    [InlineData(96)]
    [InlineData(5)]
    [InlineData(4001)]
    public void Select_touches_no_word_beyond_its_sets(int n)
    {
        int fd = guest.Open("f");
        int length = (n + 31) / 32 * 4;
        // The set ends where guest memory ends: reading or writing one word more would be EFAULT.
        uint set = guest.End - (uint)length;
        if (fd < n)
        {
            ((byte*)set)[fd / 8] = (byte)(1 << (fd % 8));
        }

        uint time = guest.Put(0L);
        int expected = fd < n ? 1 : 0;
        Assert.Equal(expected, guest.I386(&Syscalls<I386Abi>.sys_newselect, (uint)n, set, 0, 0, time));
        uint arguments = guest.Room(20);
        ((uint*)arguments)[0] = (uint)n;
        ((uint*)arguments)[1] = set;
        ((uint*)arguments)[4] = time;
        Assert.Equal(expected, guest.I386(&Syscalls<I386Abi>.sys_select, arguments));
        Assert.Equal(expected, guest.Arm(&Syscalls<ArmAbi>.sys_pselect6_time64, (uint)n, set, 0, 0, guest.Put((0L, 0L)), 0));
        guest.Close(fd);
    }

    [Fact]
    public void Time_limits_are_checked_and_padding_is_not()
    {
        uint time = guest.Put((0L, 0x5555555500000000L));
        Assert.Equal(0, guest.I386(&Syscalls<I386Abi>.sys_ppoll_time64, 0, 0, time, 0, 8));
        Assert.Equal(-Errno.EINVAL, guest.I386(&Syscalls<I386Abi>.sys_ppoll, 0, 0, guest.Put((0, 1000000000)), 0, 8));
        Assert.Equal(-Errno.EINVAL, guest.I386(&Syscalls<I386Abi>.sys_ppoll, 0, 0, guest.Put((-1, 0)), 0, 8));
        Assert.Equal(-Errno.EFAULT, guest.I386(&Syscalls<I386Abi>.sys_ppoll, 0, 0, guest.End, 0, 8));
        Assert.Equal(-Errno.EINVAL, guest.I386(&Syscalls<I386Abi>.sys_newselect, 0, 0, 0, 0, guest.Put((0, -1))));
        int fd = guest.Open("f");
        uint poll = guest.Put((fd, 1));
        Assert.Equal(1, guest.I386(&Syscalls<I386Abi>.sys_poll, poll, 1, unchecked((uint)-1)));
        guest.Close(fd);
    }

    [Fact]
    public void File_times_of_either_width()
    {
        guest.Close(guest.Open("f"));
        string path = guest.Path("f");
        uint name = guest.Text(path);
        uint at = unchecked((uint)FileConstants.AT_FDCWD);
        Assert.Equal(0, guest.I386(&Syscalls<I386Abi>.sys_utimensat, at, name, guest.Put((1, 2, 1000000000, 500000000)), 0));
        Assert.Equal(DateTime.UnixEpoch.AddSeconds(1000000000.5), File.GetLastWriteTimeUtc(path));
        Assert.Equal(0, guest.I386(&Syscalls<I386Abi>.sys_utimensat_time64, at, name, guest.Put((1L, 2L, 0x1_0000_0000L, 0x7777777700000000L)), 0));
        Assert.Equal(DateTime.UnixEpoch.AddSeconds(0x1_0000_0000), File.GetLastWriteTimeUtc(path));
        Assert.Equal(0, guest.I386(&Syscalls<I386Abi>.sys_utime, name, guest.Put((5, 7))));
        Assert.Equal(DateTime.UnixEpoch.AddSeconds(7), File.GetLastWriteTimeUtc(path));
        Assert.Equal(-Errno.EINVAL, guest.I386(&Syscalls<I386Abi>.sys_utimes, name, guest.Put((5, 1000000, 7, 0))));
        Assert.Equal(-Errno.EFAULT, guest.I386(&Syscalls<I386Abi>.sys_utimes, name, guest.End - 8));
    }

    [Fact]
    public void Sendfile_stops_at_2_GiB()
    {
        int from = guest.Open("from");
        int to = guest.Open("to");
        Assert.Equal(0, guest.I386(&Syscalls<I386Abi>.sys_ftruncate64, (uint)from, 0, 1));
        uint offset = guest.Put(0x7ffffffe);
        Assert.Equal(1, guest.I386(&Syscalls<I386Abi>.sys_sendfile, (uint)to, (uint)from, offset, 100));
        Assert.Equal(0x7fffffff, *(int*)offset);
        Assert.Equal(-Errno.EOVERFLOW, guest.I386(&Syscalls<I386Abi>.sys_sendfile, (uint)to, (uint)from, offset, 100));
        Assert.Equal(-Errno.EBADF, guest.I386(&Syscalls<I386Abi>.sys_sendfile, (uint)to, 9999, offset, 100));
        Assert.Equal(-Errno.EFAULT, guest.I386(&Syscalls<I386Abi>.sys_sendfile, (uint)to, (uint)from, guest.End, 100));
        guest.Close(from);
        guest.Close(to);
    }

    [Fact]
    public void Statfs64_checks_its_size_first()
    {
        uint root = guest.Text("/");
        uint buffer = guest.Room(88);
        Assert.Equal(0, guest.I386(&Syscalls<I386Abi>.sys_statfs64, root, 84, buffer));
        Assert.Equal(-Errno.EINVAL, guest.I386(&Syscalls<I386Abi>.sys_statfs64, root, 88, buffer));
        Assert.Equal(0, guest.Arm(&Syscalls<ArmAbi>.sys_statfs64, root, 88, buffer));
        Assert.Equal(-Errno.EINVAL, guest.I386(&Syscalls<I386Abi>.sys_fstatfs64, 9999, 1, buffer));
        Assert.Equal(-Errno.EFAULT, guest.I386(&Syscalls<I386Abi>.sys_statfs64, root, 84, guest.End));
    }

    [Fact]
    public void The_program_is_what_proc_self_exe_names()
    {
        int program = (int)Host.Syscall(Nr.openat, FileConstants.AT_FDCWD, guest.Text("/bin/true"), 0, 0);
        Assert.True(HiddenFiles.Adopt(guest.T->Files, HiddenFile.Program, program) > 0);
        string expected = File.ResolveLinkTarget("/bin/true", true)?.FullName ?? "/bin/true";
        string real = Encoding.UTF8.GetString(ReadLink($"/proc/{Environment.ProcessId}/exe"));
        Assert.EndsWith(Path.GetFileName(expected), real, StringComparison.Ordinal);
        Assert.Equal(real, Encoding.UTF8.GetString(ReadLink("/proc/self/exe")));
        Assert.Equal(real, Encoding.UTF8.GetString(ReadLink("/proc//self/./exe")));
        Assert.Equal(real, Encoding.UTF8.GetString(ReadLink($"/proc/self/task/{Environment.ProcessId}/exe")));
        uint st = guest.Room(96);
        Assert.Equal(0, guest.I386(&Syscalls<I386Abi>.sys_stat64, guest.Text("/proc/self/exe"), st));
        Assert.Equal(new FileInfo(real).Length, *(long*)(st + 44));
        int directory = guest.I386(&Syscalls<I386Abi>.sys_open, guest.Text("/proc/self"), OpenFlags.X86Directory | OpenFlags.X86LargeFile);
        uint buffer = guest.Room(256);
        int length = guest.I386(&Syscalls<I386Abi>.sys_readlinkat, (uint)directory, guest.Text("exe"), buffer, 256);
        Assert.Equal(real, Encoding.UTF8.GetString((byte*)buffer, length));
        int file = guest.I386(&Syscalls<I386Abi>.sys_openat, (uint)directory, guest.Text("exe"), OpenFlags.X86LargeFile);
        Assert.True(file >= 0);
        guest.Close(file);
        guest.Close(directory);
        int init = ReadLink("/proc/1/exe").Length;
        Assert.True(init == 0 || Encoding.UTF8.GetString(ReadLink("/proc/1/exe")) != real);
    }

    private byte[] ReadLink(string path)
    {
        uint buffer = guest.Room(256);
        int length = guest.I386(&Syscalls<I386Abi>.sys_readlink, guest.Text(path), buffer, 256);
        return length < 0 ? [] : new Span<byte>((void*)buffer, length).ToArray();
    }

    [Fact]
    public void Our_own_descriptors_are_not_listed()
    {
        int fd = guest.Open("f");
        int ours = HiddenFiles.AdoptCopy(guest.T->Files, HiddenFile.Trace, fd);
        int directory = guest.I386(&Syscalls<I386Abi>.sys_open, guest.Text("/proc/self/fd"), OpenFlags.X86Directory | OpenFlags.X86LargeFile);
        uint buffer = guest.Room(32768);
        int length = guest.I386(&Syscalls<I386Abi>.sys_getdents64, (uint)directory, buffer, 32768);
        bool seenFile = false;
        for (int at = 0; at < length;)
        {
            byte* record = (byte*)buffer + at;
            string name = new((sbyte*)record + 19);
            Assert.NotEqual(ours.ToString(System.Globalization.CultureInfo.InvariantCulture), name);
            seenFile |= name == fd.ToString(System.Globalization.CultureInfo.InvariantCulture);
            at += *(ushort*)(record + 16);
        }

        Assert.True(seenFile);
        Assert.Equal(-Errno.ENOENT, guest.I386(&Syscalls<I386Abi>.sys_readlink, guest.Text($"/proc/self/fd/{ours}"), buffer, 256));
        Assert.True(guest.I386(&Syscalls<I386Abi>.sys_readlink, guest.Text($"/proc/self/fd/{fd}"), buffer, 256) > 0);
        guest.Close(directory);
        guest.Close(fd);
    }
}
