using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;

namespace Lodge.AbiMaps;

/// <summary>One field of a structure, members of anonymous structures and of unions taken apart.</summary>
/// <param name="Name">Kernel name; members of named unions and untagged structures are prefixed with the member's name.</param>
/// <param name="Offset">Bytes from the start of the structure.</param>
/// <param name="Size">Bytes of one element.</param>
/// <param name="Count">Elements; 1 for a scalar, 0 for a flexible array.</param>
/// <param name="Kind">int, uint, ptr, bits FIRST+WIDTH, struct TAG, or bytes (an array of structures).</param>
public readonly record struct LayoutField(string Name, int Offset, int Size, int Count, string Kind);

/// <summary>Layout of one structure on one ABI.</summary>
public sealed record Layout(string Name, string Abi, int Size, int Align, IReadOnlyList<LayoutField> Fields)
{
    /// <summary>Same size and fields: the alignment of the whole may differ (64-bit fields of i386).</summary>
    public bool SameAs(Layout other) => other is not null && Size == other.Size && Fields.SequenceEqual(other.Fields);
}

/// <summary>Takes layouts out of debug information, and reads and writes tables/layouts.tsv.</summary>
public sealed class LayoutTable
{
    private const string Prefix = "lodge_layout_";
    private readonly DwarfText _dwarf;
    private readonly string _abi;
    private readonly int _pointerSize;
    private readonly Dictionary<string, Layout> _layouts = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _aligns = new(StringComparer.Ordinal);

    private LayoutTable(DwarfText dwarf, string abi)
    {
        _dwarf = dwarf;
        _abi = abi;
        _pointerSize = Lodge.AbiMaps.Abi.IsGuest(abi) ? 4 : 8;
    }

    /// <summary>Layouts of every probe variable and of the tagged structures inside them, by name.</summary>
    public static IReadOnlyList<Layout> Read(DwarfText dwarf, string abi)
    {
        ArgumentNullException.ThrowIfNull(dwarf);
        var table = new LayoutTable(dwarf, abi);
        foreach (Die enumerator in dwarf.ByOffset.Values.Where(d => d.Tag == "enumerator" && d.Name!.StartsWith("lodge_align_of_", StringComparison.Ordinal)))
        {
            table._aligns[enumerator.Name!["lodge_align_of_".Length..]] = (int)enumerator.Number("const_value")!.Value;
        }
        foreach (Die variable in dwarf.ByOffset.Values.Where(d => d.Tag == "variable" && d.Name?.StartsWith(Prefix, StringComparison.Ordinal) == true).ToList())
        {
            table.Add(variable.Name![Prefix.Length..], table.Resolve(variable.TypeOffset!.Value));
        }
        return table._layouts.Values.OrderBy(l => l.Name, StringComparer.Ordinal).ToList();
    }

    /// <summary>Formats all layouts: one line per field, one "-" line for a structure without any.</summary>
    public static string Format(IEnumerable<Layout> layouts) => Tsv.Format(
        [
            "Structure layouts, from the debug information of hand/layouts.c compiled for four ABIs. Written by the generator; not edited by hand.",
            "structure, abi, size, alignment, field, offset, element size, elements (0: flexible), kind",
        ],
        layouts.OrderBy(l => l.Name, StringComparer.Ordinal).ThenBy(l => Lodge.AbiMaps.Abi.All.ToList().IndexOf(l.Abi)).SelectMany(l => l.Fields.Select(f => new[]
        {
            l.Name, l.Abi, Text(l.Size), Text(l.Align), f.Name, Text(f.Offset), Text(f.Size), Text(f.Count), f.Kind,
        })));

    /// <summary>Parses what <see cref="Format"/> wrote.</summary>
    public static IReadOnlyList<Layout> Parse(string text) => Tsv.Parse(text).GroupBy(f => (f[0], f[1])).Select(g => new Layout(
        g.Key.Item1, g.Key.Item2, Number(g.First()[2]), Number(g.First()[3]),
        g.Select(f => new LayoutField(f[4], Number(f[5]), Number(f[6]), Number(f[7]), f[8])).ToList())).ToList();

    private static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    private void Add(string name, Die type)
    {
        if (_layouts.ContainsKey(name))
        {
            return;
        }
        var fields = new List<LayoutField>();
        Flatten(type, "", 0, fields);
        string? twice = fields.GroupBy(f => f.Name).FirstOrDefault(g => g.Count() > 1)?.Key;
        if (twice is not null)
        {
            throw new FormatException($"{name}: two fields are called {twice}");
        }
        int align = _aligns.TryGetValue(name, out int known) ? known : NaturalAlign(type);
        _layouts.Add(name, new Layout(name, _abi, (int)type.Number("byte_size")!.Value, align, fields));
    }

