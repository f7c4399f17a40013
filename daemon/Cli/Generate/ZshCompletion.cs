using System;
using System.Linq;
using System.Text;

namespace Lodge.Cli.Generate;

/// <summary>Completion for zsh: a function for each command, by _arguments.</summary>
internal static class ZshCompletion
{
    /// <summary>The script, for a directory of $fpath under the name _lodge.</summary>
    public static string Text(CommandModel root)
    {
        StringBuilder script = new("#compdef lodge\n# zsh completion for lodge. Written by \"lodge generate completion\" "
            + "from the command line's own description; not edited by hand.\n");
        foreach (CommandModel command in root.All())
        {
            script.Append($"\n{Name(command)}() {{\n");
            if (command.Commands.Length > 0)
            {
                script.Append("    local curcontext=$curcontext state line\n    typeset -A opt_args\n");
            }

            script.Append($"    _arguments {(command.Commands.Length > 0 ? "-C" : "-s")} \\\n");
            foreach (OptionModel option in command.Options)
            {
                string others = string.Join(' ', option.Names);
                foreach (string name in option.Names)
                {
                    string joins = option.Value == null ? "" : name.StartsWith("--", StringComparison.Ordinal) ? "=" : "+";
                    string value = option.Value == null ? "" : $":{Escape(option.Value)}:{Action(option.Kind, option.Words)}";
                    script.Append($"        '({others}){name}{joins}[{Escape(option.Description)}]{value}' \\\n");
                }
            }

            script.Append(Arguments(command)).Append("}\n");
        }

        return script.Append("\n_lodge \"$@\"\n").ToString();
    }

    private static string Arguments(CommandModel command)
    {
        if (command.StartsProgram)
        {
            return "        '(-)1:program:_command_names -e' \\\n        '*::argument:_normal'\n";
        }

        if (command.Commands.Length == 0)
        {
            string[] specs = [.. command.Arguments
                .Select(argument => $"        '{(argument.Many ? "*" : "")}:{Escape(argument.Name)}:{Action(argument.Kind, argument.Words)}'")];
            return specs.Length == 0 ? "        '*:'\n" : string.Join(" \\\n", specs) + "\n";
        }

        StringBuilder text = new("        '1:command:->command' \\\n        '*::argument:->argument'\n    case $state in\n        command)\n            local -a commands=(\n");
        foreach (CommandModel sub in command.Commands)
        {
            text.Append($"                '{sub.Path[^1]}:{Escape(sub.Description)}'\n");
        }

        text.Append("            )\n            _describe command commands\n            ;;\n        argument)\n            case $words[1] in\n");
        foreach (CommandModel sub in command.Commands)
        {
            text.Append($"                {sub.Path[^1]}) {Name(sub)} ;;\n");
        }

        return text.Append("            esac\n            ;;\n    esac\n").ToString();
    }

    private static string Name(CommandModel command) => "_" + string.Join('_', command.Path);

    private static string Action(ValueKind kind, string[] words) => words.Length > 0 ? $"({string.Join(' ', words)})" : kind switch
    {
        ValueKind.File => "_files",
        ValueKind.Directory => "_directories",
        ValueKind.Process => "_pids",
        _ => " ",
    };

    // Inside single quotes, and inside the brackets and colons of _arguments.
    private static string Escape(string text)
        => text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "'\\''", StringComparison.Ordinal)
            .Replace("[", "\\[", StringComparison.Ordinal)
            .Replace("]", "\\]", StringComparison.Ordinal).Replace(":", "\\:", StringComparison.Ordinal);
}
