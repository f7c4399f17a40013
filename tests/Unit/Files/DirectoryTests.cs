using System;
using System.Collections.Generic;
using System.IO;
using System.Text;
using Lodge.Abi;
using Lodge.Shim;
using Xunit;

namespace Lodge.UnitTests.Files;

/// <summary>Directories read by 32-bit programs: positions, inode numbers, small buffers, seeking.</summary>
public sealed unsafe class DirectoryTests : IDisposable
{
    private const int Files = 400;
    private const int BufferSize = 4096;
    private readonly GuestCalls guest = new();
    private readonly int fd;
    private readonly uint buffer;

    public DirectoryTests()
    {
        string folder = guest.Path("many");
        Directory.CreateDirectory(folder);
        for (int i = 0; i < Files; i++)
        {
            File.WriteAllBytes(Path.Combine(folder, $"file_with_a_longish_name_{i}"), []);
        }

        fd = guest.I386(&Syscalls<I386Abi>.sys_open, guest.Text(folder), OpenFlags.X86Directory | OpenFlags.X86LargeFile);
        Assert.True(fd >= 0);
        buffer = guest.Room(BufferSize);
    }

    public void Dispose()
    {
        guest.Close(fd);
        guest.Dispose();
    }

    private sealed record Entry(string Name, long Position, byte Type);

    private List<Entry> Read64(int count, out int length)
    {
        length = guest.I386(&Syscalls<I386Abi>.sys_getdents64, (uint)fd, buffer, (uint)count);
        List<Entry> entries = [];
        for (int at = 0; at < length;)
        {
            byte* record = (byte*)buffer + at;
            entries.Add(new(NameAt(record + 19), *(long*)(record + 8), record[18]));
            at += *(ushort*)(record + 16);
        }

        return entries;
    }

    private List<Entry> Read32(int count, out int length)
    {
        length = guest.I386(&Syscalls<I386Abi>.sys_getdents, (uint)fd, buffer, (uint)count);
        List<Entry> entries = [];
        for (int at = 0; at < length;)
        {
            byte* record = (byte*)buffer + at;
            int size = *(ushort*)(record + 8);
            entries.Add(new(NameAt(record + 10), *(uint*)(record + 4), record[size - 1]));
            at += size;
        }

        return entries;
    }

    private static string NameAt(byte* name)
    {
        int length = 0;
        while (name[length] != 0)
        {
            length++;
        }

        return Encoding.UTF8.GetString(name, length);
    }

    private int Seek(long offset, uint whence) => guest.I386(&Syscalls<I386Abi>.sys_lseek, (uint)fd, (uint)offset, whence);

    private List<Entry> All(Func<(List<Entry> Entries, int Length)> read)
    {
        List<Entry> all = [];
        while (true)
        {
            (List<Entry> entries, int length) = read();
            Assert.True(length >= 0, $"result {length}");
            if (length == 0)
            {
                return all;
            }

            all.AddRange(entries);
        }
    }

    [Fact]
    public void Every_position_fits_31_bits_and_leads_back()
    {
        List<Entry> all = All(() => (Read64(BufferSize, out int length), length));
        Assert.Equal(Files + 2, all.Count);
        Assert.All(all, e => Assert.InRange(e.Position, 0, int.MaxValue));
        for (int i = all.Count - 2; i >= 0; i -= 97)
        {
            Assert.Equal(all[i].Position, Seek(all[i].Position, 0));
            Assert.Equal(all[i].Position, Seek(0, 1));
            Assert.Equal(all[i + 1].Name, Read64(BufferSize, out _)[0].Name);
        }
    }

    [Fact]
    public void Old_getdents_lists_the_same_at_the_same_positions()
    {
        List<Entry> wide = All(() => (Read64(BufferSize, out int length), length));
        Seek(0, 0);
        List<Entry> narrow = All(() => (Read32(BufferSize, out int length), length));
        Assert.Equal(wide, narrow);
    }

    [Theory]
    [InlineData(48)]
    [InlineData(100)]
    [InlineData(300)]
    public void Small_buffers_lose_nothing(int count)
    {
        List<Entry> wide = All(() => (Read64(BufferSize, out int length), length));
        Seek(0, 0);
        Assert.Equal(wide, All(() => (Read32(count, out int length), length)));
    }

    [Fact]
    public void A_buffer_too_small_for_the_entry_is_EINVAL_and_loses_nothing()
    {
        Read32(8, out int length);
        Assert.Equal(-Errno.EINVAL, length);
        Assert.Equal(Files + 2, All(() => (Read32(BufferSize, out int some), some)).Count);
    }

