using System.Collections.Generic;
using System.CommandLine;
using System.Linq;
using System.Text.Json.Nodes;
using Lodge.Cli.Run;
using Lodge.Config;

namespace Lodge.Cli.Configuration;

/// <summary><c>lodge config explain PROGRAM</c>: every option, its value for the program, and who set it.</summary>
internal static class ExplainCommand
{
    private static readonly Argument<string> s_program = new("program")
    {
        Description = "The program, found as the shell finds it.",
    };

    private static readonly Option<bool> s_set = new("--set")
    {
        Description = "Only options that somebody set.",
    };

    /// <summary>The command.</summary>
    public static Command Create()
    {
        Command command = new("explain", "Show each option's value for a program, and which file and line set it.") { s_program, s_set };
        command.SetAction(Explain);
        return command;
    }

    private static int Explain(ParseResult parsed)
    {
        Output output = Output.For(parsed);
        string path = ProgramPath.Resolve(parsed.GetRequiredValue(s_program), null);
        ProgramDescription program = ProgramDescription.Of(path);
        IReadOnlyList<Layer> layers = Layer.All();
        JsonArray problems = ConfigCommand.Report(output, layers.SelectMany(l => l.Result.Diagnostics));
        EffectiveConfiguration effective = new();
        int entries = layers.Sum(l => effective.Apply(l.Result.Entries, program));
        List<string> notUnderstood = [];
        effective.ApplyVariables(Layer.Variables(), notUnderstood);
        notUnderstood.ForEach(v => Output.Complain($"{v}: not understood, without effect"));
        if (System.Environment.GetEnvironmentVariable("LODGE_CONFIG") is { } instead)
        {
            Output.Complain($"LODGE_CONFIG is set: programs use {(instead.Length == 0 ? "no file at all" : instead + " alone")}");
        }

        foreach (Layer layer in layers.Where(l => !l.IsCurrent))
        {
            string state = layer.Result.Success ? $"is {layer.State}: lodge config compile" : "stays as it was: its files have mistakes";
            Output.Complain($"the {layer.Name}'s compiled configuration {state}");
        }

        List<Row> rows = [.. Rows(effective, parsed.GetValue(s_set))];
        if (output.Json)
        {
            output.Write(new JsonObject
            {
                ["program"] = new JsonObject
                {
                    ["named"] = program.Named,
                    ["path"] = program.Real,
                    ["name"] = program.Name,
                    ["interpreter"] = program.Interpreter,
                    ["build-id"] = program.BuildId,
                },
                ["matching-applications"] = entries,
                ["options"] = new JsonArray([.. rows.Select(r => (JsonNode)r.ToJson())]),
                ["problems"] = problems,
            });
        }
        else
        {
            output.Line($"{program.Real}: {entries} matching applications; interpreter {program.Interpreter ?? "none"}, build-id {program.BuildId ?? "none"}");
            TextTable table = new("OPTION", "VALUE", "SET BY");
            rows.ForEach(r => table.Add(r.Name, r.Text, r.Origin.ToString()));
            output.Write(table);
        }

        return layers.All(l => l.Result.Success) ? ExitCode.Success : ExitCode.Negative;
    }

    private static IEnumerable<Row> Rows(EffectiveConfiguration effective, bool onlySet)
    {
        foreach (OptionInfo option in OptionInfo.All)
        {
            bool found = false;
            foreach (SettingText value in effective.Values.Where(v => v.Option == option.Id))
            {
                found = true;
                yield return new Row(option, value.Member, value.Value, value.Origin);
            }

            if (!found && !onlySet)
            {
                yield return new Row(option, "", null, Origin.BuiltIn);
            }
        }
    }

    private sealed record Row(OptionInfo Option, string Member, string? Value, Origin Origin)
    {
        internal string Name => Member.Length == 0 ? Option.Name : $"{Option.Name}.{Member}";

        internal string Text => Origin == Origin.BuiltIn ? Option.Default.Trim('(', ')', '"') : Value ?? "null";

        internal JsonObject ToJson() => new()
        {
            ["option"] = Option.Name,
            ["member"] = Member.Length == 0 ? null : Member,
            ["value"] = Origin == Origin.BuiltIn ? Option.Default.Trim('(', ')', '"') : Value,
            ["source"] = Origin.File,
            ["line"] = Origin.Position.Line == 0 ? null : Origin.Position.Line,
            ["column"] = Origin.Position.Line == 0 ? null : Origin.Position.Column,
        };
    }
}
