using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;

namespace Lodge.AbiMaps;

/// <summary>One line of a kernel <c>.tbl</c> file.</summary>
public readonly record struct TableLine(int Number, string Abi, string Name, string? Entry, string? Compat);

/// <summary>Reads the kernel's system call tables.</summary>
public static partial class KernelTable
{
    /// <summary>Parses the text of a <c>.tbl</c> file: number, abi, name, entry, compat entry; comments start with #.</summary>
    /// <exception cref="FormatException">A line has another shape.</exception>
    public static IReadOnlyList<TableLine> Parse(string text)
    {
        var lines = new List<TableLine>();
        foreach (string raw in text.Split('\n'))
        {
            int comment = raw.IndexOf('#', StringComparison.Ordinal);
            string line = (comment < 0 ? raw : raw[..comment]).Trim();
            if (line.Length == 0)
            {
                continue;
            }
            string[] fields = line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            if (fields.Length < 3 || !int.TryParse(fields[0], NumberStyles.None, CultureInfo.InvariantCulture, out int number))
            {
                throw new FormatException($"not a system call table line: {raw}");
            }
            lines.Add(new TableLine(number, fields[1], fields[2], Entry(fields, 3), Entry(fields, 4)));
        }
        return lines;
    }

    /// <summary>Keeps the lines of the given abi columns; two lines for one number are an error.</summary>
    /// <exception cref="FormatException">A number occurs twice.</exception>
    public static IReadOnlyList<TableLine> Select(IEnumerable<TableLine> lines, params string[] abis)
    {
        var selected = new SortedDictionary<int, TableLine>();
        foreach (TableLine line in lines.Where(l => abis.Contains(l.Abi)))
        {
            if (!selected.TryAdd(line.Number, line))
            {
                throw new FormatException($"number {line.Number} is both {selected[line.Number].Name} and {line.Name}");
            }
        }
        return selected.Values.ToList();
    }

    /// <summary>Reads one ABI's table from a kernel tree, in the order of the numbers.</summary>
    public static IReadOnlyList<TableLine> Read(string kernel, string abi)
    {
        switch (abi)
        {
            case Abi.I386:
                return Select(Parse(Text(kernel, "arch/x86/entry/syscalls/syscall_32.tbl")), "i386");
            case Abi.X64:
                return Select(Parse(Text(kernel, "arch/x86/entry/syscalls/syscall_64.tbl")), "common", "64");
            case Abi.Arm64:
                return Select(Parse(Text(kernel, "scripts/syscall.tbl")), ["common", "64", .. ExtraAbis(Text(kernel, "arch/arm64/kernel/Makefile.syscalls"))]);
            case Abi.Arm:
                return MergeArm(
                    Parse(Text(kernel, "arch/arm/tools/syscall.tbl")),
                    Select(Parse(Text(kernel, "arch/arm64/tools/syscall_32.tbl")), "common"),
                    Text(kernel, "arch/arm/include/uapi/asm/unistd.h"));
            default:
                throw new ArgumentException(abi, nameof(abi));
        }
    }

    /// <summary>
    /// AArch32: native entries come from arch/arm, compat entries from arch/arm64. Calls of the old ABI only keep their name and
    /// lose their entry, and the private calls of asm/unistd.h are added with their own names as entries.
    /// </summary>
    public static IReadOnlyList<TableLine> MergeArm(IEnumerable<TableLine> native, IEnumerable<TableLine> compat, string unistd)
    {
        var entries = compat.ToDictionary(l => l.Number);
        var merged = new SortedDictionary<int, TableLine>();
        foreach (TableLine line in native)
        {
            bool old = line.Abi == "oabi";
            TableLine row = line with
            {
                Entry = old ? null : line.Entry,
                Compat = !old && entries.TryGetValue(line.Number, out TableLine c) ? c.Compat : null,
            };
            if (!merged.TryAdd(row.Number, row) && !old)
            {
                merged[row.Number] = row;
            }
        }
        foreach (Match match in PrivateCall().Matches(unistd))
        {
            int number = 0x0f0000 + int.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture);
            string name = match.Groups[1].Value;
            merged.Add(number, new TableLine(number, "private", name, "__ARM_NR_" + name, null));
        }
        return merged.Values.ToList();
    }

    private static string Text(string kernel, string path) => File.ReadAllText(Path.Combine(kernel, path));

    private static string? Entry(string[] fields, int index) => index < fields.Length && fields[index] != "-" ? fields[index] : null;

    private static IEnumerable<string> ExtraAbis(string makefile) =>
        ExtraAbiLine().Matches(makefile).SelectMany(m => m.Groups[1].Value.Split(' ', StringSplitOptions.RemoveEmptyEntries));

    [GeneratedRegex(@"^#define\s+__ARM_NR_(\w+)\s+\(__ARM_NR_BASE\s*\+\s*(\d+)\)", RegexOptions.Multiline)]
    private static partial Regex PrivateCall();

    [GeneratedRegex(@"^syscall_abis_64\s*\+=\s*(.*)$", RegexOptions.Multiline)]
    private static partial Regex ExtraAbiLine();
}
