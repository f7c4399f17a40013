using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Text;
using Lodge.Interop;

namespace Lodge.Cli.Run;

/// <summary>What this process was started with, before the .NET runtime decoded it or changed it.</summary>
internal static class ProcessStart
{
    /// <summary>The last <paramref name="count"/> arguments, byte for byte.</summary>
    public static byte[][] LastArguments(int count)
    {
        List<byte[]> all = Split(File.ReadAllBytes("/proc/self/cmdline"));
        return [.. all.GetRange(all.Count - count, count)];
    }

    /// <summary>The environment, byte for byte.</summary>
    public static byte[][] Environment() => [.. Split(File.ReadAllBytes("/proc/self/environ"))];

    /// <summary>
    /// The runtime raises the soft limit on descriptors to the hard one at its start and does not keep the old value. The parent's is what
    /// this process was given, unless something between the two changed it.
    /// </summary>
    public static void RestoreDescriptorLimit()
    {
        try
        {
            string parent = Status("/proc/self/status", "PPid:");
            string[] words = Status($"/proc/{parent}/limits", "Max open files").Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words.Length > 1 && ulong.TryParse(words[0], NumberStyles.None, CultureInfo.InvariantCulture, out ulong soft))
            {
                _ = LinuxCalls.SetSoftDescriptorLimit(soft);
            }
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // No parent to be seen (another pid namespace): the limit stays wide.
        }
    }

    /// <summary>A string as bytes.</summary>
    public static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private static string Status(string file, string key)
    {
        foreach (string line in File.ReadLines(file))
        {
            if (line.StartsWith(key, StringComparison.Ordinal))
            {
                return line[key.Length..].Trim();
            }
        }

        return "";
    }

    private static List<byte[]> Split(ReadOnlySpan<byte> bytes)
    {
        List<byte[]> strings = [];
        while (!bytes.IsEmpty)
        {
            int end = bytes.IndexOf((byte)0);
            strings.Add(bytes[..(end < 0 ? bytes.Length : end)].ToArray());
            bytes = end < 0 ? default : bytes[(end + 1)..];
        }

        return strings;
    }
}
