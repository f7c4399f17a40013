using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;

namespace Lodge.AbiMaps;

/// <summary>A parameter as the kernel declares it.</summary>
public readonly record struct Parameter(string Type, string Name);

/// <summary>One definition or prototype of an entry point.</summary>
/// <param name="Entry">Entry name: sys_read, compat_sys_open.</param>
/// <param name="Source">File it was found in, relative to the tree.</param>
/// <param name="IsPrototype">True for a declaration in a header.</param>
/// <param name="Parameters">Parameters; null when the macro could not be taken apart.</param>
public sealed record Definition(string Entry, string Source, bool IsPrototype, IReadOnlyList<Parameter>? Parameters);

/// <summary>Finds SYSCALL_DEFINEn, COMPAT_SYSCALL_DEFINEn and asmlinkage functions in C text.</summary>
public static partial class DefinitionScanner
{
    /// <summary>Folders of a kernel tree that define system calls for more than one architecture.</summary>
    private static readonly string[] s_excluded = ["Documentation", "arch", "tools", "samples", "scripts", "include", "rust", "usr", "LICENSES"];

    /// <summary>
    /// Scans the generic folders and <c>arch/ARCH</c> of a kernel tree, and the prototypes of the generic headers. User-mode Linux
    /// (arch/x86/um) is another architecture.
    /// </summary>
    public static IReadOnlyList<Definition> ScanTree(string kernel, string arch)
    {
        var definitions = new List<Definition>();
        string macros = File.ReadAllText(Path.Combine(kernel, "include/asm-generic/compat.h"));
        IEnumerable<string> folders = Directory.GetDirectories(kernel).Where(d => !s_excluded.Contains(Path.GetFileName(d)))
            .Append(Path.Combine(kernel, "arch", arch));
        string um = Path.Combine(kernel, "arch", arch, "um") + "/";
        foreach (string file in folders.SelectMany(d => Directory.EnumerateFiles(d, "*.c", SearchOption.AllDirectories)).Order(StringComparer.Ordinal))
        {
            if (file.StartsWith(um, StringComparison.Ordinal))
            {
                continue;
            }
            string text = File.ReadAllText(file);
            if (text.Contains("SYSCALL_DEFINE", StringComparison.Ordinal) || text.Contains("asmlinkage", StringComparison.Ordinal))
            {
                definitions.AddRange(Scan(text, Path.GetRelativePath(kernel, file), macros));
            }
        }
        foreach (string header in new[] { "include/linux/syscalls.h", "include/linux/compat.h" })
        {
            definitions.AddRange(Scan(File.ReadAllText(Path.Combine(kernel, header)), header, macros));
        }
        return definitions;
    }

