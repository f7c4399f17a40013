using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;

namespace Lodge.AbiMaps;

/// <summary>How one argument of a host call is made: a guest argument or a constant.</summary>
/// <param name="Guest">Index of the guest's argument; -1 for a constant.</param>
/// <param name="Constant">C# literal of a constant.</param>
public readonly record struct HostArgument(int Guest, string Constant);

/// <summary>The host call of a passed guest call.</summary>
/// <param name="Name">Host call name.</param>
/// <param name="Arguments">Arguments in order.</param>
/// <param name="MissingOn">Hosts without the call, where the guest gets ENOSYS.</param>
public sealed record HostCall(string Name, IReadOnlyList<HostArgument> Arguments, IReadOnlyList<string> MissingOn);

/// <summary>Finds host calls by entry, with hand/host-calls.tsv for what some host lacks.</summary>
public sealed class HostCalls
{
    private static readonly string[] s_hosts = [Abi.X64, Abi.Arm64];
    private readonly Dictionary<string, (string Name, string Arguments)> _hand;
    private readonly Dictionary<string, Dictionary<string, SyscallRow>> _byEntry;
    private readonly Dictionary<string, HashSet<string>> _names;

    /// <summary>Uses both host tables and the hand file.</summary>
    public HostCalls(IReadOnlyDictionary<string, IReadOnlyList<SyscallRow>> tables, string hand)
    {
        ArgumentNullException.ThrowIfNull(tables);
        _hand = Tsv.Parse(hand).ToDictionary(f => f[0], f => (f[1], f[2]));
        _byEntry = s_hosts.ToDictionary(h => h, h => tables[h].Where(r => r.IsImplemented).GroupBy(r => r.Entry!).ToDictionary(g => g.Key, g => g.First()));
        _names = s_hosts.ToDictionary(h => h, h => tables[h].Where(r => r.IsImplemented).Select(r => r.Name!).ToHashSet());
    }

    /// <summary>The host call for a guest row, or null with the question added.</summary>
    public HostCall? Find(string guest, SyscallRow row, OpenQuestions questions)
    {
        ArgumentNullException.ThrowIfNull(row);
        ArgumentNullException.ThrowIfNull(questions);
        List<string> missing = s_hosts.Where(h => !_byEntry[h].ContainsKey(row.Entry!)).ToList();
        if (missing.Count > 0 && _hand.TryGetValue(row.Entry!, out (string Name, string Arguments) answer) && answer.Name != "-")
        {
            if (s_hosts.Any(h => !_names[h].Contains(answer.Name)))
            {
                questions.Add($"hand/host-calls.tsv: {answer.Name} does not exist on every host");
                return null;
            }
            return new HostCall(answer.Name, answer.Arguments.Split(',').Select(Argument).ToList(), []);
        }
        if (missing.Count == s_hosts.Length || (missing.Count > 0 && !_hand.ContainsKey(row.Entry!)))
        {
            questions.Add($"{guest} {row.Name}: passed, but {row.Entry} does not exist on {string.Join(", ", missing)}: how is it made there? (hand/host-calls.tsv)");
            return null;
        }
        List<SyscallRow> hosts = s_hosts.Except(missing).Select(h => _byEntry[h][row.Entry!]).ToList();
        if (hosts.Any(h => h.Arguments!.Count != row.Arguments!.Count) || row.Arguments!.Any(a => a.Kind is ArgumentKind.Lo or ArgumentKind.Hi or ArgumentKind.Pad))
        {
            questions.Add($"{guest} {row.Name}: passed, but the registers of {row.Entry} differ between guest and host");
            return null;
        }
        return new HostCall(hosts[0].Name!, row.Arguments!.Select((_, i) => new HostArgument(i, "")).ToList(), missing);
    }

    private static HostArgument Argument(string text) => text.StartsWith('#')
        ? new HostArgument(-1, text[1..])
        : new HostArgument(int.Parse(text, CultureInfo.InvariantCulture), "");
}
