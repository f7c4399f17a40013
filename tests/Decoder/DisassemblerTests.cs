using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using System.Text.RegularExpressions;
using Iced.Intel;
using Lodge.Translator.I386;
using Xunit;
using Xunit.Abstractions;

namespace Lodge.DecoderTests;

/// <summary>The disassembler against Iced's, on random instructions, after both were brought to one spelling.</summary>
public sealed partial class DisassemblerTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("01D8", "add eax, ebx")]
    [InlineData("F0668344C310FF", "lock add word [ebx+eax*8+0x10], 0xffff")]
    [InlineData("64A114000000", "mov eax, dword fs:[0x14]")]
    [InlineData("F3A6", "repe cmpsb")]
    [InlineData("E8FBFFFFFF", "call 0x1000")]
    [InlineData("6798", "cwde")]
    [InlineData("6698", "cbw")]
    [InlineData("D9C9", "fxch st0, st1")]
    [InlineData("C4E26992048D10000000", "vgatherdps xmm0, dword [xmm1*4+0x10], xmm2")]
    [InlineData("8D6424F0", "lea esp, [esp-0x10]")]
    [InlineData("0FFF", "(bad)")]
    [InlineData("678B4001", "mov eax, dword [bx+si+1]")]
    public void Known_spellings(string code, string expected)
    {
        string actual = Ours(Convert.FromHexString(code), out I386Insn insn, out _);
        Assert.Equal(expected, I386Table.Class(insn.Row) == I386Class.Ud ? "(bad)" : actual);
    }

    [Fact]
    public void Short_buffers_are_filled_and_no_more()
    {
        Ours(Convert.FromHexString("F0668344C310FF"), out I386Insn insn, out _);
        for (int size = 0; size < 60; size++)
        {
            Span<byte> buffer = new byte[64];
            buffer.Fill(0xCC);
            int n = I386Disassembler.Format(buffer[..size], insn);
            Assert.True(n <= size);
            Assert.Equal(-1, buffer[size..].IndexOfAnyExcept((byte)0xCC));
        }
    }

    [Fact]
    public void Random_instructions_read_as_in_iced()
    {
        var random = new Random(4711);
        var code = new byte[16];
        var formatter = new FastFormatter();
        formatter.Options.UseHexPrefix = true;
        formatter.Options.UppercaseHex = false;
        formatter.Options.SpaceAfterOperandSeparator = true;
        formatter.Options.UsePseudoOps = false;
        formatter.Options.AlwaysShowSegmentRegister = false;
        var text = new FastStringOutput();
        var differing = new Dictionary<string, string>(StringComparer.Ordinal);
        int compared = 0;
        while (compared < 200_000)
        {
            random.NextBytes(code);
            if (random.Next(2) == 0)
            {
                code[random.Next(3)] = (byte)(random.Next(2) == 0 ? 0x0F : 0x66);
            }
            string ours = Ours(code, out I386Insn insn, out int length);
            var decoder = Iced.Intel.Decoder.Create(32, new ByteArrayCodeReader(code));
            decoder.IP = 0x1000;
            decoder.Decode(out Instruction theirs);
            if (length <= 0 || insn.Row == 0 || theirs.IsInvalid || !Names.ListsOperands(theirs.Mnemonic)
                || I386Table.Class(insn.Row) is I386Class.StringOp or I386Class.Xlat or I386Class.Maskmov)
            {
                continue;
            }
            compared++;
            text.Clear();
            formatter.Format(theirs, text);
            string expected = Normal(text.ToString());
            if (Normal(ours) != expected)
            {
                differing.TryAdd(theirs.Code.ToString(), $"{Convert.ToHexString(code)}: {Normal(ours)} / {expected}");
            }
        }
        List<string> lines = [.. differing.Where(d => !Convention(d.Key)).Select(d => $"{d.Key}: {d.Value}").Order(StringComparer.Ordinal)];
        lines.ForEach(output.WriteLine);
        Assert.Empty(lines);
    }

    /// <summary>Different by convention: far forms are told by their operand here; 3E before an indirect branch is NOTRACK there; hints stay NOPs here.</summary>
    private static bool Convention(string code) =>
        code is "Call_m1616" or "Call_m1632" or "Jmp_m1616" or "Jmp_m1632" or "Call_rm16" or "Call_rm32" or "Jmp_rm16" or "Jmp_rm32"
            or "Cldemote_m8" or "Prefetchit0_m8" or "Prefetchit1_m8" or "Prefetchreserved3_m8" or "Wbnoinvd" or "Rdsspd_r32";

    private static unsafe string Ours(byte[] code, out I386Insn insn, out int length)
    {
        Span<byte> buffer = stackalloc byte[96];
        fixed (byte* p = code)
        {
            length = I386Decoder.Decode(p, code.Length, 0x1000, out insn);
        }
        return Encoding.ASCII.GetString(buffer[..I386Disassembler.Format(buffer, insn)]);
    }

    private static string Normal(string text)
    {
        text = Prefix().Replace(text, "");
        text = Size().Replace(text, "");
        text = Number().Replace(text, m => Convert.ToUInt32(m.Value, m.Value.StartsWith("0x", StringComparison.Ordinal) ? 16 : 10).ToString("x", System.Globalization.CultureInfo.InvariantCulture));
        return text.Replace("st(", "st", StringComparison.Ordinal).Replace(")", "", StringComparison.Ordinal).Replace("*1", "", StringComparison.Ordinal).Trim();
    }

    [GeneratedRegex("^((lock|rep|repe|repne|xacquire|xrelease|bnd|notrack|hint-not-taken|hint-taken|[cdefgs]s) )+")]
    private static partial Regex Prefix();

    [GeneratedRegex("(byte|word|dword|fword|qword|tbyte|xmmword|ymmword|fpuenv14|fpuenv28|fpustate94|fpustate108|mem384|mem512|oword|fxsave_512byte)( ptr|bcst)? |(near|far|short) (ptr )?")]
    private static partial Regex Size();

    [GeneratedRegex(@"(?<![a-z0-9(])(0x[0-9a-f]+|[0-9]+)(?![a-z])")]
    private static partial Regex Number();
}
