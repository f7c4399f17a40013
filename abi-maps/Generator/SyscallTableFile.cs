using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;

namespace Lodge.AbiMaps;

/// <summary>tables/ABI.tsv: the committed form of a system call table.</summary>
public static class SyscallTableFile
{
    /// <summary>Formats rows; holes are explicit rows with the name "-".</summary>
    public static string Format(string abi, IEnumerable<SyscallRow> rows) => Tsv.Format(
        [
            $"System calls of {abi}. Written by the generator from a kernel tree (see kernel.lock); not edited by hand.",
            "number, name, native entry, compat entry, argument registers, registers as name:kind",
            "Name \"-\" is a hole in the numbering; argument count \"-\" is a call that the kernel does not implement (ENOSYS), 0 a call without arguments.",
        ],
        rows.Select(r => new[]
        {
            r.Number.ToString(CultureInfo.InvariantCulture), r.Name ?? "-", r.Entry ?? "-", r.Compat ?? "-",
            r.Arguments?.Count.ToString(CultureInfo.InvariantCulture) ?? "-", r.Arguments is null ? "-" : FormatArguments(r.Arguments),
        }));

    /// <summary>Parses what <see cref="Format"/> wrote.</summary>
    public static IReadOnlyList<SyscallRow> Parse(string text) => Tsv.Parse(text).Select(f => new SyscallRow(
        int.Parse(f[0], CultureInfo.InvariantCulture), f[1] == "-" ? null : f[1], f[2] == "-" ? null : f[2], f[3] == "-" ? null : f[3],
        f[4] == "-" ? null : ParseArguments(f[5]))).ToList();

    /// <summary>name:kind, comma-separated; "none" for an empty list.</summary>
    public static string FormatArguments(IReadOnlyList<Argument> arguments) =>
        arguments.Count == 0 ? "none" : string.Join(',', arguments.Select(a => $"{a.Name}:{KindName(a.Kind)}"));

    /// <summary>Parses a register list.</summary>
    /// <exception cref="FormatException">An element is not name:kind.</exception>
    public static IReadOnlyList<Argument> ParseArguments(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text == "none" ? [] : text.Split(',').Select(part =>
        {
            string[] pair = part.Split(':');
            return pair.Length == 2 && Enum.TryParse(pair[1], true, out ArgumentKind kind) && Enum.IsDefined(kind)
                ? new Argument(pair[0], kind)
                : throw new FormatException($"not name:kind: {part}");
        }).ToList();
    }

    private static string KindName(ArgumentKind kind) => kind switch
    {
        ArgumentKind.Int => "int",
        ArgumentKind.UInt => "uint",
        ArgumentKind.Long => "long",
        ArgumentKind.ULong => "ulong",
        ArgumentKind.Ptr => "ptr",
        ArgumentKind.Str => "str",
        ArgumentKind.Fd => "fd",
        ArgumentKind.Lo => "lo",
        ArgumentKind.Hi => "hi",
        ArgumentKind.Pad => "pad",
        ArgumentKind.Long64 => "long64",
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };
}
