using System;
using System.Collections.Generic;
using System.Globalization;
using Lodge.Translator.I386;

namespace Lodge.Translator.Tables;

/// <summary>Reads <c>i386.table</c>; its header describes the syntax.</summary>
public static class TableParser
{
    /// <summary>Parses all rows.</summary>
    /// <param name="lines">The file's lines.</param>
    /// <returns>Rows in file order, numbered from 1.</returns>
    /// <exception cref="FormatException">A line cannot be understood; the message names it.</exception>
    public static List<TableRow> Parse(IEnumerable<string> lines)
    {
        ArgumentNullException.ThrowIfNull(lines);
        var rows = new List<TableRow>();
        int number = 0;
        foreach (string line in lines)
        {
            number++;
            if (line.Length == 0 || line[0] == '#')
            {
                continue;
            }
            try
            {
                string text = string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries));
                // Two mnemonics ("cbw|cwde") have a bar, too, but without blanks around it.
                string[] columns = line.Split(" | ");
                var row = new TableRow { Index = rows.Count + 1, Line = number, Text = text };
                ParseEncoding(row, columns[0].Split(' ', StringSplitOptions.RemoveEmptyEntries));
                ParseInstruction(row, columns[1].Trim());
                ParseAttributes(row, columns.Length > 2 ? columns[2].Split(' ', StringSplitOptions.RemoveEmptyEntries) : []);
                Finish(row);
                rows.Add(row);
            }
            catch (Exception e) when (e is FormatException or IndexOutOfRangeException or ArgumentException)
            {
                throw new FormatException($"line {number}: {e.Message}: {line}", e);
            }
        }
        return rows;
    }

    private static void ParseEncoding(TableRow row, string[] t)
    {
        int i = 0;
        if (t[0].StartsWith("VEX.", StringComparison.Ordinal))
        {
            string[] v = t[0].Split('.');
            row.LMask = Star(v[1], 'L');
            row.PpMask = 1 << Prefix(v[2]);
            row.Space = v[3] switch { "0F" => 4, "0F38" => 5, "0F3A" => 6, _ => throw new FormatException("VEX map") };
            row.WMask = Star(v[4], 'W');
            row.OperandSize66 = false;
            i = 1;
        }
        else
        {
            if (t[0] is "NP" or "NP66" || (t[0] is "66" or "F2" or "F3" && t.Length > 1))
            {
                row.PpMask = t[0] == "NP66" ? 3 : 1 << Prefix(t[0]);
                row.OperandSize66 = t[0] != "66";
                i = 1;
            }
            if (t[i] == "0F")
            {
                i++;
                row.Space = 1;
                if (t[i] is "38" or "3A" && i + 1 < t.Length && t[i + 1][0] is not '/' and not '=')
                {
                    row.Space = t[i] == "38" ? 2 : 3;
                    i++;
                }
            }
        }
        string opcode = t[i++];
        if (opcode.EndsWith("+r", StringComparison.Ordinal))
        {
            row.OpcodeCount = 8;
            opcode = opcode[..^2];
        }
        row.Opcode = Hex(opcode);
        if (i == t.Length)
        {
            return;
        }
        row.HasModRM = true;
        string tail = t[i++];
        if (tail[0] == '=')
        {
            int modrm = Hex(tail[1..]);
            row.ModMask = 2;
            row.RegMask = 1 << ((modrm >> 3) & 7);
            row.RmMask = 1 << (modrm & 7);
        }
        else if (tail != "/r")
        {
            row.RegMask = 1 << (tail[1] - '0');
        }
        if (i != t.Length)
        {
            throw new FormatException("encoding");
        }
    }

    private static void ParseInstruction(TableRow row, string text)
    {
        int blank = text.IndexOf(' ', StringComparison.Ordinal);
        string name = blank < 0 ? text : text[..blank];
        string[] names = name.Split('|');
        row.Mnemonic16 = names[0];
        row.Mnemonic = names[^1];
        if (names.Length == 2)
        {
            row.Rules |= I386Rules.TwoNames;
        }
        if (blank < 0)
        {
            return;
        }
        foreach (string operand in text[(blank + 1)..].Split(','))
        {
            OperandSyntax.Parse(row, operand.Trim());
        }
    }

    private static void ParseAttributes(TableRow row, string[] tokens)
    {
        foreach (string token in tokens)
        {
            int colon = token.IndexOf(':', StringComparison.Ordinal);
            if (colon >= 0)
            {
                I386Flags flags = Flags(token[(colon + 1)..]);
                switch (token[..colon])
                {
                    case "r": row.FlagsRead = flags; break;
                    case "w": row.FlagsWritten = flags; break;
                    case "w?": row.FlagsWritten = flags; row.FlagsConditional = true; break;
                    case "u": row.FlagsUndefined = flags; break;
                    default: throw new FormatException(token);
                }
                continue;
            }
            switch (token)
            {
                case "lock": row.Rules |= I386Rules.Lockable; row.OperandFlags |= I386Operands.Lockable; break;
                case "priv": row.Rules |= I386Rules.Privileged; break;
                case "alias": row.Rules |= I386Rules.Alias; break;
                case "bitstring": row.Rules |= I386Rules.BitString; break;
                case "gather": row.Rules |= I386Rules.Gather; break;
                case "modreg": row.ModMask = 2; break;
                default:
                    if (char.IsUpper(token[0]))
                    {
                        row.Class = Enum.Parse<I386Class>(token);
                    }
                    else
                    {
                        row.Feature = Enum.Parse<I386Feature>(token.Replace("+", "", StringComparison.Ordinal), ignoreCase: true);
                    }
                    break;
            }
        }
    }

    private static void Finish(TableRow row)
    {
        bool vvvv = false;
        I386ImmKind imm = I386ImmKind.None;
        foreach (TableOperand o in row.Operands)
        {
            vvvv |= o.Kind is I386OperandKind.VvvvGpr32 or I386OperandKind.VvvvXmm or I386OperandKind.VvvvYmm or I386OperandKind.VvvvVec;
            I386ImmKind k = o.Kind switch
            {
                I386OperandKind.Imm8 or I386OperandKind.Is4Vec => I386ImmKind.U8,
                I386OperandKind.Imm8Sx or I386OperandKind.Rel8 => I386ImmKind.S8,
                I386OperandKind.Imm16 => I386ImmKind.U16,
                I386OperandKind.ImmZ or I386OperandKind.RelZ => I386ImmKind.Z,
                I386OperandKind.Far => I386ImmKind.Far,
                I386OperandKind.ImmLevel => I386ImmKind.Enter,
                I386OperandKind.Moffs => I386ImmKind.Moffs,
                _ => I386ImmKind.None,
            };
            imm = k == I386ImmKind.None ? imm : k;
        }
        row.Rules |= (I386Rules)imm;
        if (row.IsVex && !vvvv)
        {
            row.Rules |= I386Rules.VvvvUnused;
        }
        if (row.IsVex && row.WMask == 3)
        {
            row.Rules |= I386Rules.WIgnored;
        }
        if (row.FlagsConditional && imm == I386ImmKind.U8 && row.Mnemonic is "rol" or "ror" or "shl" or "shr" or "sal" or "sar" or "shld" or "shrd")
        {
            row.Rules |= I386Rules.ShiftCount;
        }
        if ((row.FlagsUndefined & ~row.FlagsWritten) != 0)
        {
            throw new FormatException("undefined flags must be among the written ones");
        }
        if ((row.Rules & I386Rules.Lockable) != 0 && (row.OperandFlags & I386Operands.MemWrite) == 0)
        {
            throw new FormatException("lock without a memory destination");
        }
    }

    private static I386Flags Flags(string letters)
    {
        I386Flags f = I386Flags.None;
        foreach (char c in letters)
        {
            f |= c switch
            {
                'o' => I386Flags.OF,
                's' => I386Flags.SF,
                'z' => I386Flags.ZF,
                'a' => I386Flags.AF,
                'p' => I386Flags.PF,
                'c' => I386Flags.CF,
                'd' => I386Flags.DF,
                _ => throw new FormatException($"flag {c}"),
            };
        }
        return f;
    }

    private static int Prefix(string s) => s switch { "NP" => 0, "66" => 1, "F3" => 2, "F2" => 3, _ => throw new FormatException($"prefix {s}") };

    private static int Star(string s, char letter) =>
        s.Length == 2 && s[0] == letter ? s[1] switch { '0' => 1, '1' => 2, '*' => 3, _ => throw new FormatException(s) } : throw new FormatException(s);

    private static int Hex(string s) => int.Parse(s, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
}
