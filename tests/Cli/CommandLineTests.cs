using System;
using System.IO;
using System.Linq;
using Lodge.Cli;
using Lodge.Cli.Generate;
using Lodge.Cli.Guests;
using Xunit;

namespace Lodge.CliTests;

public sealed class CommandLineTests
{
    [Theory]
    [InlineData("run ls --json", "run -- ls --json")]
    [InlineData("run --root /r ls --root x", "run --root /r -- ls --root x")]
    [InlineData("run --root=/r ls -l", "run --root=/r -- ls -l")]
    [InlineData("--json trace -o f -e trace=file ls", "--json trace -o f -e trace=file -- ls")]
    [InlineData("trace -co f ls -c", "trace -co f -- ls -c")]
    [InlineData("trace -of ls -c", "trace -of -- ls -c")]
    [InlineData("trace -c ls", "trace -c -- ls")]
    [InlineData("run -- ls", "run -- ls")]
    [InlineData("run --strace -", "run --strace -- -")]
    [InlineData("ps -a", "ps -a")]
    [InlineData("binfmt register i386 --force", "binfmt register i386 --force")]
    [InlineData("run", "run")]
    [InlineData("run --root", "run --root")]
    public void Options_end_at_the_program(string given, string expected)
        => Assert.Equal(expected, string.Join(' ', Passthrough.Separate(LodgeCommand.Create(), given.Split(' '))));

    [Theory]
    [InlineData("--no-such-option")]
    [InlineData("nosuchcommand")]
    [InlineData("binfmt register sparc")]
    [InlineData("binfmt register")]
    [InlineData("run")]
    [InlineData("disasm")]
    [InlineData("disasm a b c")]
    [InlineData("top --interval 0")]
    public void Wrong_command_lines_are_found_out(string line)
        => Assert.NotEmpty(LodgeCommand.Create().Parse(line.Split(' ')).Errors);

    [Fact]
    public void Every_command_and_option_is_described()
    {
        foreach (CommandModel command in CommandModel.Of(LodgeCommand.Create(), "lodge").All())
        {
            Assert.True(command.Description.EndsWith('.') && char.IsUpper(command.Description[0]), command.Words);
            Assert.All(command.Options.Where(option => option.Long is not ("--help" or "--version")),
                option => Assert.EndsWith(".", option.Description, StringComparison.Ordinal));
            Assert.All(command.Arguments, argument => Assert.NotEmpty(argument.Description));
            Assert.Contains(command.Options, option => option.Long == "--json");
        }
    }

    [Fact]
    public void Piped_tables_are_aligned_and_whole()
    {
        TextTable table = new(">PID", "PROGRAM", "X");
        table.Add("1", new string('p', 300), "");
        table.Add("12345", "short", "x");
        using StringWriter text = new() { NewLine = "\n" };
        table.WritePlain(text);
        Assert.Equal($"  PID  {"PROGRAM",-300}  X\n    1  {new string('p', 300)}\n12345  {"short",-300}  x\n", text.ToString());
    }

    [Fact]
    public void Process_names_with_parentheses_are_read()
    {
        ProcessSample sample = ProcessSample.Parse("77 (a) b (c) S 1 77 77 0 -1 4194304 10 0 0 0 150 50 0 0 20 0 3 0 9876 8192 25 18446744073709551615\n")!;
        Assert.Equal(('S', 3, 200ul, 9876ul, 25L * Environment.SystemPageSize / 1024), (sample.State, sample.Threads, sample.CpuTicks,
            sample.StartTicks, sample.ResidentKiB));
        Assert.Null(ProcessSample.Parse("77 (a) S 1"));
        Assert.Null(ProcessSample.Read(Environment.ProcessId, 1));
        Assert.NotNull(ProcessSample.Read(Environment.ProcessId, 0));
    }
}
