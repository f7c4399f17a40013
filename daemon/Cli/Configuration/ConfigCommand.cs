using System;
using System.Collections.Generic;
using System.CommandLine;
using System.IO;
using System.Linq;
using System.Text.Json.Nodes;
using Lodge.Config;

namespace Lodge.Cli.Configuration;

/// <summary><c>lodge config</c>: checks, compiles, shows and explains the configuration files.</summary>
internal static class ConfigCommand
{
    private static readonly Argument<string[]> s_files = new("file")
    {
        Description = "Files to check, the first one lowest. Without any: the system's and the user's.",
        Arity = ArgumentArity.ZeroOrMore,
    };

    private static readonly Option<bool> s_system = new("--system")
    {
        Description = "Compile the system's files. The default for root.",
    };

    private static readonly Option<bool> s_user = new("--user")
    {
        Description = "Compile the user's files. The default for all but root.",
    };

    private static readonly Option<string?> s_from = new("--from")
    {
        Description = "Take lodge.jsonc and apps.d from DIR instead.",
        HelpName = "DIR",
    };

    private static readonly Option<string?> s_output = new("--output", "-o")
    {
        Description = "Write FILE instead. LODGE_CONFIG=FILE makes programs use it.",
        HelpName = "FILE",
    };

    /// <summary>The command and its subcommands.</summary>
    public static Command Create()
    {
        Command check = new("check", "Check configuration files.") { s_files };
        check.SetAction(Check);
        Command compile = new("compile", "Compile configuration files into the form that programs are started with.") { s_system, s_user, s_from, s_output };
        compile.SetAction(Compile);
        Command show = new("show", "Show the layers of the configuration, and whether what is compiled is up to date.");
        show.SetAction(Show);
        return new Command("config", "Check, compile, show and explain the configuration.") { check, compile, show, ExplainCommand.Create() };
    }

    /// <summary>Writes what is wrong: to standard error, or into a JSON array.</summary>
    internal static JsonArray Report(Output output, IEnumerable<Diagnostic> diagnostics)
    {
        JsonArray array = [];
        foreach (Diagnostic diagnostic in diagnostics)
        {
            if (!output.Json)
            {
                Console.Error.WriteLine(diagnostic);
            }

            array.Add(new JsonObject
            {
                ["file"] = diagnostic.File,
                ["line"] = diagnostic.Position.Line,
                ["column"] = diagnostic.Position.Column,
                ["severity"] = diagnostic.Severity == Severity.Error ? "error" : "warning",
                ["message"] = diagnostic.Message,
            });
        }

        return array;
    }

    private static int Check(ParseResult parsed)
    {
        Output output = Output.For(parsed);
        string[] files = parsed.GetValue(s_files) ?? [];
        foreach (string missing in files.Where(f => !File.Exists(f)))
        {
            throw new CommandException(ExitCode.Failure, $"{missing}: no such file");
        }

        CompileResult[] results = files.Length != 0
            ? [ConfigurationCompiler.Compile(files)]
            : [.. Layer.All().Select(l => l.Result)];
        JsonArray problems = Report(output, results.SelectMany(r => r.Diagnostics));
        if (output.Json)
        {
            output.Write(new JsonObject
            {
                ["files"] = Layer.Strings(results.SelectMany(r => r.Files)),
                ["problems"] = problems,
            });
        }
        else if (problems.Count == 0)
        {
            output.Line($"{results.Sum(r => r.Files.Count)} files, no problems");
        }

        return results.All(r => r.Success) ? ExitCode.Success : ExitCode.Negative;
    }

    private static int Compile(ParseResult parsed)
    {
        Output output = Output.For(parsed);
        if (parsed.GetValue(s_system) && parsed.GetValue(s_user))
        {
            throw new CommandException(ExitCode.Usage, "--system and --user exclude each other");
        }

        bool system = parsed.GetValue(s_system) || (!parsed.GetValue(s_user) && Environment.IsPrivilegedProcess);
        string? from = parsed.GetValue(s_from);
        ConfigurationLayers layers = (from != null ? ConfigurationLayers.System(Path.GetFullPath(from))
            : system ? ConfigurationLayers.System() : ConfigurationLayers.User())
            ?? throw new CommandException(ExitCode.Failure, "neither XDG_CONFIG_HOME nor HOME says where the user's files are");
        string target = parsed.GetValue(s_output) ?? (system ? ConfigurationLayers.SystemTarget : ConfigurationLayers.UserTarget())
            ?? throw new CommandException(ExitCode.Failure, "XDG_RUNTIME_DIR is not set: nowhere to put the user's compiled file (--output FILE)");
        CompileResult result = ConfigurationCompiler.Compile(layers);
        JsonArray problems = Report(output, result.Diagnostics);
        PublishResult? published = result.Success ? result.Publish(target) : null;
        int status = published == null ? ExitCode.Negative : published.Status == PublishStatus.Failed ? ExitCode.Failure : ExitCode.Success;
        if (output.Json)
        {
            output.Write(new JsonObject
            {
                ["target"] = target,
                ["status"] = published?.Status.ToString().ToLowerInvariant() ?? "refused",
                ["error"] = published?.Error,
                ["bytes"] = result.Bytes?.Length,
                ["files"] = Layer.Strings(result.Files),
                ["problems"] = problems,
            });
            return status;
        }

        switch (published?.Status)
        {
            case PublishStatus.Published:
                output.Line($"{target}: {result.Entries.Count} entries from {result.Files.Count} files");
                break;
            case PublishStatus.Unchanged:
                output.Line($"{target}: up to date");
                break;
            case PublishStatus.Failed:
                Output.Complain(published.Error!);
                break;
            default:
                Output.Complain($"{target} stays as it is");
                break;
        }

        return status;
    }

    private static int Show(ParseResult parsed)
    {
        Output output = Output.For(parsed);
        IReadOnlyList<Layer> layers = Layer.All();
        JsonArray problems = Report(output, layers.SelectMany(l => l.Result.Diagnostics));
        string[] variables = [.. Layer.Variables().Select(v => v.Key).Order(StringComparer.Ordinal)];
        if (output.Json)
        {
            JsonArray array = [];
            foreach (Layer layer in layers)
            {
                array.Add(new JsonObject
                {
                    ["layer"] = layer.Name,
                    ["directory"] = layer.Directory,
                    ["files"] = Layer.Strings(layer.Result.Files),
                    ["entries"] = layer.Result.Entries.Count,
                    ["compiled"] = layer.Target,
                    ["state"] = layer.State,
                });
            }

            output.Write(new JsonObject { ["layers"] = array, ["variables"] = Layer.Strings(variables), ["problems"] = problems });
        }
        else
        {
            TextTable table = new("LAYER", "SOURCE", ">ENTRIES", "COMPILED", "STATE");
            foreach (Layer layer in layers)
            {
                table.Add(layer.Name, layer.Directory, "", layer.Target ?? "(no XDG_RUNTIME_DIR)", layer.State);
                foreach (string file in layer.Result.Files)
                {
                    int entries = layer.Result.Entries.Count(e => e.Origin.File == file);
                    table.Add("", "  " + Path.GetRelativePath(layer.Directory, file), $"{entries}", "", "");
                }
            }

            foreach (string variable in variables)
            {
                table.Add("environment", variable, "", "", "");
            }

            output.Write(table);
        }

        return layers.All(l => l.IsCurrent) ? ExitCode.Success : ExitCode.Negative;
    }
}
