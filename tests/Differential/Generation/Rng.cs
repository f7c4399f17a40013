using System;
using System.Runtime.InteropServices;

namespace Lodge.Differential.Generation;

/// <summary>Small deterministic generator (SplitMix64). The same seed gives the same numbers on every machine and .NET version.</summary>
public struct Rng(ulong seed)
{
    private ulong state = seed;

    /// <summary>Next 64 bits.</summary>
    public ulong Next64()
    {
        ulong z = state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    /// <summary>Next 32 bits.</summary>
    public uint Next32() => (uint)(Next64() >> 32);

    /// <summary>0 to <paramref name="limit"/> - 1.</summary>
    public int Below(int limit) => (int)(((Next64() >> 32) * (ulong)limit) >> 32);

    /// <summary>True in <paramref name="percent"/> of 100 cases.</summary>
    public bool Chance(int percent) => Below(100) < percent;

    /// <summary>The number of one set bit of <paramref name="mask"/>; -1 when there is none.</summary>
    public int Bit(uint mask)
    {
        int skip = mask == 0 ? 0 : Below(System.Numerics.BitOperations.PopCount(mask));
        for (; skip > 0; skip--)
        {
            mask &= mask - 1;
        }
        return mask == 0 ? -1 : System.Numerics.BitOperations.TrailingZeroCount(mask);
    }

    /// <summary>A number in which the corners (0, 1, -1, sign bits, small values, single bits) are frequent.</summary>
    public uint Interesting() => Below(8) switch
    {
        0 => (uint)Below(3) - 1,
        1 => 1u << Below(32),
        2 => (1u << Below(32)) - 1,
        3 => (uint)(sbyte)Next32(),
        4 => (uint)Below(64),
        5 => 0x80000000u >> (8 * Below(4)),
        _ => Next32(),
    };

    /// <summary>Fills memory.</summary>
    public void Fill(Span<byte> bytes)
    {
        foreach (ref byte b in bytes)
        {
            b = (byte)Next32();
        }
    }

    /// <summary>Fills memory with floating-point values: ordinary ones, zeros, infinities, denormals and NaNs, single and double.</summary>
    public void FillFloats(Span<byte> bytes)
    {
        foreach (ref ulong q in MemoryMarshal.Cast<byte, ulong>(bytes))
        {
            q = Below(6) switch
            {
                0 => BitConverter.DoubleToUInt64Bits((Below(2001) - 1000) / 8.0),
                1 => BitConverter.SingleToUInt32Bits(Below(100) / 4f) | ((ulong)BitConverter.SingleToUInt32Bits(-Below(1000)) << 32),
                2 => (Below(5) switch { 0 => 0ul, 1 => 0x7FF0000000000000, 2 => 0xFFF8000000000000, 3 => 0x7F800000FF800000, _ => 0x0000000180000001 }) ^ (ulong)Below(2) << 63,
                3 => BitConverter.DoubleToUInt64Bits(BitConverter.UInt64BitsToDouble((Next64() & 0x800FFFFFFFFFFFFF) | (ulong)(1013 + Below(20)) << 52)),
                4 => (ulong)Interesting() << 32 | Interesting(),
                _ => Next64(),
            };
        }
    }
}
