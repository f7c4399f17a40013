using Lodge.Abi;
using Lodge.Shim;
using Xunit;
using Host32 = Lodge.Abi.Compat;
using HostAbi = Lodge.Abi.Host;

namespace Lodge.UnitTests.Files;

/// <summary>Conversions of attributes, locks and flags: members at their places, and what the kernel's compat layer refuses.</summary>
public sealed unsafe class LayoutTests
{
    private static HostAbi.stat Sample()
    {
        HostAbi.stat st = default;
        st.st_dev = 0x801;
        st.st_ino = 0x12345678;
        st.st_nlink = 3;
        st.st_mode = 0x81a4;
        st.st_uid = 70000;
        st.st_gid = 100;
        st.st_rdev = 0x12300045;
        st.st_size = 0x7fffffff;
        st.st_blksize = 4096;
        st.st_blocks = 0x1_0000_0001;
        st.st_atime = 0x11111111;
        st.st_mtime = 0x22222222;
        st.st_ctime = 0x33333333;
        st.st_mtime_nsec = 999999999;
        return st;
    }

    [Fact]
    public void Stat_has_the_guests_layout()
    {
        HostAbi.stat st = Sample();
        Assert.Equal(0, StatLayout.ToStat(in st, out Host32.stat guest));
        byte* b = (byte*)&guest;
        Assert.Equal(64, sizeof(Host32.stat));
        Assert.Equal(0x801u, *(uint*)b);
        Assert.Equal(0x12345678u, *(uint*)(b + 4));
        Assert.Equal(0x81a4, *(ushort*)(b + 8));
        Assert.Equal(3, *(ushort*)(b + 10));
        Assert.Equal(StatLayout.OverflowId, *(ushort*)(b + 12));
        Assert.Equal(100, *(ushort*)(b + 14));
        Assert.Equal(0x7fffffffu, *(uint*)(b + 20));
        Assert.Equal(1u, *(uint*)(b + 28));
        Assert.Equal(0x22222222u, *(uint*)(b + 40));
        Assert.Equal(999999999u, *(uint*)(b + 44));
    }

    [Fact]
    public void Stat_refuses_what_does_not_fit()
    {
        HostAbi.stat st = Sample();
        st.st_size = 0x80000000;
        Assert.Equal(-Errno.EOVERFLOW, StatLayout.ToStat(in st, out _));
        st = Sample();
        st.st_ino = 0x1_0000_0000;
        Assert.Equal(-Errno.EOVERFLOW, StatLayout.ToStat(in st, out _));
        st = Sample();
        st.st_nlink = 65536;
        Assert.Equal(-Errno.EOVERFLOW, StatLayout.ToStat(in st, out _));
    }

    [Fact]
    public void Old_stat_cuts_the_size_and_refuses_wide_inodes()
    {
        HostAbi.stat st = Sample();
        Assert.Equal(-Errno.EOVERFLOW, StatLayout.ToOldStat(in st, out _));
        st.st_ino = 65535;
        st.st_size = 0x1_2345_6789;
        Assert.Equal(0, StatLayout.ToOldStat(in st, out Lodge.Abi.I386.__old_kernel_stat guest));
        Assert.Equal(32, sizeof(Lodge.Abi.I386.__old_kernel_stat));
        Assert.Equal(0x23456789u, *(uint*)((byte*)&guest + 16));
        // Major 3, minor 0x12345: eight bits of each are kept.
        Assert.Equal((ushort)0x45, (ushort)(guest.st_rdev & 0xff));
    }

    [Fact]
    public void Stat64_differs_between_the_guests_by_alignment_only()
    {
        HostAbi.stat st = Sample();
        st.st_ino = 0x9_8765_4321;
        st.st_size = 0x1_0000_0005;
        StatLayout.ToStat64(in st, out Lodge.Abi.I386.stat64 i386);
        StatLayout.ToStat64(in st, out Lodge.Abi.Arm.stat64 arm);
        Assert.Equal(96, sizeof(Lodge.Abi.I386.stat64));
        Assert.Equal(104, sizeof(Lodge.Abi.Arm.stat64));
        byte* a = (byte*)&i386;
        byte* b = (byte*)&arm;
        Assert.Equal(0x87654321u, *(uint*)(a + 12));
        Assert.Equal(70000u, *(uint*)(a + 24));
        Assert.Equal(0x1_0000_0005, *(long*)(a + 44));
        Assert.Equal(0x1_0000_0001, *(long*)(a + 56));
        Assert.Equal(0x9_8765_4321UL, *(ulong*)(a + 88));
        Assert.Equal(0x1_0000_0005, *(long*)(b + 48));
        Assert.Equal(0x1_0000_0001, *(long*)(b + 64));
        Assert.Equal(0x9_8765_4321UL, *(ulong*)(b + 96));
    }

