using System.Collections.Generic;
using System.IO;
using Lodge.Translator.Tables;

namespace Lodge.DecoderTests;

/// <summary>The rows of i386.table as text, by row number.</summary>
internal static class InstructionTable
{
    public static readonly IReadOnlyList<TableRow?> Rows = Load();

    public static IEnumerable<string> Lines(string resource)
    {
        using Stream stream = typeof(InstructionTable).Assembly.GetManifestResourceStream(resource)!;
        using var reader = new StreamReader(stream);
        while (reader.ReadLine() is { } line)
        {
            yield return line;
        }
    }

    private static List<TableRow?> Load()
    {
        var rows = new List<TableRow?> { null };
        rows.AddRange(TableParser.Parse(Lines("i386.table")));
        return rows;
    }
}
