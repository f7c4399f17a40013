using System.Buffers;
using System.Collections.Generic;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Lodge.Protocol;

namespace Lodge.Config;

/// <summary>
/// Writes the JSON Schema (2020-12) of configuration files from the option table. A title says in a few words what is expected, for messages;
/// a description is what editors show.
/// </summary>
public static class SchemaGenerator
{
    // 1024K to 1048576K, 1M to 1024M, 1G.
    private const string SizePattern = "^(102[4-9]K|10[3-9][0-9]K|1[1-9][0-9]{2}K|[2-9][0-9]{3}K|[1-9][0-9]{4,5}K|10[0-3][0-9]{4}K|104[0-7][0-9]{3}K"
        + "|1048[0-4][0-9]{2}K|10485[0-6][0-9]K|104857[0-6]K|[1-9][0-9]{0,2}M|10[01][0-9]M|102[0-4]M|1G)$";

    private const string AnyText = "^[^\\u0000]*$";

    /// <summary>The schema as indented JSON that ends with a line end.</summary>
    public static string Generate()
    {
        ArrayBufferWriter<byte> buffer = new();
        JsonWriterOptions options = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
        using (Utf8JsonWriter w = new(buffer, options))
        {
            w.WriteStartObject();
            w.WriteString("$schema", "https://json-schema.org/draft/2020-12/schema");
            w.WriteString("title", "an object with \"defaults\" and \"applications\"");
            w.WriteString("description", "Configuration of Lodge: lodge.jsonc and apps.d/*.jsonc.");
            w.WriteString("type", "object");
            w.WriteBoolean("additionalProperties", false);
            w.WriteStartObject("properties");
            Typed(w, "$schema", "a reference to this schema", null, "string");
            w.WriteEndObject();
            w.WriteStartObject("defaults");
            w.WriteString("description", "Options for all programs.");
            w.WriteString("$ref", "#/$defs/options");
            w.WriteEndObject();
            Typed(w, "applications", "an array of applications", "Options for single programs, applied in this order.", "array");
            w.WriteStartObject("items");
            w.WriteString("$ref", "#/$defs/application");
            w.WriteEndObject();
            w.WriteEndObject();
            w.WriteEndObject();
            w.WriteStartObject("$defs");
            Application(w);
            Match(w);
            Options(w);
            w.WriteEndObject();
            w.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan) + "\n";
    }

    private static void Application(Utf8JsonWriter w)
    {
        Typed(w, "application", "an application: an object with \"match\" and \"options\"", null, "object");
        w.WriteBoolean("additionalProperties", false);
        Strings(w, "required", ["match", "options"]);
        w.WriteStartObject("properties");
        Typed(w, "comment", "text", "For readers; without effect.", "string");
        w.WriteEndObject();
        Reference(w, "match", "#/$defs/match");
        Reference(w, "options", "#/$defs/options");
        w.WriteEndObject();
        w.WriteEndObject();
    }

    private static void Match(Utf8JsonWriter w)
    {
        Typed(w, "match", "an object with at least one of \"path\", \"name\", \"build-id\" and \"interpreter\"",
            "Which programs are meant: those for which each of the members given matches; of an array one element has to.", "object");
        w.WriteBoolean("additionalProperties", false);
        w.WriteNumber("minProperties", 1);
        w.WriteStartObject("properties");
        Key(w, "path", "an absolute path, or a pattern over one", "^[/*?\\[][^\\u0000]*$",
            "Path of the program's file, as it was named or with all links resolved. * ? [a-z] do not match /; ** does; "
            + "\\ takes the next character as it is. For a script this is its interpreter.");
        Key(w, "name", "a file name without /, or a pattern over one", "^[^/\\u0000]+$",
            "Last part of the path by which the program was started.");
        Key(w, "build-id", "a build-id: an even number of hexadecimal digits", "^([0-9A-Fa-f]{2}){1,64}$",
            "GNU build-id of the program's file (file PROGRAM, or readelf -n PROGRAM, shows it).");
        Key(w, "interpreter", "path or name of an ELF interpreter, or a pattern over one", "^[^\\u0000]+$",
            "The program interpreter (dynamic linker) that the program's file names (PT_INTERP): its path or its last part. Static programs have none.");
        w.WriteEndObject();
        w.WriteEndObject();
    }

    private static void Key(Utf8JsonWriter w, string name, string title, string pattern, string description)
    {
        w.WriteStartObject(name);
        w.WriteString("title", title + ", or an array of them");
        w.WriteString("description", description);
        Strings(w, "type", ["string", "array"]);
        w.WriteString("pattern", pattern);
        w.WriteNumber("maxLength", 1024);
        w.WriteNumber("minItems", 1);
        w.WriteStartObject("items");
        w.WriteString("title", title);
        w.WriteString("type", "string");
        w.WriteString("pattern", pattern);
        w.WriteNumber("maxLength", 1024);
        w.WriteEndObject();
        w.WriteEndObject();
    }

