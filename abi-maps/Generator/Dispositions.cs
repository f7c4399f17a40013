using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;

namespace Lodge.AbiMaps;

/// <summary>What the shim does with a call.</summary>
public enum Disposition
{
    /// <summary>The host call of the same entry is made.</summary>
    Pass,
    /// <summary>A method of Syscalls&lt;TAbi&gt; does it.</summary>
    Thunk,
    /// <summary>Answered with an error.</summary>
    Refused,
    /// <summary>A thunk whose method does not exist yet: ENOSYS and one log line.</summary>
    Todo,
}

/// <summary>Memory that the host kernel writes in a passed call: which argument points to it, how much of it.</summary>
/// <param name="Argument">Index of the pointer.</param>
/// <param name="Bytes">Fixed size, or the factor of <paramref name="LengthArgument"/>.</param>
/// <param name="LengthArgument">Index of the argument that holds the length; -1 for a fixed size.</param>
public readonly record struct WrittenMemory(int Argument, int Bytes, int LengthArgument);

/// <summary>One row of hand/dispositions.tsv.</summary>
/// <param name="Call">Call name.</param>
/// <param name="Kind">Disposition; never Todo here.</param>
/// <param name="Error">Errno name of a refusal; empty otherwise.</param>
/// <param name="Blocks">The call may sleep until a signal comes.</param>
/// <param name="Writes">Memory the host kernel writes.</param>
/// <param name="Reason">Why, in words.</param>
public sealed record DispositionRow(string Call, Disposition Kind, string Error, bool Blocks, IReadOnlyList<WrittenMemory> Writes, string Reason);

/// <summary>hand/dispositions.tsv.</summary>
public sealed partial class Dispositions
{
    private readonly Dictionary<(string Guest, string Call), DispositionRow> _rows = [];

    /// <summary>Parses the file.</summary>
    /// <exception cref="FormatException">A row is not well-formed.</exception>
    public static Dispositions Parse(string text)
    {
        var dispositions = new Dispositions();
        foreach (string[] f in Tsv.Parse(text))
        {
            if (f.Length != 6 || f[5].Length == 0 || f[0] is not ("*" or Abi.I386 or Abi.Arm) || f[3] is not ("block" or "-"))
            {
                throw new FormatException($"hand/dispositions.tsv: {string.Join(' ', f)}");
            }
            string[] kind = f[2].Split(' ');
            Disposition disposition = kind switch
            {
                ["pass"] => Disposition.Pass,
                ["thunk"] => Disposition.Thunk,
                ["refused", _] => Disposition.Refused,
                _ => throw new FormatException($"hand/dispositions.tsv: {f[1]}: {f[2]}"),
            };
            IReadOnlyList<WrittenMemory> writes = f[4] == "-" ? [] : f[4].Split(',').Select(Written).ToList();
            var row = new DispositionRow(f[1], disposition, kind.Length > 1 ? kind[1] : "", f[3] == "block", writes, f[5]);
            if (!dispositions._rows.TryAdd((f[0], f[1]), row))
            {
                throw new FormatException($"hand/dispositions.tsv: {f[0]} {f[1]} twice");
            }
        }
        return dispositions;
    }

    /// <summary>The row of a guest's call: its own, else the common one, else null.</summary>
    public DispositionRow? Find(string guest, string call) => _rows.GetValueOrDefault((guest, call)) ?? _rows.GetValueOrDefault(("*", call));

    /// <summary>Rows that name no implemented call of a table, and implemented calls without a row.</summary>
    public IEnumerable<string> Mismatches(IReadOnlyDictionary<string, IReadOnlyList<SyscallRow>> tables)
    {
        foreach ((string guest, IReadOnlyList<SyscallRow> rows) in tables)
        {
            foreach (SyscallRow row in rows.Where(r => r.IsImplemented && Find(guest, r.Name!) is null))
            {
                yield return $"{guest} {row.Name} ({row.Entry}): pass, thunk or refused? (hand/dispositions.tsv)";
            }
        }
        foreach ((string guest, string call) in _rows.Keys)
        {
            if (!tables.Any(t => (guest == "*" || guest == t.Key) && t.Value.Any(r => r.IsImplemented && r.Name == call)))
            {
                yield return $"hand/dispositions.tsv: no table has {guest} {call}: remove the row";
            }
        }
    }

    private static WrittenMemory Written(string text)
    {
        Match match = WrittenForm().Match(text);
        if (!match.Success)
        {
            throw new FormatException($"hand/dispositions.tsv: memory written: {text}");
        }
        int argument = int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture);
        return match.Groups[3].Success
            ? new WrittenMemory(argument, match.Groups[4].Success ? int.Parse(match.Groups[4].Value, CultureInfo.InvariantCulture) : 1,
                int.Parse(match.Groups[3].Value, CultureInfo.InvariantCulture))
            : new WrittenMemory(argument, int.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture), -1);
    }

    [GeneratedRegex(@"^(\d)\[(?:(\d+)|a(\d)(?:\*(\d+))?)\]$")]
    private static partial Regex WrittenForm();
}

/// <summary>Methods of Syscalls&lt;TAbi&gt; that exist under shim/.</summary>
public static partial class HandlerMethods
{
    /// <summary>Names of every <c>public static int sys_X(GuestThread* t)</c> below a folder.</summary>
    public static HashSet<string> Find(string folder)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        if (Directory.Exists(folder))
        {
            foreach (string file in Directory.EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories))
            {
                names.UnionWith(Declaration().Matches(File.ReadAllText(file)).Select(m => m.Groups[1].Value));
            }
        }
        return names;
    }

    /// <summary>True when any file below the folder contains the text.</summary>
    public static bool Mentions(string folder, string text) => Directory.Exists(folder)
        && Directory.EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories).Any(f => File.ReadAllText(f).Contains(text, StringComparison.Ordinal));

    [GeneratedRegex(@"public static int (sys_\w+)\(GuestThread\*\s*\w+\)")]
    private static partial Regex Declaration();
}
