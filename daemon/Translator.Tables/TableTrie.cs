using System;
using System.Collections.Generic;
using System.Numerics;

namespace Lodge.Translator.Tables;

/// <summary>
/// Dispatch: 7 spaces of 256 opcodes; an entry is a row, or a node that selects by one field and holds rows or further nodes.
/// Equal nodes are stored once.
/// </summary>
public sealed class TableTrie
{
    /// <summary>Set in an entry that is an index into <see cref="Nodes"/>.</summary>
    public const ushort NodeFlag = 0x8000;
    /// <summary>Spaces: legacy maps 0-3, VEX maps 1-3.</summary>
    public const int Spaces = 7;

    /// <summary>Fields, in the order in which they are tried. The value is what a node starts with.</summary>
    private enum Field { Pp, Mod, Reg, Rm, L, W }

    private static readonly int[] Width = [4, 2, 8, 8, 2, 2];

    private readonly List<TableRow> rows;
    private readonly Dictionary<string, ushort> known = [];

    /// <summary>Builds the dispatch for <paramref name="rows"/>.</summary>
    public TableTrie(List<TableRow> rows)
    {
        ArgumentNullException.ThrowIfNull(rows);
        this.rows = rows;
        for (int space = 0; space < Spaces; space++)
        {
            for (int opcode = 0; opcode < 256; opcode++)
            {
                Root[(space * 256) + opcode] = BuildOpcode(space, opcode) | (space == 0 && Array.IndexOf(Special, opcode) >= 0 ? 1u << 18 : 0);
            }
        }
    }

    /// <summary>Bytes of the one-byte map that are prefixes or escapes, or may be (C4, C5).</summary>
    private static readonly int[] Special = [0x0F, 0x26, 0x2E, 0x36, 0x3E, 0x64, 0x65, 0x66, 0x67, 0xC4, 0xC5, 0xF0, 0xF2, 0xF3];

    /// <summary>Entry of each opcode: low 16 bits row or node; bit 16 a ModRM byte follows; bit 17 its mod is ignored; bit 18 prefix or escape.</summary>
    public uint[] Root { get; } = new uint[Spaces * 256];
    /// <summary>Nodes: the selecting field, then one entry per value.</summary>
    public List<ushort> Nodes { get; } = [];

    /// <summary>Set in an entry of <see cref="Root"/> when a ModRM byte follows.</summary>
    public const uint HasModRM = 1u << 16;

    /// <summary>
    /// Rows of an opcode of the first two maps without prefixes, by ModRM's mod and reg (32 of them); 0 where there is none, or where rm matters.
    /// </summary>
    public ushort[] RowsByModReg(int opcode)
    {
        var found = new ushort[32];
        for (int i = 0; i < found.Length && (Root[opcode] & (1u << 18)) == 0; i++)
        {
            ushort entry = (ushort)Root[opcode];
            while ((entry & NodeFlag) != 0)
            {
                int node = entry & ~NodeFlag;
                int value = (Field)Nodes[node] switch
                {
                    Field.Mod => i >= 24 ? 1 : 0,
                    Field.Reg => i & 7,
                    Field.Rm => -1,
                    _ => 0,
                };
                entry = value < 0 ? (ushort)0 : Nodes[node + 1 + value];
            }
            found[i] = entry;
        }
        return found;
    }

    private uint BuildOpcode(int space, int opcode)
    {
        var here = new List<TableRow>();
        bool modrm = false, ignored = false;
        foreach (TableRow r in rows)
        {
            if (r.Space != space || opcode < r.Opcode || opcode >= r.Opcode + r.OpcodeCount)
            {
                continue;
            }
            if (here.Count > 0 && (r.HasModRM != modrm || r.ModIgnored != ignored))
            {
                throw new FormatException($"line {r.Line}: ModRM differs between the rows of this opcode");
            }
            modrm = r.HasModRM;
            ignored = r.ModIgnored;
            here.Add(r);
        }
        if (here.Count == 0)
        {
            // 0F38, 0F3A and VEX opcodes have a ModRM byte even where nothing is defined; the others end at the opcode.
            return space is 2 or 3 or >= 4 ? 1u << 16 : 0;
        }
        int[] point = new int[6];
        Array.Fill(point, -1);
        return Build(here, point) | (modrm ? 1u << 16 : 0) | (ignored ? 1u << 17 : 0);
    }

    /// <summary>Entry for the region in which the fields of <paramref name="point"/> that are not negative are fixed.</summary>
    private ushort Build(List<TableRow> candidates, int[] point)
    {
        for (Field f = Field.Pp; f <= Field.W; f++)
        {
            if (point[(int)f] >= 0 || !Discriminates(candidates, f) || (f == Field.Rm && point[(int)Field.Mod] != 1))
            {
                continue;
            }
            var node = new ushort[1 + Width[(int)f]];
            node[0] = (ushort)f;
            bool same = true;
            for (int v = 0; v < Width[(int)f]; v++)
            {
                int[] sub = (int[])point.Clone();
                sub[(int)f] = v;
                node[v + 1] = Build(candidates.FindAll(r => (Mask(r, f) >> v & 1) != 0), sub);
                same &= node[v + 1] == node[1];
            }
            return same ? node[1] : Intern(node);
        }
        return Narrowest(candidates);
    }

    private static bool Discriminates(List<TableRow> candidates, Field f)
    {
        foreach (TableRow r in candidates)
        {
            if (Mask(r, f) != (1 << Width[(int)f]) - 1)
            {
                return true;
            }
        }
        return false;
    }

    private static ushort Narrowest(List<TableRow> candidates)
    {
        TableRow? best = null;
        foreach (TableRow r in candidates)
        {
            if (best is null || Within(r, best))
            {
                best = r;
            }
            else if (!Within(best, r))
            {
                throw new FormatException($"lines {best.Line} and {r.Line} overlap and neither is narrower");
            }
        }
        return best is null ? (ushort)0 : (ushort)best.Index;
    }

    /// <summary>Is everything that <paramref name="a"/> matches matched by <paramref name="b"/>, and not the other way round?</summary>
    private static bool Within(TableRow a, TableRow b)
    {
        int sizeA = 0, sizeB = 0;
        for (Field f = Field.Pp; f <= Field.W; f++)
        {
            if ((Mask(a, f) & ~Mask(b, f)) != 0)
            {
                return false;
            }
            sizeA += BitOperations.PopCount((uint)Mask(a, f));
            sizeB += BitOperations.PopCount((uint)Mask(b, f));
        }
        return sizeA < sizeB || a.OpcodeCount < b.OpcodeCount;
    }

    private static int Mask(TableRow r, Field f) => f switch
    {
        Field.Pp => r.PpMask,
        Field.Mod => r.ModMask,
        Field.Reg => r.RegMask,
        Field.Rm => r.RmMask,
        Field.L => r.LMask,
        _ => r.WMask,
    };

    private ushort Intern(ushort[] node)
    {
        string key = string.Join(',', node);
        if (!known.TryGetValue(key, out ushort entry))
        {
            entry = (ushort)(NodeFlag | Nodes.Count);
            Nodes.AddRange(node);
            known.Add(key, entry);
            if (Nodes.Count >= NodeFlag)
            {
                throw new FormatException("too many nodes");
            }
        }
        return entry;
    }
}