    [Fact]
    public void Statfs_lets_unknown_file_counts_through()
    {
        HostAbi.statfs fs = default;
        fs.f_blocks = 0x1_0000_0000;
        Assert.Equal(-Errno.EOVERFLOW, StatLayout.ToStatfs(in fs, out _));
        Assert.Equal(0, StatLayout.ToStatfs64(in fs, out Host32.statfs64 wide));
        Assert.Equal(84, sizeof(Host32.statfs64));
        Assert.Equal(0x1_0000_0000UL, wide.f_blocks);
        fs.f_blocks = 5;
        fs.f_files = -1;
        fs.f_ffree = -1;
        Assert.Equal(0, StatLayout.ToStatfs(in fs, out Host32.statfs narrow));
        Assert.Equal(uint.MaxValue, narrow.f_files);
        fs.f_files = 0x1_0000_0000;
        Assert.Equal(-Errno.EOVERFLOW, StatLayout.ToStatfs(in fs, out _));
        fs.f_files = 1;
        fs.f_bsize = 0x1_0000_0000;
        Assert.Equal(-Errno.EOVERFLOW, StatLayout.ToStatfs64(in fs, out _));
    }

    [Fact]
    public void Locks_keep_sign_and_place()
    {
        Host32.flock guest = default;
        guest.l_type = 1;
        guest.l_whence = 2;
        guest.l_start = -5;
        guest.l_len = -1;
        FlockLayout.ToHost(in guest, out HostAbi.flock host);
        Assert.Equal((-5L, -1L), (host.l_start, host.l_len));
        Lodge.Abi.I386.flock64 wide = default;
        *(long*)((byte*)&wide + 4) = 0x1_0000_0000;
        *(long*)((byte*)&wide + 12) = 0x2_0000_0000;
        FlockLayout.ToHost(in wide, out host);
        Assert.Equal((0x1_0000_0000L, 0x2_0000_0000L), (host.l_start, host.l_len));
        Assert.Equal((24, 32), (sizeof(Lodge.Abi.I386.flock64), sizeof(Lodge.Abi.Arm.flock64)));
    }

    [Fact]
    public void A_lock_found_beyond_2_GiB_is_cut_or_refused()
    {
        HostAbi.flock host = default;
        host.l_len = 0x1_0000_0000;
        Assert.Equal(0, FlockLayout.Fit(ref host));
        Assert.Equal(FileConstants.MAX_NON_LFS, host.l_len);
        host.l_start = 0x80000000;
        Assert.Equal(-Errno.EOVERFLOW, FlockLayout.Fit(ref host));
    }

    [Fact]
    public void Open_flags_are_renumbered_across_families_without_loss()
    {
        for (int bit = 0; bit < 32; bit++)
        {
            uint flag = 1u << bit;
            Assert.Equal(flag, OpenFlags.ArmToX86(OpenFlags.X86ToArm(flag)));
        }

        Assert.Equal(OpenFlags.ArmDirectory, OpenFlags.X86ToArm(OpenFlags.X86Directory));
        Assert.Equal(OpenFlags.X86NoFollow | FileConstants.O_CLOEXEC, OpenFlags.ArmToX86(OpenFlags.ArmNoFollow | FileConstants.O_CLOEXEC));
        Assert.Equal(OpenFlags.X86LargeFile, OpenFlags.ToHost<ArmAbi>(OpenFlags.ArmLargeFile));
        Assert.Equal(OpenFlags.X86LargeFile, OpenFlags.ToHost<I386Abi>(OpenFlags.X86LargeFile));
    }

    [Fact]
    public void Sixteen_bit_ids_keep_the_meaning_of_minus_one()
    {
        Assert.Equal(uint.MaxValue, StatLayout.Id32(0xffff));
        Assert.Equal(65534u, StatLayout.Id32(65534));
        Assert.Equal(StatLayout.OverflowId, StatLayout.Id16(65536));
        Assert.Equal(65535, StatLayout.Id16(65535));
    }
}
