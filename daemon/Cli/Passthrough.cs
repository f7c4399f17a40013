using System.Collections.Generic;
using System.CommandLine;
using System.Linq;

namespace Lodge.Cli;

/// <summary>
/// Commands that start a program (<c>run</c>, <c>trace</c>) take no options behind the program's name: what follows is the program's.
/// System.CommandLine would take options anywhere, so a "--" is put in front of the program before it parses.
/// </summary>
internal static class Passthrough
{
    /// <summary>Marks a command whose first argument ends its options.</summary>
    public interface IProgramCommand;

    /// <summary>The arguments, with "--" before the program where one is started.</summary>
    public static string[] Separate(RootCommand root, string[] args)
    {
        Command command = root;
        for (int i = 0; i < args.Length; i++)
        {
            string word = args[i];
            if (word == "--")
            {
                return args;
            }

            if (word.Length > 1 && word[0] == '-')
            {
                i += TakesNext(root, command, word) ? 1 : 0;
            }
            else if (command is IProgramCommand)
            {
                return [.. args[..i], "--", .. args[i..]];
            }
            else if (command.Subcommands.FirstOrDefault(sub => sub.Name == word || sub.Aliases.Contains(word)) is { } next)
            {
                command = next;
            }
            else
            {
                return args;
            }
        }

        return args;
    }

    // True when the option's value is the next word: "-o FILE", "--output FILE", "-co FILE"; not "-oFILE", "--output=FILE".
    private static bool TakesNext(RootCommand root, Command command, string word)
    {
        IEnumerable<Option> options = command.Options.Concat(root.Options);
        if (Find(options, word) is { } exact)
        {
            return NeedsValue(exact);
        }

        for (int i = 1; i < word.Length && word[1] != '-'; i++)
        {
            if (Find(options, "-" + word[i]) is { } bundled && NeedsValue(bundled))
            {
                return i == word.Length - 1;
            }
        }

        return false;
    }

    private static Option? Find(IEnumerable<Option> options, string name)
        => options.FirstOrDefault(option => option.Name == name || option.Aliases.Contains(name));

    private static bool NeedsValue(Option option) => option.Arity.MinimumNumberOfValues > 0;
}
