using System;
using System.IO;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace Lodge.Differential.Generation;

/// <summary>Start state of one case, as runner.c reads it (64 bytes).</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct CaseRecord
{
    /// <summary>Guest address of the first instruction.</summary>
    public uint Entry;
    /// <summary>EAX, ECX, EDX, EBX, ESP, EBP, ESI, EDI.</summary>
    public fixed uint Registers[8];
    /// <summary>EFLAGS.</summary>
    public uint Eflags;
    /// <summary>Vector image.</summary>
    public uint Vectors;
    /// <summary>Memory image.</summary>
    public uint Memory;
    private fixed uint unused[4];
}

/// <summary>State after a case, as runner.c writes it (80 bytes).</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct ResultRecord
{
    /// <summary>EAX, ECX, EDX, EBX, ESP, EBP, ESI, EDI.</summary>
    public fixed uint Registers[8];
    /// <summary>EFLAGS, DS, ES, FS, GS.</summary>
    public fixed uint FlagsAndSegments[5];
    /// <summary>Signal that ended the case; 0 when it ran to its end.</summary>
    public uint Signal;
    /// <summary>si_code.</summary>
    public uint Code;
    /// <summary>si_addr.</summary>
    public uint Address;
    /// <summary>EIP in the signal frame.</summary>
    public uint Eip;
    /// <summary>Hash of the data window.</summary>
    public uint HashMemory;
    /// <summary>Hash of x87, MMX and MXCSR.</summary>
    public uint HashX87;
    /// <summary>Hash of YMM0-7.</summary>
    public uint HashVectors;
}

/// <summary>Addresses and sizes shared with runner.c, and the file that it maps.</summary>
public static class CaseFile
{
    /// <summary>Where the file is mapped.</summary>
    public const uint Code = 0x20000000;
    /// <summary>The data window.</summary>
    public const uint Data = 0x10000000;
    /// <summary>Bytes of the data window.</summary>
    public const int DataSize = 2048;
    /// <summary>Bytes of a vector image: FXSAVE area, then the upper halves of YMM0-7.</summary>
    public const int ImageSize = 640;
    /// <summary>Memory cell with the address to leave a case by.</summary>
    public const uint ExitCell = 0x0F000000;

    private const int Images = 64;
    private const int HeaderSize = 4096;

    /// <summary>Number of vector and of memory images.</summary>
    public static int ImageCount => Images;

    /// <summary>File offset of the code area for <paramref name="cases"/> cases.</summary>
    public static int CodeOffset(int cases) =>
        (HeaderSize + (cases * Marshal.SizeOf<CaseRecord>()) + 64 + (Images * (ImageSize + DataSize)) + 4095) & ~4095;

    /// <summary>Writes the file.</summary>
    public static void Write(string path, CaseRecord[] cases, ReadOnlySpan<byte> code, ref Rng rng)
    {
        using FileStream file = File.Create(path);
        int caseOffset = HeaderSize, vectorOffset = caseOffset + (cases.Length * Marshal.SizeOf<CaseRecord>());
        // FXRSTOR wants alignment.
        vectorOffset = (vectorOffset + 63) & ~63;
        int memoryOffset = vectorOffset + (Images * ImageSize);
        file.Write(MemoryMarshal.AsBytes<uint>([0x4F464944, (uint)cases.Length, (uint)caseOffset, (uint)vectorOffset, (uint)memoryOffset, Avx.IsSupported ? 1u : 0]));
        file.Position = caseOffset;
        file.Write(MemoryMarshal.AsBytes<CaseRecord>(cases));
        file.Position = vectorOffset;
        var image = new byte[ImageSize];
        for (int i = 0; i < Images; i++)
        {
            VectorImage(ref rng, image, i);
            file.Write(image);
        }
        var memory = new byte[DataSize];
        for (int i = 0; i < Images; i++)
        {
            rng.Fill(memory);
            rng.FillFloats(memory.AsSpan(0, DataSize / 2));
            file.Write(memory);
        }
        file.Position = CodeOffset(cases.Length);
        file.Write(code);
    }

    /// <summary>x87 stack with values, MXCSR and control word mostly at their defaults, vectors of floats, small integers or noise.</summary>
    private static void VectorImage(ref Rng rng, Span<byte> image, int number)
    {
        image.Clear();
        BitConverter.TryWriteBytes(image, (ushort)(number % 4 != 3 ? 0x37F : 0x340 | rng.Below(64) | rng.Below(4) << 10 | rng.Below(4) << 8));
        BitConverter.TryWriteBytes(image[2..], (ushort)((rng.Below(8) << 11) | (int)(rng.Next32() & 0x4700)));
        image[4] = number % 4 == 0 ? (byte)0xFF : (byte)rng.Next32();
        BitConverter.TryWriteBytes(image[24..], 0x1F80u | (number % 4 == 1 ? rng.Next32() & 0xE040 : 0));
        if (number % 16 == 15)
        {
            // Some exceptions unmasked.
            BitConverter.TryWriteBytes(image[24..], rng.Next32() & 0xFFC0);
        }
        for (int i = 0; i < 8; i++)
        {
            Span<byte> st = image.Slice(32 + (i * 16), 10);
            rng.Fill(st);
            if (number % 2 == 0)
            {
                st[7] |= 0x80;
                BitConverter.TryWriteBytes(st[8..], (ushort)((0x3FFF - 20 + rng.Below(40)) | (rng.Below(2) << 15)));
            }
        }
        VectorPart(ref rng, image[160..288], number);
        VectorPart(ref rng, image[512..640], number);
    }

    private static void VectorPart(ref Rng rng, Span<byte> part, int number)
    {
        if (number % 4 != 2)
        {
            rng.FillFloats(part);
            return;
        }
        foreach (ref uint d in MemoryMarshal.Cast<byte, uint>(part))
        {
            d = (uint)rng.Below(32);
        }
    }
}
