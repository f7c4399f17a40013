using System;
using System.Linq;
using System.Text;
using Lodge.Protocol;

namespace Lodge.Config;

/// <summary>Texts made from the option table: the default configuration file and the list of options in docs/configuration.md.</summary>
public static class Documents
{
    /// <summary>Where the generated part of docs/configuration.md begins.</summary>
    public const string Begin = "<!-- generated from the option table: make config-tables -->";

    /// <summary>Where it ends.</summary>
    public const string End = "<!-- end of the generated part -->";

    private const int Width = 118;

    /// <summary>packaging/config/lodge.jsonc: valid, without effect, every option explained.</summary>
    public static string DefaultFile()
    {
        StringBuilder text = new();
        text.Append("// Configuration of Lodge for all users. JSON with comments and trailing commas; lodge.schema.json beside this file is its schema.\n");
        text.Append("// Further files: apps.d/*.jsonc beside this one, then $XDG_CONFIG_HOME/lodge/lodge.jsonc and apps.d/*.jsonc of each user, then\n");
        text.Append("// LODGE_* in the environment, then the options of `lodge run`. What comes later wins. `lodge config explain PROGRAM` says what holds.\n");
        text.Append("// After a change: nothing where the service runs, else `lodge config compile`. `lodge config check` finds mistakes.\n");
        text.Append("{\n  \"$schema\": \"./lodge.schema.json\",\n\n  // Options for all programs. Every line below shows an example, not the default.\n  \"defaults\": {\n");
        foreach (OptionInfo option in OptionInfo.All)
        {
            Comment(text, $"{option.Name}: {option.Doc} Without it: {option.Default.Trim('(', ')')}.", "    // ");
            if (option.Id == OptionId.Workarounds)
            {
                for (int i = 0; i < OptionInfo.Workarounds.Count; i++)
                {
                    Comment(text, $"- {OptionInfo.Workarounds[i]}: {OptionInfo.WorkaroundDoc(i)}", "    //   ");
                }
            }

            text.Append($"    // \"{option.Name}\": {option.Example},\n\n");
        }

        text.Length--;
        text.Append("  },\n\n");
        text.Append("  // Options for single programs, in the order in which they apply. \"match\" takes \"path\", \"name\", \"build-id\" and \"interpreter\", each a\n");
        text.Append("  // text or an array of texts; paths and names may be patterns (* ? [a-z], and ** across directories).\n");
        text.Append("  \"applications\": [\n    // {\n    //   \"comment\": \"a game that counts memory in signed numbers\",\n");
        text.Append("    //   \"match\": { \"path\": \"/opt/game/**\" },\n");
        text.Append("    //   \"options\": { \"workarounds\": { \"small-memory\": \"its installer sees negative memory\" } },\n    // },\n  ],\n}\n");
        return text.ToString();
    }

    /// <summary>The list of options for docs/configuration.md, markers included.</summary>
    public static string MarkdownTable()
    {
        StringBuilder text = new(Begin + "\n| option | values | default | variable | `lodge run` | effect |\n| --- | --- | --- | --- | --- | --- |\n");
        foreach (OptionInfo option in OptionInfo.All)
        {
            string variable = (option.Scope & OptionScope.Environment) != 0 ? $"`{option.Variable}`" : "";
            string argument = (option.Scope & OptionScope.CommandLine) != 0 ? $"`--{option.Name}`" : "";
            text.Append($"| `{option.Name}` | {Values(option)} | {Code(option.Default)} | {variable} | {argument} | {Cell(option.Doc)} |\n");
        }

        text.Append("\n| work-around | effect |\n| --- | --- |\n");
        for (int i = 0; i < OptionInfo.Workarounds.Count; i++)
        {
            text.Append($"| `{OptionInfo.Workarounds[i]}` | {Cell(OptionInfo.WorkaroundDoc(i))} |\n");
        }

        text.Append($"\nCPU features: {string.Join(", ", OptionInfo.Features.Select(f => $"`{f}`"))}.\n");
        return text.Append(End + "\n").ToString();
    }

    /// <summary>Puts the generated part into a document in place of the one there.</summary>
    public static string Replace(string document)
    {
        ArgumentNullException.ThrowIfNull(document);
        int begin = document.IndexOf(Begin, StringComparison.Ordinal);
        int end = document.IndexOf(End, StringComparison.Ordinal);
        return begin < 0 || end < begin
            ? throw new FormatException("no generated part in the document")
            : document[..begin] + MarkdownTable() + document[(end + End.Length)..].TrimStart('\n').Insert(0, "\n");
    }

    private static string Values(OptionInfo option) => option.Type switch
    {
        OptionType.Boolean => "`true` `false`",
        OptionType.Token => string.Join(' ', option.Tokens.Select(t => $"`{t}`")),
        OptionType.Size => "`1M` to `1G`",
        OptionType.Path => "absolute path, `null`",
        OptionType.EnvironmentMap => "variable: text or `null`",
        OptionType.FeatureMap => "feature: `true` `false`",
        OptionType.IoctlMap => "request or `unknown`: " + string.Join(' ', OptionInfo.Policies.Select(p => $"`{p}`")),
        _ => "work-around: reason or `null`",
    };

    private static string Code(string value) => value.StartsWith('(') ? value.Trim('(', ')') : $"`{value}`";

    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal).Replace("*", "\\*", StringComparison.Ordinal);

    private static void Comment(StringBuilder text, string words, string prefix)
    {
        StringBuilder line = new(prefix);
        foreach (string word in words.Split(' '))
        {
            if (line.Length + word.Length + 1 > Width)
            {
                text.Append(line.ToString().TrimEnd()).Append('\n');
                line.Clear().Append(prefix);
            }

            line.Append(word).Append(' ');
        }

        text.Append(line.ToString().TrimEnd()).Append('\n');
    }
}
