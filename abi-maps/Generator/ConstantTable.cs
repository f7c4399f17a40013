using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text;
using System.Text.RegularExpressions;

namespace Lodge.AbiMaps;

/// <summary>Integer macros that are not the same on all four ABIs: tables/constants.tsv and Constants.g.cs.</summary>
public static partial class ConstantTable
{
    private const string Prefix = "lodge_value_";

    /// <summary>Names of object-like macros in the output of <c>clang -E -dM</c>, without those of the compiler and without include guards.</summary>
    public static IReadOnlyList<string> Names(string macros, string builtins)
    {
        HashSet<string> known = Macro().Matches(builtins).Select(m => m.Groups[1].Value).ToHashSet(StringComparer.Ordinal);
        return Macro().Matches(macros).Where(m => m.Groups[2].Value.Trim().Length > 0).Select(m => m.Groups[1].Value)
            .Where(n => !known.Contains(n) && !n.StartsWith("__NR_", StringComparison.Ordinal)).Order(StringComparer.Ordinal).ToList();
    }

    /// <summary>C text that makes one enumerator per name, one a line, so that an error names its line.</summary>
    public static string Probe(string include, IEnumerable<string> names) =>
        $"#include \"{include}\"\n" + string.Concat(names.Select(n => $"enum lodge_constant_{n} {{ {Prefix}{n} = ({n}) }} lodge_object_{n};\n"));

    /// <summary>Values of the enumerators by name.</summary>
    public static IReadOnlyDictionary<string, Int128> Values(DwarfText dwarf)
    {
        ArgumentNullException.ThrowIfNull(dwarf);
        return dwarf.ByOffset.Values.Where(d => d.Tag == "enumerator" && d.Name!.StartsWith(Prefix, StringComparison.Ordinal))
            .ToDictionary(d => d.Name![Prefix.Length..], d => Int128.Parse(d.Text("const_value")!, CultureInfo.InvariantCulture));
    }

    /// <summary>Formats the names whose values are not present and equal everywhere; "-" where an ABI lacks the name.</summary>
    public static string Format(IReadOnlyDictionary<string, IReadOnlyDictionary<string, Int128>> byAbi)
    {
        ArgumentNullException.ThrowIfNull(byAbi);
        List<string> names = byAbi.Values.SelectMany(v => v.Keys).Distinct().Order(StringComparer.Ordinal).ToList();
        int common = names.Count(n => Abi.All.All(a => byAbi[a].ContainsKey(n)));
        List<string> differing = names.Where(n => Abi.All.Select(a => byAbi[a].TryGetValue(n, out Int128 v) ? v : (Int128?)null).Distinct().Count() > 1).ToList();
        return Tsv.Format(
            [
                "Integer constants of the exported headers that are not present and equal on all four ABIs. Written by the generator; not edited by hand.",
                $"{names.Count} names seen, {common} on all four ABIs",
                "name, " + string.Join(", ", Abi.All),
            ],
            differing.Select(n => Abi.All.Select(a => byAbi[a].TryGetValue(n, out Int128 v) ? v.ToString(CultureInfo.InvariantCulture) : "-").Prepend(n)));
    }

    /// <summary>Constants.g.cs from the committed table: one class per guest, one for the host.</summary>
    public static string Emit(IEnumerable<string[]> table)
    {
        List<string[]> rows = table.ToList();
        var text = new StringBuilder(EmitTables.Header);
        text.Append("// Constants that differ between the ABIs, or that some of them lack; all others are the same numbers everywhere.\n");
        Class(text, "I386", "i386", rows, 1);
        Class(text, "Arm", "arm", rows, 2);
        text.Append("\nnamespace Lodge.Abi.Host\n{\n    /// <summary>Constants of the host kernel.</summary>\n    public static class Constants\n    {\n#if ARM64\n");
        Members(text, rows, 4);
        text.Append("#else\n");
        Members(text, rows, 3);
        text.Append("#endif\n    }\n}\n");
        return text.ToString();
    }

    private static void Class(StringBuilder text, string space, string abi, List<string[]> rows, int column)
    {
        text.Append(CultureInfo.InvariantCulture, $"\nnamespace Lodge.Abi.{space}\n{{\n    /// <summary>Constants of {abi}.</summary>\n    public static class Constants\n    {{\n");
        Members(text, rows, column);
        text.Append("    }\n}\n");
    }

    private static void Members(StringBuilder text, List<string[]> rows, int column)
    {
        foreach (string[] row in rows.Where(r => r[column] != "-"))
        {
            Int128 value = Int128.Parse(row[column], CultureInfo.InvariantCulture);
            string type = value < int.MinValue ? "long" : value <= int.MaxValue ? "int" : value <= uint.MaxValue ? "uint" : value <= long.MaxValue ? "long" : "ulong";
            string literal = value <= int.MaxValue ? value.ToString(CultureInfo.InvariantCulture) : "0x" + value.ToString("x", CultureInfo.InvariantCulture).TrimStart('0');
            text.Append(CultureInfo.InvariantCulture, $"        public const {type} {row[0]} = {literal};\n");
        }
    }

    [GeneratedRegex(@"^#define (\w+) (.+)$", RegexOptions.Multiline)]
    private static partial Regex Macro();
}
