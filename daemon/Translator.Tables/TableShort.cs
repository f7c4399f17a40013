using System;
using System.Collections.Generic;
using Lodge.Translator.I386;

namespace Lodge.Translator.Tables;

/// <summary>
/// Tables of the decoder's short way: instructions without prefix whose row follows from one or two opcode bytes and ModRM's mod and reg.
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
            ushort[] byModReg = trie.RowsByModReg(i);
            bool modrm = (trie.Root[i] & TableTrie.HasModRM) != 0;
            bool varies = false;
            uint longest = 0;
            for (int k = 0; k < byModReg.Length; k++)
            {
                uint? imm = byModReg[k] == 0 ? null : ImmBytes(rows[byModReg[k] - 1], i);
                if (imm is null)
                {
                    // The decoder goes the long way.
                    byModReg[k] = 0;
                    continue;
                }
                varies |= longest != 0 && imm != longest - 1;
                longest = Math.Max(longest, imm.Value + 1);
            }

            foreach (ushort row in byModReg)
            {
                if (varies && row != 0 && ImmBytes(rows[row - 1], i) != (uint)rows[row - 1].ImmKind)
                {
                    throw new FormatException($"line {rows[row - 1].Line}: the short way cannot tell the immediate's bytes");
                }
            }

            if (longest != 0)
            {
                uint mask = !modrm || Array.TrueForAll(byModReg, r => r == byModReg[0]) ? 0u
                    : Array.TrueForAll([0, 8, 16, 24], at => byModReg.AsSpan(at, 8).SequenceEqual(byModReg.AsSpan(0, 8))) ? 7 : 31u;
                uint length = (i >= 256 ? 2u : 1) + (modrm ? 1u : 0) + (varies ? 0 : longest - 1);
                Opcodes[i] = (uint)Slots.Count | (mask << I386Shapes.MaskShift) | (length << I386Shapes.LengthShift)
                    | (varies ? I386Shapes.ImmVaries : 0) | (modrm ? I386Shapes.HasModRM : 0);
                Slots.AddRange(byModReg[..(int)(mask + 1)]);
            }
        }

        for (int i = 0; i < 256; i++)
        {
            Shapes[i] = (ushort)ModRMShape(i >> 6, (i >> 3) & 7, i & 7);
            SibShapes[i] = (ushort)SibShape((i >> 3) & 7, i & 7);
        }
    }

    /// <summary>One-byte opcodes, then those behind 0F; 0 where the long way is needed. Bits: see <see cref="I386Shapes"/>.</summary>
    public uint[] Opcodes { get; } = new uint[512];

    /// <summary>Rows that the opcodes name: one, eight by ModRM.reg, or 32 by mod and reg.</summary>
    public List<ushort> Slots { get; } = [];

    /// <summary>What follows from each ModRM byte.</summary>
    public ushort[] Shapes { get; } = new ushort[256];

    /// <summary>What a SIB byte adds.</summary>
    public ushort[] SibShapes { get; } = new ushort[256];

    /// <summary>Bytes of a row's immediate; null when the short way is not for it, because of them or for being special otherwise.</summary>
    private static uint? ImmBytes(TableRow row, int opcode)
    {
        bool esp = (row.OperandFlags & I386Operands.OpcodeGpr) != 0 && (opcode & 7) == 4;
        return row.ModIgnored || esp || opcode == 0x82 ? null : row.ImmKind switch
        {
            I386ImmKind.None => 0,
            I386ImmKind.U8 or I386ImmKind.S8 => 1,
            I386ImmKind.U16 => 2,
            I386ImmKind.Z => 4,
            _ => null,
        };
    }

    private static I386Shape ModRMShape(int mod, int reg, int rm)
    {
        I386Shape shape = (reg == 4 ? I386Shape.Reg4 : 0) | (reg >= 4 ? I386Shape.RegHighByte : 0);
        if (mod == 3)
        {
            return shape | (rm == 4 ? I386Shape.Rm4 : 0);
        }
        bool wide = mod == 2 || (mod == 0 && rm == 5);
        int bytes = (rm == 4 ? 1 : 0) + (mod == 1 ? 1 : wide ? 4 : 0);
        shape |= (I386Shape)(bytes << I386Shapes.AddressShift) | (wide ? I386Shape.Disp32 : 0);
        if (rm == 4)
        {
            return shape | I386Shape.Sib | (mod == 0 ? I386Shape.MayLackBase : 0);
        }
        return shape | (mod == 0 && rm == 5 ? I386Shape.Changes : 0);
    }

    private static I386Shape SibShape(int index, int low) =>
        (low == 4 ? I386Shape.Base4 | I386Shape.Changes : 0) | (index != 4 ? I386Shape.Index : I386Shape.Changes);
}
