using System;
using System.Collections.Generic;
using System.CommandLine;
using System.CommandLine.Completions;
using System.CommandLine.Help;
using System.Linq;

namespace Lodge.Cli.Generate;

/// <summary>What an option's or argument's value is, for completion.</summary>
internal enum ValueKind
{
    /// <summary>Nothing that could be completed.</summary>
    Other,
    /// <summary>A file.</summary>
    File,
    /// <summary>A directory.</summary>
    Directory,
    /// <summary>A process.</summary>
    Process,
}

/// <summary>An option: its names (short ones first), what it does, its value's name (null = a switch) and what the value may be.</summary>
internal sealed record OptionModel(string[] Names, string Description, string? Value, ValueKind Kind, string[] Words)
{
    /// <summary>The name by which the man page sorts and completion speaks.</summary>
    public string Long => Names[^1];
}

/// <summary>An argument.</summary>
internal sealed record ArgumentModel(string Name, string Description, bool Optional, bool Many, ValueKind Kind, string[] Words);

/// <summary>
/// A command as the generators see it: nothing but what System.CommandLine's tree says, which is also all that --help says.
/// </summary>
internal sealed record CommandModel(string[] Path, string Description, OptionModel[] Options, ArgumentModel[] Arguments, CommandModel[] Commands,
    bool StartsProgram)
{
    /// <summary>The words that call it.</summary>
    public string Words => string.Join(' ', Path);

    /// <summary>This command and all below it.</summary>
    public IEnumerable<CommandModel> All() => Commands.SelectMany(command => command.All()).Prepend(this);

    /// <summary>Reads the tree of a program. Hidden commands and options are left out.</summary>
    public static CommandModel Of(RootCommand root, string program) => Of(root, [program], root);

    private static CommandModel Of(Command command, string[] path, RootCommand root)
    {
        // Recursive options are the root's: every command lists them.
        IEnumerable<Option> options = command == root ? command.Options : command.Options.Concat(root.Options.Where(option => option.Recursive));
        return new CommandModel(path, command.Description ?? "",
            [.. options.Where(option => !option.Hidden).Select(Of).OrderBy(option => option.Long, StringComparer.Ordinal)],
            [.. command.Arguments.Where(argument => !argument.Hidden).Select(Of)],
            [.. command.Subcommands.Where(sub => !sub.Hidden).Select(sub => Of(sub, [.. path, sub.Name], root))],
            command is Passthrough.IProgramCommand);
    }

    private static OptionModel Of(Option option)
    {
        string[] names = [.. option.Aliases.Append(option.Name).Where(name => name[0] == '-').Distinct().OrderBy(name => name.Length)
            .ThenBy(name => name, StringComparer.Ordinal)];
        bool isSwitch = option.Arity.MaximumNumberOfValues == 0 || option.ValueType == typeof(bool);
        string? value = isSwitch ? null : option.HelpName ?? option.Name.TrimStart('-').ToUpperInvariant();
        return new OptionModel(names, option.Description ?? "", value, Kind(value), isSwitch || option is HelpOption ? [] : Candidates(option));
    }

    private static ArgumentModel Of(Argument argument)
        => new(argument.HelpName ?? argument.Name, argument.Description ?? "", argument.Arity.MinimumNumberOfValues == 0,
            argument.Arity.MaximumNumberOfValues > 1,
            Kind(argument.HelpName ?? argument.Name), Candidates(argument));

    private static string[] Candidates(Symbol symbol) => [.. symbol.GetCompletions(CompletionContext.Empty)
        .Select(item => item.Label).Order(StringComparer.Ordinal)];

    private static ValueKind Kind(string? name)
        => name == null ? ValueKind.Other
            : name.Contains("FILE", StringComparison.OrdinalIgnoreCase) || name is "PATH" or "program" ? ValueKind.File
            : name.Contains("DIR", StringComparison.Ordinal) ? ValueKind.Directory
            : name == "PID" ? ValueKind.Process : ValueKind.Other;
}
