using System;
using System.Globalization;
using System.IO;
using Microsoft.Win32.SafeHandles;

namespace Lodge.Service;

/// <summary>When processes started, which together with the pid names one for good within a boot.</summary>
internal static class ProcessStart
{
    // Fields of /proc/PID/stat are counted from 1; the name in field 2 may hold anything, so counting begins behind its last parenthesis.
    private const int StartField = 22, FirstBehindName = 3;

    /// <summary>Id of this boot; all zeros without a /proc.</summary>
    public static Guid BootId { get; } = ReadBootId();

    /// <summary>Clock ticks from boot to the start of a process; 0 when there is no such process, or /proc does not say.</summary>
    public static ulong Of(int pid)
    {
        try
        {
            Span<byte> text = stackalloc byte[512];
            using SafeFileHandle file = File.OpenHandle($"/proc/{pid}/stat");
            int length = RandomAccess.Read(file, text, 0);
            return Parse(text[..length]);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }

    private static Guid ReadBootId()
    {
        try
        {
            return Guid.TryParse(File.ReadAllText("/proc/sys/kernel/random/boot_id"), CultureInfo.InvariantCulture, out Guid id) ? id : default;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return default;
        }
    }

    /// <summary>Field 22 of a line of /proc/PID/stat; 0 when it has none.</summary>
    public static ulong Parse(ReadOnlySpan<byte> line)
    {
        int close = line.LastIndexOf((byte)')');
        if (close < 0)
        {
            return 0;
        }

        ReadOnlySpan<byte> rest = line[(close + 1)..];
        int field = FirstBehindName - 1;
        foreach (Range range in rest.Split((byte)' '))
        {
            if (++field == StartField + 1)
            {
                return ulong.TryParse(rest[range], NumberStyles.None, CultureInfo.InvariantCulture, out ulong ticks) ? ticks : 0;
            }
        }

        return 0;
    }
}
