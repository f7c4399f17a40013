using System;
using System.Globalization;
using System.IO;

namespace Lodge.Cli.Guests;

/// <summary>What /proc says about a process at one moment. Times in clock ticks (1/100 s on every Linux).</summary>
/// <param name="State">One letter, as in ps(1).</param>
/// <param name="Threads">Number of threads.</param>
/// <param name="CpuTicks">User and system time so far.</param>
/// <param name="StartTicks">Start since boot; with the pid it names a process for good.</param>
/// <param name="ResidentKiB">Resident memory.</param>
internal sealed record ProcessSample(char State, int Threads, ulong CpuTicks, ulong StartTicks, long ResidentKiB)
{
    /// <summary>Clock ticks of /proc in a second (USER_HZ).</summary>
    public const double TicksPerSecond = 100;

    /// <summary>Reads /proc/PID/stat; null when the process is gone, or is not the one that started at <paramref name="startTicks"/> (0 =
    /// any).</summary>
    public static ProcessSample? Read(int pid, ulong startTicks)
    {
        try
        {
            ProcessSample? sample = Parse(File.ReadAllText($"/proc/{pid.ToString(CultureInfo.InvariantCulture)}/stat"));
            return sample != null && (startTicks == 0 || sample.StartTicks == startTicks) ? sample : null;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Reads the fields behind the name, which may hold blanks and parentheses; null when there are too few.</summary>
    public static ProcessSample? Parse(string stat)
    {
        string[] fields = stat[(stat.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

        // fields[0] is field 3 of proc(5)
        return fields.Length < 22 ? null : new ProcessSample(fields[0][0], (int)Number(17), Number(11) + Number(12), Number(19),
            (long)Number(21) * (Environment.SystemPageSize / 1024));

        ulong Number(int index) => ulong.TryParse(fields[index], NumberStyles.None, CultureInfo.InvariantCulture, out ulong value) ? value : 0;
    }
}
