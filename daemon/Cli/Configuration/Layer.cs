using System;
using System.Collections;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.Json.Nodes;
using Lodge.Config;
using Lodge.Protocol;

namespace Lodge.Cli.Configuration;

/// <summary>The files of the system or of the user, compiled in memory, beside what is compiled on disk.</summary>
internal sealed class Layer
{
    private Layer(string name, ConfigurationLayers layers, string? target)
    {
        Name = name;
        Directory = layers.Directory;
        Target = target;
        Result = ConfigurationCompiler.Compile(layers);
        State = Compare();
    }

    /// <summary>system or user.</summary>
    public string Name { get; }

    /// <summary>Where the files are.</summary>
    public string Directory { get; }

    /// <summary>Where they are compiled to; null when that is not known.</summary>
    public string? Target { get; }

    /// <summary>What came of compiling them.</summary>
    public CompileResult Result { get; }

    /// <summary>up to date, nothing to compile, not compiled, out of date, or has mistakes.</summary>
    public string State { get; }

    /// <summary>True when programs get what the files say.</summary>
    public bool IsCurrent => State is "up to date" or "nothing to compile";

    /// <summary>The system's files and the user's, in the order in which they apply.</summary>
    public static IReadOnlyList<Layer> All()
    {
        List<Layer> layers = [new("system", ConfigurationLayers.System(), ConfigurationLayers.SystemTarget)];
        if (ConfigurationLayers.User() is { } user)
        {
            layers.Add(new("user", user, ConfigurationLayers.UserTarget()));
        }

        return layers;
    }

    /// <summary>The LODGE_* variables of this process that set options.</summary>
    public static IEnumerable<KeyValuePair<string, string>> Variables()
        => Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
            .Select(e => KeyValuePair.Create((string)e.Key, (string?)e.Value ?? ""))
            .Where(v => OptionInfo.All.Any(o => (o.Scope & OptionScope.Environment) != 0 && o.Variable == v.Key));

    /// <summary>An array of strings.</summary>
    public static JsonArray Strings(IEnumerable<string> texts) => new([.. texts.Select(t => (JsonNode)t)]);

    private string Compare()
    {
        if (!Result.Success)
        {
            return "has mistakes";
        }

        byte[]? compiled = null;
        try
        {
            compiled = Target == null ? null : File.ReadAllBytes(Target);
        }
        catch (Exception absent) when (absent is IOException or UnauthorizedAccessException)
        {
        }

        return compiled == null ? Result.Entries.Count == 0 ? "nothing to compile" : "not compiled"
            : compiled.AsSpan().SequenceEqual(Result.Bytes) ? "up to date" : "out of date";
    }
}
