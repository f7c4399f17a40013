using Iced.Intel;
using Lodge.Translator.I386;
using K = Lodge.Translator.I386.I386OperandKind;

namespace Lodge.DecoderTests;

/// <summary>Our operands in Iced's terms.</summary>
internal static class Operands
{
    public readonly record struct Memory(Register Base, Register Index, int Scale);

    public static bool MayBeMemory(K kind) =>
        kind is K.Mem or K.RmGpr8 or K.RmGpr16 or K.RmGpr32 or K.RmGprV or K.RmMmx or K.RmXmm or K.RmYmm or K.RmVec or K.VsibXmm or K.VsibYmm or K.VsibVec;

    public static Register Segment(int number) => Register.ES + number;

    public static Register RegisterOf(in I386Insn insn, K kind)
    {
        int reg = (insn.ModRM >> 3) & 7, rm = insn.ModRM & 7, low = insn.Opcode & 7;
        bool word = (insn.Prefixes & I386Prefixes.OperandSize) != 0, l = (insn.Prefixes & I386Prefixes.VexL) != 0;
        Register v = word ? Register.AX : Register.EAX, vec = l ? Register.YMM0 : Register.XMM0;
        return kind switch
        {
            K.RegGpr8 => Register.AL + reg,
            K.RegGpr16 => Register.AX + reg,
            K.RegGpr32 => Register.EAX + reg,
            K.RegGprV => v + reg,
            K.RmGpr8 => Register.AL + rm,
            K.RmGpr16 => Register.AX + rm,
            K.RmGpr32 => Register.EAX + rm,
            K.RmGprV => v + rm,
            K.RegMmx => Register.MM0 + reg,
            K.RmMmx => Register.MM0 + rm,
            K.RegXmm => Register.XMM0 + reg,
            K.RegYmm => Register.YMM0 + reg,
            K.RegVec => vec + reg,
            K.RmXmm => Register.XMM0 + rm,
            K.RmYmm => Register.YMM0 + rm,
            K.RmVec => vec + rm,
            K.VvvvGpr32 => Register.EAX + insn.VexVvvv,
            K.VvvvXmm => Register.XMM0 + insn.VexVvvv,
            K.VvvvYmm => Register.YMM0 + insn.VexVvvv,
            K.VvvvVec => vec + insn.VexVvvv,
            K.Is4Vec => vec + ((int)(insn.Imm >> 4) & 7),
            K.OpGpr8 => Register.AL + low,
            K.OpGpr32 => Register.EAX + low,
            K.OpGprV => v + low,
            K.SegReg => Register.ES + reg,
            K.ControlReg => Register.CR0 + reg,
            K.DebugReg => Register.DR0 + reg,
            K.Al => Register.AL,
            K.Ax => Register.AX,
            K.AxV => v,
            K.Cl => Register.CL,
            K.Dx => Register.DX,
            K.Es => Register.ES,
            K.Cs => Register.CS,
            K.Ss => Register.SS,
            K.Ds => Register.DS,
            K.Fs => Register.FS,
            K.Gs => Register.GS,
            K.St0 => Register.ST0,
            K.StI => Register.ST0 + rm,
            K.Xmm0 => Register.XMM0,
            _ => Register.None,
        };
    }

    public static Memory MemoryOf(in I386Insn insn)
    {
        if ((insn.Prefixes & I386Prefixes.ModRM) == 0)
        {
            return new Memory(Register.None, Register.None, 1);
        }
        int mod = insn.ModRM >> 6, rm = insn.ModRM & 7;
        if ((insn.Prefixes & I386Prefixes.AddressSize) != 0)
        {
            return rm switch
            {
                0 => new Memory(Register.BX, Register.SI, 1),
                1 => new Memory(Register.BX, Register.DI, 1),
                2 => new Memory(Register.BP, Register.SI, 1),
                3 => new Memory(Register.BP, Register.DI, 1),
                4 => new Memory(Register.SI, Register.None, 1),
                5 => new Memory(Register.DI, Register.None, 1),
                6 => new Memory(mod == 0 ? Register.None : Register.BP, Register.None, 1),
                _ => new Memory(Register.BX, Register.None, 1),
            };
        }
        if ((insn.Prefixes & I386Prefixes.Sib) == 0)
        {
            return new Memory(mod == 0 && rm == 5 ? Register.None : Register.EAX + rm, Register.None, 1);
        }
        int low = insn.Sib & 7, index = (insn.Sib >> 3) & 7;
        Register b = low == 5 && mod == 0 ? Register.None : Register.EAX + low;
        bool l = (insn.Prefixes & I386Prefixes.VexL) != 0;
        Register i = I386Table.OperandKind(insn.Row, 1) switch
        {
            K.VsibXmm => Register.XMM0 + index,
            K.VsibYmm => Register.YMM0 + index,
            K.VsibVec => (l ? Register.YMM0 : Register.XMM0) + index,
            _ => index == 4 ? Register.None : Register.EAX + index,
        };
        return new Memory(b, i, 1 << (insn.Sib >> 6));
    }
}
