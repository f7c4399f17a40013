using System.Runtime.CompilerServices;

namespace System
{
    /// <summary>Integer minimum, maximum and friends.</summary>
    public static class Math
    {
        public static int Min(int a, int b) => a < b ? a : b;

        public static uint Min(uint a, uint b) => a < b ? a : b;

        public static long Min(long a, long b) => a < b ? a : b;

        public static ulong Min(ulong a, ulong b) => a < b ? a : b;

        public static nuint Min(nuint a, nuint b) => a < b ? a : b;

        public static nint Min(nint a, nint b) => a < b ? a : b;

        public static int Max(int a, int b) => a > b ? a : b;

        public static uint Max(uint a, uint b) => a > b ? a : b;

        public static long Max(long a, long b) => a > b ? a : b;

        public static ulong Max(ulong a, ulong b) => a > b ? a : b;

        public static nuint Max(nuint a, nuint b) => a > b ? a : b;

        public static nint Max(nint a, nint b) => a > b ? a : b;

        public static int Abs(int value) => value < 0 ? -value : value;

        public static long Abs(long value) => value < 0 ? -value : value;

        /// <summary>Upper 64 bits of the 128-bit product.</summary>
        public static ulong BigMul(ulong a, ulong b, out ulong low)
        {
            ulong al = (uint)a, ah = a >> 32, bl = (uint)b, bh = b >> 32;
            ulong ll = al * bl, lh = al * bh, hl = ah * bl, hh = ah * bh;
            ulong middle = (ll >> 32) + (uint)lh + (uint)hl;
            low = a * b;
            return hh + (lh >> 32) + (hl >> 32) + (middle >> 32);
        }
    }
}

namespace System.Numerics
{
    /// <summary>Bit counting without assumptions about the CPU.</summary>
    public static class BitOperations
    {
        // De Bruijn sequence 0x03F79D71B4CB0A89: the top six bits of (lowest bit * sequence) are different for each of the 64 positions.
        private static ReadOnlySpan<byte> DeBruijn64 =>
        [
            0, 1, 48, 2, 57, 49, 28, 3, 61, 58, 50, 42, 38, 29, 17, 4,
            62, 55, 59, 36, 53, 51, 43, 22, 45, 39, 33, 30, 24, 18, 12, 5,
            63, 47, 56, 27, 60, 41, 37, 16, 54, 35, 52, 21, 44, 32, 23, 11,
            46, 26, 40, 15, 34, 20, 31, 10, 25, 14, 19, 9, 13, 8, 7, 6,
        ];

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static int TrailingZeroCount(uint value) => value == 0 ? 32 : LowestBit(value);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static int TrailingZeroCount(int value) => TrailingZeroCount((uint)value);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static int TrailingZeroCount(ulong value) => value == 0 ? 64 : LowestBit(value);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static int TrailingZeroCount(long value) => TrailingZeroCount((ulong)value);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static int LeadingZeroCount(uint value) => value == 0 ? 32 : 31 - HighestBit(value);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static int LeadingZeroCount(ulong value) => value == 0 ? 64 : 63 - HighestBit(value);

        /// <summary>Position of the highest bit; 0 for 0.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static int Log2(uint value) => HighestBit(value | 1);

        /// <summary>Position of the highest bit; 0 for 0.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static int Log2(ulong value) => HighestBit(value | 1);

        public static int PopCount(uint value)
        {
            value -= (value >> 1) & 0x55555555;
            value = (value & 0x33333333) + ((value >> 2) & 0x33333333);
            return (int)((((value + (value >> 4)) & 0x0F0F0F0F) * 0x01010101) >> 24);
        }

        public static int PopCount(ulong value)
        {
            value -= (value >> 1) & 0x5555555555555555;
            value = (value & 0x3333333333333333) + ((value >> 2) & 0x3333333333333333);
            return (int)((((value + (value >> 4)) & 0x0F0F0F0F0F0F0F0F) * 0x0101010101010101) >> 56);
        }

        public static bool IsPow2(uint value) => value != 0 && (value & (value - 1)) == 0;

        public static bool IsPow2(int value) => value > 0 && (value & (value - 1)) == 0;

        public static bool IsPow2(ulong value) => value != 0 && (value & (value - 1)) == 0;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static uint RotateLeft(uint value, int offset) => (value << offset) | (value >> (32 - offset));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static ulong RotateLeft(ulong value, int offset) => (value << offset) | (value >> (64 - offset));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static uint RotateRight(uint value, int offset) => (value >> offset) | (value << (32 - offset));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static ulong RotateRight(ulong value, int offset) => (value >> offset) | (value << (64 - offset));

#if !ARM64
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static int LowestBit(ulong value) => (int)Runtime.Intrinsics.X86.X86Base.X64.BitScanForward(value);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static int HighestBit(ulong value) => value == 0 ? 0 : (int)Runtime.Intrinsics.X86.X86Base.X64.BitScanReverse(value);
#else
        private static int LowestBit(ulong value) => DeBruijn64[(int)(((value & (0 - value)) * 0x03F79D71B4CB0A89) >> 58)];

        private static int HighestBit(ulong value)
        {
            int position = 0;
            if (value >> 32 != 0)
            {
                value >>= 32;
                position = 32;
            }

            if (value >> 16 != 0)
            {
                value >>= 16;
                position += 16;
            }

            if (value >> 8 != 0)
            {
                value >>= 8;
                position += 8;
            }

            if (value >> 4 != 0)
            {
                value >>= 4;
                position += 4;
            }

            return position + (int)((0xFFFFAA50U >> ((int)value * 2)) & 3);
        }
#endif
    }
}

namespace System.Buffers.Binary
{
    /// <summary>Byte order conversion.</summary>
    public static class BinaryPrimitives
    {
        public static ushort ReverseEndianness(ushort value) => (ushort)((value >> 8) | (value << 8));

        public static uint ReverseEndianness(uint value) =>
            (value >> 24) | ((value >> 8) & 0xFF00) | ((value << 8) & 0xFF0000) | (value << 24);

        public static ulong ReverseEndianness(ulong value) =>
            ((ulong)ReverseEndianness((uint)value) << 32) | ReverseEndianness((uint)(value >> 32));
    }
}
