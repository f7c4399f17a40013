using System.Text;
using Lodge.Shim;
using Xunit;

namespace Lodge.UnitTests.Files;

/// <summary>Names and texts of /proc.</summary>
public sealed unsafe class ProcTests
{
    [Theory]
    [InlineData("/proc/self/exe", ProcFile.Exe, 0, 0)]
    [InlineData("//proc//thread-self/./maps", ProcFile.Maps, 0, 0)]
    [InlineData("/proc/123/task/456/status", ProcFile.Status, 123, 456)]
    [InlineData("/proc/cpuinfo", ProcFile.CpuInfo, 0, 0)]
    [InlineData("/proc/self/fd/12", ProcFile.HiddenDescriptor, 0, 0)]
    [InlineData("/proc/self/fdinfo/12", ProcFile.HiddenDescriptor, 0, 0)]
    public void Known_names(string path, ProcFile file, int process, int task)
    {
        fixed (byte* text = Encoding.UTF8.GetBytes(path + "\0"))
        {
            ProcName name = default;
            Assert.True(name.Parse(text));
            Assert.Equal((file, process, task), (name.File, name.Number, name.TaskNumber));
        }
    }

    [Theory]
    [InlineData("/proc/self/exe/x")]
    [InlineData("/proc/self/exec")]
    [InlineData("/proc/self")]
    [InlineData("/proc/12a/exe")]
    [InlineData("/proc/0123/exe")]
    [InlineData("/proc/99999999999/exe")]
    [InlineData("/proc/stat")]
    [InlineData("/sys/self/exe")]
    [InlineData("/proc/self/fd/abc")]
    [InlineData("/proc/../proc/self/exe")]
    public void Names_that_are_the_hosts(string path)
    {
        fixed (byte* text = Encoding.UTF8.GetBytes(path + "\0"))
        {
            ProcName name = default;
            Assert.False(name.Parse(text));
        }
    }

    private delegate void Rewriter(byte* text, long length, ref ProcWriter writer);

    private static string Rewrite(string text, Rewriter rewriter)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        byte[] output = new byte[4096];
        fixed (byte* from = bytes)
        fixed (byte* to = output)
        {
            ProcWriter writer = new(to, output.Length);
            rewriter(from, bytes.Length, ref writer);
            return Encoding.UTF8.GetString(to, (int)writer.Length);
        }
    }

    private static readonly MemoryFigures Figures = new() { Total = 2 << 20, Data = 1 << 20, Stack = 132 << 10, Executable = 300 << 10, Text = 100 << 10 };

    private static readonly SignalFigures Signals = new() { Known = 0x4d8, Ignored = 0x10, Caught = 0x400, Blocked = 5, HasBlocked = true };

    [Fact]
    public void Status_shows_guest_memory()
        => Assert.Equal(
            "Name:\tbash\nVmPeak:\t    2048 kB\nVmSize:\t    2048 kB\nVmLck:\t       0 kB\nVmData:\t    1024 kB\nVmStk:\t     132 kB\nVmExe:\t     100 kB\nVmLib:\t     200 kB\nSigBlk:\t0000000000000005\nSigIgn:\t0000000000001010\nSigCgt:\t0000000180000400\nThreads:\t1\n",
            Rewrite(
                "Name:\tbash\nVmPeak:\t 4198400 kB\nVmSize:\t 4198400 kB\nVmLck:\t       0 kB\nVmData:\t18069644 kB\nVmStk:\t     140 kB\nVmExe:\t     440 kB\nVmLib:\t       8 kB\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000001008\nSigCgt:\t00000001800004d8\nThreads:\t1\n",
                (byte* text, long length, ref ProcWriter writer) => ProcRewrite.Status(text, length, in Figures, in Signals, ref writer)));

    [Fact]
    public void Stat_finds_its_field_behind_any_command_name()
        => Assert.Equal(
            "12 (a) b 3) S 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 2097152 24 25\n",
            Rewrite(
                "12 (a) b 3) S 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 4299161600 24 25\n",
                (byte* text, long length, ref ProcWriter writer) => ProcRewrite.Stat(text, length, in Figures, ref writer)));

    [Fact]
    public void Statm_counts_pages()
        => Assert.Equal(
            "512 100 50 25 0 289 0\n",
            Rewrite("1049600 100 50 1 0 30 0\n", (byte* text, long length, ref ProcWriter writer) => ProcRewrite.Statm(text, length, in Figures, ref writer)));

    [Fact]
    public void Cpuinfo_offers_only_what_translated_code_has()
        => Assert.Equal(
            "processor\t: 0\nflags\t\t: fpu sse2 avx2 bmi2\nbugs\t\t: spectre_v1\n",
            Rewrite(
                "processor\t: 0\nflags\t\t: fpu sse2 avx2 avx512f avx512_vnni bmi2 amx_tile\nbugs\t\t: spectre_v1\n",
                (byte* text, long length, ref ProcWriter writer) => ProcRewrite.CpuInfo(text, length, 0, ref writer)));

    [Fact]
    public void Numbers_of_the_writer()
    {
        byte* buffer = stackalloc byte[64];
        ProcWriter writer = new(buffer, 64);
        writer.Hex(0xbeef, 8);
        writer.Byte((byte)' ');
        writer.Decimal(ulong.MaxValue);
        writer.Byte((byte)' ');
        writer.Signed(-42);
        writer.Decimal(7, 3);
        Assert.Equal("0000beef 18446744073709551615 -42  7", Encoding.ASCII.GetString(buffer, (int)writer.Length));
    }
}
