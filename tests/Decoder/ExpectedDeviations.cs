using System;
using System.Collections.Generic;
using System.IO.Enumeration;
using System.Linq;

namespace Lodge.DecoderTests;

/// <summary>Reader of the files that explain deviations: "fact || our row || Iced code || reason", the first three with * and ?.</summary>
internal sealed class ExpectedDeviations(string resource)
{
    /// <summary>Against Iced.</summary>
    public static readonly ExpectedDeviations Iced = new("expected-deviations.txt");
    /// <summary>Against this machine's CPU.</summary>
    public static readonly ExpectedDeviations Hardware = new("hardware-deviations.txt");

    private readonly List<(string Fact, string Row, string Code)> patterns = [.. InstructionTable.Lines(resource)
        .Where(l => l.Length > 0 && l[0] != '#')
        .Select(l => l.Split(" || "))
        .Select(c => c.Length == 4 && c[3].Trim().Length > 0 ? (c[0].Trim(), c[1].Trim(), c[2].Trim()) : throw new FormatException(string.Join(" || ", c)))];

    /// <summary>Is "fact | row | code" explained?</summary>
    public bool Explains(string deviation)
    {
        string[] d = deviation.Split(" | ");
        string row = string.Join(" | ", d[1..^1]);
        return patterns.Exists(p => Matches(p.Fact, d[0]) && Matches(p.Row, row) && Matches(p.Code, d[^1]));
    }

    private static bool Matches(string pattern, string text) => FileSystemName.MatchesSimpleExpression(pattern, text, false);
}
