using System.Linq;
using System.Text;

namespace Lodge.Cli.Generate;

/// <summary>Completion for bash: one function that walks the words and looks the place up in tables made from the tree.</summary>
internal static class BashCompletion
{
    /// <summary>The script.</summary>
    public static string Text(CommandModel root)
    {
        StringBuilder walk = new(), values = new(), words = new();
        foreach (CommandModel command in root.All())
        {
            foreach (CommandModel sub in command.Commands)
            {
                walk.Append($"            '{command.Words} {sub.Path[^1]}') place='{sub.Words}' ;;\n");
            }

            foreach (OptionModel option in command.Options.Where(option => option.Value != null))
            {
                string names = string.Join("|", option.Names.Select(name => $"'{command.Words} {name}'"));
                walk.Append($"            {names}) i=$((i + 1)) ;;\n");
                values.Append($"        {names}) {Action(option.Kind, option.Words)}; return ;;\n");
            }

            if (command.StartsProgram)
            {
                walk.Append($"            '{command.Words} '[!-]*) _lodge_program $i; return ;;\n");
            }

            string list = string.Join(' ', command.Commands.Select(sub => sub.Path[^1])
                .Concat(command.Arguments.SelectMany(argument => argument.Words)).Concat(command.Options.SelectMany(option => option.Names)));
            ArgumentModel? first = command.Arguments.FirstOrDefault(argument => argument.Words.Length == 0);
            string more = command.StartsProgram ? "; [[ $current == -* ]] || COMPREPLY+=( $(compgen -c -- \"$current\") )"
                : first?.Kind == ValueKind.File ? "; COMPREPLY+=( $(compgen -f -- \"$current\") )" : "";
            words.Append($"        '{command.Words}') COMPREPLY=( $(compgen -W '{list}' -- \"$current\") ){more} ;;\n");
        }

        return $$"""
            # bash completion for lodge. Written by "lodge generate completion" from the command line's own description; not edited by hand.

            # The program's own completion, where bash-completion is there to find it; else files.
            _lodge_program() {
                if declare -F _command_offset > /dev/null; then
                    _command_offset "$1"
                else
                    COMPREPLY=( $(compgen -f -- "${COMP_WORDS[COMP_CWORD]}") )
                fi
            }

            _lodge() {
                local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} place=lodge i
                COMPREPLY=()
                for ((i = 1; i < COMP_CWORD; i++)); do
                    case "$place ${COMP_WORDS[i]}" in
            {{walk.ToString().TrimEnd('\n')}}
                    esac
                done
                case "$place $previous" in
            {{values.ToString().TrimEnd('\n')}}
                esac
                case $place in
            {{words.ToString().TrimEnd('\n')}}
                esac
            }

            complete -F _lodge lodge

            """;
    }

    private static string Action(ValueKind kind, string[] words) => words.Length > 0
        ? $"COMPREPLY=( $(compgen -W '{string.Join(' ', words)}' -- \"$current\") )" : kind switch
    {
        ValueKind.File => "COMPREPLY=( $(compgen -f -- \"$current\") )",
        ValueKind.Directory => "COMPREPLY=( $(compgen -d -- \"$current\") )",
        ValueKind.Process => "COMPREPLY=( $(compgen -W \"$(cd /proc && printf '%s ' [0-9]*)\" -- \"$current\") )",
        _ => ":",
    };
}
