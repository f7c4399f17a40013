using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;

namespace Lodge.AbiMaps;

/// <summary>
/// hand/arguments.tsv: argument registers that the sources do not give. Columns: abi (or *), entry, count, registers, reason. Registers
/// are name:kind, comma-separated. The count is repeated so that a slip shows.
/// </summary>
public sealed class HandArguments
{
    private readonly Dictionary<(string Abi, string Entry), IReadOnlyList<Argument>> _answers = [];
    private readonly HashSet<(string Abi, string Entry)> _used = [];

    /// <summary>Parses the file.</summary>
    /// <exception cref="FormatException">A row is not well-formed.</exception>
    public static HandArguments Parse(string text)
    {
        var hand = new HandArguments();
        foreach (string[] fields in Tsv.Parse(text))
        {
            if (fields.Length != 5 || fields[4].Length == 0)
            {
                throw new FormatException($"hand/arguments.tsv: five columns, the last one the reason: {string.Join(' ', fields)}");
            }
            IReadOnlyList<Argument> arguments = SyscallTableFile.ParseArguments(fields[3]);
            if (arguments.Count != int.Parse(fields[2], CultureInfo.InvariantCulture))
            {
                throw new FormatException($"hand/arguments.tsv: {fields[1]} says {fields[2]} arguments and lists {arguments.Count}");
            }
            hand._answers.Add((fields[0], fields[1]), arguments);
        }
        return hand;
    }

    /// <summary>The answer for an entry of an ABI, or null.</summary>
    public IReadOnlyList<Argument>? Find(string abi, string entry)
    {
        foreach ((string, string) key in new[] { (abi, entry), ("*", entry) })
        {
            if (_answers.TryGetValue(key, out IReadOnlyList<Argument>? answer))
            {
                _used.Add(key);
                return answer;
            }
        }
        return null;
    }

    /// <summary>Rows that nothing asked for: stale answers are questions, too.</summary>
    public IEnumerable<string> Unused() => _answers.Keys.Where(k => !_used.Contains(k)).Select(k => $"hand/arguments.tsv: no table has {k.Abi} {k.Entry}: remove the row");
}