    private static void Options(Utf8JsonWriter w)
    {
        Typed(w, "options", "an object of options", null, "object");
        w.WriteBoolean("additionalProperties", false);
        w.WriteStartObject("properties");
        foreach (OptionInfo option in OptionInfo.All)
        {
            if ((option.Scope & OptionScope.File) != 0)
            {
                Option(w, option);
            }
        }

        w.WriteEndObject();
        w.WriteEndObject();
    }

    private static void Option(Utf8JsonWriter w, OptionInfo option)
    {
        w.WriteStartObject(option.Name);
        w.WriteString("description", option.Doc);
        switch (option.Type)
        {
            case OptionType.Boolean:
                w.WriteString("title", "true or false");
                w.WriteString("type", "boolean");
                break;
            case OptionType.Token:
                w.WriteString("type", "string");
                Strings(w, "enum", option.Tokens);
                break;
            case OptionType.Size:
                w.WriteString("title", "a size from 1M to 1G: digits, and K, M or G");
                w.WriteString("type", "string");
                w.WriteString("pattern", SizePattern);
                break;
            case OptionType.Path:
                w.WriteString("title", "an absolute path, or null");
                Strings(w, "type", ["string", "null"]);
                w.WriteString("pattern", "^/[^\\u0000]*$");
                w.WriteNumber("maxLength", 4095);
                break;
            default:
                w.WriteString("type", "object");
                Map(w, option);
                break;
        }

        if (!option.Default.StartsWith('('))
        {
            w.WritePropertyName("default");
            w.WriteRawValue(option.Default);
        }

        w.WriteStartArray("examples");
        w.WriteRawValue(option.Example);
        w.WriteEndArray();
        w.WriteEndObject();
    }

    private static void Map(Utf8JsonWriter w, OptionInfo option)
    {
        switch (option.Type)
        {
            case OptionType.EnvironmentMap:
                w.WriteString("title", "an object of variables");
                w.WriteStartObject("propertyNames");
                w.WriteString("title", "a variable's name, or the beginning of names and a star");
                w.WriteString("pattern", "^([^=*\\u0000]+\\*?|\\*)$");
                w.WriteEndObject();
                w.WriteStartObject("patternProperties");
                w.WriteStartObject("\\*$");
                w.WriteString("title", "null, because a name with a star can only be dropped");
                w.WriteString("type", "null");
                w.WriteEndObject();
                w.WriteEndObject();
                w.WriteStartObject("additionalProperties");
                w.WriteString("title", "text, or null to drop the variable");
                Strings(w, "type", ["string", "null"]);
                w.WriteString("pattern", AnyText);
                w.WriteNumber("maxLength", 131000);
                w.WriteEndObject();
                break;
            case OptionType.FeatureMap:
                w.WriteString("title", "an object of CPU features");
                w.WriteBoolean("additionalProperties", false);
                w.WriteStartObject("properties");
                foreach (string feature in OptionInfo.Features)
                {
                    Typed(w, feature, "true (shown) or false (hidden)", null, "boolean");
                    w.WriteEndObject();
                }

                w.WriteEndObject();
                break;
            case OptionType.IoctlMap:
                w.WriteString("title", "an object of ioctl requests");
                w.WriteStartObject("propertyNames");
                w.WriteString("title", "an ioctl request such as \"0x5401\", or \"unknown\"");
                w.WriteString("pattern", "^(0[xX][0-9A-Fa-f]{1,8}|" + OptionInfo.UnknownRequests + ")$");
                w.WriteEndObject();
                w.WriteStartObject("additionalProperties");
                w.WriteString("type", "string");
                Strings(w, "enum", OptionInfo.Policies);
                w.WriteEndObject();
                break;
            default:
                w.WriteString("title", "an object of work-arounds");
                w.WriteBoolean("additionalProperties", false);
                w.WriteStartObject("properties");
                for (int i = 0; i < OptionInfo.Workarounds.Count; i++)
                {
                    w.WriteStartObject(OptionInfo.Workarounds[i]);
                    w.WriteString("title", "the reason why this program needs it, or null");
                    w.WriteString("description", OptionInfo.WorkaroundDoc(i));
                    Strings(w, "type", ["string", "null"]);
                    w.WriteString("pattern", "\\S");
                    w.WriteEndObject();
                }

                w.WriteEndObject();
                break;
        }
    }

    // Leaves the object open.
    private static void Typed(Utf8JsonWriter w, string name, string title, string? description, string type)
    {
        w.WriteStartObject(name);
        w.WriteString("title", title);
        if (description != null)
        {
            w.WriteString("description", description);
        }

        w.WriteString("type", type);
    }

    private static void Reference(Utf8JsonWriter w, string name, string target)
    {
        w.WriteStartObject(name);
        w.WriteString("$ref", target);
        w.WriteEndObject();
    }

    private static void Strings(Utf8JsonWriter w, string name, IEnumerable<string> values)
    {
        w.WriteStartArray(name);
        foreach (string value in values)
        {
            w.WriteStringValue(value);
        }

        w.WriteEndArray();
    }
}
