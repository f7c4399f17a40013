using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text;
using System.Text.RegularExpressions;

namespace Lodge.AbiMaps;

/// <summary>Error numbers: tables/errno.tsv and Errno.g.cs. All four ABIs take them from asm-generic.</summary>
public static partial class ErrnoTable
{
    private static readonly string[] s_headers = ["include/uapi/asm-generic/errno-base.h", "include/uapi/asm-generic/errno.h", "include/linux/errno.h"];

    /// <summary>Reads the headers of a kernel tree; the last one holds the codes that never leave the kernel.</summary>
    public static IReadOnlyList<(string Name, int Value)> Read(string kernel) => Parse(string.Join('\n', s_headers.Select(h => File.ReadAllText(Path.Combine(kernel, h)))));

    /// <summary>Takes the error macros out of header text; an alias gets the value of its target.</summary>
    public static IReadOnlyList<(string Name, int Value)> Parse(string text)
    {
        var values = new Dictionary<string, int>(StringComparer.Ordinal);
        var list = new List<(string, int)>();
        foreach (Match match in Macro().Matches(text))
        {
            string value = match.Groups[2].Value;
            int number = char.IsAsciiDigit(value[0]) ? int.Parse(value, CultureInfo.InvariantCulture) : values[value];
            if (values.TryAdd(match.Groups[1].Value, number))
            {
                list.Add((match.Groups[1].Value, number));
            }
        }
        return list;
    }

    /// <summary>Formats the table.</summary>
    public static string Format(IEnumerable<(string Name, int Value)> values) => Tsv.Format(
        ["Error numbers, the same on all four ABIs. Written by the generator; not edited by hand.", "name, value"],
        values.Select(v => new[] { v.Name, v.Value.ToString(CultureInfo.InvariantCulture) }));

    /// <summary>Errno.g.cs from the committed table.</summary>
    public static string Emit(IEnumerable<string[]> rows)
    {
        ArgumentNullException.ThrowIfNull(rows);
        var text = new StringBuilder(EmitTables.Header);
        text.Append("namespace Lodge.Abi;\n\n/// <summary>Error numbers (positive), and the kernel-internal restart codes (512 and up), the same on all four ABIs.</summary>\npublic static class Errno\n{\n");
        foreach (string[] row in rows)
        {
            text.Append(CultureInfo.InvariantCulture, $"    public const int {row[0]} = {row[1]};\n");
        }
        text.Append("}\n");
        return text.ToString();
    }

    [GeneratedRegex(@"^#define\s+(E[A-Z0-9]+)\s+(\d+|E[A-Z0-9]+)\b", RegexOptions.Multiline)]
    private static partial Regex Macro();
}
