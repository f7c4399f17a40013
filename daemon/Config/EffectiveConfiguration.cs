using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using System.Text.RegularExpressions;
using Lodge.Protocol;

namespace Lodge.Config;

/// <summary>
/// The options in force for one program, and who said so: the same answer as the shim's, reached from the texts instead of from the compiled
/// file. Settings are applied one after the other; later ones win, members of maps each for itself.
/// </summary>
public sealed class EffectiveConfiguration
{
    private readonly List<SettingText> _values = [];

    /// <summary>What was set, in the order in which the winners were said.</summary>
    public IReadOnlyList<SettingText> Values => _values;

    /// <summary>Applies the entries that match the program, in their order. Returns their number, defaults not counted.</summary>
    public int Apply(IEnumerable<EntryTexts> entries, ProgramDescription program)
    {
        ArgumentNullException.ThrowIfNull(entries);
        int applied = 0;
        foreach (EntryTexts entry in entries.Where(e => Matches(e, program)))
        {
            applied += entry.Matches.Count != 0 ? 1 : 0;
            foreach (SettingText setting in entry.Settings)
            {
                Set(setting);
            }
        }

        return applied;
    }

    /// <summary>Applies LODGE_NAME variables. Those that are not understood are reported and passed over.</summary>
    public void ApplyVariables(IEnumerable<KeyValuePair<string, string>> environment, ICollection<string> notUnderstood)
    {
        ArgumentNullException.ThrowIfNull(environment);
        ArgumentNullException.ThrowIfNull(notUnderstood);
        foreach ((string name, string value) in environment)
        {
            foreach (OptionInfo option in OptionInfo.All.Where(o => (o.Scope & OptionScope.Environment) != 0 && o.Variable == name))
            {
                if (!EnvironmentText.TryDecode(option, value, new Origin($"{name} in the environment", default), out IReadOnlyList<SettingText> settings))
                {
                    notUnderstood.Add($"{name}={value}");
                }

                foreach (SettingText setting in settings)
                {
                    Set(setting);
                }
            }
        }
    }

    /// <summary>Sets one value, or one member.</summary>
    public void Set(SettingText setting)
    {
        ArgumentNullException.ThrowIfNull(setting);
        bool variables = setting.Option == OptionId.Environment;
        bool all = variables && setting.Member.EndsWith('*') && setting.Value == null;
        _values.RemoveAll(v => v.Option == setting.Option
            && (v.Member == setting.Member || (all && v.Member.StartsWith(setting.Member[..^1], StringComparison.Ordinal))));
        _values.Add(setting);
    }

    /// <summary>True if the entry applies to the program.</summary>
    public static bool Matches(EntryTexts entry, ProgramDescription program)
    {
        ArgumentNullException.ThrowIfNull(entry);
        ArgumentNullException.ThrowIfNull(program);
        return entry.Matches.All(match => match.Texts.Any(text => match.Kind switch
        {
            MatchKind.Path => Matches(text, program.Real) || (program.Named.StartsWith('/') && Matches(text, program.Named)),
            MatchKind.Name => Matches(text, program.Name),
            MatchKind.BuildId => text == program.BuildId,
            _ => program.Interpreter != null
                && (Matches(text, program.Interpreter) || Matches(text, program.Interpreter[(program.Interpreter.LastIndexOf('/') + 1)..])),
        }));
    }

    /// <summary>True if a pattern (see <see cref="Glob"/>) matches the whole text.</summary>
    public static bool Matches(string pattern, string text)
        => Regex.IsMatch(text, ToRegex(pattern), RegexOptions.CultureInvariant | RegexOptions.Singleline | RegexOptions.NonBacktracking);

    private static string ToRegex(string pattern)
    {
        ArgumentNullException.ThrowIfNull(pattern);
        StringBuilder regex = new("\\A");
        for (int i = 0; i < pattern.Length; i++)
        {
            switch (pattern[i])
            {
                case '*' when i + 1 < pattern.Length && pattern[i + 1] == '*':
                    regex.Append(".*");
                    i++;
                    break;
                case '*':
                    regex.Append("[^/]*");
                    break;
                case '?':
                    regex.Append("[^/]");
                    break;
                case '[' when SetEnd(pattern, i) is > 0 and int end:
                    AppendSet(regex, pattern[(i + 1)..end]);
                    i = end;
                    break;
                case '\\' when i + 1 < pattern.Length:
                    regex.Append(Regex.Escape(pattern[++i].ToString()));
                    break;
                default:
                    regex.Append(Regex.Escape(pattern[i].ToString()));
                    break;
            }
        }

        return regex.Append("\\z").ToString();
    }

    // A ] right behind [ or [! is a member.
    private static int SetEnd(string pattern, int start)
    {
        int first = start + 1 < pattern.Length && pattern[start + 1] == '!' ? start + 2 : start + 1;
        return pattern.IndexOf(']', Math.Min(first + 1, pattern.Length));
    }

    private static void AppendSet(StringBuilder regex, string set)
    {
        bool negated = set.StartsWith('!');
        set = negated ? set[1..] : set;
        List<string> ranges = [];
        for (int i = 0; i < set.Length; i++)
        {
            char high = set[i];
            char low = high;
            if (i + 2 < set.Length && set[i + 1] == '-')
            {
                high = set[i + 2];
                i += 2;
            }

            if (low <= high)
            {
                ranges.Add($"\\u{(int)low:x4}-\\u{(int)high:x4}");
            }
        }

        string members = string.Concat(ranges);
        regex.Append(negated ? $"(?:[^/{members}])" : members.Length == 0 ? "(?:[^\\s\\S])" : $"(?:[{members}-[/]])");
    }
}
