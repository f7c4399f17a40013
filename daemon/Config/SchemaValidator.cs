using System;
using System.Collections.Generic;
using System.Linq;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Lodge.Config;

/// <summary>
/// Checks a value against the part of JSON Schema (2020-12) that <see cref="SchemaGenerator"/> writes: $ref into $defs, type, properties,
/// patternProperties, additionalProperties, propertyNames, required, minProperties, items, minItems, enum, pattern, maxLength. Annotations
/// are passed over; any other keyword is an error of the schema (<see cref="NotSupportedException"/>).
/// </summary>
public sealed class SchemaValidator : IDisposable
{
    private static readonly HashSet<string> s_known = new(StringComparer.Ordinal)
    {
        "$schema", "$defs", "$ref", "title", "description", "default", "examples", "type", "properties", "patternProperties",
        "additionalProperties", "propertyNames", "required", "minProperties", "items", "minItems", "enum", "pattern", "maxLength",
    };

    private readonly JsonDocument _schema;
    private readonly Dictionary<string, Regex> _patterns = new(StringComparer.Ordinal);

    /// <summary>Takes a schema as JSON text.</summary>
    public SchemaValidator(string schema)
    {
        _schema = JsonDocument.Parse(schema);
    }

    /// <summary>The schema of configuration files.</summary>
    public static SchemaValidator ForConfiguration() => new(SchemaGenerator.Generate());

    /// <summary>Checks a value; what is wrong is added to the diagnostics in the order of the file.</summary>
    /// <returns>True if nothing is wrong.</returns>
    public bool Validate(string file, JsoncNode value, ICollection<Diagnostic> diagnostics)
    {
        ArgumentNullException.ThrowIfNull(value);
        ArgumentNullException.ThrowIfNull(diagnostics);
        int before = diagnostics.Count;
        Check(_schema.RootElement, value, new Sink(file, diagnostics));
        return diagnostics.Count == before;
    }

    /// <inheritdoc/>
    public void Dispose() => _schema.Dispose();

    private sealed record Sink(string File, ICollection<Diagnostic> Diagnostics)
    {
        internal void Report(Position position, string message) => Diagnostics.Add(new Diagnostic(File, position, Severity.Error, message));
    }

    private void Check(JsonElement schema, JsoncNode value, Sink sink)
    {
        schema = Resolve(schema);
        foreach (JsonProperty keyword in schema.EnumerateObject())
        {
            if (!s_known.Contains(keyword.Name))
            {
                throw new NotSupportedException("schema keyword " + keyword.Name);
            }
        }

        if (!HasType(schema, value))
        {
            sink.Report(value.Position, $"expected {Expected(schema)}, found {Describe(value)}");
            return;
        }

        switch (value.Kind)
        {
            case JsoncKind.String:
                CheckText(schema, value.Text, value.Position, sink);
                break;
            case JsoncKind.Array:
                if (schema.TryGetProperty("minItems", out JsonElement least) && value.Items.Count < least.GetInt32())
                {
                    sink.Report(value.Position, $"expected {Expected(schema)}, found an empty array");
                }

                if (schema.TryGetProperty("items", out JsonElement items))
                {
                    foreach (JsoncNode item in value.Items)
                    {
                        Check(items, item, sink);
                    }
                }

                break;
            case JsoncKind.Object:
                CheckObject(schema, value, sink);
                break;
            default:
                break;
        }
    }

    private void CheckText(JsonElement schema, string text, Position position, Sink sink)
    {
        if (schema.TryGetProperty("enum", out JsonElement values) && !values.EnumerateArray().Any(v => v.GetString() == text))
        {
            sink.Report(position, $"expected {Expected(schema)}, found {Quote(text)}{Suggest(text, values.EnumerateArray().Select(v => v.GetString()!))}");
        }
        else if (schema.TryGetProperty("pattern", out JsonElement pattern) && !Pattern(pattern.GetString()!).IsMatch(text))
        {
            sink.Report(position, $"expected {Expected(schema)}, found {Quote(text)}");
        }
        else if (schema.TryGetProperty("maxLength", out JsonElement most) && text.EnumerateRunes().Count() > most.GetInt32())
        {
            sink.Report(position, $"expected at most {most.GetInt32()} characters, found {text.EnumerateRunes().Count()}");
        }
    }

    private void CheckObject(JsonElement schema, JsoncNode value, Sink sink)
    {
        if (schema.TryGetProperty("required", out JsonElement required))
        {
            foreach (string name in required.EnumerateArray().Select(n => n.GetString()!).Where(n => value.Find(n) == null))
            {
                sink.Report(value.Position, $"expected {Expected(schema)}, found none named \"{name}\"");
            }
        }

        if (schema.TryGetProperty("minProperties", out JsonElement least) && value.Members.Count < least.GetInt32())
        {
            sink.Report(value.Position, $"expected {Expected(schema)}, found an empty object");
        }

        foreach (JsoncMember member in value.Members)
        {
            CheckMember(schema, member, sink);
        }
    }

