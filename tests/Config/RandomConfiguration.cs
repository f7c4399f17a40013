using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text.Json;
using Lodge.Config;
using Lodge.Protocol;

namespace Lodge.ConfigTests;

/// <summary>Random configuration texts and programs, from small sets so that much of it matches and overrides.</summary>
internal sealed class RandomConfiguration(Random random)
{
    private static readonly string[] s_paths = ["/bin/a", "/bin/b", "/opt/x/a", "/opt/x/y/b", "/opt/ü"];
    private static readonly string[] s_patterns = ["/bin/*", "/opt/**", "/opt/*/a", "/**/b", "/bin/[!a]", "/opt/?", "**"];
    private static readonly string[] s_names = ["a", "b", "ü", "*", "[ab]", "c"];
    private static readonly string[] s_interpreters = ["/lib/ld-linux.so.2", "ld-linux.so.2", "ld-musl-*", "/lib/*"];
    private static readonly string[] s_buildIds = ["00ff", "ABCD", "1234567890"];
    private static readonly string[] s_variables = ["A", "AB", "A*", "*", "C", "Ü", "AB*"];

    internal ProgramDescription Program()
    {
        string named = random.Next(4) == 0 ? "b" : Pick(s_paths);
        return new ProgramDescription(named, Pick(s_paths), random.Next(3) == 0 ? null : Pick(["/lib/ld-linux.so.2", "/lib/ld-musl-i386.so.1"]),
            random.Next(3) == 0 ? null : Pick(s_buildIds).ToLowerInvariant());
    }

    internal string File()
    {
        List<string> members = [];
        if (random.Next(3) != 0)
        {
            members.Add($"\"defaults\": {Options()}");
        }

        IEnumerable<string> applications = Enumerable.Range(0, random.Next(6)).Select(_ => $"{{ \"match\": {Match()}, \"options\": {Options()} }}");
        members.Add($"\"applications\": [ {string.Join(",\n", applications)} ]");
        return "{" + string.Join(",\n", members) + "}";
    }

    private string Match()
    {
        List<string> members = [];
        while (members.Count == 0)
        {
            Add(members, "path", [.. s_paths, .. s_patterns]);
            Add(members, "name", s_names);
            Add(members, "build-id", s_buildIds);
            Add(members, "interpreter", s_interpreters);
        }

        return "{" + string.Join(',', members) + "}";
    }

    private void Add(List<string> members, string name, string[] texts)
    {
        if (random.Next(3) == 0)
        {
            members.Add($"\"{name}\": " + (random.Next(2) == 0 ? Json(Pick(texts)) : $"[{Json(Pick(texts))}, {Json(Pick(texts))}]"));
        }
    }

    private string Options()
        => "{" + string.Join(',', OptionInfo.All.Where(_ => random.Next(3) == 0).Select(o => $"\"{o.Name}\": {Value(o)}")) + "}";

    private string Value(OptionInfo option) => option.Type switch
    {
        OptionType.Boolean => Flag(),
        OptionType.Token => Json(Pick(option.Tokens)),
        OptionType.Size => Pick(["\"1M\"", "\"1G\"", "\"1536K\"", "\"1023M\""]),
        OptionType.Path => Pick(["null", "\"/srv/ä\"", "\"/\""]),
        OptionType.EnvironmentMap => Map(s_variables, k => k.EndsWith('*') ? "null" : Pick(["null", "\"x\"", "\"\"", "\"a=b,c\\\\\"", "\"ü\""])),
        OptionType.FeatureMap => Map(OptionInfo.Features, _ => Flag()),
        OptionType.IoctlMap => Map(["0x1", "0X5401", "0xffffffff", OptionInfo.UnknownRequests], _ => Json(Pick(OptionInfo.Policies))),
        _ => Map(OptionInfo.Workarounds, _ => Pick(["null", "\"reason\""])),
    };

    private string Map(IReadOnlyList<string> keys, Func<string, string> value)
        => "{" + string.Join(',', keys.Where(_ => random.Next(3) == 0).Select(k => $"{Json(k)}: {value(k)}")) + "}";

    /// <summary>Variables in the form that `lodge run` gives them.</summary>
    internal Dictionary<string, string> Variables()
    {
        (IReadOnlyList<EntryTexts> entries, _) = Scratch.Parse($"{{ \"defaults\": {Options()} }}");
        return entries[0].Settings
            .Where(s => (OptionInfo.Of(s.Option).Scope & OptionScope.Environment) != 0)
            .GroupBy(s => s.Option)
            .ToDictionary(g => OptionInfo.Of(g.Key).Variable, g => EnvironmentText.Encode([.. g]));
    }

    private string Flag() => random.Next(2) == 0 ? "true" : "false";

    private T Pick<T>(IReadOnlyList<T> from) => from[random.Next(from.Count)];

    private static string Json(string text) => JsonSerializer.Serialize(text);

    /// <summary>A seed in a message.</summary>
    internal static string Seed(int seed) => "seed " + seed.ToString(CultureInfo.InvariantCulture);
}
