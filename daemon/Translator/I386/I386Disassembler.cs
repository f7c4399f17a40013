using System;
using K = Lodge.Translator.I386.I386OperandKind;

namespace Lodge.Translator.I386;

/// <summary>
/// Instructions as text in Intel syntax, from the table that decodes them: <c>lock add dword [eax+ecx*4+0x10], ebx</c>. For logs and tests;
/// no allocation, safe in signal handlers.
/// </summary>
public static class I386Disassembler
{
    private static ReadOnlySpan<byte> Names8 => "alcldlblahchdhbh"u8;
    private static ReadOnlySpan<byte> Names16 => "axcxdxbxspbpsidi"u8;
    private static ReadOnlySpan<byte> NamesSegment => "escsssdsfsgs"u8;
    private static ReadOnlySpan<byte> Address16 => "bx+sibx+dibp+sibp+di"u8;

    /// <summary>Writes one instruction.</summary>
    /// <param name="buffer">ASCII text; cut off where it ends. 96 bytes are always enough.</param>
    /// <param name="insn">A decoded instruction.</param>
    /// <returns>Bytes written.</returns>
    public static int Format(Span<byte> buffer, in I386Insn insn)
    {
        var text = new AsciiText(buffer);
        Prefixes(ref text, insn);
        text.Add(I386Decoder.Name(insn));
        for (int i = 0; i < 4; i++)
        {
            K kind = I386Table.OperandKind(insn.Row, i);
            if (kind == K.None)
            {
                break;
            }
            text.Add(i == 0 ? " "u8 : ", "u8);
            Operand(ref text, insn, kind);
        }
        return text.Length;
    }

    private static void Prefixes(ref AsciiText text, in I386Insn insn)
    {
        if ((insn.Prefixes & I386Prefixes.Lock) != 0)
        {
            text.Add("lock "u8);
        }
        if (I386Table.Class(insn.Row) != I386Class.StringOp)
        {
            return;
        }
        if ((insn.Prefixes & I386Prefixes.Rep) != 0)
        {
            text.Add(insn.Opcode is 0xA6 or 0xA7 or 0xAE or 0xAF ? "repe "u8 : "rep "u8);
        }
        if ((insn.Prefixes & I386Prefixes.Repne) != 0)
        {
            text.Add("repne "u8);
        }
        if (insn.Segment != I386Segment.None)
        {
            text.Add(NamesSegment.Slice((int)insn.Segment * 2, 2));
            text.Add(" "u8);
        }
    }

    private static void Operand(ref AsciiText text, in I386Insn insn, K kind)
    {
        int reg = (insn.ModRM >> 3) & 7, rm = insn.ModRM & 7, low = insn.Opcode & 7, vvvv = insn.VexVvvv & 7;
        bool memory = I386Decoder.HasMemory(insn);
        switch (kind)
        {
            case K.RegGpr8 or K.RegGpr16 or K.RegGpr32 or K.RegGprV:
                Gpr(ref text, insn, kind - K.RegGpr8, reg);
                break;
            case K.RmGpr8 or K.RmGpr16 or K.RmGpr32 or K.RmGprV when !memory:
                Gpr(ref text, insn, kind - K.RmGpr8, rm);
                break;
            case K.RmMmx when !memory:
                Numbered(ref text, "mm"u8, rm);
                break;
            case K.RmXmm or K.RmYmm or K.RmVec when !memory:
                Vector(ref text, insn, kind - K.RmXmm, rm);
                break;
            case K.RmGpr8 or K.RmGpr16 or K.RmGpr32 or K.RmGprV or K.RmMmx or K.RmXmm or K.RmYmm or K.RmVec or K.Mem or K.VsibXmm or K.VsibYmm or K.VsibVec:
                Memory(ref text, insn, kind);
                break;
            case K.RegMmx:
                Numbered(ref text, "mm"u8, reg);
                break;
            case K.RegXmm or K.RegYmm or K.RegVec:
                Vector(ref text, insn, kind - K.RegXmm, reg);
                break;
            case K.VvvvGpr32:
                Gpr(ref text, insn, 2, vvvv);
                break;
            case K.VvvvXmm or K.VvvvYmm or K.VvvvVec:
                Vector(ref text, insn, kind - K.VvvvXmm, vvvv);
                break;
            case K.Is4Vec:
                Vector(ref text, insn, 2, (int)(insn.Imm >> 4) & 7);
                break;
            case K.OpGpr8:
                Gpr(ref text, insn, 0, low);
                break;
            case K.OpGpr32 or K.OpGprV:
                Gpr(ref text, insn, kind == K.OpGpr32 ? 2 : 3, low);
                break;
            case K.SegReg:
                text.Add(NamesSegment.Slice(reg * 2, 2));
                break;
            case K.ControlReg:
                Numbered(ref text, "cr"u8, reg);
                break;
            case K.DebugReg:
                Numbered(ref text, "dr"u8, reg);
                break;
            case K.Moffs:
                Size(ref text, insn);
                SegmentOverride(ref text, insn);
                text.Add("["u8);
                text.Hex(insn.Disp);
                text.Add("]"u8);
                break;
            default:
                Implied(ref text, insn, kind);
                break;
        }
    }

