using System;
using System.Buffers.Binary;
using System.Numerics;
using System.Threading;

namespace Lodge.Shim;

public static unsafe partial class SelfTest
{
    private const int Arena = 400;

    // The parts of the core library that have code of their own: block copies and fills, bit counting, atomics. Unit tests run the same
    // methods against .NET's own core library, which checks the expectations.
    private static void CoreLibrary(ref Report report)
    {
        report.Check("core: block copies, overlapping and not"u8, CopyErrors() == 0, CopyErrors());
        report.Check("core: fills"u8, FillErrors() == 0, FillErrors());
        report.Check("core: bit counting"u8, BitErrors() == 0, BitErrors());
        report.Check("core: atomics"u8, AtomicErrors() == 0, AtomicErrors());
        report.Check("core: number formatting"u8, FormatErrors() == 0, FormatErrors());
        report.Check("core: frames of many pages"u8, LargeFrame(3) == 3, LargeFrame(3));
    }

    internal static int CopyErrors()
    {
        byte* arena = stackalloc byte[Arena];
        byte* expected = stackalloc byte[Arena];
        int errors = 0;
        for (int length = 0; length <= 150; length++)
        {
            for (int distance = -80; distance <= 80; distance += 1 + (length & 3))
            {
                for (int i = 0; i < Arena; i++)
                {
                    arena[i] = expected[i] = (byte)(i * 7 + length);
                }

                int from = 100, to = 100 + distance;
                for (int i = 0; i < length; i++)
                {
                    expected[to + i] = (byte)((from + i) * 7 + length);
                }

                new ReadOnlySpan<byte>(arena + from, length).CopyTo(new Span<byte>(arena + to, length));
                errors += new ReadOnlySpan<byte>(arena, Arena).SequenceEqual(new ReadOnlySpan<byte>(expected, Arena)) ? 0 : 1;
            }
        }

        return errors;
    }

    internal static int FillErrors()
    {
        byte* arena = stackalloc byte[Arena];
        int errors = 0;
        for (int length = 0; length <= 150; length++)
        {
            new Span<byte>(arena, Arena).Fill(0xAA);
            new Span<byte>(arena + 3 + (length & 7), length).Clear();
            for (int i = 0; i < Arena; i++)
            {
                int at = i - 3 - (length & 7);
                errors += arena[i] == (at >= 0 && at < length ? 0 : 0xAA) ? 0 : 1;
            }
        }

        return errors;
    }

    internal static int BitErrors()
    {
        int errors = 0;
        for (int bit = 0; bit < 64; bit++)
        {
            ulong value = 1UL << bit;
            errors += BitOperations.TrailingZeroCount(value | (value << 1)) == bit ? 0 : 1;
            errors += BitOperations.LeadingZeroCount(value | (value >> 1)) == 63 - bit ? 0 : 1;
            errors += BitOperations.Log2(value + (value >> 1)) == bit ? 0 : 1;
            errors += BitOperations.PopCount(value - 1) == bit ? 0 : 1;
            errors += BitOperations.RotateLeft(value, 5) == 1UL << ((bit + 5) & 63) ? 0 : 1;
            errors += BitOperations.IsPow2(value) && !BitOperations.IsPow2(value | BitOperations.RotateLeft(value, 1)) ? 0 : 1;
        }

        errors += BitOperations.TrailingZeroCount(0u) == 32 && BitOperations.LeadingZeroCount(0u) == 32 ? 0 : 1;
        errors += BitOperations.PopCount(0xF0F0_0001u) == 9 ? 0 : 1;
        errors += BinaryPrimitives.ReverseEndianness(0x0102030405060708UL) == 0x0807060504030201UL ? 0 : 1;
        errors += Math.BigMul(0xFFFF_FFFF_FFFF_FFFF, 0xFFFF_FFFF_FFFF_FFFE, out ulong low) == 0xFFFF_FFFF_FFFF_FFFD && low == 2 ? 0 : 1;
        return errors;
    }

    internal static int AtomicErrors()
    {
        int word = 5;
        long wide = -1;
        uint bits = 0xF0;
        int errors = Interlocked.Add(ref word, 3) == 8 ? 0 : 1;
        errors += Interlocked.CompareExchange(ref word, 9, 8) == 8 && word == 9 ? 0 : 1;
        errors += Interlocked.CompareExchange(ref word, 1, 8) == 9 && word == 9 ? 0 : 1;
        errors += Interlocked.Exchange(ref wide, 77) == -1 && wide == 77 ? 0 : 1;
        errors += Interlocked.Increment(ref wide) == 78 && Interlocked.Decrement(ref word) == 8 ? 0 : 1;
        errors += Interlocked.Or(ref bits, 0x0F) == 0xF0 && Interlocked.And(ref bits, 0x3C) == 0xFF && bits == 0x3C ? 0 : 1;
        Volatile.Write(ref word, 12);
        errors += Volatile.Read(ref word) == 12 ? 0 : 1;
        return errors;
    }

    internal static int FormatErrors()
    {
        Line line = new(stackalloc byte[96]);
        line.Dec(0);
        line.Byte((byte)' ');
        line.Dec(long.MinValue);
        line.Byte((byte)' ');
        line.UDec(ulong.MaxValue);
        line.Byte((byte)' ');
        line.Hex(0);
        line.Byte((byte)' ');
        line.Hex(0xAB, 4);
        return line.Text.SequenceEqual("0 -9223372036854775808 18446744073709551615 0x0 0x00ab"u8) ? 0 : 1;
    }

    // Several pages of locals: on x86-64 the prologue calls the stack probe.
    internal static int LargeFrame(int value)
    {
        Block copy = default;
        copy.Bytes[39_999] = (byte)value;
        Block second = copy;
        return second.Bytes[39_999] + second.Bytes[0];
    }

    private struct Block
    {
        internal fixed byte Bytes[40_000];
    }
}