    private void CheckMember(JsonElement schema, JsoncMember member, Sink sink)
    {
        if (schema.TryGetProperty("propertyNames", out JsonElement names))
        {
            int before = sink.Diagnostics.Count;
            CheckText(names, member.Name, member.Position, sink);
            if (sink.Diagnostics.Count != before)
            {
                return;
            }
        }

        bool known = false;
        if (schema.TryGetProperty("properties", out JsonElement properties) && properties.TryGetProperty(member.Name, out JsonElement own))
        {
            known = true;
            Check(own, member.Value, sink);
        }

        if (schema.TryGetProperty("patternProperties", out JsonElement patterns))
        {
            foreach (JsonProperty pattern in patterns.EnumerateObject().Where(p => Pattern(p.Name).IsMatch(member.Name)))
            {
                known = true;
                Check(pattern.Value, member.Value, sink);
            }
        }

        if (known || !schema.TryGetProperty("additionalProperties", out JsonElement others))
        {
            return;
        }

        if (others.ValueKind == JsonValueKind.Object)
        {
            Check(others, member.Value, sink);
        }
        else if (others.ValueKind == JsonValueKind.False)
        {
            IEnumerable<string> allowed = properties.EnumerateObject().Select(p => p.Name);
            sink.Report(member.Position, $"expected one of {List(allowed)}, found {Quote(member.Name)}{Suggest(member.Name, allowed)}");
        }
    }

    private JsonElement Resolve(JsonElement schema)
    {
        if (!schema.TryGetProperty("$ref", out JsonElement reference))
        {
            return schema;
        }

        const string Prefix = "#/$defs/";
        string target = reference.GetString()!;
        return target.StartsWith(Prefix, StringComparison.Ordinal)
            ? _schema.RootElement.GetProperty("$defs").GetProperty(target[Prefix.Length..])
            : throw new NotSupportedException("schema reference " + target);
    }

    private static bool HasType(JsonElement schema, JsoncNode value)
    {
        if (!schema.TryGetProperty("type", out JsonElement type))
        {
            return true;
        }

        string own = TypeName(value.Kind);
        return type.ValueKind == JsonValueKind.String ? type.GetString() == own : type.EnumerateArray().Any(t => t.GetString() == own);
    }

    private static string TypeName(JsoncKind kind) => kind switch
    {
        JsoncKind.Null => "null",
        JsoncKind.Boolean => "boolean",
        JsoncKind.Number => "number",
        JsoncKind.String => "string",
        JsoncKind.Array => "array",
        _ => "object",
    };

    private static string Expected(JsonElement schema)
    {
        if (schema.TryGetProperty("enum", out JsonElement values))
        {
            return "one of " + List(values.EnumerateArray().Select(v => v.GetString()!));
        }

        return schema.TryGetProperty("title", out JsonElement title) ? title.GetString()! : schema.GetProperty("type").ToString();
    }

    private static string Describe(JsoncNode value) => value.Kind switch
    {
        JsoncKind.Null => "null",
        JsoncKind.Boolean => value.Flag ? "true" : "false",
        JsoncKind.Number => value.Text,
        JsoncKind.String => Quote(value.Text),
        JsoncKind.Array => "an array",
        _ => "an object",
    };

    private static string Quote(string text)
    {
        const int Most = 60;
        string shown = text.Length > Most ? text[..Most] + "…" : text;
        return "\"" + shown.Replace("\0", "\\u0000", StringComparison.Ordinal) + "\"";
    }

    private static string List(IEnumerable<string> words) => string.Join(", ", words.Select(w => "\"" + w + "\""));

    /// <summary>The nearest word, if it is near enough to be what was meant.</summary>
    private static string Suggest(string found, IEnumerable<string> words)
    {
        string? best = words.MinBy(w => Distance(found, w));
        return best != null && Distance(found, best) <= Math.Max(1, best.Length / 3) ? $"; did you mean \"{best}\"?" : "";
    }

    private static int Distance(string a, string b)
    {
        int[] row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (int i = 1; i <= a.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.Length; j++)
            {
                int cost = char.ToLowerInvariant(a[i - 1]) == char.ToLowerInvariant(b[j - 1]) || (a[i - 1] == '_' && b[j - 1] == '-') ? 0 : 1;
                int next = Math.Min(Math.Min(row[j], row[j - 1]) + 1, diagonal + cost);
                diagonal = row[j];
                row[j] = next;
            }
        }

        return row[b.Length];
    }

    private Regex Pattern(string pattern)
    {
        if (!_patterns.TryGetValue(pattern, out Regex? regex))
        {
            // A $ of JSON Schema is the end, not also the place before a last line feed.
            string exact = pattern.EndsWith('$') && !pattern.EndsWith("\\$", StringComparison.Ordinal) ? pattern[..^1] + "\\z" : pattern;
            regex = new Regex(exact, RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1));
            _patterns.Add(pattern, regex);
        }

        return regex;
    }
}
