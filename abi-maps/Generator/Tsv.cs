using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;

namespace Lodge.AbiMaps;

/// <summary>Tab-separated files: one record a line, # starts a comment line, empty lines are skipped.</summary>
public static class Tsv
{
    /// <summary>Reads the records of a file.</summary>
    public static IEnumerable<string[]> Read(string path) => Parse(File.ReadAllText(path));

    /// <summary>Splits text into records.</summary>
    public static IEnumerable<string[]> Parse(string text) =>
        text.Split('\n').Select(l => l.TrimEnd('\r')).Where(l => l.Length > 0 && l[0] != '#').Select(l => l.Split('\t'));

    /// <summary>Formats a file: comment lines, then records.</summary>
    public static string Format(IEnumerable<string> comments, IEnumerable<IEnumerable<string>> records)
    {
        var text = new StringBuilder();
        foreach (string comment in comments)
        {
            text.Append("# ").Append(comment).Append('\n');
        }
        foreach (IEnumerable<string> record in records)
        {
            text.AppendJoin('\t', record).Append('\n');
        }
        return text.ToString();
    }

    /// <summary>Writes a file when its contents differ; returns whether it did.</summary>
    public static bool WriteIfChanged(string path, string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (File.Exists(path) && File.ReadAllText(path) == text)
        {
            return false;
        }
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
        return true;
    }
}
