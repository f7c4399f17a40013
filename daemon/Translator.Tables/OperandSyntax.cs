using System;
using Lodge.Translator.I386;
using K = Lodge.Translator.I386.I386OperandKind;

namespace Lodge.Translator.Tables;

/// <summary>Reads one operand of a table row ("Eb+", "Rd/Mw!", "Tdq.q") into kind, access, memory size and operand flags.</summary>
internal static class OperandSyntax
{
    public static void Parse(TableRow row, string text)
    {
        I386Access access = text[^1] switch { '!' => I386Access.Write, '+' => I386Access.ReadWrite, '@' => I386Access.Address, _ => I386Access.Read };
        string s = access == I386Access.Read ? text : text[..^1];
        K kind = Fixed(s);
        if (kind == K.None)
        {
            kind = Encoded(row, s, access);
        }
        row.Operands.Add(new TableOperand(kind, access));
        bool written = access is I386Access.Write or I386Access.ReadWrite;
        row.OperandFlags |= kind switch
        {
            K.RegGpr8 => I386Operands.RegGpr8,
            K.RegGpr16 or K.RegGpr32 or K.RegGprV => I386Operands.RegGpr,
            K.RmGpr8 when (row.ModMask & 2) != 0 => I386Operands.RmGpr8,
            K.RmGpr16 or K.RmGpr32 or K.RmGprV => I386Operands.RmGpr,
            K.VvvvGpr32 => I386Operands.VvvvGpr,
            K.OpGpr8 => I386Operands.OpcodeGpr8,
            K.OpGpr32 or K.OpGprV => I386Operands.OpcodeGpr,
            K.VsibVec or K.VsibXmm or K.VsibYmm => I386Operands.Vsib,
            _ => I386Operands.None,
        };
        if (written && (kind is K.RegGpr8 or K.RegGpr16 or K.RegGpr32 or K.RegGprV or K.RegMmx or K.RegXmm or K.RegYmm or K.RegVec))
        {
            row.OperandFlags |= I386Operands.RegWrite;
        }
        bool rm = kind is K.RmGpr8 or K.RmGpr16 or K.RmGpr32 or K.RmGprV or K.RmMmx or K.RmXmm or K.RmYmm or K.RmVec;
        if (rm && written && (row.ModMask & 2) != 0)
        {
            row.OperandFlags |= I386Operands.RmWrite;
        }
        if ((rm || kind is K.Mem or K.VsibVec or K.VsibXmm or K.VsibYmm) && (row.ModMask & 1) != 0)
        {
            row.OperandFlags |= access switch
            {
                I386Access.Read => I386Operands.MemRead,
                I386Access.Write => I386Operands.MemWrite,
                I386Access.ReadWrite => I386Operands.MemRead | I386Operands.MemWrite,
                _ => I386Operands.MemAddressOnly,
            };
        }
    }

    private static K Fixed(string s) => s switch
    {
        "AL" => K.Al,
        "AX" => K.Ax,
        "eAX" => K.AxV,
        "CL" => K.Cl,
        "DX" => K.Dx,
        "ES" => K.Es,
        "CS" => K.Cs,
        "SS" => K.Ss,
        "DS" => K.Ds,
        "FS" => K.Fs,
        "GS" => K.Gs,
        "ST0" => K.St0,
        "XMM0" => K.Xmm0,
        "1" => K.One,
        "Ib" => K.Imm8,
        "Is" => K.Imm8Sx,
        "Iw" => K.Imm16,
        "Iz" => K.ImmZ,
        "I2" => K.ImmLevel,
        "Jb" => K.Rel8,
        "Jz" => K.RelZ,
        "Ap" => K.Far,
        _ => K.None,
    };

    private static K Encoded(TableRow row, string s, I386Access access)
    {
        if (s == "STi")
        {
            row.ModMask &= 2;
            return K.StI;
        }
        string size = s[1..];
        switch (s[0])
        {
            case 'G': return Gpr(size, K.RegGpr8);
            case 'Z': return size switch { "b" => K.OpGpr8, "d" => K.OpGpr32, "v" => K.OpGprV, _ => throw new FormatException(s) };
            case 'B': return K.VvvvGpr32;
            case 'E':
                Memory(row, size);
                return Gpr(size, K.RmGpr8);
            case 'R' when size.Contains("/M", StringComparison.Ordinal):
                Memory(row, size[3..]);
                return Gpr(size[..1], K.RmGpr8);
            case 'R':
                row.ModMask &= 2;
                return Gpr(size, K.RmGpr8);
            case 'K':
                row.ModIgnored = true;
                row.ModMask &= 2;
                return K.RmGpr32;
            case 'M':
                row.ModMask &= 1;
                Memory(row, size);
                return K.Mem;
            case 'O':
                Memory(row, size);
                return K.Moffs;
            case 'S':
                // CS cannot be loaded by MOV; numbers 6 and 7 do not exist.
                row.RegMask &= access == I386Access.Write ? 0x3D : 0x3F;
                return K.SegReg;
            case 'C':
                row.RegMask &= 0x1D;
                return K.ControlReg;
            case 'D': return K.DebugReg;
            case 'P': return K.RegMmx;
            case 'Q':
                Memory(row, size);
                return K.RmMmx;
            case 'N':
                row.ModMask &= 2;
                return K.RmMmx;
            case 'V': return Vector(size, K.RegXmm);
            case 'H': return Vector(size, K.VvvvXmm);
            case 'L': return K.Is4Vec;
            case 'U':
                row.ModMask &= 2;
                return Vector(size, K.RmXmm);
            case 'W':
                Memory(row, size);
                return size switch { "x" => K.RmVec, "qq" => K.RmYmm, _ => K.RmXmm };
            case 'T':
                row.ModMask &= 1;
                string[] parts = size.Split('.');
                Memory(row, parts[1]);
                return parts[0] switch { "x" => K.VsibVec, "dq" => K.VsibXmm, "qq" => K.VsibYmm, _ => throw new FormatException(s) };
            default: throw new FormatException($"operand {s}");
        }
    }

    private static K Gpr(string size, K first) => size switch
    {
        "b" => first,
        "w" => first + 1,
        "d" => first + 2,
        "v" => first + 3,
        _ => throw new FormatException($"size {size}"),
    };

    private static K Vector(string size, K first) => size switch
    {
        "dq" => first,
        "qq" => first + 1,
        "x" => first + 2,
        _ => throw new FormatException($"size {size}"),
    };

    private static void Memory(TableRow row, string size)
    {
        (row.MemSize, row.MemSizeAlt) = size switch
        {
            "" => (0, 0),
            "b" => (1, 1),
            "w" => (2, 2),
            "d" => (4, 4),
            "q" => (8, 8),
            "t" => (10, 10),
            "dq" => (16, 16),
            "qq" => (32, 32),
            "v" => (4, 2),
            "x" => (16, row.IsVex ? 32 : 16),
            "h" => (8, row.IsVex ? 16 : 8),
            "f" => (4, row.IsVex ? 8 : 4),
            "e" => (2, row.IsVex ? 4 : 2),
            "p" => (6, 4),
            "a" => (8, 4),
            "s" => (6, 6),
            "env" => (28, 14),
            "state" => (108, 94),
            "fx" => (512, 512),
            "xs" => (0, 0),
            _ => throw new FormatException($"memory size {size}"),
        };
    }
}