    private void Flatten(Die type, string prefix, int start, List<LayoutField> fields)
    {
        foreach (Die member in type.Children.Where(c => c.Tag == "member"))
        {
            Die target = Resolve(member.TypeOffset!.Value);
            int offset = start + (int)(member.Number("data_member_location") ?? 0);
            string name = Join(prefix, member.Name);
            if (member.Number("bit_size") is long width)
            {
                Bits(member, target, name, start, (int)width, fields);
                continue;
            }
            bool aggregate = target.Tag is "structure_type" or "union_type";
            if (member.Name is null || (aggregate && (target.Tag == "union_type" || target.Name is null)))
            {
                Flatten(target, name, offset, fields);
                continue;
            }
            fields.Add(Field(name, offset, target));
        }
    }

    private static void Bits(Die member, Die target, string name, int start, int width, List<LayoutField> fields)
    {
        int unit = (int)target.Number("byte_size")!.Value;
        int first;
        int storage;
        if (member.Number("data_bit_offset") is long bit)
        {
            storage = (int)(bit / (unit * 8)) * unit;
            first = (int)(bit % (unit * 8));
        }
        else
        {
            // DWARF 2 to 4: counted from the most significant bit of the storage unit.
            storage = (int)(member.Number("data_member_location") ?? 0);
            first = (unit * 8) - (int)(member.Number("bit_offset") ?? 0) - width;
        }
        fields.Add(new LayoutField(name, start + storage, unit, 1, $"bits {first}+{width}"));
    }

    private LayoutField Field(string name, int offset, Die type)
    {
        switch (type.Tag)
        {
            case "array_type":
                Die element = Resolve(type.TypeOffset!.Value);
                int count = 1;
                foreach (Die range in type.Children.Where(c => c.Tag == "subrange_type"))
                {
                    count *= (int)(range.Number("count") ?? 0);
                }
                LayoutField inner = Field(name, offset, element);
                return inner.Kind.StartsWith("struct ", StringComparison.Ordinal) || inner.Count != 1
                    ? new LayoutField(name, offset, 1, count * inner.Size * inner.Count, "bytes")
                    : inner with { Count = count };
            case "pointer_type":
                return new LayoutField(name, offset, _pointerSize, 1, "ptr");
            case "enumeration_type":
                return new LayoutField(name, offset, (int)type.Number("byte_size")!.Value, 1, "uint");
            case "structure_type" when type.Name is not null:
                Add(type.Name, type);
                return new LayoutField(name, offset, (int)type.Number("byte_size")!.Value, 1, "struct " + type.Name);
            case "structure_type" or "union_type":
                return new LayoutField(name, offset, 1, (int)type.Number("byte_size")!.Value, "bytes");
            case "base_type" when type.Number("byte_size") > 8:
                return new LayoutField(name, offset, 1, (int)type.Number("byte_size")!.Value, "bytes");
            case "base_type":
                // Plain char is signed on x86 and unsigned on ARM; it is text or raw bytes in all of these structures.
                bool signed = type.Text("encoding") is "DW_ATE_signed" or "DW_ATE_signed_char" && type.Name != "char";
                return new LayoutField(name, offset, (int)type.Number("byte_size")!.Value, 1, signed ? "int" : "uint");
            default:
                throw new FormatException($"{name}: a member of type {type.Tag}");
        }
    }

    private int NaturalAlign(Die type)
    {
        int align = 1;
        foreach (Die member in type.Children.Where(c => c.Tag == "member"))
        {
            align = Math.Max(align, AlignOf(Resolve(member.TypeOffset!.Value)));
        }
        return type.Number("alignment") is long stated ? Math.Max(align, (int)stated) : align;
    }

    private int AlignOf(Die type) => type.Tag switch
    {
        "array_type" => AlignOf(Resolve(type.TypeOffset!.Value)),
        "pointer_type" => _pointerSize,
        "structure_type" or "union_type" => NaturalAlign(type),
        _ => Math.Min((int)type.Number("byte_size")!.Value, _abi == Lodge.AbiMaps.Abi.I386 ? 4 : 8),
    };

    private Die Resolve(uint offset)
    {
        Die die = _dwarf.ByOffset[offset];
        while (die.Tag is "typedef" or "const_type" or "volatile_type")
        {
            die = _dwarf.ByOffset[die.TypeOffset!.Value];
        }
        return die;
    }

    private static string Join(string prefix, string? name) => (prefix, name) switch
    {
        (_, null) => prefix,
        ("", _) => name,
        _ => name.StartsWith('_') || prefix.EndsWith('_') ? prefix + name : $"{prefix}_{name}",
    };
}
