using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;
using Iced.Intel;
using Xunit;

namespace Lodge.UnitTests;

/// <summary>
/// The x86-64 machine-code stubs, read from their source: every comment must say what its bytes are, and the program-counter windows must
/// begin and end where the documentation says. (That the code works is the self-test's business.)
/// </summary>
public partial class StubTests
{
    private static readonly string Source = File.ReadAllText(Repository.File("shim/x64/HostStubs.cs"));
    private static readonly string Script = File.ReadAllText(Repository.File("shim/x64/stubs.ld"));

    private readonly ElfImage image = new(Repository.File("out/build/obj/Lodge.Shim/x64/lodge-shim.o.elf"));

    public static TheoryData<string> Names => [.. Blocks().Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Comments_are_what_the_bytes_say(string name)
    {
        (byte[] bytes, List<(int Offset, string Text)> comments) = Blocks()[name];
        Assert.NotEmpty(comments);
        Assert.Equal(comments, [.. Decode(bytes).Where(i => i.Text != "int3").Select(i => (i.Offset, i.Text))]);
    }

    [Fact]
    public void Blocking_window_ends_with_the_kernel_entry()
    {
        ulong start = image.Symbol("lodge_blocking");
        List<(int Offset, string Text)> code = Decode(image.Bytes(start, image.Symbol("lodge_read_thread")).ToArray());
        int end = (int)(image.Symbol("lodge_blocking_end") - start);
        Assert.Equal("cmp dword ptr [rcx], 0", At(code, (int)(image.Symbol("lodge_blocking_window") - start)));
        Assert.Equal("syscall", At(code, end - 2));
        Assert.Equal("ret", At(code, end));
        Assert.Equal("mov rax, -512", At(code, (int)(image.Symbol("lodge_blocking_interrupted") - start)));
    }

    [Fact]
    public void Access_routines_lie_between_their_labels_and_never_touch_the_stack()
    {
        ulong start = image.Symbol("lodge_copy"), fault = image.Symbol("lodge_access_fault");
        Assert.Equal("mov rax, -14", Decode(image.Bytes(fault, fault + 8).ToArray())[0].Text);
        List<(int Offset, string Text)> code = Decode(image.Bytes(start, fault).ToArray());
        Assert.DoesNotContain(code, i => i.Text.Contains("push") || i.Text.Contains("pop") || i.Text.Contains("rsp") || i.Text.StartsWith("call"));
        Assert.All(new[] { "lodge_copy_string", "lodge_fill", "lodge_compare_exchange" }, l => Assert.InRange(image.Symbol(l), start + 1, fault - 1));
    }

    private static string At(List<(int Offset, string Text)> code, int offset) => code.Single(i => i.Offset == offset).Text;

    private static Dictionary<string, (byte[] Bytes, List<(int Offset, string Text)> Comments)> Blocks()
    {
        Dictionary<string, (byte[], List<(int, string)>)> blocks = [];
        foreach (Match block in BlockPattern().Matches(Source).Concat(RoutinePattern().Matches(Script)))
        {
            List<byte> bytes = [];
            List<(int, string)> comments = [];
            foreach (string line in block.Groups[2].Value.Split('\n'))
            {
                bytes.AddRange(BytePattern().Matches(CommentStart().Split(line)[0]).Select(m => Convert.ToByte(m.Value, 16)));
                Match comment = CommentPattern().Match(line);
                if (comment.Success)
                {
                    comments.Add((Convert.ToInt32(comment.Groups[1].Value, 16), comment.Groups[2].Value.Trim()));
                }
            }

            blocks.Add(block.Groups[1].Value, ([.. bytes], comments));
        }

        return blocks;
    }

    // Iced's and LLVM's Intel syntax differ in blanks and in how much they say about sizes; the comments are written in this form.
    private static List<(int Offset, string Text)> Decode(byte[] bytes)
    {
        Decoder decoder = Decoder.Create(64, new ByteArrayCodeReader(bytes));
        IntelFormatter formatter = new();
        formatter.Options.SpaceAfterOperandSeparator = true;
        formatter.Options.HexPrefix = "0x";
        formatter.Options.HexSuffix = "";
        formatter.Options.NumberBase = NumberBase.Decimal;
        formatter.Options.BranchLeadingZeros = false;
        formatter.Options.ShowBranchSize = false;
        formatter.Options.SpaceBetweenMemoryAddOperators = true;
        formatter.Options.MemorySizeOptions = MemorySizeOptions.Always;
        formatter.Options.SignedImmediateOperands = true;
        formatter.Options.CC_e = CC_e.e;
        List<(int, string)> code = [];
        while (decoder.IP < (ulong)bytes.Length)
        {
            int offset = (int)decoder.IP;
            decoder.Decode(out Instruction instruction);
            StringOutput text = new();
            formatter.Format(instruction, text);
            code.Add((offset, instruction.FlowControl is FlowControl.ConditionalBranch or FlowControl.UnconditionalBranch
                ? $"{instruction.Mnemonic.ToString().ToLowerInvariant()} 0x{instruction.NearBranchTarget:x}"
                : text.ToStringAndReset()));
        }

        return code;
    }

    [GeneratedRegex(@"ReadOnlySpan<byte> (\w+)Code =>\s+\[(.*?)\];", RegexOptions.Singleline)]
    private static partial Regex BlockPattern();

    [GeneratedRegex("0x[0-9A-F]{2}")]
    private static partial Regex BytePattern();

    // A routine of the link script begins where it is aligned; what follows without that are places inside it.
    [GeneratedRegex(@"(?:ALIGN\(\d+\);|\*/)\n(\w+) = \.;[^\n]*\n(.*?)(?=\. = ALIGN|\z)", RegexOptions.Singleline)]
    private static partial Regex RoutinePattern();

    [GeneratedRegex(@"//|/\*")]
    private static partial Regex CommentStart();

    [GeneratedRegex(@"(?://|/\*) ([0-9a-f]{2}): (.*?)(?: \*/)?$")]
    private static partial Regex CommentPattern();
}
