using Lodge.Translator.I386;

namespace Lodge.Shim;

/// <summary>Accesses that reach over the end of the address space: beyond the limit of a flat segment.</summary>
public static unsafe partial class Emulation
{
    /// <summary>
    /// Whether the access of the instruction at EIP that has just failed reaches over the end of the address space. FS and GS are left out:
    /// offsets from their bases wrap around.
    /// </summary>
    /// <param name="t">The calling thread.</param>
    /// <param name="address">Where the access failed.</param>
    /// <param name="stack">It was in the stack segment.</param>
    public static bool IsBeyondLimit(GuestThread* t, uint address, out bool stack)
    {
        stack = true;
        byte* code = stackalloc byte[16];
        int available = Fetch(t, t->I386.eip, code);
        if (available == 0 || I386Decoder.Decode(code, available, t->I386.eip, out I386Insn insn) <= 0)
        {
            return false;
        }

        uint bytes = OperandBytes(insn);
        switch (I386Table.Class(insn.Row))
        {
            case I386Class.PushReg or I386Class.PushImm or I386Class.PushRM or I386Class.PushSeg or I386Class.Pushf
                or I386Class.CallRel or I386Class.CallRM when Wraps(t->I386.esp - bytes, bytes):
                return true;
            case I386Class.PopReg or I386Class.PopRM or I386Class.PopSeg or I386Class.Popf or I386Class.Ret or I386Class.RetImm
                when Wraps(t->I386.esp, bytes):
                return true;
            case I386Class.Pusha or I386Class.Popa or I386Class.Enter:
                // Several accesses; the address is that of the one that failed.
                return Wraps(address, bytes);
            case I386Class.Leave:
                return Wraps(t->I386.ebp, bytes);
            case I386Class.StringOp:
                return StringWraps(t, insn, address, out stack);
            case I386Class.Moffs:
                stack = insn.Segment == I386Segment.Ss;
                return insn.Segment is not (I386Segment.Fs or I386Segment.Gs) && Wraps(insn.Disp, (insn.Opcode & 1) == 0 ? 1 : bytes);
            case I386Class.Maskmov:
                stack = insn.Segment == I386Segment.Ss;
                return insn.Segment is not (I386Segment.Fs or I386Segment.Gs) && Wraps(t->I386.edi, insn.Pp == 1 ? 16u : 8);
            default:
                return OperandWraps(t, insn, address, out stack);
        }
    }

    private static bool Wraps(uint offset, uint size) => offset + (ulong)size > 1ul << 32;

    // VMASKMOVPS, VMASKMOVPD, VPMASKMOVD, VPMASKMOVQ: the elements that the mask chooses are checked, not the operand as a whole.
    private static bool IsMasked(in I386Insn insn) =>
        (insn.Prefixes & I386Prefixes.Vex) != 0 && insn.Map == 2 && insn.Opcode is (>= 0x2C and <= 0x2F) or 0x8C or 0x8E;

    // FLDENV, FNSTENV, FRSTOR, FNSAVE, and what 0F AE saves: written and read piece by piece.
    private static bool IsStateArea(in I386Insn insn) =>
        (insn.Map == 0 && insn.Opcode is 0xD9 or 0xDD && (insn.ModRM & 0x28) == 0x20) || (insn.Map == 1 && insn.Opcode == 0xAE && I386Decoder.MemSize(insn) != 4);

    private static bool OperandWraps(GuestThread* t, in I386Insn insn, uint address, out bool stack)
    {
        stack = false;
        if (!I386Decoder.HasMemory(insn) || insn.Segment is I386Segment.Fs or I386Segment.Gs
            || (I386Table.Operands(insn.Row) & (I386Operands.MemAddressOnly | I386Operands.Vsib)) != 0)
        {
            return false;
        }

        uint offset = OperandOffset(t, insn, out bool stackSegment);
        stack = insn.Segment == I386Segment.Ss || (stackSegment && insn.Segment == I386Segment.None);
        if (IsMasked(insn))
        {
            bool wide = insn.Opcode is 0x2D or 0x2F || (insn.Opcode >= 0x80 && (insn.Prefixes & I386Prefixes.VexW) != 0);
            return address < offset || Wraps(address, wide ? 8u : 4);
        }

        return !IsStateArea(insn) && Wraps(offset, (uint)I386Decoder.MemSize(insn));
    }

    private static bool StringWraps(GuestThread* t, in I386Insn insn, uint address, out bool stack)
    {
        uint mask = (insn.Prefixes & I386Prefixes.AddressSize) != 0 ? 0xFFFF : uint.MaxValue;
        uint size = (insn.Opcode & 1) == 0 ? 1 : OperandBytes(insn);

        // MOVS and CMPS have both, LODS a source, STOS and SCAS a destination, which an override does not change. The one that failed counts.
        bool both = insn.Opcode is >= 0xA4 and <= 0xA7;
        bool source = both || insn.Opcode is 0xAC or 0xAD;
        bool beyond = source && insn.Segment is not (I386Segment.Fs or I386Segment.Gs) && (t->I386.esi & mask) == address && Wraps(address, size);
        stack = beyond && insn.Segment == I386Segment.Ss;
        return beyond || ((both || !source) && (t->I386.edi & mask) == address && Wraps(address, size));
    }

    /// <summary>Offset of the ModRM memory operand's first byte that is accessed.</summary>
    private static uint OperandOffset(GuestThread* t, in I386Insn insn, out bool stackSegment)
    {
        // POP computes its address with ESP as it is behind the pop.
        uint popped = I386Table.Class(insn.Row) == I386Class.PopRM ? OperandBytes(insn) : 0;
        t->I386.esp += popped;
        uint offset = EffectiveAddress(t, insn, out stackSegment);
        t->I386.esp -= popped;
        if ((I386Table.Rules(insn.Row) & I386Rules.BitString) != 0)
        {
            int bit = (int)Gpr(t, insn.ModRM >> 3);
            offset += OperandBytes(insn) == 2 ? (uint)((short)bit >> 4 << 1) : (uint)(bit >> 5 << 2);
        }

        return offset;
    }
}
