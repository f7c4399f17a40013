using System;
using System.Collections.Generic;
using System.Linq;
using System.Text.RegularExpressions;

namespace Lodge.Cli.Trace;

/// <summary>
/// What <c>-e</c> chooses: <c>[trace=][!]WORD,WORD…</c>, a word being a call's name, <c>%CLASS</c> (or a class's name that is no call's),
/// <c>/REGEX</c>, <c>all</c> or <c>none</c>. With "!" everything but that. Several -e: a call is shown when one of them shows it.
/// </summary>
internal sealed class TraceFilter
{
    private readonly List<Func<string, bool>> _rules = [];

    /// <summary>Reads the expressions; without any, all calls are shown. Throws on a word that means nothing.</summary>
    public TraceFilter(IEnumerable<string> expressions)
    {
        foreach (string expression in expressions)
        {
            string list = expression.StartsWith("trace=", StringComparison.Ordinal) ? expression["trace=".Length..] : expression;
            bool negated = list.StartsWith('!');
            List<Func<string, bool>> words = [.. list.TrimStart('!').Split(',', StringSplitOptions.RemoveEmptyEntries).Select(Word)];
            if (words.Count == 0)
            {
                throw new CommandException(ExitCode.Usage, $"-e {expression}: names no system call");
            }

            _rules.Add(call => words.Any(word => word(call)) != negated);
        }
    }

    /// <summary>Is this call shown?</summary>
    public bool Shows(string call) => _rules.Count == 0 || _rules.Any(rule => rule(call));

    private static Func<string, bool> Word(string word)
    {
        if (word.StartsWith('/'))
        {
            try
            {
                Regex regex = new(word[1..], RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1));
                return regex.IsMatch;
            }
            catch (ArgumentException wrong)
            {
                throw new CommandException(ExitCode.Usage, $"-e {word}: {wrong.Message}");
            }
        }

        if (word is "all" or "none")
        {
            return _ => word == "all";
        }

        if (!word.StartsWith('%') && SyscallNames.All.Contains(word))
        {
            return call => call == word;
        }

        return SyscallNames.Class(word.TrimStart('%')) is { } calls
            ? calls.Contains
            : throw new CommandException(ExitCode.Usage,
                $"-e {word}: neither a system call nor a class (%{string.Join(", %", SyscallNames.Classes)})");
    }
}