    [Fact]
    public void Readdir_gives_one_entry_a_call()
    {
        List<Entry> all = All(() => (Read64(BufferSize, out int length), length));
        Seek(0, 0);
        List<string> names = [];
        while (true)
        {
            int result = guest.I386(&Syscalls<I386Abi>.sys_readdir, (uint)fd, buffer, 1);
            if (result == 0)
            {
                break;
            }

            Assert.Equal(1, result);
            string name = NameAt((byte*)buffer + 10);
            Assert.Equal(name.Length, *(ushort*)(buffer + 8));
            names.Add(name);
        }

        Assert.Equal(all.ConvertAll(e => e.Name), names);
    }

    [Fact]
    public void The_end_is_a_position_too()
    {
        List<Entry> first = Read64(BufferSize, out _);
        int end = Seek(0, 2);
        Assert.True(end > 0);
        Assert.Equal(end, Seek(0, 1));
        Assert.Empty(Read64(BufferSize, out _));
        Assert.Equal(0, Seek(0, 0));
        Assert.Equal(first, Read64(BufferSize, out _));
    }

    [Fact]
    public void A_descriptor_that_was_never_read_here_can_be_sought()
    {
        List<Entry> all = All(() => (Read64(BufferSize, out int length), length));
        // A new record knows nothing about the descriptor, as behind execve.
        *guest.T->Files = default;
        Assert.Equal(all[15].Position, Seek(all[15].Position, 0));
        Assert.Equal(all[16].Name, Read64(BufferSize, out _)[0].Name);
    }

    [Fact]
    public void Bad_memory_and_bad_descriptors()
    {
        Assert.Equal(-Errno.EFAULT, guest.I386(&Syscalls<I386Abi>.sys_getdents64, (uint)fd, guest.End, 4096));
        Assert.Equal(-Errno.EFAULT, guest.I386(&Syscalls<I386Abi>.sys_getdents, (uint)fd, guest.End, 4096));
        Assert.Equal(-Errno.EBADF, guest.I386(&Syscalls<I386Abi>.sys_getdents, 9999, buffer, 4096));
        int file = guest.Open("plain");
        Assert.Equal(-Errno.ENOTDIR, guest.I386(&Syscalls<I386Abi>.sys_getdents, (uint)file, buffer, 4096));
        guest.Close(file);
    }

    [Fact]
    public void Hash_positions_convert_as_the_file_system_does()
    {
        Assert.Equal(0u, DirectoryPositions.NarrowHash(0));
        Assert.Equal(1u, DirectoryPositions.NarrowHash(0x1_0000_0000));
        Assert.Equal(0x12345678u, DirectoryPositions.NarrowHash(0x1234567889abcdef));
        Assert.Equal(0x7fffffffu, DirectoryPositions.NarrowHash(long.MaxValue));
        Assert.Equal(long.MaxValue, DirectoryPositions.WidenHash(0x7fffffff));
        Assert.Equal(0x1234567800000000, DirectoryPositions.WidenHash(0x12345678));
    }

    [Fact]
    public void Wide_positions_of_other_file_systems_get_cookies()
    {
        FilesStruct* files = guest.T->Files;
        Dictionary<uint, long> given = [];
        Random random = new(1);
        for (int i = 0; i < 5000; i++)
        {
            long position = random.NextInt64(0x40000000, long.MaxValue);
            uint cookie = DirectoryPositions.Narrow(files, DescriptorKind.Directory, position);
            Assert.InRange<long>(cookie, DirectoryCookies.First, int.MaxValue);
            Assert.Equal(cookie, DirectoryPositions.Narrow(files, DescriptorKind.Directory, position));
            given[cookie] = position;
        }

        Assert.Equal(5000, given.Count);
        foreach ((uint cookie, long position) in given)
        {
            Assert.Equal(position, DirectoryPositions.Widen(files, DescriptorKind.Directory, cookie));
        }

        Assert.Equal(77u, DirectoryPositions.Narrow(files, DescriptorKind.Directory, 77));
        Assert.Equal(77, DirectoryPositions.Widen(files, DescriptorKind.Directory, 77));
    }

    [Fact]
    public void An_inode_number_beyond_32_bits_is_EOVERFLOW_in_the_old_record()
    {
        byte* from = stackalloc byte[32];
        byte* to = stackalloc byte[32];
        *(ulong*)from = 0x1_0000_0000;
        *(ushort*)(from + 16) = 24;
        from[19] = (byte)'a';
        from[15] = 0;
        Assert.Equal(-Errno.EOVERFLOW, Syscalls<I386Abi>.CompatRecord(from, 0, to));
        *(ulong*)from = 0xffffffff;
        Assert.Equal(16, Syscalls<I386Abi>.CompatRecord(from, 0, to));
    }
}
