using System;

namespace Lodge.Protocol;

/// <summary>Lists of words separated by single blanks.</summary>
public static class Tokens
{
    /// <summary>Position of a word in a list; -1 if it is not there.</summary>
    public static int IndexOf(ReadOnlySpan<byte> list, ReadOnlySpan<byte> word)
    {
        int index = 0;
        for (int at = 0; at < list.Length; index++)
        {
            int end = End(list, at);
            if (list.Slice(at, end - at).SequenceEqual(word))
            {
                return index;
            }

            at = end + 1;
        }

        return -1;
    }

    /// <summary>The word at a position; empty beyond the end.</summary>
    public static ReadOnlySpan<byte> At(ReadOnlySpan<byte> list, int index)
    {
        for (int at = 0; at < list.Length; index--)
        {
            int end = End(list, at);
            if (index == 0)
            {
                return list.Slice(at, end - at);
            }

            at = end + 1;
        }

        return default;
    }

    /// <summary>Number of words.</summary>
    public static int Count(ReadOnlySpan<byte> list)
    {
        int count = list.Length == 0 ? 0 : 1;
        for (int i = 0; i < list.Length; i++)
        {
            count += list[i] == ' ' ? 1 : 0;
        }

        return count;
    }

    /// <summary>True or false, as environment variables and command lines say it: 1 true on yes, 0 false off no.</summary>
    public static bool TryBoolean(ReadOnlySpan<byte> text, out bool value)
    {
        int index = IndexOf("1 true on yes 0 false off no"u8, text);
        value = index is >= 0 and < 4;
        return index >= 0;
    }

    private static int End(ReadOnlySpan<byte> list, int at)
    {
        while (at < list.Length && list[at] != ' ')
        {
            at++;
        }

        return at;
    }
}

/// <summary>Sizes as people write them.</summary>
public static class Sizes
{
    /// <summary>Least and most that can be said, in KiB: 1M and 1G.</summary>
    public const uint LeastKiB = 1024, MostKiB = 1024 * 1024;

    /// <summary>A decimal number with K, M or G behind it, between <see cref="LeastKiB"/> and <see cref="MostKiB"/>.</summary>
    public static bool TryParse(ReadOnlySpan<byte> text, out uint kib)
    {
        kib = 0;
        int shift = text.Length is < 2 or > 8 ? -1 : Tokens.IndexOf("K M G"u8, text.Slice(text.Length - 1)) * 10;
        for (int i = 0; i + 1 < text.Length && shift >= 0; i++)
        {
            shift = text[i] is >= (byte)'0' and <= (byte)'9' ? shift : -1;
            kib = (kib * 10) + text[i] - '0';
        }

        ulong wide = shift < 0 ? 0 : (ulong)kib << shift;
        kib = (uint)wide;
        return wide is >= LeastKiB and <= MostKiB;
    }
}

/// <summary>What an ioctl rule does with its request.</summary>
public enum IoctlPolicy : byte
{
    /// <summary>ENOTTY, without a word.</summary>
    Refuse,
    /// <summary>To the host's kernel as it is.</summary>
    Pass,
    /// <summary>As without the rule, and a warning.</summary>
    Log,
}

/// <summary>Names of <see cref="IoctlPolicy"/>.</summary>
public static class IoctlPolicies
{
    /// <summary>In the order of the enumeration.</summary>
    public static ReadOnlySpan<byte> Names => "refuse pass log"u8;

    /// <summary>The key that stands for every request that is not in the shim's table.</summary>
    public static ReadOnlySpan<byte> Unknown => "unknown"u8;
}

/// <summary>Work-arounds: bit numbers of <see cref="Settings.Workarounds"/>, and of the compiled file.</summary>
public enum Workaround : byte
{
    /// <summary>The program runs on one CPU.</summary>
    SingleCpu,
    /// <summary>sysinfo never shows more than fits a signed 32-bit number.</summary>
    SmallMemory,
    /// <summary>Inode numbers are folded to 32 bits.</summary>
    SmallInodes,
    /// <summary>Code is compared with its source each time it is entered.</summary>
    CheckedCode,
}

/// <summary>Names of the work-arounds, and what they do.</summary>
public static class WorkaroundTable
{
    /// <summary>Number of work-arounds.</summary>
    public const int Count = 4;

    /// <summary>In the order of <see cref="Workaround"/>.</summary>
    public static ReadOnlySpan<byte> Names => "single-cpu small-memory small-inodes checked-code"u8;

    /// <summary>What one does.</summary>
    public static ReadOnlySpan<byte> Doc(Workaround workaround) => workaround switch
    {
        Workaround.SingleCpu =>
            "The program and all it starts run on one CPU (the first of its affinity mask), for programs whose threads do not lock as they "u8
            + "should."u8,
        Workaround.SmallMemory =>
            "sysinfo shows at most 2 GiB less one byte of RAM and swap, in bytes, for programs that count memory in signed 32-bit numbers."u8,
        Workaround.SmallInodes =>
            "Inode numbers are folded to 32 bits instead of EOVERFLOW, for programs built without large-file support on file systems with "u8
            + "64-bit inode numbers. Two files may then show the same number."u8,
        _ =>
            "Translated code is compared with the program's bytes each time it is entered, for programs whose code another process changes, "u8
            + "through shared memory or /proc/PID/mem. Costs time."u8,
    };
}
