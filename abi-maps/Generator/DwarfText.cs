using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Lodge.AbiMaps;

/// <summary>One debugging information entry.</summary>
public sealed class Die
{
    private readonly Dictionary<string, string> _attributes = new(StringComparer.Ordinal);

    /// <summary>An entry of the given tag (without DW_TAG_).</summary>
    public Die(string tag) => Tag = tag;

    /// <summary>Tag without DW_TAG_.</summary>
    public string Tag { get; }

    /// <summary>Children in order.</summary>
    public IList<Die> Children { get; } = [];

    /// <summary>DW_AT_name; null when there is none.</summary>
    public string? Name => Text("name")?.Trim('"');

    /// <summary>Raw text of an attribute (without DW_AT_), or null.</summary>
    public string? Text(string attribute) => _attributes.GetValueOrDefault(attribute);

    /// <summary>Numeric attribute, or null.</summary>
    public long? Number(string attribute)
    {
        string? text = Text(attribute);
        if (text is null)
        {
            return null;
        }
        return text.StartsWith("0x", StringComparison.Ordinal)
            ? unchecked((long)ulong.Parse(text.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture))
            : long.Parse(text, CultureInfo.InvariantCulture);
    }

    /// <summary>Section offset of the entry that DW_AT_type refers to, or null.</summary>
    public uint? TypeOffset
    {
        get
        {
            string? text = Text("type");
            return text is null ? null : uint.Parse(text.AsSpan(2, 8), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        }
    }

    internal void Set(string attribute, string text) => _attributes[attribute] = text;
}

/// <summary>Reads what <c>llvm-dwarfdump --debug-info</c> prints.</summary>
public sealed partial class DwarfText
{
    private readonly Dictionary<uint, Die> _byOffset = [];

    /// <summary>Entries by section offset.</summary>
    public IReadOnlyDictionary<uint, Die> ByOffset => _byOffset;

    /// <summary>Parses the text.</summary>
    public static DwarfText Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var dwarf = new DwarfText();
        var open = new List<Die>();
        Die? current = null;
        foreach (string line in text.Split('\n'))
        {
            Match entry = Entry().Match(line);
            if (entry.Success)
            {
                int depth = entry.Groups[2].Length / 2;
                open.RemoveRange(Math.Min(depth, open.Count), open.Count - Math.Min(depth, open.Count));
                current = new Die(entry.Groups[3].Value);
                if (open.Count > 0)
                {
                    open[^1].Children.Add(current);
                }
                open.Add(current);
                dwarf._byOffset[uint.Parse(entry.Groups[1].Value, NumberStyles.HexNumber, CultureInfo.InvariantCulture)] = current;
                continue;
            }
            Match attribute = Attribute().Match(line);
            if (attribute.Success)
            {
                current?.Set(attribute.Groups[1].Value, attribute.Groups[2].Value);
            }
        }
        return dwarf;
    }

    [GeneratedRegex(@"^0x([0-9a-f]{8}): ( *)DW_TAG_(\w+)")]
    private static partial Regex Entry();

    [GeneratedRegex(@"^\s+DW_AT_(\w+)\s*\((.*)\)\s*$")]
    private static partial Regex Attribute();
}
