using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text;
using Lodge.Protocol;

namespace Lodge.Config;

/// <summary>Reads one configuration file: syntax, schema, meaning.</summary>
public static class ConfigurationFile
{
    /// <summary>Largest file, bytes.</summary>
    public const int MaxLength = 1 << 20;

    /// <summary>Reads a file.</summary>
    /// <param name="path">Its path.</param>
    /// <param name="validator">The schema.</param>
    /// <param name="diagnostics">What is wrong is added here.</param>
    /// <returns>Its entries; none when there is an error, or no file.</returns>
    public static IReadOnlyList<EntryTexts> Read(string path, SchemaValidator validator, ICollection<Diagnostic> diagnostics)
    {
        ArgumentNullException.ThrowIfNull(diagnostics);
        try
        {
            FileInfo info = new(path);
            if (info.Exists && info.Length > MaxLength)
            {
                diagnostics.Add(new Diagnostic(path, default, Severity.Error, $"expected at most {MaxLength} bytes, found {info.Length}"));
                return [];
            }

            return Parse(path, File.ReadAllBytes(path), validator, diagnostics);
        }
        catch (Exception absent) when (absent is FileNotFoundException or DirectoryNotFoundException)
        {
            return [];
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            diagnostics.Add(new Diagnostic(path, default, Severity.Error, "cannot be read: " + unreadable.Message));
            return [];
        }
    }

    /// <summary>Reads a file's content.</summary>
    /// <inheritdoc cref="Read"/>
    public static IReadOnlyList<EntryTexts> Parse(string path, ReadOnlySpan<byte> content, SchemaValidator validator, ICollection<Diagnostic> diagnostics)
    {
        ArgumentNullException.ThrowIfNull(validator);
        ArgumentNullException.ThrowIfNull(diagnostics);
        int before = diagnostics.Count;
        JsoncNode? root = JsoncReader.Read(path, content, diagnostics);
        if (root == null || !validator.Validate(path, root, diagnostics) || diagnostics.Count != before)
        {
            return [];
        }

        List<EntryTexts> entries = [];
        JsoncNode? defaults = root.Find("defaults");
        if (defaults != null)
        {
            entries.Add(new EntryTexts([], ReadOptions(path, defaults), new Origin(path, defaults.Position)));
        }

        foreach (JsoncNode application in root.Find("applications")?.Items ?? [])
        {
            entries.Add(new EntryTexts(
                application.Find("match")!.Members.Select(ReadMatch).ToArray(),
                ReadOptions(path, application.Find("options")!),
                new Origin(path, application.Position)));
        }

        return entries;
    }

    private static MatchTexts ReadMatch(JsoncMember member)
    {
        MatchKind kind = member.Name switch
        {
            "path" => MatchKind.Path,
            "name" => MatchKind.Name,
            "build-id" => MatchKind.BuildId,
            _ => MatchKind.Interpreter,
        };
        IEnumerable<string> texts = member.Value.Kind == JsoncKind.Array ? member.Value.Items.Select(i => i.Text) : [member.Value.Text];
        return new MatchTexts(kind, texts.Select(t => kind == MatchKind.BuildId ? t.ToLowerInvariant() : t).ToArray());
    }

    private static List<SettingText> ReadOptions(string path, JsoncNode options)
    {
        List<SettingText> settings = [];
        foreach (JsoncMember member in options.Members)
        {
            OptionInfo option = OptionInfo.Find(member.Name)!;
            if (!option.IsMap)
            {
                settings.Add(new SettingText(option.Id, "", ValueOf(member.Value), new Origin(path, member.Position)));
                continue;
            }

            foreach (JsoncMember entry in member.Value.Members)
            {
                string name = option.Type == OptionType.IoctlMap ? NormalRequest(entry.Name) : entry.Name;
                settings.Add(new SettingText(option.Id, name, ValueOf(entry.Value), new Origin(path, entry.Position)));
            }
        }

        return settings;
    }

    /// <summary>A request as 0x and eight digits, so that equal ones look equal.</summary>
    internal static string NormalRequest(string name)
        => EnvironmentTokens.TryNumber(Encoding.ASCII.GetBytes(name), out uint request)
            ? string.Create(CultureInfo.InvariantCulture, $"0x{request:x8}")
            : name;

    private static string? ValueOf(JsoncNode value) => value.Kind switch
    {
        JsoncKind.Null => null,
        JsoncKind.Boolean => value.Flag ? "true" : "false",
        _ => value.Text,
    };
}
