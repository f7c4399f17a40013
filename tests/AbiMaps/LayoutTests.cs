using System;
using System.Linq;
using Xunit;

namespace Lodge.AbiMaps.Tests;

public class LayoutTests
{
    /// <summary>struct sample { long a; struct inner b; union { int c; char d[4]; }; unsigned bits:3; void *e; unsigned short f[2][3]; } in DWARF 4 of a 32-bit ABI.</summary>
    private const string Dump = """
        0x0000000b: DW_TAG_compile_unit
                      DW_AT_name	("x.c")

        0x0000001e:   DW_TAG_variable
                        DW_AT_name	("lodge_layout_sample")
                        DW_AT_type	(0x00000030 "sample")

        0x00000030:   DW_TAG_structure_type
                        DW_AT_name	("sample")
                        DW_AT_byte_size	(0x24)

        0x00000040:     DW_TAG_member
                          DW_AT_name	("a")
                          DW_AT_type	(0x00000100 "long")
                          DW_AT_data_member_location	(0x00)

        0x00000041:     DW_TAG_member
                          DW_AT_name	("b")
                          DW_AT_type	(0x00000110 "inner")
                          DW_AT_data_member_location	(0x04)

        0x00000042:     DW_TAG_member
                          DW_AT_type	(0x00000130 "union ")
                          DW_AT_data_member_location	(0x0c)

        0x00000043:     DW_TAG_member
                          DW_AT_name	("bits")
                          DW_AT_type	(0x00000160 "unsigned int")
                          DW_AT_byte_size	(0x04)
                          DW_AT_bit_size	(0x03)
                          DW_AT_bit_offset	(0x1d)
                          DW_AT_data_member_location	(0x10)

        0x00000044:     DW_TAG_member
                          DW_AT_name	("e")
                          DW_AT_type	(0x00000170 "void *")
                          DW_AT_data_member_location	(0x14)

        0x00000045:     DW_TAG_member
                          DW_AT_name	("f")
                          DW_AT_type	(0x00000180 "unsigned short[2][3]")
                          DW_AT_data_member_location	(0x18)

        0x00000046:     NULL

        0x00000100:   DW_TAG_base_type
                        DW_AT_name	("long")
                        DW_AT_encoding	(DW_ATE_signed)
                        DW_AT_byte_size	(0x04)

        0x00000110:   DW_TAG_structure_type
                        DW_AT_name	("inner")
                        DW_AT_byte_size	(0x08)

        0x00000111:     DW_TAG_member
                          DW_AT_name	("x")
                          DW_AT_type	(0x00000160 "unsigned int")
                          DW_AT_data_member_location	(0x00)

        0x00000112:     DW_TAG_member
                          DW_AT_name	("rest")
                          DW_AT_type	(0x00000190 "char[]")
                          DW_AT_data_member_location	(0x04)

        0x00000120:   DW_TAG_base_type
                        DW_AT_name	("char")
                        DW_AT_encoding	(DW_ATE_signed_char)
                        DW_AT_byte_size	(0x01)

        0x00000130:   DW_TAG_union_type
                        DW_AT_byte_size	(0x04)

        0x00000131:     DW_TAG_member
                          DW_AT_name	("c")
                          DW_AT_type	(0x00000100 "long")
                          DW_AT_data_member_location	(0x00)

        0x00000132:     DW_TAG_member
                          DW_AT_name	("d")
                          DW_AT_type	(0x000001a0 "char[4]")
                          DW_AT_data_member_location	(0x00)

        0x00000160:   DW_TAG_base_type
                        DW_AT_name	("unsigned int")
                        DW_AT_encoding	(DW_ATE_unsigned)
                        DW_AT_byte_size	(0x04)

        0x00000170:   DW_TAG_pointer_type

        0x00000180:   DW_TAG_array_type
                        DW_AT_type	(0x000001c0 "unsigned short")

        0x00000181:     DW_TAG_subrange_type
                          DW_AT_count	(0x02)

        0x00000182:     DW_TAG_subrange_type
                          DW_AT_count	(0x03)

        0x00000190:   DW_TAG_array_type
                        DW_AT_type	(0x00000120 "char")

        0x00000191:     DW_TAG_subrange_type

        0x000001a0:   DW_TAG_array_type
                        DW_AT_type	(0x00000120 "char")

        0x000001a1:     DW_TAG_subrange_type
                          DW_AT_count	(0x04)

        0x000001c0:   DW_TAG_typedef
                        DW_AT_type	(0x000001d0 "unsigned short")
                        DW_AT_name	("u16")

        0x000001d0:   DW_TAG_base_type
                        DW_AT_name	("unsigned short")
                        DW_AT_encoding	(DW_ATE_unsigned)
                        DW_AT_byte_size	(0x02)

        0x00000200:   DW_TAG_enumeration_type
                        DW_AT_byte_size	(0x04)

        0x00000201:     DW_TAG_enumerator
                          DW_AT_name	("lodge_align_of_sample")
                          DW_AT_const_value	(4)

        """;

