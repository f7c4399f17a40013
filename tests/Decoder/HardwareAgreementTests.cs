using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Iced.Intel;
using Lodge.Translator.I386;
using Xunit;
using Xunit.Abstractions;

namespace Lodge.DecoderTests;

/// <summary>The decoder and this machine's CPU agree on what is an instruction and how long it is, but for hardware-deviations.txt.</summary>
public sealed class HardwareAgreementTests(ITestOutputHelper output) : IDisposable
{
    private static readonly byte[][] Prefixes = [[], [0x66], [0xF3], [0xF2], [0x67], [0xF0], [0x66, 0xF2], [0xF3, 0x66], [0xF2, 0xF3]];

    private readonly string directory = Directory.CreateTempSubdirectory("lodge-probe").FullName;

    public void Dispose() => Directory.Delete(directory, true);

    [Fact]
    public void Validity_and_length_of_every_opcode()
    {
        string? program = HardwareProbe.Build(directory, out string reason);
        if (program is null)
        {
            output.WriteLine($"not compared: {reason}");
            return;
        }
        byte[] records = Records();
        HardwareProbe.Answer[] answers = HardwareProbe.Ask(program, records);
        var deviations = new Dictionary<string, (int Count, string Example)>(StringComparer.Ordinal);
        for (int i = 0; i < answers.Length; i++)
        {
            Compare(records.AsSpan(i * 16, 16)[1..], answers[i], deviations);
        }
        List<string> unexplained = [.. deviations.Where(d => !ExpectedDeviations.Hardware.Explains(d.Key)
                // A feature outside the set is outside it for this CPU, too.
                && !(d.Key.StartsWith("only-hardware", StringComparison.Ordinal) && ExpectedDeviations.Iced.Explains(d.Key.Replace("only-hardware", "only-iced", StringComparison.Ordinal))))
            .Select(d => $"{d.Key}   [{d.Value.Count}×, {d.Value.Example}]").Order(StringComparer.Ordinal)];
        output.WriteLine($"{answers.Length} encodings, {deviations.Count} kinds of deviation");
        unexplained.ForEach(output.WriteLine);
        Assert.Empty(unexplained);
    }

    private static unsafe int Decode(ReadOnlySpan<byte> code, out I386Insn insn)
    {
        byte* buffer = stackalloc byte[32];
        new Span<byte>(buffer, 32).Clear();
        code.CopyTo(new Span<byte>(buffer, 32));
        return I386Decoder.Decode(buffer, 32, 0, out insn);
    }

    private static void Compare(ReadOnlySpan<byte> code, HardwareProbe.Answer answer, Dictionary<string, (int Count, string Example)> deviations)
    {
        int length = Decode(code, out I386Insn insn);
        bool valid = length > 0 && insn.Row != I386Table.InvalidRow && I386Table.Class(insn.Row) != I386Class.Ud;
        // A CPU that wants more than 15 bytes raises #GP: not #UD, no length.
        string? fact = length == I386Decoder.TooLong ? (answer.Length != 0 && !answer.Undefined ? "too-long" : null)
            : valid == answer.Undefined ? (valid ? "only-ours" : "only-hardware")
            : valid && length != answer.Length ? "length" : null;
        if (fact is null)
        {
            return;
        }
        var decoder = Iced.Intel.Decoder.Create(32, new ByteArrayCodeReader(code.ToArray()));
        decoder.Decode(out Instruction theirs);
        string name = theirs.IsInvalid ? "bytes " + Convert.ToHexString(code[..4]) : theirs.Code.ToString();
        string key = $"{fact} | {InstructionTable.Rows[insn.Row]?.Text ?? "-"} | {name}";
        (int count, string example) = deviations.GetValueOrDefault(key);
        deviations[key] = (count + 1, example ?? $"{Convert.ToHexString(code)} ({answer.Length})");
    }

    /// <summary>Prefixes × maps × opcodes × ModRM classes, operands all zero. GS is left out: it reaches the probe's own memory.</summary>
    private static byte[] Records()
    {
        var all = new MemoryStream();
        Span<byte> code = stackalloc byte[15];
        foreach (byte[] prefix in Prefixes)
        {
            for (int map = 0; map < 4; map++)
            {
                for (int opcode = 0; opcode < 256; opcode++)
                {
                    code.Clear();
                    prefix.CopyTo(code);
                    int n = prefix.Length;
                    if (map > 0)
                    {
                        code[n++] = 0x0F;
                    }
                    if (map > 1)
                    {
                        code[n++] = map == 2 ? (byte)0x38 : (byte)0x3A;
                    }
                    code[n++] = (byte)opcode;
                    ModRM(all, code, n, prefix.Length < 2 && (map == 1 || opcode is >= 0xD8 and <= 0xDF));
                }
            }
        }
        for (int vex = 0; vex < 16 * 256 * 3 * 2; vex++)
        {
            int vvvv = (vex & 1) == 0 ? 15 : 7, map = 1 + (vex / 2 % 3), last = vex / 6 & 15;
            code.Clear();
            code[0] = 0xC4;
            code[1] = (byte)(0xE0 | map);
            code[2] = (byte)(((last & 8) << 4) | (vvvv << 3) | (last & 7));
            code[3] = (byte)(vex / 96);
            foreach (byte m in (ReadOnlySpan<byte>)[0x00, 0x18, 0x04, 0x38, 0xC0, 0xDB])
            {
                Add(all, code, 4, m);
            }
        }
        return all.ToArray();
    }

    private static void ModRM(MemoryStream all, Span<byte> code, int at, bool everyRegister)
    {
        ReadOnlySpan<byte> few = [0x00, 0x08, 0x10, 0x18, 0x20, 0x28, 0x30, 0x38, 0x04, 0x05, 0x44, 0x86];
        foreach (byte m in few)
        {
            Add(all, code, at, m);
        }
        for (int m = 0xC0; m < 0x100; m += everyRegister ? 1 : 9)
        {
            Add(all, code, at, (byte)m);
        }
    }

    private static void Add(MemoryStream all, Span<byte> code, int at, byte modrm)
    {
        code[at] = modrm;
        // A SIB byte with an index that differs from the other registers (gathers).
        code[at + 1] = (modrm & 7) == 4 && modrm < 0xC0 ? (byte)0x28 : (byte)0;
        int length = Decode(code, out I386Insn insn);
        if (insn.Map == 0 && modrm != 0 && (insn.Prefixes & (I386Prefixes.ModRM | I386Prefixes.Vex)) == 0)
        {
            // The byte is an immediate: a backward branch would run what lies before it.
            return;
        }
        all.WriteByte((byte)Math.Clamp(length, 1, 15));
        all.Write(code);
        code[at] = code[at + 1] = 0;
    }
}
