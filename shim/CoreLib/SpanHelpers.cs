#pragma warning disable CS0169 // Block16 is only copied whole

using System.Runtime.CompilerServices;

namespace System;

/// <summary>
/// Block copies and fills. ILC calls these for large structure copies and clears; no library is behind them, so they must not be
/// written in a way that the compiler would turn into a call of themselves. 16 bytes go through one vector register at a time.
/// </summary>
internal static unsafe class SpanHelpers
{
    /// <summary>Copies <paramref name="len"/> bytes; the ranges may overlap.</summary>
    internal static void Memmove(ref byte dest, ref byte src, nuint len)
    {
        byte* d = (byte*)Unsafe.AsPointer(ref dest);
        byte* s = (byte*)Unsafe.AsPointer(ref src);
        if (len <= 16)
        {
            CopySmall(d, s, len);
        }
        else if ((nuint)d - (nuint)s >= len)
        {
            CopyForward(d, s, len);
        }
        else
        {
            CopyBackward(d, s, len);
        }
    }

    /// <summary>Sets <paramref name="len"/> bytes to zero.</summary>
    internal static void ClearWithoutReferences(ref byte dest, nuint len) => Fill(ref dest, 0, len);

    /// <summary>Sets <paramref name="len"/> bytes to <paramref name="value"/>.</summary>
    internal static void Fill(ref byte dest, byte value, nuint len)
    {
        byte* d = (byte*)Unsafe.AsPointer(ref dest);
        ulong pattern = value * 0x0101010101010101UL;
        if (len < 8)
        {
            for (nuint i = 0; i < len; i++)
            {
                d[i] = value;
            }

            return;
        }

        byte* last = d + len - 8;
        while (d + 24 <= last)
        {
            *(ulong*)d = pattern;
            *(ulong*)(d + 8) = pattern;
            *(ulong*)(d + 16) = pattern;
            *(ulong*)(d + 24) = pattern;
            d += 32;
        }

        while (d < last)
        {
            *(ulong*)d = pattern;
            d += 8;
        }

        *(ulong*)last = pattern;
    }

    // Both ends of each case are loaded before anything is stored, so overlap does not matter.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void CopySmall(byte* d, byte* s, nuint len)
    {
        if (len >= 8)
        {
            ulong first = *(ulong*)s;
            ulong last = *(ulong*)(s + len - 8);
            *(ulong*)d = first;
            *(ulong*)(d + len - 8) = last;
        }
        else if (len >= 4)
        {
            uint first = *(uint*)s;
            uint last = *(uint*)(s + len - 4);
            *(uint*)d = first;
            *(uint*)(d + len - 4) = last;
        }
        else if (len != 0)
        {
            byte first = *s;
            byte middle = s[len >> 1];
            byte last = s[len - 1];
            *d = first;
            d[len >> 1] = middle;
            d[len - 1] = last;
        }
    }

    // The destination is below the source (or apart from it): going up never overwrites what is still to be read. The tail is read first,
    // because the loop may overwrite it when the ranges overlap.
    private static void CopyForward(byte* d, byte* s, nuint len)
    {
        Block16 tail = *(Block16*)(s + len - 16);
        byte* tailTo = d + len - 16;
        byte* end = d + (len - 1 & ~(nuint)15);
        while (d + 64 <= end)
        {
            *(Block16*)d = *(Block16*)s;
            *(Block16*)(d + 16) = *(Block16*)(s + 16);
            *(Block16*)(d + 32) = *(Block16*)(s + 32);
            *(Block16*)(d + 48) = *(Block16*)(s + 48);
            d += 64;
            s += 64;
        }

        while (d < end)
        {
            *(Block16*)d = *(Block16*)s;
            d += 16;
            s += 16;
        }

        *(Block16*)tailTo = tail;
    }

    // The destination starts inside the source: going down is the safe direction, and the head is read first.
    private static void CopyBackward(byte* d, byte* s, nuint len)
    {
        Block16 head = *(Block16*)s;
        nuint left = len;
        while (left > 16)
        {
            left -= 16;
            *(Block16*)(d + left) = *(Block16*)(s + left);
        }

        *(Block16*)d = head;
    }

    private struct Block16
    {
        private ulong _low;
        private ulong _high;
    }
}

/// <summary>Raw block copy by pointer.</summary>
public static unsafe class Buffer
{
    /// <summary>Copies bytes; the ranges may overlap. <paramref name="destinationSizeInBytes"/> bounds the copy.</summary>
    public static void MemoryCopy(void* source, void* destination, long destinationSizeInBytes, long sourceBytesToCopy)
    {
        if ((ulong)sourceBytesToCopy > (ulong)destinationSizeInBytes)
        {
            ThrowHelper.OutOfRange();
        }

        SpanHelpers.Memmove(ref *(byte*)destination, ref *(byte*)source, (nuint)sourceBytesToCopy);
    }

    /// <summary>Looked up by ILC; without a collector it is a plain copy.</summary>
    internal static void BulkMoveWithWriteBarrier(ref byte destination, ref byte source, nuint byteCount) =>
        SpanHelpers.Memmove(ref destination, ref source, byteCount);
}
