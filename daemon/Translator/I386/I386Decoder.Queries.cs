using System;

namespace Lodge.Translator.I386;

/// <summary>Answers about one decoded instruction that need more than its row.</summary>
public static unsafe partial class I386Decoder
{
    /// <summary>Bytes of the memory operand; 0 when there is none or the row does not know (XSAVE).</summary>
    public static int MemSize(in I386Insn insn)
    {
        I386Prefixes alternative = (insn.Prefixes & I386Prefixes.Vex) != 0 ? I386Prefixes.VexL : I386Prefixes.OperandSize;
        return (insn.Prefixes & alternative) != 0 ? I386Table.MemSizeAlt(insn.Row) : I386Table.MemSize(insn.Row);
    }

    /// <summary>Does ModRM name memory?</summary>
    public static bool HasMemory(in I386Insn insn) => (insn.Prefixes & I386Prefixes.ModRM) != 0 && insn.ModRM < 0xC0;

    /// <summary>Mnemonic as it is encoded here: cwde or cbw, jecxz or jcxz.</summary>
    public static ReadOnlySpan<byte> Name(scoped in I386Insn insn)
    {
        I386Prefixes alternative = insn.Opcode == 0xE3 && insn.Map == 0 ? I386Prefixes.AddressSize : I386Prefixes.OperandSize;
        return I386Table.Name(insn.Row, (insn.Prefixes & alternative) != 0);
    }

    /// <summary>
    /// True if the instruction raises #UD on a CPU without these features, one bit for each <see cref="I386Feature"/>. TZCNT and LZCNT
    /// never do: such a CPU runs BSF and BSR.
    /// </summary>
    public static bool NeedsOneOf(in I386Insn insn, ulong features)
        => (features >> (int)I386Table.Feature(insn.Row) & 1) != 0 && !(insn.Map == 1 && insn.Opcode is 0xBC or 0xBD);

    /// <summary>
    /// Flags whose old values are certainly gone after this instruction. Sharper than <see cref="I386Table.FlagsKilled"/>: a shift by a
    /// constant that is not zero modulo 32 does write.
    /// </summary>
    public static I386Flags FlagsKilled(in I386Insn insn)
    {
        I386Rules rules = I386Table.Rules(insn.Row);
        if ((rules & I386Rules.ShiftCount) != 0 && (insn.Imm & 31) != 0)
        {
            return I386Table.FlagsWritten(insn.Row) & ~I386Table.FlagsUndefined(insn.Row);
        }
        return I386Table.FlagsKilled(insn.Row);
    }
}
