using System;
using System.Runtime.InteropServices;
using System.Text;
using Lodge.Differential.Generation;
using Lodge.Translator.I386;

namespace Lodge.Differential;

/// <summary>Prints one case: its instructions, its start, and where the two ends differ.</summary>
internal static class CaseReport
{
    private static readonly string[] Names =
    [
        "eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi", "eflags", "ds", "es", "fs", "gs", "signal", "code", "address", "eip", "memory hash", "x87 hash", "vector hash",
    ];

    public static unsafe void Print(int number, CaseRecord start, ReadOnlySpan<byte> code, byte[]? native, byte[]? translated)
    {
        Console.WriteLine($"case {number}: eax {start.Registers[0]:x8} ecx {start.Registers[1]:x8} edx {start.Registers[2]:x8} esi {start.Registers[6]:x8} edi {start.Registers[7]:x8} "
            + $"eflags {start.Eflags:x} vectors {start.Vectors} memory {start.Memory}");
        Listing(start.Entry, code);
        if (native is null || translated is null)
        {
            return;
        }
        bool any = Differences(MemoryMarshal.Read<ResultRecord>(native), MemoryMarshal.Read<ResultRecord>(translated));
        if (!any)
        {
            Console.WriteLine("    the same when run alone: what ran before it matters");
        }
        for (int i = 80; i < native.Length; i += 4)
        {
            if (!native.AsSpan(i, 4).SequenceEqual(translated.AsSpan(i, 4)))
            {
                int image = i - 80;
                string where = image < CaseFile.ImageSize ? $"fxsave+{image}" : $"data {CaseFile.Data + (uint)(image - CaseFile.ImageSize):x8}";
                Console.WriteLine($"    {where}: native {BitConverter.ToUInt32(native, i):x8}, translated {BitConverter.ToUInt32(translated, i):x8}");
            }
        }
    }

    /// <summary>Prints the fields that differ.</summary>
    public static bool Differences(ResultRecord native, ResultRecord translated)
    {
        ReadOnlySpan<uint> a = MemoryMarshal.Cast<ResultRecord, uint>(new ReadOnlySpan<ResultRecord>(in native));
        ReadOnlySpan<uint> b = MemoryMarshal.Cast<ResultRecord, uint>(new ReadOnlySpan<ResultRecord>(in translated));
        bool any = false;
        for (int i = 0; i < Names.Length; i++)
        {
            if (a[i] != b[i])
            {
                any = true;
                Console.WriteLine($"    {Names[i]}: native {a[i]:x8}, translated {b[i]:x8}{(i == 8 ? $" ({(I386Flags)(a[i] ^ b[i])})" : "")}");
            }
        }
        return any;
    }

    private static unsafe void Listing(uint address, ReadOnlySpan<byte> code)
    {
        byte* buffer = stackalloc byte[32];
        Span<byte> text = stackalloc byte[96];
        for (int at = 0; at < code.Length;)
        {
            new Span<byte>(buffer, 32).Clear();
            code[at..Math.Min(code.Length, at + 16)].CopyTo(new Span<byte>(buffer, 32));
            int length = I386Decoder.Decode(buffer, 32, address + (uint)at, out I386Insn insn);
            if (length <= 0)
            {
                break;
            }
            string line = Encoding.ASCII.GetString(text[..I386Disassembler.Format(text, insn)]);
            Console.WriteLine($"    {address + (uint)at:x8} {Convert.ToHexString(code.Slice(at, Math.Min(length, code.Length - at))),-24} {line}");
            at += length;
        }
    }
}
