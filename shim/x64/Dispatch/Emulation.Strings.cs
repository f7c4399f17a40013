using Lodge.Translator.I386;

namespace Lodge.Shim;

/// <summary>String instructions with based segments or 16-bit addresses. A repeated one may stop between iterations, as on the CPU.</summary>
public static unsafe partial class Emulation
{
    /// <summary>Iterations done at a stretch before signals get a chance: EIP stays at the instruction meanwhile.</summary>
    private const int Stretch = 4096;

    /// <summary>EFLAGS.TF.</summary>
    private const uint TrapFlag = 0x100;

    private static bool StringOp(GuestThread* t, in I386Insn insn)
    {
        int opcode = insn.Opcode & 0xFE;
        if (opcode is 0x6C or 0x6E)
        {
            // INS and OUTS: no I/O permission.
            Faults.GeneralProtection(t, 0);
            return false;
        }

        bool repeated = (insn.Prefixes & (I386Prefixes.Rep | I386Prefixes.Repne)) != 0;
        bool address16 = (insn.Prefixes & I386Prefixes.AddressSize) != 0;
        uint mask = address16 ? 0xFFFFu : uint.MaxValue;
        uint size = (insn.Opcode & 1) == 0 ? 1 : OperandBytes(insn);
        uint step = (t->I386.eflags & (uint)I386Flags.DF) != 0 ? 0 - size : size;
        int stretch = (t->I386.eflags & TrapFlag) != 0 ? 1 : Stretch;
        for (int n = 0; n < stretch; n++)
        {
            if (repeated && (t->I386.ecx & mask) == 0)
            {
                return true;
            }

            if (!StringStep(t, insn, opcode, size, step, mask))
            {
                return false;
            }

            if (!repeated)
            {
                return true;
            }

            t->I386.ecx = (t->I386.ecx & ~mask) | ((t->I386.ecx - 1) & mask);
            if ((t->I386.ecx & mask) == 0)
            {
                return true;
            }

            if (opcode is 0xA6 or 0xAE)
            {
                bool zf = (t->I386.eflags & (uint)I386Flags.ZF) != 0;
                if (zf != ((insn.Prefixes & I386Prefixes.Rep) != 0))
                {
                    return true;
                }
            }
        }

        return false;
    }

    private static bool StringStep(GuestThread* t, in I386Insn insn, int opcode, uint size, uint step, uint mask)
    {
        I386Segment sourceSegment = insn.Segment == I386Segment.None ? I386Segment.Ds : insn.Segment;
        uint source = (t->I386.esi & mask) + SegmentBase(t, sourceSegment);
        uint destination = (t->I386.edi & mask) + t->I386.es_base;
        uint value = 0;
        uint other = 0;
        bool usesSource = opcode is 0xA4 or 0xA6 or 0xAC;
        bool usesDestination = opcode != 0xAC;
        if (t->Exec.Guarded != 0
            && ((usesSource && !SegmentGuard.Allow(t, sourceSegment, t->I386.esi & mask, size, write: false))
                || (usesDestination && !SegmentGuard.Allow(t, I386Segment.Es, t->I386.edi & mask, size, write: opcode is 0xA4 or 0xAA))))
        {
            return false;
        }

        if (usesSource && !ReadSized(t, source, size, out value))
        {
            return false;
        }

        if (opcode is 0xA6 or 0xAE && !ReadSized(t, destination, size, out other))
        {
            return false;
        }

        switch (opcode)
        {
            case 0xA4:
                if (!WriteSized(t, destination, size, value))
                {
                    return false;
                }

                break;
            case 0xAA:
                if (!WriteSized(t, destination, size, t->I386.eax))
                {
                    return false;
                }

                break;
            case 0xAC:
                uint keep = size == 4 ? 0 : size == 2 ? 0xFFFF0000 : 0xFFFFFF00;
                t->I386.eax = (t->I386.eax & keep) | value;
                break;
            case 0xA6:
                Compare(t, value, other, size);
                break;
            default:
                Compare(t, t->I386.eax, other, size);
                break;
        }

        if (usesSource)
        {
            t->I386.esi = (t->I386.esi & ~mask) | ((t->I386.esi + step) & mask);
        }

        if (usesDestination)
        {
            t->I386.edi = (t->I386.edi & ~mask) | ((t->I386.edi + step) & mask);
        }

        return true;
    }

    private static bool ReadSized(GuestThread* t, uint address, uint size, out uint value)
    {
        bool ok;
        switch (size)
        {
            case 1:
                ok = Read(t, address, out byte b);
                value = b;
                return ok;
            case 2:
                ok = Read(t, address, out ushort w);
                value = w;
                return ok;
            default:
                return Read(t, address, out value);
        }
    }

    private static bool WriteSized(GuestThread* t, uint address, uint size, uint value) => size switch
    {
        1 => Write(t, address, (byte)value),
        2 => Write(t, address, (ushort)value),
        _ => Write(t, address, value),
    };

    /// <summary>Flags of a subtraction of the given size.</summary>
    private static void Compare(GuestThread* t, uint left, uint right, uint size)
    {
        int bits = (int)size * 8;
        uint mask = size == 4 ? uint.MaxValue : (1u << bits) - 1;
        left &= mask;
        right &= mask;
        uint result = (left - right) & mask;
        uint sign = 1u << (bits - 1);
        uint flags = t->I386.eflags & ~(uint)I386Flags.Arith;
        flags |= left < right ? (uint)I386Flags.CF : 0;
        flags |= EvenParity((byte)result) ? (uint)I386Flags.PF : 0;
        flags |= (left ^ right ^ result) & (uint)I386Flags.AF;
        flags |= result == 0 ? (uint)I386Flags.ZF : 0;
        flags |= (result & sign) != 0 ? (uint)I386Flags.SF : 0;
        flags |= ((left ^ right) & (left ^ result) & sign) != 0 ? (uint)I386Flags.OF : 0;
        t->I386.eflags = flags;
    }
}
