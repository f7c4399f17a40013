using System;
using System.IO;
using System.Linq;
using Lodge.Cli;
using Lodge.Cli.Trace;
using Xunit;

namespace Lodge.CliTests;

public sealed class TraceTests
{
    [Theory]
    [InlineData("12 openat(AT_FDCWD, \"/a = b\", O_RDONLY) = 3 <0.000012>", "openat", "AT_FDCWD, \"/a = b\", O_RDONLY", "3", null, 0.000012)]
    [InlineData("12 read(3, \"x) = 1 <2>\", 9) = -1 EINTR", "read", "3, \"x) = 1 <2>\", 9", "-1", "EINTR", null)]
    [InlineData("12 exit_group(0) = ?", "exit_group", "0", "?", null, null)]
    [InlineData("12 brk(0) = 0x56550000", "brk", "0", "0x56550000", null, null)]
    [InlineData("12 write(1, \"cut off = ? (signal)", "write", "1, \"cut off...", "? (signal)", null, null)]
    public void Lines(string text, string call, string arguments, string result, string? error, double? seconds)
    {
        TraceLine line = TraceLine.Parse(text)!;
        Assert.Equal((12, call, arguments, result, error, seconds), (line.Tid, line.Call, line.Arguments, line.Result, line.Error, line.Seconds));
    }

    [Theory]
    [InlineData("lodge-shim: /x: not found")]
    [InlineData("12 lodge: ioctl 00005401 on descriptor 3 is not known: ENOTTY")]
    [InlineData("")]
    [InlineData("x open() = 1")]
    public void Messages_are_no_lines(string text) => Assert.Null(TraceLine.Parse(text));

    [Theory]
    [InlineData("openat", "openat", true)]
    [InlineData("trace=openat,close", "close", true)]
    [InlineData("trace=openat", "open", false)]
    [InlineData("!openat", "openat", false)]
    [InlineData("trace=!openat,close", "read", true)]
    [InlineData("%file", "openat", true)]
    [InlineData("%file", "execve", true)]
    [InlineData("%file", "read", false)]
    [InlineData("file", "statx", true)]
    [InlineData("%desc", "read", true)]
    [InlineData("%memory", "mmap2", true)]
    [InlineData("%process,%network", "socketcall", true)]
    [InlineData("/^m(map|unmap)", "munmap", true)]
    [InlineData("/^mmap$", "mmap2", false)]
    [InlineData("none", "read", false)]
    [InlineData("all", "read", true)]
    public void Filters(string expression, string call, bool shown) => Assert.Equal(shown, new TraceFilter([expression]).Shows(call));

    [Fact]
    public void Several_expressions_add_up()
    {
        TraceFilter filter = new(["read", "write"]);
        Assert.True(filter.Shows("read") && filter.Shows("write") && !filter.Shows("open"));
        Assert.True(new TraceFilter([]).Shows("anything"));
    }

    [Theory]
    [InlineData("nosuchcall")]
    [InlineData("%nosuchclass")]
    [InlineData("trace=")]
    [InlineData("/(")]
    public void Words_without_a_meaning_are_refused(string expression)
        => Assert.Equal(ExitCode.Usage, Assert.Throws<CommandException>(() => new TraceFilter([expression])).Status);

    [Fact]
    public void Every_listed_call_exists()
        => Assert.Empty(SyscallNames.Classes.SelectMany(name => SyscallNames.Class(name)!).Except(SyscallNames.All));

    [Fact]
    public void A_failed_execve_is_one_line_and_a_successful_one_is_shown()
    {
        string text = Read("1 execve(\"/a\", 0x1, 0x2) = ?\n1 execve(\"/a\", 0x1, 0x2) = -1 ENOENT <0.000001>\n1 execve(\"/b\", 0x1, 0x2) = ?\n1 brk(0) = 1 <0.000001>\n2 exit(0) = ?\n", out TraceSummary summary);
        Assert.Equal(
            ["1 execve(\"/a\", 0x1, 0x2) = -1 ENOENT", "1 execve(\"/b\", 0x1, 0x2) = ?", "1 brk(0) = 1", "2 exit(0) = ?"],
            text.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains("{\"call\":\"execve\",\"calls\":2,\"errors\":1,\"seconds\":1E-06}", summary.ToJson().ToJsonString(),
            StringComparison.Ordinal);
    }

    [Fact]
    public void Messages_come_through() => Assert.Equal("lodge-shim: no such thing\n", Read("lodge-shim: no such thing\n", out _));

    private static string Read(string trace, out TraceSummary summary)
    {
        using StringWriter lines = new() { NewLine = "\n" };
        using StringReader reader = new(trace);
        summary = new TraceSummary();
        new TraceReader(new TraceFilter([]), summary, lines, json: false, times: false).Run(reader);
        return lines.ToString();
    }
}
