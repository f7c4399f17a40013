using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;
using Lodge.Translator.I386;

namespace Lodge.Translator.Tables;

/// <summary>Writes rows and dispatch as C# data that a compiler puts into the image as is.</summary>
public static class TableWriter
{
    /// <summary>The text of <c>I386Table.g.cs</c>.</summary>
    public static string Write(List<TableRow> rows, TableTrie trie)
    {
        ArgumentNullException.ThrowIfNull(rows);
        ArgumentNullException.ThrowIfNull(trie);
        var b = new StringBuilder();
        b.Append("// Written by daemon/Translator.Tables from i386.table: change the table, then run `make tables`.\n\n");
        b.Append("using System;\n\nnamespace Lodge.Translator.I386;\n\npublic static partial class I386Table\n{\n");
        b.Append(CultureInfo.InvariantCulture, $"    /// <summary>Rows, the invalid one (0) included.</summary>\n    public const int RowCount = {rows.Count + 1};\n\n");
        Data(b, "uint", "Root", trie.Root);
        Data(b, "ushort", "Nodes", trie.Nodes);
        var brief = new TableShort(rows, trie);
        Data(b, "uint", "ShortData", brief.Opcodes);
        Data(b, "ushort", "ShortRows", brief.Slots);
        Data(b, "ulong", "ShortFacts", brief.Slots.ConvertAll(row => Translation(row == 0 ? Invalid : rows[row - 1])));
        Data(b, "ushort", "ShapeData", brief.Shapes);
        Data(b, "ushort", "SibShapeData", brief.SibShapes);
        Column(b, "byte", "ClassData", rows, r => (int)r.Class);
        Column(b, "byte", "FeatureData", rows, r => (int)r.Feature);
        Column(b, "ushort", "OperandsData", rows, r => (int)r.OperandFlags);
        Column(b, "ushort", "RulesData", rows, r => (int)r.Rules);
        Column(b, "ushort", "FlagsReadData", rows, r => (int)r.FlagsRead);
        Column(b, "ushort", "FlagsWrittenData", rows, r => (int)r.FlagsWritten);
        Column(b, "ushort", "FlagsUndefinedData", rows, r => (int)r.FlagsUndefined);
        Column(b, "ushort", "FlagsKilledData", rows, r => r.FlagsConditional ? 0 : (int)(r.FlagsWritten & ~r.FlagsUndefined));
        Column(b, "ulong", "TranslationData", rows, Translation, Translation(Invalid));
        Column(b, "ushort", "MemSizeData", rows, r => r.MemSize);
        Column(b, "ushort", "MemSizeAltData", rows, r => r.MemSizeAlt);
        Column(b, "uint", "OperandKindsData", rows, r => Pack(r, 8, o => (int)o.Kind));
        Column(b, "byte", "AccessData", rows, r => Pack(r, 2, o => (int)o.Access));
        Names(b, rows);
        b.Append("}\n");
        return b.ToString();
    }

    private static TableRow Invalid { get; } = new() { Text = "", Class = I386Class.Invalid };

    /// <summary>What the translator asks of every row, in one word: see <see cref="I386Translation"/>.</summary>
    private static long Translation(TableRow row)
    {
        const I386Flags LogicDefined = I386Flags.Arith & ~I386Flags.AF;
        bool shiftCount = (row.Rules & I386Rules.ShiftCount) != 0;
        I386Flags read = row.FlagsRead;
        I386Flags killed = row.FlagsConditional && !shiftCount ? 0 : row.FlagsWritten & ~row.FlagsUndefined;
        bool shiftByOne = row.Space == 0 && row.Opcode is 0xD0 or 0xD1;
        if (killed == LogicDefined && row.FlagsUndefined == I386Flags.AF && !shiftByOne && !shiftCount)
        {
            // AND, OR, XOR, TEST: the manual leaves AF undefined, but every CPU writes it, so its old value is gone, too.
            killed = I386Flags.Arith;
        }

        ulong kind = 1ul << (int)row.Class;
        if ((kind & (I386ClassSets.Dispatcher | I386ClassSets.Call)) != 0)
        {
            // Whoever goes on from there may look at every flag.
            read = killed = I386Flags.Arith;
        }

        bool plain = row.Class == I386Class.Copy && !row.IsVex;
        return (long)row.Class
            | ((long)row.OperandFlags << I386Translation.OperandsShift)
            | ((long)read << I386Translation.ReadShift)
            | ((long)killed << I386Translation.KilledShift)
            | (shiftCount ? (long)I386Translation.ShiftCount : 0)
            | (plain ? (long)I386Translation.Plain : 0)
            | ((kind & (I386ClassSets.Final | I386ClassSets.Branch | I386ClassSets.Call)) != 0 ? (long)I386Translation.Transfer : 0)
            | ((long)row.Rules << I386Translation.RulesShift);
    }

    private static long Pack(TableRow row, int bits, Func<TableOperand, int> value)
    {
        if (row.Operands.Count > 4)
        {
            throw new FormatException($"line {row.Line}: more than four operands");
        }
        long packed = 0;
        for (int i = 0; i < row.Operands.Count; i++)
        {
            packed |= (long)value(row.Operands[i]) << (i * bits);
        }
        return packed;
    }

    private static void Column(StringBuilder b, string type, string name, List<TableRow> rows, Func<TableRow, long> value, long invalid = 0)
    {
        var values = new long[rows.Count + 1];
        values[0] = invalid;
        foreach (TableRow r in rows)
        {
            values[r.Index] = value(r);
        }
        Data(b, type, name, values);
    }

    /// <summary>Names, each once: offset and length in one text. Rows with two names keep the 16-bit one behind the other.</summary>
    private static void Names(StringBuilder b, List<TableRow> rows)
    {
        var offsets = new Dictionary<string, int>(StringComparer.Ordinal);
        var text = new StringBuilder();
        int Offset(string s)
        {
            if (!offsets.TryGetValue(s, out int at))
            {
                at = text.Length;
                offsets.Add(s, at);
                text.Append(s);
            }
            return at;
        }
        var packed = new long[rows.Count + 1];
        var packed16 = new long[rows.Count + 1];
        packed[0] = packed16[0] = Offset("(bad)") | (5 << 16);
        foreach (TableRow r in rows)
        {
            packed[r.Index] = Offset(r.Mnemonic) | (r.Mnemonic.Length << 16);
            packed16[r.Index] = Offset(r.Mnemonic16) | (r.Mnemonic16.Length << 16);
        }
        Data(b, "uint", "NameData", packed);
        Data(b, "uint", "Name16Data", packed16);
        b.Append("    internal static ReadOnlySpan<byte> NameText =>\n        \"").Append(text).Append("\"u8;\n");
    }

    private static void Data<T>(StringBuilder b, string type, string name, IReadOnlyCollection<T> values)
        where T : IFormattable
    {
        b.Append(CultureInfo.InvariantCulture, $"    internal static ReadOnlySpan<{type}> {name} =>\n    [\n");
        int column = 0;
        foreach (T v in values)
        {
            string s = v.ToString(null, CultureInfo.InvariantCulture);
            if (column > 0 && column + s.Length + 2 > 130)
            {
                b.Append('\n');
                column = 0;
            }
            b.Append(column == 0 ? "        " : " ").Append(s).Append(',');
            column += s.Length + 2;
        }
        b.Append("\n    ];\n\n");
    }
}
