using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;

namespace Lodge.UnitTests;

/// <summary>Just enough of a 64-bit little-endian ELF file for the tests of our own images.</summary>
internal sealed class ElfImage
{
    internal const uint PtLoad = 1, PtDynamic = 2, PtInterp = 3, PtGnuStack = 0x6474E551;
    internal const uint Execute = 1, Write = 2, Read = 4;

    private readonly byte[] data;

    internal ElfImage(string path)
    {
        data = File.ReadAllBytes(path);
        if (!data.AsSpan(0, 6).SequenceEqual("\u007FELF\u0002\u0001"u8))
        {
            throw new InvalidDataException(path + " is no 64-bit ELF file");
        }
    }

    internal sealed record Segment(uint Type, uint Flags, ulong Offset, ulong Address, ulong FileSize, ulong MemorySize);

    internal int Size => data.Length;

    internal ushort Type => U16(16);

    internal ushort Machine => U16(18);

    internal ulong Entry => U64(24);

    internal IEnumerable<Segment> Segments => Enumerable.Range(0, U16(56)).Select(i =>
    {
        int at = (int)U64(32) + i * U16(54);
        return new Segment(U32(at), U32(at + 4), U64(at + 8), U64(at + 16), U64(at + 32), U64(at + 40));
    });

    /// <summary>The bytes that lie at [start, end) once loaded.</summary>
    internal ReadOnlyMemory<byte> Bytes(ulong start, ulong end)
    {
        Segment segment = Segments.Single(s => s.Type == PtLoad && start >= s.Address && end <= s.Address + s.FileSize);
        return data.AsMemory((int)(start - segment.Address + segment.Offset), (int)(end - start));
    }

    /// <summary>Value of a symbol of the (unstripped) image.</summary>
    internal ulong Symbol(string name) =>
        Symbols().TryGetValue(name, out ulong value) ? value : throw new InvalidDataException("no symbol " + name);

    /// <summary>All symbols of the (unstripped) image; of several with one name, the first.</summary>
    internal Dictionary<string, ulong> Symbols()
    {
        Dictionary<string, ulong> symbols = [];
        for (int i = 0; i < U16(60); i++)
        {
            int section = (int)U64(40) + i * U16(58);
            if (U32(section + 4) != 2)
            {
                continue;
            }

            int strings = (int)U64((int)U64(40) + (int)U32(section + 40) * U16(58) + 24);
            int table = (int)U64(section + 24);
            for (int entry = table; entry < table + (int)U64(section + 32); entry += 24)
            {
                int text = strings + (int)U32(entry);
                symbols.TryAdd(Encoding.ASCII.GetString(data, text, Array.IndexOf(data, (byte)0, text) - text), U64(entry + 8));
            }
        }

        return symbols;
    }

    private ushort U16(int at) => BinaryPrimitives.ReadUInt16LittleEndian(data.AsSpan(at));

    private uint U32(int at) => BinaryPrimitives.ReadUInt32LittleEndian(data.AsSpan(at));

    private ulong U64(int at) => BinaryPrimitives.ReadUInt64LittleEndian(data.AsSpan(at));
}
