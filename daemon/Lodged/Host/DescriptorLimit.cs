using System;
using System.Globalization;
using System.IO;

namespace Lodge.Service;

/// <summary>The limit on descriptors where a filter forbids to ask the kernel for it.</summary>
internal static class DescriptorLimit
{
    private const long Usual = 1024;

    /// <summary>The soft limit in /proc/self/limits; 1024 when that does not tell either.</summary>
    public static long FromProc()
    {
        try
        {
            return Parse(File.ReadAllText("/proc/self/limits"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Usual;
        }
    }

    /// <summary>The soft limit in the text of /proc/PID/limits.</summary>
    public static long Parse(string limits)
    {
        const string Name = "Max open files";
        foreach (string line in limits.Split('\n'))
        {
            if (line.StartsWith(Name, StringComparison.Ordinal))
            {
                string[] words = line[Name.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
                return words.Length > 0 && long.TryParse(words[0], NumberStyles.None, CultureInfo.InvariantCulture, out long soft) ? soft : Usual;
            }
        }

        return Usual;
    }
}
