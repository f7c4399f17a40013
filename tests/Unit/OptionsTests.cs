using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using System.Text;
using Lodge.Shim;
using Xunit;

namespace Lodge.UnitTests;

/// <summary>The command line and the initial stack.</summary>
public sealed unsafe class OptionsTests : IDisposable
{
    private readonly List<nint> allocations = [];

    [Fact]
    public void Program_and_arguments()
    {
        Options options = Parse("lodge-shim", "/bin/ls", "-l", "--strace");
        Assert.Equal(StartMode.Run, options.Mode);
        Assert.False(options.Strace);
        Assert.Equal("/bin/ls", Text(options.Program));
        Assert.Equal(["/bin/ls", "-l", "--strace"], Vector(options.Arguments));
        Assert.True(options.Root == null);
    }

    [Theory]
    [InlineData("--root", "/srv/i386")]
    [InlineData("--root=/srv/i386")]
    public void Root_in_both_spellings(params string[] root)
    {
        Options options = Parse(["lodge-shim", "--strace", .. root, "sh"]);
        Assert.Equal(StartMode.Run, options.Mode);
        Assert.True(options.Strace);
        Assert.Equal("/srv/i386", Text(options.Root));
        Assert.Equal("sh", Text(options.Program));
    }

    [Fact]
    public void Two_dashes_end_the_options()
    {
        Options options = Parse("lodge-shim", "--", "--strace", "x");
        Assert.Equal("--strace", Text(options.Program));
        Assert.False(options.Strace);
        Assert.Equal(["--strace", "x"], Vector(options.Arguments));
    }

    [Fact]
    public void The_programs_own_name()
    {
        Options options = Parse("lodge-shim", "--argv0=sh", "--strace-fd=7", "--strace-times", "/bin/dash", "-c");
        Assert.Equal("/bin/dash", Text(options.Program));
        Assert.Equal(["sh", "-c"], Vector(options.Arguments));
        Assert.True(options.Strace && options.StraceTimes);
        Assert.Equal(7, options.StraceFd);
    }

    [Fact]
    public void A_single_dash_is_a_program() => Assert.Equal("-", Text(Parse("lodge-shim", "-").Program));

    [Theory]
    [InlineData("--help", StartMode.Help)]
    [InlineData("-h", StartMode.Help)]
    [InlineData("--version", StartMode.Version)]
    [InlineData("--self-test", StartMode.SelfTest)]
    public void Modes(string option, StartMode mode) => Assert.Equal(mode, Parse("lodge-shim", option, "--nonsense").Mode);

    [Theory]
    [InlineData(OptionError.Unknown, "--nonsense", "--nonsense", "prog")]
    [InlineData(OptionError.Unknown, "--rootless", "--rootless", "prog")]
    [InlineData(OptionError.Unknown, "-x", "--strace", "-x")]
    [InlineData(OptionError.MissingValue, "--root", "--root")]
    [InlineData(OptionError.BadNumber, "--strace-fd=x", "--strace-fd=x", "prog")]
    [InlineData(OptionError.BadNumber, "--strace-fd=", "--strace-fd=", "prog")]
    [InlineData(OptionError.NoProgram, null, "--strace")]
    [InlineData(OptionError.NoProgram, null, "--")]
    [InlineData(OptionError.NoProgram, null)]
    public void Wrong_command_lines(OptionError error, string? offender, params string[] arguments)
    {
        Options options = Parse(["lodge-shim", .. arguments]);
        Assert.Equal(StartMode.Invalid, options.Mode);
        Assert.Equal(error, options.Error);
        Assert.Equal(offender, Text(options.Offender));
    }

    [Fact]
    public void No_arguments_at_all() => Assert.Equal(OptionError.NoProgram, Parse().Error);

    [Fact]
    public void From_binfmt_nothing_is_an_option()
    {
        Options options = Parse(new ulong[] { 8, 1, 2, 5, 0, 0 }, "lodge-shim", "/bin/prog", "--help", "--strace");
        Assert.Equal(StartMode.Run, options.Mode);
        Assert.Equal("/bin/prog", Text(options.Program));
        Assert.Equal(["--help", "--strace"], Vector(options.Arguments));
        Assert.False(options.Strace);
    }

    [Fact]
    public void Initial_stack()
    {
        StartInfo start = Start([2, 17, 6, 4096, 0, 0], ["a", "b"], ["X=1", "Y=2"]);
        Assert.Equal(2, start.Argc);
        Assert.Equal(["a", "b"], Vector(start.Argv));
        Assert.Equal(["X=1", "Y=2"], Vector(start.Envp));
        Assert.True(start.TryAux(6, out ulong page) && page == 4096);
        Assert.False(start.TryAux(8, out ulong none));
        Assert.Equal(0UL, none);
        Assert.Equal(17, start.ExecFd);
        Assert.False(start.FromBinfmt);
        Assert.Equal(-1, Start([0, 0], ["a"], []).ExecFd);
    }

    public void Dispose() => allocations.ForEach(Marshal.FreeHGlobal);

    private static string? Text(byte* text) => text == null ? null : Marshal.PtrToStringUTF8((nint)text);

    private static List<string?> Vector(byte** vector)
    {
        List<string?> texts = [];
        for (; *vector != null; vector++)
        {
            texts.Add(Text(*vector));
        }

        return texts;
    }

    private Options Parse(params string[] arguments) => Parse(new ulong[] { 0, 0 }, arguments);

    private Options Parse(ulong[] auxv, params string[] arguments) => Options.Parse(Start(auxv, arguments, ["HOME=/"]));

    private StartInfo Start(ulong[] auxv, string[] arguments, string[] environment)
    {
        List<ulong> words = [(ulong)arguments.Length];
        foreach (string[] vector in new[] { arguments, environment })
        {
            foreach (string text in vector)
            {
                words.Add((ulong)Copy(Encoding.UTF8.GetBytes(text + '\0')));
            }

            words.Add(0);
        }

        words.AddRange(auxv);
        return new StartInfo((ulong*)Copy(MemoryMarshal.AsBytes(words.ToArray().AsSpan())));
    }

    private nint Copy(ReadOnlySpan<byte> bytes)
    {
        nint copy = Marshal.AllocHGlobal(bytes.Length);
        allocations.Add(copy);
        bytes.CopyTo(new Span<byte>((void*)copy, bytes.Length));
        return copy;
    }
}
