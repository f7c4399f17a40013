using System;
using System.Collections.Generic;
using Lodge.Translator.I386;

namespace Lodge.Translator.Tables;

/// <summary>
/// Tables of the decoder's short way: instructions without prefix whose row follows from one or two opcode bytes and at most ModRM.reg.
/// They repeat what the rows say, arranged so that no more than three cache lines are looked at for an instruction.
/// </summary>
public sealed class TableShort
{
    /// <summary>Builds them from the rows and their dispatch.</summary>
    public TableShort(List<TableRow> rows, TableTrie trie)
    {
        ArgumentNullException.ThrowIfNull(rows);
        ArgumentNullException.ThrowIfNull(trie);
        Slots.Add(0);
        for (int i = 0; i < Opcodes.Length; i++)
        {
            if (trie.RowsByReg(i) is { } byReg && LengthOf(rows, i, byReg) is { } length)
            {
                int slot = Slots.Count;
                Slots.AddRange(byReg);
                uint registers = byReg.Length == 8 ? 7u : 0;
                uint modrm = (trie.Root[i] & TableTrie.HasModRM) != 0 ? 1u : 0;
                Opcodes[i] = (uint)slot | (registers << I386Shapes.RegShift) | (length << I386Shapes.LengthShift) | (modrm << 31);
            }
        }

        for (int i = 0; i < 256; i++)
        {
            Shapes[i] = (ushort)ModRMShape(i >> 6, (i >> 3) & 7, i & 7);
            SibShapes[i] = (ushort)SibShape((i >> 3) & 7, i & 7);
        }
    }

    /// <summary>One-byte opcodes, then those behind 0F; 0 where the long way is needed. Bits: see <see cref="I386Shapes"/>; bit 31 a ModRM byte follows.</summary>
    public uint[] Opcodes { get; } = new uint[512];

    /// <summary>Rows that the opcodes name: one, or eight by ModRM.reg.</summary>
    public List<ushort> Slots { get; } = [];

    /// <summary>What follows from each ModRM byte.</summary>
    public ushort[] Shapes { get; } = new ushort[256];

    /// <summary>What a SIB byte adds.</summary>
    public ushort[] SibShapes { get; } = new ushort[256];

    /// <summary>Bytes without SIB byte and displacement, when that is the same for all rows of an opcode and ESP is not in its low bits.</summary>
    private static uint? LengthOf(List<TableRow> rows, int opcode, ushort[] byReg)
    {
        uint? common = null;
        foreach (ushort number in byReg)
        {
            if (number == 0)
            {
                // Invalid; the translator asks the long way.
                continue;
            }
            TableRow row = rows[number - 1];
            uint? imm = row.ImmKind switch
            {
                I386ImmKind.None => 0,
                I386ImmKind.U8 or I386ImmKind.S8 => 1,
                I386ImmKind.U16 => 2,
                I386ImmKind.Z => 4,
                _ => null,
            };
            uint? length = imm + (opcode >= 256 ? 2u : 1) + (row.HasModRM ? 1u : 0);
            bool esp = (row.OperandFlags & I386Operands.OpcodeGpr) != 0 && (opcode & 7) == 4;
            if (length is null || (common ?? length) != length || row.ModIgnored || esp || opcode == 0x82)
            {
                return null;
            }
            common = length;
        }
        return common;
    }

    private static I386Shape ModRMShape(int mod, int reg, int rm)
    {
        I386Shape shape = (reg == 4 ? I386Shape.Reg4 : 0) | (reg >= 4 ? I386Shape.RegHighByte : 0);
        if (mod == 3)
        {
            return shape | (rm == 4 ? I386Shape.Rm4 : 0);
        }
        shape |= mod == 1 ? I386Shape.Disp8 : mod == 2 || rm == 5 ? I386Shape.Disp32 : 0;
        if (rm == 4)
        {
            return shape | I386Shape.Sib | (mod == 0 ? I386Shape.MayLackBase : 0);
        }
        return shape | (mod == 0 && rm == 5 ? I386Shape.Changes : 0);
    }

    private static I386Shape SibShape(int index, int low) =>
        (low == 4 ? I386Shape.Base4 | I386Shape.Changes : 0) | (index != 4 ? I386Shape.Index : I386Shape.Changes);
}
