using System;
using System.Diagnostics;
using System.IO;
using Lodge.Translator.I386;
using Xunit;
using Xunit.Abstractions;

namespace Lodge.DecoderTests;

/// <summary>Decoding speed over straight code, as a figure in the log; the bound is for unoptimised builds on busy machines (optimised: 14 ns).</summary>
public sealed class DecodeSpeedTests(ITestOutputHelper output)
{
    /// <summary>One instruction each, in the proportions of compiled code (moves, arithmetic, compares, branches, calls, a little SSE).</summary>
    private static readonly string[] Mix =
    [
        "8B442404", "8B4D08", "8945F8", "83C410", "85C0", "7410", "E812345600", "8D8324FFFFFF", "55", "89E5", "53", "83EC14", "C3", "0FB64001", "39C8",
        "0F8F10020000", "8B0485A0B1C004", "C745F400000000", "5B", "5D", "31D2", "C1E003", "F20F5845E8", "0F28C1", "66890C24", "EBF0", "90", "FF55F0",
        "F7D8", "6A01", "6800200000", "0FAFC2", "65A114000000", "8D7600",
    ];

    [Fact]
    public unsafe void Decodes_a_typical_mix_fast()
    {
        using var stream = new MemoryStream();
        var random = new Random(1);
        while (stream.Length < 64 * 1024)
        {
            stream.Write(Convert.FromHexString(Mix[random.Next(Mix.Length)]));
        }
        byte[] code = stream.ToArray();
        double best = double.MaxValue;
        long count = 0;
        fixed (byte* p = code)
        {
            for (int round = 0; round < 200; round++)
            {
                count = 0;
                long start = Stopwatch.GetTimestamp();
                for (int at = 0; at < code.Length;)
                {
                    int length = I386Decoder.Decode(p + at, code.Length - at, 0, out I386Insn insn);
                    if (length <= 0 || insn.Row == I386Table.InvalidRow)
                    {
                        Assert.Fail($"at {at}");
                    }
                    at += length;
                    count++;
                }
                best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalNanoseconds / count);
            }
        }
        output.WriteLine($"{best:F1} ns an instruction ({count} instructions)");
        Assert.InRange(best, 0.1, 1000);
    }
}
