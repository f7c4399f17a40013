using Lodge.Translator.I386;

namespace Lodge.Shim;

/// <summary>
/// Decimal adjustments (Intel SDM vol. 2, DAA, DAS, AAA, AAS, AAM, AAD). The flags that the manual leaves undefined are those that CPUs leave:
/// of the addition or subtraction that is made, 8 bits wide in DAA, DAS and AAD, 16 bits wide in AAA and AAS (compared over all inputs on Zen 5).
/// </summary>
public static unsafe partial class Emulation
{
    private const uint Carry = (uint)I386Flags.CF, Adjust = (uint)I386Flags.AF, Zero = (uint)I386Flags.ZF, Sign = (uint)I386Flags.SF,
        Parity = (uint)I386Flags.PF, Overflow = (uint)I386Flags.OF;

    /// <summary>SF and ZF of a value of <paramref name="bits"/> bits, PF of its low byte.</summary>
    private static uint ResultFlags(uint value, int bits)
    {
        uint flags = (value & ((1u << bits) - 1)) == 0 ? Zero : 0;
        flags |= (value >> (bits - 1) & 1) != 0 ? Sign : 0;
        return flags | (EvenParity((byte)value) ? Parity : 0);
    }

    private static bool EvenParity(byte value)
    {
        uint v = value;
        v ^= v >> 4;
        v ^= v >> 2;
        v ^= v >> 1;
        return (v & 1) == 0;
    }

    /// <summary>Signed overflow of result = left + right or left - right.</summary>
    private static uint OverflowFlag(uint left, uint right, uint result, bool subtract, int bits)
    {
        uint overflow = (left ^ result) & (subtract ? left ^ right : right ^ result);
        return (overflow >> (bits - 1) & 1) != 0 ? Overflow : 0;
    }

    private static void SetBcd(GuestThread* t, uint ax, uint flags)
    {
        t->I386.eax = (t->I386.eax & 0xFFFF0000) | (ax & 0xFFFF);
        t->I386.eflags = (t->I386.eflags & ~(uint)I386Flags.Arith) | flags;
    }

    private static void BcdAdjust(GuestThread* t, in I386Insn insn)
    {
        uint ax = t->I386.eax & 0xFFFF, al = ax & 0xFF, flags = t->I386.eflags;
        bool low = (al & 15) > 9 || (flags & Adjust) != 0;
        bool subtract = insn.Opcode is 0x2F or 0x3F;
        if (insn.Opcode is 0x27 or 0x2F)
        {
            bool high = al > 0x99 || (flags & Carry) != 0;
            uint amount = (low ? 6u : 0) + (high ? 0x60u : 0);
            uint result = (subtract ? al - amount : al + amount) & 0xFF;
            bool carry = high || (subtract && low && al < 6);
            SetBcd(t, (ax & 0xFF00) | result,
                ResultFlags(result, 8) | OverflowFlag(al, amount, result, subtract, 8) | (low ? Adjust : 0) | (carry ? Carry : 0));
            return;
        }

        uint step = low ? 0x106u : 0, sum = (subtract ? ax - step : ax + step) & 0xFFFF;
        SetBcd(t, sum & 0xFF0F, ResultFlags(sum, 16) | OverflowFlag(ax, step, sum, subtract, 16) | (low ? Adjust | Carry : 0));
    }

    private static bool BcdAxImm(GuestThread* t, in I386Insn insn)
    {
        uint al = t->I386.eax & 0xFF, ah = t->I386.eax >> 8 & 0xFF, radix = insn.Imm & 0xFF;
        if (insn.Opcode == 0xD4)
        {
            if (radix == 0)
            {
                Faults.DivideError(t);
                return false;
            }

            SetBcd(t, (al / radix) << 8 | (al % radix), ResultFlags(al % radix, 8));
            return true;
        }

        uint product = (ah * radix) & 0xFF, sum = (al + product) & 0xFF;
        SetBcd(t, sum, ResultFlags(sum, 8) | OverflowFlag(al, product, sum, false, 8)
            | (sum < al ? Carry : 0) | (((al ^ product ^ sum) & 16) != 0 ? Adjust : 0));
        return true;
    }
}