    /// <summary>Scans one file's text.</summary>
    /// <param name="text">C source.</param>
    /// <param name="source">Name recorded in the results.</param>
    /// <param name="macros">Text with further <c>#define X(name) u32, name##_lo, u32, name##_hi</c> macros.</param>
    public static IEnumerable<Definition> Scan(string text, string source, string macros)
    {
        string clean = Comment().Replace(text, " ");
        Dictionary<string, string> pairs = PairMacros(macros + "\n" + clean);
        foreach (Match match in DefineMacro().Matches(clean))
        {
            int count = int.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture);
            string? inner = Balanced(clean, match.Index + match.Length - 1);
            if (inner is null)
            {
                continue;
            }
            string[] parts = SplitArguments(ExpandPairs(inner, pairs, separator: true));
            string entry = (match.Groups[1].Success ? "compat_sys_" : "sys_") + parts[0];
            if (parts[0].Contains('#', StringComparison.Ordinal) || parts[0].StartsWith('_'))
            {
                continue;
            }
            IReadOnlyList<Parameter>? parameters = null;
            if (parts.Length == 1 + (2 * count))
            {
                parameters = Enumerable.Range(0, count).Select(i => new Parameter(Squeeze(parts[1 + (2 * i)]), parts[2 + (2 * i)])).ToList();
            }
            yield return new Definition(entry, source, false, parameters);
        }
        foreach (Match match in AsmLinkage().Matches(clean))
        {
            string? inner = Balanced(clean, match.Index + match.Length - 1);
            if (inner is null)
            {
                continue;
            }
            yield return new Definition(match.Groups[1].Value, source, source.EndsWith(".h", StringComparison.Ordinal),
                PrototypeParameters(ExpandPairs(inner, pairs, separator: false)));
        }
    }

    private static List<Parameter> PrototypeParameters(string inner)
    {
        string[] parts = SplitArguments(inner);
        if (parts.Length == 1 && parts[0] is "" or "void")
        {
            return [];
        }
        var parameters = new List<Parameter>();
        foreach (string part in parts)
        {
            string text = Squeeze(part);
            Match match = DeclaredName().Match(text);
            bool named = match.Success && match.Groups[1].Value.Trim() is not ("" or "unsigned" or "struct" or "const" or "enum" or "union");
            parameters.Add(named ? new Parameter(match.Groups[1].Value.Trim(), match.Groups[2].Value) : new Parameter(text, $"arg{parameters.Count}"));
        }
        return parameters;
    }

    /// <summary>Little-endian bodies of macros that stand for the two halves of a 64-bit argument: name to "first suffix, second suffix".</summary>
    private static Dictionary<string, string> PairMacros(string text)
    {
        var pairs = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (Match match in PairMacro().Matches(text))
        {
            if (match.Groups[2].Value == "lo")
            {
                pairs[match.Groups[1].Value] = "lo";
            }
        }
        return pairs;
    }

    private static string ExpandPairs(string text, Dictionary<string, string> pairs, bool separator)
    {
        string comma = separator ? "," : "";
        return PairUse().Replace(text, m => pairs.ContainsKey(m.Groups[1].Value)
            ? $"u32{comma} {m.Groups[2].Value}_lo, u32{comma} {m.Groups[2].Value}_hi"
            : m.Value);
    }

    private static string? Balanced(string text, int open)
    {
        int depth = 0;
        for (int i = open; i < text.Length; i++)
        {
            depth += text[i] switch { '(' => 1, ')' => -1, _ => 0 };
            if (depth == 0)
            {
                return text[(open + 1)..i];
            }
        }
        return null;
    }

    private static string[] SplitArguments(string text)
    {
        var parts = new List<string>();
        int depth = 0;
        int start = 0;
        for (int i = 0; i < text.Length; i++)
        {
            depth += text[i] switch { '(' => 1, ')' => -1, _ => 0 };
            if (text[i] == ',' && depth == 0)
            {
                parts.Add(text[start..i].Trim());
                start = i + 1;
            }
        }
        parts.Add(text[start..].Trim());
        return [.. parts];
    }

    private static string Squeeze(string type) => Spaces().Replace(type.Replace("__user", " ", StringComparison.Ordinal), " ").Trim();

    [GeneratedRegex(@"/\*.*?\*/|//[^\n]*", RegexOptions.Singleline)]
    private static partial Regex Comment();

    [GeneratedRegex(@"^(COMPAT_)?SYSCALL_DEFINE([0-6])\s*\(", RegexOptions.Multiline)]
    private static partial Regex DefineMacro();

    [GeneratedRegex(@"^asmlinkage\s+(?:long|int|unsigned long|void)\s+((?:compat_)?sys_\w+)\s*\(", RegexOptions.Multiline)]
    private static partial Regex AsmLinkage();

    [GeneratedRegex(@"^(.*[\s*])(\w+)(?:\[\])?$")]
    private static partial Regex DeclaredName();

    [GeneratedRegex(@"^#\s*define\s+(\w+)\(\w+\)\s+u32\s*,?\s+\w+##_(lo|hi)\s*,", RegexOptions.Multiline)]
    private static partial Regex PairMacro();

    [GeneratedRegex(@"\b(\w+)\((\w+)\)")]
    private static partial Regex PairUse();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
