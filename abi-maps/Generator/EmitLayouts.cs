using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text;

namespace Lodge.AbiMaps;

/// <summary>Generated C# structures: Compat where both guests agree, I386 and Arm where they do not, Host for the 64-bit kernel.</summary>
public static class EmitLayouts
{
    private static readonly HashSet<string> s_keywords = new(StringComparer.Ordinal)
    {
        "base", "bool", "byte", "char", "checked", "class", "const", "decimal", "default", "delegate", "double", "event", "explicit", "extern", "fixed",
        "float", "in", "int", "interface", "internal", "is", "lock", "long", "namespace", "new", "null", "object", "operator", "out", "override", "params",
        "private", "protected", "public", "readonly", "ref", "sbyte", "sealed", "short", "static", "string", "struct", "switch", "this", "throw", "uint",
        "ulong", "unsafe", "ushort", "using", "virtual", "void", "volatile",
    };

    /// <summary>All files by name.</summary>
    public static IReadOnlyDictionary<string, string> Files(IReadOnlyList<Layout> layouts)
    {
        ArgumentNullException.ThrowIfNull(layouts);
        Dictionary<string, Dictionary<string, Layout>> byAbi = Abi.All.ToDictionary(a => a, a => layouts.Where(l => l.Abi == a).ToDictionary(l => l.Name));
        HashSet<string> shared = Shared(byAbi[Abi.I386], byAbi[Abi.Arm]);
        var check = new StringBuilder();
        var files = new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            ["Layouts.Compat.g.cs"] = File("Compat", "on i386 and on arm alike", byAbi[Abi.I386].Values.Where(l => shared.Contains(l.Name))
                .Select(l => l with { Align = Math.Min(l.Align, byAbi[Abi.Arm][l.Name].Align) }), check),
            ["Layouts.I386.g.cs"] = File("I386", "on i386 only, or there with another layout", byAbi[Abi.I386].Values.Where(l => !shared.Contains(l.Name)), check, shared),
            ["Layouts.Arm.g.cs"] = File("Arm", "on arm only, or there with another layout", byAbi[Abi.Arm].Values.Where(l => !shared.Contains(l.Name)), check, shared),
            ["Layouts.Host.g.cs"] = Host(byAbi[Abi.X64], byAbi[Abi.Arm64], check),
        };
        files["LayoutCheck.g.cs"] = $$"""
            {{EmitTables.Header}}using System;

            namespace Lodge.Abi;

            /// <summary>Compares what the compiler made of the generated structures with the sizes in tables/layouts.tsv.</summary>
            public static unsafe class LayoutCheck
            {
                /// <summary>Name of the first structure whose size is not the kernel's; empty when all are right.</summary>
                public static ReadOnlySpan<byte> FirstMismatch()
                {
            {{check}}        return default;
                }
            }

            """;
        return files;
    }

    private static HashSet<string> Shared(Dictionary<string, Layout> i386, Dictionary<string, Layout> arm)
    {
        HashSet<string> shared = i386.Values.Where(l => arm.TryGetValue(l.Name, out Layout? other) && l.SameAs(other)).Select(l => l.Name).ToHashSet(StringComparer.Ordinal);
        // A structure whose parts differ cannot be shared, even if its own fields agree.
        while (shared.RemoveWhere(n => i386[n].Fields.Any(f => f.Kind.StartsWith("struct ", StringComparison.Ordinal) && !shared.Contains(f.Kind[7..]))) > 0)
        {
        }
        return shared;
    }

    private static string File(string space, string what, IEnumerable<Layout> layouts, StringBuilder check, IReadOnlySet<string>? compat = null)
    {
        var text = new StringBuilder(EmitTables.Header);
        text.Append(CultureInfo.InvariantCulture, $"using System.Runtime.InteropServices;\n\n// Structures that exist {what}; guest pointers and longs are 32 bits wide.\nnamespace Lodge.Abi.{space};\n");
        foreach (Layout layout in layouts.OrderBy(l => l.Name, StringComparer.Ordinal))
        {
            Struct(text, layout, compat);
            Check(check, space, layout);
        }
        return text.ToString();
    }

    private static string Host(Dictionary<string, Layout> x64, Dictionary<string, Layout> arm64, StringBuilder check)
    {
        var text = new StringBuilder(EmitTables.Header);
        text.Append("using System.Runtime.InteropServices;\n\n// Structures of the 64-bit host kernel; those that differ between x86-64 and arm64 are selected at compile time.\nnamespace Lodge.Abi.Host;\n");
        foreach (string name in x64.Keys.Union(arm64.Keys).Order(StringComparer.Ordinal))
        {
            Layout? a = x64.GetValueOrDefault(name);
            Layout? b = arm64.GetValueOrDefault(name);
            if (a is not null && b is not null && a.SameAs(b))
            {
                Struct(text, a, null);
                Check(check, "Host", a);
                continue;
            }
            if (a is null || b is null)
            {
                string condition = a is null ? "#if ARM64\n" : "#if !ARM64\n";
                text.Append('\n').Append(condition);
                check.Append(condition);
                Struct(text, (a ?? b)!, null);
                Check(check, "Host", (a ?? b)!);
                text.Append("#endif\n");
                check.Append("#endif\n");
                continue;
            }
            text.Append("\n#if ARM64\n");
            check.Append("#if ARM64\n");
            Struct(text, b, null);
            Check(check, "Host", b);
            text.Append("#else\n");
            check.Append("#else\n");
            Struct(text, a, null);
            Check(check, "Host", a);
            text.Append("#endif\n");
            check.Append("#endif\n");
        }
        return text.ToString();
    }

    private static void Check(StringBuilder check, string space, Layout layout) => check.Append(CultureInfo.InvariantCulture, $$"""
                if (sizeof({{space}}.{{layout.Name}}) != {{layout.Size}})
                {
                    return "{{space}}.{{layout.Name}}"u8;
                }

        """);

    private static void Struct(StringBuilder text, Layout layout, IReadOnlySet<string>? compat)
    {
        text.Append(CultureInfo.InvariantCulture, $$"""

            /// <summary>struct {{layout.Name}}: {{layout.Size}} bytes.</summary>
            [StructLayout(LayoutKind.Explicit, Size = {{layout.Size}}, Pack = {{layout.Align}})]
            public unsafe struct {{layout.Name}}
            {

            """);
        int lastBits = -1;
        foreach (LayoutField field in layout.Fields)
        {
            if (field.Kind.StartsWith("bits ", StringComparison.Ordinal))
            {
                // Bit fields of one storage unit become one field; the names and places stand beside it.
                if (field.Offset != lastBits)
                {
                    string bits = string.Join(", ", layout.Fields.Where(f => f.Offset == field.Offset && f.Kind.StartsWith("bits ", StringComparison.Ordinal)).Select(f => $"{f.Name} {f.Kind[5..]}"));
                    text.Append(CultureInfo.InvariantCulture, $"    /// <summary>Bit fields (first bit + width): {bits}.</summary>\n    [FieldOffset({field.Offset})] public {Integer(field.Size, false)} bits_{field.Offset};\n");
                    lastBits = field.Offset;
                }
                continue;
            }
            if (field.Count == 0)
            {
                text.Append(CultureInfo.InvariantCulture, $"    // {field.Name}[] starts at {field.Offset}\n");
                continue;
            }
            string name = field.Name == layout.Name ? field.Name + "_" : s_keywords.Contains(field.Name) ? "@" + field.Name : field.Name;
            string type = field.Kind switch
            {
                "int" => Integer(field.Size, true),
                "bytes" => "byte",
                _ when field.Kind.StartsWith("struct ", StringComparison.Ordinal) => (compat?.Contains(field.Kind[7..]) == true ? "Compat." : "") + field.Kind[7..],
                _ => Integer(field.Size, false),
            };
            text.Append(CultureInfo.InvariantCulture, $"    [FieldOffset({field.Offset})] public {(field.Count > 1 || field.Kind == "bytes" ? $"fixed {type} {name}[{field.Count}]" : $"{type} {name}")};\n");
        }
        text.Append("}\n");
    }

    private static string Integer(int size, bool signed) => (size, signed) switch
    {
        (1, true) => "sbyte",
        (1, false) => "byte",
        (2, true) => "short",
        (2, false) => "ushort",
        (4, true) => "int",
        (4, false) => "uint",
        (8, true) => "long",
        (8, false) => "ulong",
        _ => throw new FormatException($"an integer of {size} bytes"),
    };
}
