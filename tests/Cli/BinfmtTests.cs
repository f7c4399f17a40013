using System;
using System.Linq;
using Lodge.Cli.Binfmt;
using Xunit;

namespace Lodge.CliTests;

public sealed class BinfmtTests
{
    private static readonly BinfmtFormat s_i386 = BinfmtFormat.Find("i386")!, s_arm = BinfmtFormat.Find("arm")!;

    // An ELF header's first 20 bytes: class, data, version, OS ABI, padding, type, machine.
    private static byte[] Header(byte type, ushort machine, byte osAbi = 0, byte padding = 0)
        => [0x7f, (byte)'E', (byte)'L', (byte)'F', 1, 1, 1, osAbi, padding, 0, 0, 0, 0, 0, 0, 0, type, 0, (byte)machine, (byte)(machine >> 8)];

    // As load_binary of fs/binfmt_misc.c compares.
    private static bool Matches(BinfmtFormat format, byte[] header)
        => format.Magic.Zip(format.Mask, header).All(bytes => ((bytes.First ^ bytes.Third) & bytes.Second) == 0);

    [Theory]
    [InlineData(2, 3, 0, 0, true, false)]
    [InlineData(3, 3, 3, 0, true, false)]
    [InlineData(2, 40, 0, 0, false, true)]
    [InlineData(3, 40, 97, 0, false, true)]
    [InlineData(1, 3, 0, 0, false, false)]
    [InlineData(4, 3, 0, 0, false, false)]
    [InlineData(2, 62, 0, 0, false, false)]
    [InlineData(2, 0x103, 0, 0, false, false)]
    [InlineData(2, 3, 0, 1, false, false)]
    [InlineData(2, 3, 0, 0, true, false, 2, 2)]
    public void Programs_are_recognised(byte type, ushort machine, byte osAbi, byte padding, bool i386, bool arm, byte elfClass = 1,
        byte byteOrder = 1)
    {
        byte[] header = Header(type, machine, osAbi, padding);
        (header[4], header[5]) = (elfClass, byteOrder);
        Assert.Equal((i386, arm), (Matches(s_i386, header), Matches(s_arm, header)));
    }

    [Fact]
    public void The_line_is_what_the_kernel_reads()
    {
        string[] fields = s_i386.Line("/usr/bin/lodge-shim", BinfmtFormat.Flags).Split(':');
        Assert.Equal(["", "lodge-i386", "M", ""], fields[..4]);
        Assert.Equal(["/usr/bin/lodge-shim", "POCF"], fields[6..]);
        Assert.Equal(s_i386.Magic, Convert.FromHexString(fields[4].Replace("\\x", "", StringComparison.Ordinal)));
        Assert.Equal(s_i386.Mask, Convert.FromHexString(fields[5].Replace("\\x", "", StringComparison.Ordinal)));
    }

    [Fact]
    public void Entries_are_read()
    {
        BinfmtEntry entry = BinfmtEntry.Parse("qemu-i386",
            ["enabled", "interpreter /usr/bin/qemu-i386-static", "flags: OCF", "offset 0", "magic 7f454c4601010100000000000000000002000300",
                "mask fffffffffffefe00fffffffffffffffffeffffff"])!;
        Assert.Equal(("/usr/bin/qemu-i386-static", "OCF", true, 0), (entry.Interpreter, entry.Flags, entry.Enabled, entry.Offset));
        Assert.True(s_i386.IsTakenBy(entry.Magic, entry.Mask));
        Assert.False(s_arm.IsTakenBy(entry.Magic, entry.Mask));
    }

    [Fact]
    public void Entries_by_extension_are_left_out()
        => Assert.Null(BinfmtEntry.Parse("jar", ["enabled", "interpreter /usr/bin/java", "flags: ", "extension .jar"]));

    [Fact]
    public void A_disabled_entry_is_seen_as_such()
        => Assert.False(BinfmtEntry.Parse("x", ["disabled", "interpreter /x", "flags: ", "offset 0", "magic 7f454c46"])!.Enabled);

    [Fact]
    public void The_probe_is_a_program_that_no_entry_takes()
    {
        foreach (BinfmtFormat format in BinfmtFormat.All)
        {
            byte[] probe = NativeSupport.Program(format);
            Assert.Equal(format.Machine, BitConverter.ToUInt16(probe, 18));
            Assert.False(Matches(format, probe[..20]));

            // The entry point is the first byte behind the headers, inside the one segment.
            uint entry = BitConverter.ToUInt32(probe, 24), segment = BitConverter.ToUInt32(probe, 52 + 8),
                size = BitConverter.ToUInt32(probe, 52 + 16);
            Assert.Equal(segment + 84, entry);
            Assert.Equal((uint)probe.Length, size);
        }
    }
}
