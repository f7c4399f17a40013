using Lodge.Translator.I386;

namespace Lodge.Shim;

/// <summary>Decimal adjustments (Intel SDM vol. 2, DAA, DAS, AAA, AAS, AAM, AAD), with the flags that hardware leaves.</summary>
public static unsafe partial class Emulation
{
    private static void SetResultFlags(GuestThread* t, byte result, uint others)
    {
        uint flags = t->I386.eflags & ~(uint)I386Flags.Arith;
        flags |= others;
        flags |= result == 0 ? (uint)I386Flags.ZF : 0;
        flags |= (result & 0x80) != 0 ? (uint)I386Flags.SF : 0;
        flags |= EvenParity(result) ? (uint)I386Flags.PF : 0;
        t->I386.eflags = flags;
    }

    private static bool EvenParity(byte value)
    {
        uint v = value;
        v ^= v >> 4;
        v ^= v >> 2;
        v ^= v >> 1;
        return (v & 1) == 0;
    }

    private static void BcdAdjust(GuestThread* t, in I386Insn insn)
    {
        byte al = (byte)t->I386.eax;
        byte ah = (byte)(t->I386.eax >> 8);
        bool cf = (t->I386.eflags & (uint)I386Flags.CF) != 0;
        bool af = (t->I386.eflags & (uint)I386Flags.AF) != 0;
        bool lowNibble = (al & 15) > 9 || af;
        uint flags = 0;
        switch (insn.Opcode)
        {
            case 0x27:
            case 0x2F:
                bool subtract = insn.Opcode == 0x2F;
                byte old = al;
                bool carry = false;
                if (lowNibble)
                {
                    carry = cf || (subtract ? al < 6 : al > 0xF9);
                    al = (byte)(subtract ? al - 6 : al + 6);
                    flags |= (uint)I386Flags.AF;
                }

                if (old > 0x99 || cf)
                {
                    al = (byte)(subtract ? al - 0x60 : al + 0x60);
                    carry = true;
                }

                flags |= carry ? (uint)I386Flags.CF : 0;
                SetResultFlags(t, al, flags);
                t->I386.eax = (t->I386.eax & ~0xFFu) | al;
                return;
            case 0x37:
                if (lowNibble)
                {
                    uint ax = (t->I386.eax & 0xFFFF) + 0x106;
                    al = (byte)ax;
                    ah = (byte)(ax >> 8);
                    flags = (uint)(I386Flags.AF | I386Flags.CF);
                }

                break;
            default:
                if (lowNibble)
                {
                    uint ax = (t->I386.eax & 0xFFFF) - 6;
                    al = (byte)ax;
                    ah = (byte)((ax >> 8) - 1);
                    flags = (uint)(I386Flags.AF | I386Flags.CF);
                }

                break;
        }

        al &= 15;
        SetResultFlags(t, al, flags);
        t->I386.eax = (t->I386.eax & 0xFFFF0000) | ((uint)ah << 8) | al;
    }

    private static bool BcdAxImm(GuestThread* t, in I386Insn insn)
    {
        byte al = (byte)t->I386.eax;
        byte ah = (byte)(t->I386.eax >> 8);
        byte radix = (byte)insn.Imm;
        if (insn.Opcode == 0xD4)
        {
            if (radix == 0)
            {
                Faults.DivideError(t);
                return false;
            }

            ah = (byte)(al / radix);
            al = (byte)(al % radix);
        }
        else
        {
            al = (byte)(al + (ah * radix));
            ah = 0;
        }

        SetResultFlags(t, al, 0);
        t->I386.eax = (t->I386.eax & 0xFFFF0000) | ((uint)ah << 8) | al;
        return true;
    }
}