    private static void Implied(ref AsciiText text, in I386Insn insn, K kind)
    {
        bool word = (insn.Prefixes & I386Prefixes.OperandSize) != 0;
        switch (kind)
        {
            case K.Imm8 or K.Imm16 or K.ImmZ:
                text.Hex(insn.Imm);
                break;
            case K.Imm8Sx:
                text.Hex(word ? insn.Imm & 0xFFFF : insn.Imm);
                break;
            case K.ImmLevel:
                text.Hex(insn.Imm2);
                break;
            case K.One:
                text.Add("1"u8);
                break;
            case K.Rel8 or K.RelZ:
                uint target = insn.Address + insn.Length + insn.Imm;
                text.Hex(word ? target & 0xFFFF : target);
                break;
            case K.Far:
                text.Hex(insn.Imm2);
                text.Add(":"u8);
                text.Hex(insn.Imm);
                break;
            case K.Al or K.Cl:
                text.Add(kind == K.Al ? "al"u8 : "cl"u8);
                break;
            case K.Ax or K.AxV:
                text.Add(kind == K.AxV && !word ? "eax"u8 : "ax"u8);
                break;
            case K.Dx:
                text.Add("dx"u8);
                break;
            case K.Es or K.Cs or K.Ss or K.Ds or K.Fs or K.Gs:
                text.Add(NamesSegment.Slice((kind - K.Es) * 2, 2));
                break;
            case K.St0:
                text.Add("st0"u8);
                break;
            case K.StI:
                Numbered(ref text, "st"u8, insn.ModRM & 7);
                break;
            default:
                text.Add("xmm0"u8);
                break;
        }
    }

    /// <param name="text">Where.</param>
    /// <param name="insn">The instruction.</param>
    /// <param name="size">0 byte, 1 word, 2 dword, 3 by operand size.</param>
    /// <param name="number">Register.</param>
    private static void Gpr(ref AsciiText text, in I386Insn insn, int size, int number)
    {
        if (size == 0)
        {
            text.Add(Names8.Slice(number * 2, 2));
            return;
        }
        if (size == 2 || (size == 3 && (insn.Prefixes & I386Prefixes.OperandSize) == 0))
        {
            text.Add("e"u8);
        }
        text.Add(Names16.Slice(number * 2, 2));
    }

    /// <param name="text">Where.</param>
    /// <param name="insn">The instruction.</param>
    /// <param name="size">0 XMM, 1 YMM, 2 by VEX.L.</param>
    /// <param name="number">Register.</param>
    private static void Vector(ref AsciiText text, in I386Insn insn, int size, int number) =>
        Numbered(ref text, size == 1 || (size == 2 && (insn.Prefixes & I386Prefixes.VexL) != 0) ? "ymm"u8 : "xmm"u8, number);

    private static void Numbered(ref AsciiText text, ReadOnlySpan<byte> name, int number)
    {
        text.Add(name);
        text.Digit(number);
    }

    private static void Size(ref AsciiText text, in I386Insn insn) => text.Add(I386Decoder.MemSize(insn) switch
    {
        1 => "byte "u8,
        2 => "word "u8,
        4 => "dword "u8,
        6 => "fword "u8,
        8 => "qword "u8,
        10 => "tbyte "u8,
        16 => "xmmword "u8,
        32 => "ymmword "u8,
        _ => default,
    });

    private static void SegmentOverride(ref AsciiText text, in I386Insn insn)
    {
        if (insn.Segment != I386Segment.None)
        {
            text.Add(NamesSegment.Slice((int)insn.Segment * 2, 2));
            text.Add(":"u8);
        }
    }

    private static void Memory(ref AsciiText text, in I386Insn insn, K kind)
    {
        int mod = insn.ModRM >> 6, rm = insn.ModRM & 7;
        if ((I386Table.Operands(insn.Row) & I386Operands.MemAddressOnly) == 0)
        {
            Size(ref text, insn);
        }
        SegmentOverride(ref text, insn);
        text.Add("["u8);
        bool any = true;
        if ((insn.Prefixes & I386Prefixes.AddressSize) != 0)
        {
            any = !(mod == 0 && rm == 6);
            if (any)
            {
                text.Add(rm switch
                {
                    < 4 => Address16.Slice(rm * 5, 5),
                    4 => "si"u8,
                    5 => "di"u8,
                    6 => "bp"u8,
                    _ => "bx"u8,
                });
            }
            Displacement(ref text, insn, any, 0xFFFF);
        }
        else
        {
            if ((insn.Prefixes & I386Prefixes.Sib) != 0)
            {
                any = Sib(ref text, insn, mod, kind);
            }
            else if (mod == 0 && rm == 5)
            {
                any = false;
            }
            else
            {
                Gpr(ref text, insn, 2, rm);
            }
            Displacement(ref text, insn, any, 0xFFFFFFFF);
        }
        text.Add("]"u8);
    }

    private static bool Sib(ref AsciiText text, in I386Insn insn, int mod, K kind)
    {
        int b = insn.Sib & 7, index = (insn.Sib >> 3) & 7;
        bool any = !(mod == 0 && b == 5), vector = kind is K.VsibXmm or K.VsibYmm or K.VsibVec;
        if (any)
        {
            Gpr(ref text, insn, 2, b);
        }
        if (vector || index != 4)
        {
            if (any)
            {
                text.Add("+"u8);
            }
            if (vector)
            {
                Vector(ref text, insn, kind - K.VsibXmm, index);
            }
            else
            {
                Gpr(ref text, insn, 2, index);
            }
            text.Add("*"u8);
            text.Digit(1 << (insn.Sib >> 6));
            any = true;
        }
        return any;
    }

    private static void Displacement(ref AsciiText text, in I386Insn insn, bool any, uint mask)
    {
        if (!any)
        {
            text.Hex(insn.Disp & mask);
        }
        else if ((int)insn.Disp < 0)
        {
            text.Add("-"u8);
            text.Hex((uint)-(int)insn.Disp & mask);
        }
        else if (insn.Disp != 0)
        {
            text.Add("+"u8);
            text.Hex(insn.Disp);
        }
    }
}
