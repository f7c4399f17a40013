using System;
using System.Linq;
using System.Text;

namespace Lodge.Cli.Generate;

/// <summary>Completion for fish: one line a command, option and value.</summary>
internal static class FishCompletion
{
    /// <summary>The script.</summary>
    public static string Text(CommandModel root)
    {
        StringBuilder script = new("# fish completion for lodge. Written by \"lodge generate completion\" "
            + "from the command line's own description; not edited by hand.\ncomplete -c lodge -f\n");
        foreach (CommandModel command in root.All())
        {
            string here = Condition(command);
            foreach (CommandModel sub in command.Commands)
            {
                script.Append($"complete -c lodge -n '{here}' -a {sub.Path[^1]} -d {Quote(sub.Description)}\n");
            }

            foreach (OptionModel option in command.Options)
            {
                string names = string.Concat(option.Names
                    .Select(name => name.StartsWith("--", StringComparison.Ordinal) ? $" -l {name[2..]}" : $" -s {Quote(name[1..])}"));
                script.Append($"complete -c lodge -n '{here}'{names}{Value(option)} -d {Quote(option.Description)}\n");
            }

            foreach (ArgumentModel argument in command.Arguments)
            {
                string what = command.StartsProgram ? " -a '(__fish_complete_subcommand --fcs-skip=2)'" : argument.Words.Length > 0
                    ? $" -a '{string.Join(' ', argument.Words)}'" : argument.Kind == ValueKind.File ? " -F" : "";
                if (what.Length > 0)
                {
                    script.Append($"complete -c lodge -n '{here}'{what}\n");
                }
            }
        }

        return script.ToString();
    }

    private static string Value(OptionModel option)
        => option.Value == null ? ""
            : option.Words.Length > 0 ? $" -x -a '{string.Join(' ', option.Words)}'"
            : option.Kind switch
            {
                ValueKind.File => " -r -F",
                ValueKind.Directory => " -x -a '(__fish_complete_directories)'",
                ValueKind.Process => " -x -a '(__fish_complete_pids)'",
                _ => " -x",
            };

    // Every word of the command's path was typed, and none of its subcommands.
    private static string Condition(CommandModel command)
    {
        string[] seen = [.. command.Path.Skip(1).Select(word => "__fish_seen_subcommand_from " + word)];
        string none = command.Commands.Length == 0 ? "" : "not __fish_seen_subcommand_from " + string.Join(' ', command.Commands
            .Select(sub => sub.Path[^1]));
        return string.Join("; and ", seen.Append(none).Where(part => part.Length > 0));
    }

    private static string Quote(string text) => "'" + text.Replace("\\", "\\\\", StringComparison.Ordinal)
        .Replace("'", "\\'", StringComparison.Ordinal) + "'";
}