    [Fact]
    public void ReadsEveryKindOfMember()
    {
        var layouts = LayoutTable.Read(DwarfText.Parse(Dump), Abi.I386).ToDictionary(l => l.Name);
        Assert.Equal(["inner", "sample"], layouts.Keys.Order(StringComparer.Ordinal));
        Layout sample = layouts["sample"];
        Assert.Equal((0x24, 4), (sample.Size, sample.Align));
        Assert.Equal(
            [
                new LayoutField("a", 0, 4, 1, "int"), new LayoutField("b", 4, 8, 1, "struct inner"), new LayoutField("c", 12, 4, 1, "int"),
                new LayoutField("d", 12, 1, 4, "uint"), new LayoutField("bits", 16, 4, 1, "bits 0+3"), new LayoutField("e", 20, 4, 1, "ptr"),
                new LayoutField("f", 24, 2, 6, "uint"),
            ],
            sample.Fields);
        Assert.Equal(new LayoutField("rest", 4, 1, 0, "uint"), layouts["inner"].Fields[1]);
    }

    [Fact]
    public void TheFileSurvivesARoundTrip()
    {
        string text = LayoutTable.Format(LayoutTable.Read(DwarfText.Parse(Dump), Abi.I386));
        Assert.Equal(text, LayoutTable.Format(LayoutTable.Parse(text)));
    }

    [Fact]
    public void AStructureIsSharedOnlyWithAllItsParts()
    {
        Layout Make(string name, string abi, int size, params LayoutField[] fields) => new(name, abi, size, 4, fields);
        var field = new LayoutField("x", 0, 4, 1, "int");
        var part = new LayoutField("p", 0, 8, 1, "struct part");
        var files = EmitLayouts.Files(
            [
                Make("same", Abi.I386, 4, field), Make("same", Abi.Arm, 4, field),
                Make("whole", Abi.I386, 8, part), Make("whole", Abi.Arm, 8, part),
                Make("part", Abi.I386, 8, field), Make("part", Abi.Arm, 8, field with { Offset = 4 }),
                Make("same", Abi.X64, 8, field with { Size = 8 }), Make("same", Abi.Arm64, 8, field with { Size = 8 }),
                Make("lock", Abi.X64, 8, new LayoutField("lock", 0, 8, 1, "ptr"), new LayoutField("params", 0, 4, 2, "uint")),
            ]);
        Assert.Contains("public unsafe struct same", files["Layouts.Compat.g.cs"], StringComparison.Ordinal);
        Assert.DoesNotContain("struct whole", files["Layouts.Compat.g.cs"], StringComparison.Ordinal);
        Assert.Contains("struct whole", files["Layouts.I386.g.cs"], StringComparison.Ordinal);
        Assert.Contains("[FieldOffset(4)] public int x;", files["Layouts.Arm.g.cs"], StringComparison.Ordinal);
        Assert.Contains("[FieldOffset(0)] public long x;", files["Layouts.Host.g.cs"], StringComparison.Ordinal);
        Assert.Contains("#if !ARM64", files["Layouts.Host.g.cs"], StringComparison.Ordinal);
        Assert.Contains("public ulong lock_;\n    [FieldOffset(0)] public fixed uint @params[2];", files["Layouts.Host.g.cs"], StringComparison.Ordinal);
    }
}
