using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;

namespace Lodge.Cli.Generate;

/// <summary>
/// Manual pages: lodge(1), and one page for each of its commands, with the commands below in it; lodged(8) by the service itself, which compiles this
/// file in.
/// </summary>
internal static class ManPage
{
    /// <summary>File names and texts of a command and those below it.</summary>
    public static IEnumerable<(string File, string Text)> All(CommandModel root, IReadOnlyList<(int Status, string Meaning)> statuses)
    {
        yield return ("lodge.1", Root(root, statuses));
        foreach (CommandModel command in root.Commands)
        {
            yield return ($"lodge-{command.Path[^1]}.1", Command(command, "lodge-" + command.Path[^1], 1, statuses, ["lodge (1)"]));
        }
    }

    private static string Root(CommandModel root, IReadOnlyList<(int Status, string Meaning)> statuses)
    {
        StringBuilder page = Head("lodge", 1, root.Description);
        Section(page, "SYNOPSIS", ".B lodge\n.RI [ option \"... ] \" command\n.RI [ argument ...]");
        Section(page, "DESCRIPTION", Text(root.Description));
        page.Append(".SH COMMANDS\n");
        foreach (CommandModel command in root.Commands)
        {
            page.Append($".TP\n.BR lodge-{Text(command.Path[^1])} (1)\n{Text(command.Description)}\n");
        }

        Options(page, root.Options, ".SH OPTIONS\nEvery command takes the first two and the last.\n");
        Section(page, "FILES", """
            .TP
            .I /etc/lodge/lodge.jsonc
            Configuration, with files for single programs in
            .IR /etc/lodge/apps.d .
            .TP
            .I /run/lodge/lodged.sock
            Socket of the system's service; a user's own is
            .IR $XDG_RUNTIME_DIR/lodge/lodged.sock .
            """);
        Section(page, "ENVIRONMENT", """
            .TP
            .B LODGE_SHIM
            The shim to use instead of the installed one.
            .TP
            .B NO_COLOR
            When set, tables are plain on a terminal, too.
            """);
        Exit(page, statuses);
        SeeAlso(page, root.Commands.Select(command => $"lodge-{command.Path[^1]} (1)").Append("lodged (8)"));
        return page.ToString();
    }

    /// <summary>The page of one command.</summary>
    public static string Command(CommandModel command, string name, int section, IReadOnlyList<(int Status, string Meaning)> statuses, string[] others)
    {
        StringBuilder page = Head(name, section, command.Description);
        Section(page, "SYNOPSIS", string.Join("\n.br\n", command.All().Where(sub => sub.Commands.Length == 0).Select(Synopsis)));
        Section(page, "DESCRIPTION", Text(command.Description));
        if (command.Commands.Length == 0)
        {
            Arguments(page, command);
            Options(page, command.Options, ".SH OPTIONS\n");
        }
        else
        {
            page.Append(".SH COMMANDS\n");
            foreach (CommandModel sub in command.All().Where(sub => sub.Commands.Length == 0))
            {
                page.Append($".SS {Text(sub.Words)}\n{Text(sub.Description)}\n");
                Arguments(page, sub);
                Options(page, [.. sub.Options.Where(option => !IsCommon(option))], "");
            }

            Options(page, [.. command.Options.Where(IsCommon)], ".SH OPTIONS\nEvery command takes these.\n");
        }

        Exit(page, statuses);
        SeeAlso(page, others);
        return page.ToString();
    }

    private static bool IsCommon(OptionModel option) => option.Long is "--json" or "--help" or "--plain" or "--no-color";

    private static StringBuilder Head(string name, int section, string description)
    {
        StringBuilder page = new();
        page.Append(".\\\" Written by \"make packaging\" from the command line's own description; not edited by hand.\n");
        page.Append($".TH {name.ToUpperInvariant().Replace("-", "\\-", StringComparison.Ordinal)} {section} \"\" \"Lodge\" \"Lodge\"\n");
        page.Append($".SH NAME\n{Text(name)} \\- {Text(FirstSentence(description))}\n");
        return page;
    }

    private static string Synopsis(CommandModel command)
    {
        StringBuilder line = new($".B {Text(command.Words)}\n.RI [ option ...]");
        foreach (ArgumentModel argument in command.Arguments)
        {
            string name = Text(argument.Name.Replace("\"", "", StringComparison.Ordinal)), more = argument.Many ? " ..." : "";
            line.Append(argument.Optional ? $"\n[\\fI{name}\\fR{more}]" : $"\n\\fI{name}\\fR{more}");
        }

        return line.ToString();
    }

    private static void Arguments(StringBuilder page, CommandModel command)
    {
        foreach (ArgumentModel argument in command.Arguments)
        {
            page.Append($".TP\n.I {Text(argument.Name)}\n{Text(argument.Description)}\n");
        }
    }

    private static void Options(StringBuilder page, OptionModel[] options, string heading)
    {
        if (options.Length > 0)
        {
            page.Append(heading);
        }

        foreach (OptionModel option in options)
        {
            page.Append(".TP\n");
            page.Append(string.Join(", ", option.Names.Select(name => $"\\fB{Text(name)}\\fR")));
            page.Append(option.Value == null ? "\n" : $" \\fI{Text(option.Value)}\\fR\n");
            page.Append(Text(option.Description)).Append('\n');
            if (option.Words.Length > 0)
            {
                page.Append($"One of {Text(string.Join(", ", option.Words))}.\n");
            }
        }
    }

    private static void Exit(StringBuilder page, IReadOnlyList<(int Status, string Meaning)> statuses)
    {
        page.Append(".SH EXIT STATUS\n");
        foreach ((int status, string meaning) in statuses)
        {
            page.Append($".TP\n.B {status}\n{Text(meaning)}\n");
        }
    }

    private static void SeeAlso(StringBuilder page, IEnumerable<string> pages)
        => Section(page, "SEE ALSO", string.Join(",\n", pages.Select(name => $".BR {Text(name)}"))
            .Replace(",\n", " ,\n", StringComparison.Ordinal));

    private static void Section(StringBuilder page, string heading, string text) => page.Append($".SH {heading}\n{text}\n");

    private static string FirstSentence(string text)
    {
        int end = text.IndexOf(". ", StringComparison.Ordinal);
        return (end < 0 ? text : text[..end]).TrimEnd('.');
    }

    // A line must not begin with a control character; dashes are minus signs.
    private static string Text(string text)
    {
        string escaped = text.Replace("\\", "\\e", StringComparison.Ordinal).Replace("-", "\\-", StringComparison.Ordinal);
        return escaped.StartsWith('.') || escaped.StartsWith('\'') ? "\\&" + escaped : escaped;
    }
}
