using System;
using System.Collections.Generic;
using System.CommandLine;
using System.Linq;
using System.Text;
using Lodge.Config;
using Lodge.Protocol;

namespace Lodge.Cli.Configuration;

/// <summary>
/// The options of the table on the command line of <c>lodge run</c>. They travel as LODGE_* variables, so that they hold for what the
/// program starts as well. --strace and --root are the shim's own options and not among them.
/// </summary>
internal sealed class RunOptions
{
    private readonly List<(OptionInfo Info, Option<string[]> Option)> _options = [];

    /// <summary>Adds the options to a command.</summary>
    public RunOptions(Command command)
    {
        foreach (OptionInfo info in OptionInfo.All)
        {
            if ((info.Scope & (OptionScope.CommandLine | OptionScope.Environment)) != (OptionScope.CommandLine | OptionScope.Environment)
                || info.Id == OptionId.Strace)
            {
                continue;
            }

            bool flag = info.Type == OptionType.Boolean;
            Option<string[]> option = new("--" + info.Name)
            {
                Description = info.Doc,
                HelpName = info.Type switch
                {
                    OptionType.Boolean => "true|false",
                    OptionType.Token => string.Join('|', info.Tokens),
                    OptionType.EnvironmentMap => "NAME=VALUE|-NAME",
                    OptionType.FeatureMap => "FEATURE=on|off",
                    OptionType.IoctlMap => "REQUEST=" + string.Join('|', OptionInfo.Policies),
                    OptionType.Size => "SIZE",
                    _ => "NAME",
                },
                Arity = flag ? ArgumentArity.ZeroOrMore : ArgumentArity.OneOrMore,
                AllowMultipleArgumentsPerToken = false,
            };
            _options.Add((info, option));
            command.Options.Add(option);
        }
    }

    /// <summary>The environment with the options that were given.</summary>
    /// <exception cref="CommandException">A value is not understood.</exception>
    public byte[][] Apply(ParseResult parsed, byte[][] environment)
    {
        foreach ((OptionInfo info, Option<string[]> option) in _options)
        {
            if (parsed.GetResult(option) is not { Implicit: false })
            {
                continue;
            }

            string[] given = parsed.GetValue(option) ?? [];
            string value = info.IsMap ? string.Join(',', given.Select(Escape)) : given.Length == 0 ? "true" : given[^1];
            if (!EnvironmentText.TryDecode(info, value, Origin.BuiltIn, out _))
            {
                throw new CommandException(ExitCode.Usage, $"--{info.Name}: {string.Join(' ', given)}: not understood, expected {option.HelpName}");
            }

            environment = Set(environment, info, value);
        }

        return environment;
    }

    // Members of maps come on top of those that the variable has.
    private static byte[][] Set(byte[][] environment, OptionInfo info, string value)
    {
        byte[] prefix = Encoding.ASCII.GetBytes(info.Variable + "=");
        byte[] own = Encoding.UTF8.GetBytes(value);
        byte[]? before = info.IsMap ? Array.Find(environment, e => e.AsSpan().StartsWith(prefix) && e.Length > prefix.Length) : null;
        byte[] entry = before == null ? [.. prefix, .. own] : [.. before, (byte)',', .. own];
        return [.. environment.Where(e => !e.AsSpan().StartsWith(prefix)), entry];
    }

    private static string Escape(string member)
        => member.Replace("\\", "\\\\", StringComparison.Ordinal).Replace(",", "\\,", StringComparison.Ordinal);
}
