using Lodge.Translator.I386;

namespace Lodge.Shim;

/// <summary>Registers, effective addresses and memory for emulated instructions.</summary>
public static unsafe partial class Emulation
{
    /// <summary>The 32-bit register with the low three bits of <paramref name="number"/>.</summary>
    private static ref uint Gpr(GuestThread* t, int number) => ref (&t->I386.eax)[number & 7];

    /// <summary>Offset part of the ModRM memory operand.</summary>
    private static uint EffectiveAddress(GuestThread* t, in I386Insn insn, out bool stackSegment)
    {
        int mod = insn.ModRM >> 6;
        int rm = insn.ModRM & 7;
        uint disp = insn.DispSize != 0 ? insn.Disp : 0;
        stackSegment = false;
        ref I386Frame f = ref t->I386;
        if ((insn.Prefixes & I386Prefixes.AddressSize) != 0)
        {
            uint sum = rm switch
            {
                0 => f.ebx + f.esi,
                1 => f.ebx + f.edi,
                2 => f.ebp + f.esi,
                3 => f.ebp + f.edi,
                4 => f.esi,
                5 => f.edi,
                6 => mod == 0 ? 0 : f.ebp,
                _ => f.ebx,
            };
            stackSegment = rm is 2 or 3 || (rm == 6 && mod != 0);
            return (sum + disp) & 0xFFFF;
        }

        uint address = disp;
        if (rm == 4)
        {
            int index = (insn.Sib >> 3) & 7;
            if (index != 4)
            {
                address += Gpr(t, index) << (insn.Sib >> 6);
            }

            rm = insn.Sib & 7;
        }

        if (rm != 5 || mod != 0)
        {
            address += Gpr(t, rm);
            stackSegment = rm is 4 or 5;
        }

        return address;
    }

    /// <summary>Linear address of the ModRM memory operand.</summary>
    private static uint Linear(GuestThread* t, in I386Insn insn)
    {
        uint offset = EffectiveAddress(t, insn, out bool stackSegment);
        I386Segment segment = insn.Segment != I386Segment.None ? insn.Segment : stackSegment ? I386Segment.Ss : I386Segment.Ds;
        return offset + SegmentBase(t, segment);
    }

    private static uint SegmentBase(GuestThread* t, I386Segment segment) => segment switch
    {
        I386Segment.Es => t->I386.es_base,
        I386Segment.Cs => t->I386.cs_base,
        I386Segment.Ss => t->I386.ss_base,
        I386Segment.Fs => t->I386.fs_base,
        I386Segment.Gs => t->I386.gs_base,
        _ => t->I386.ds_base,
    };

    /// <summary>Reads guest memory; a fault raises the guest's SIGSEGV and gives false.</summary>
    private static bool Read<T>(GuestThread* t, uint address, out T value)
        where T : unmanaged
    {
        if (User.Get(address, out value))
        {
            return true;
        }

        Faults.PageFault(t, address, (uint)sizeof(T), write: false);
        return false;
    }

    /// <summary>Writes guest memory; a fault raises the guest's SIGSEGV and gives false.</summary>
    private static bool Write<T>(GuestThread* t, uint address, T value)
        where T : unmanaged
    {
        Mm.PrepareWrite(t, address, (uint)sizeof(T));
        if (User.Put(address, in value))
        {
            return true;
        }

        Faults.PageFault(t, address, (uint)sizeof(T), write: true);
        return false;
    }

    private static bool ReadRM16(GuestThread* t, in I386Insn insn, out ushort value)
    {
        if (insn.ModRM >= 0xC0)
        {
            value = (ushort)Gpr(t, insn.ModRM);
            return true;
        }

        return Read(t, Linear(t, insn), out value);
    }

    private static bool WriteRM16(GuestThread* t, in I386Insn insn, ushort value)
    {
        if (insn.ModRM >= 0xC0)
        {
            ref uint register = ref Gpr(t, insn.ModRM);
            register = (register & 0xFFFF0000) | value;
            return true;
        }

        return Write(t, Linear(t, insn), value);
    }

    private static bool ReadRM(GuestThread* t, in I386Insn insn, out uint value)
    {
        if (insn.ModRM >= 0xC0)
        {
            value = Gpr(t, insn.ModRM);
            return true;
        }

        return Read(t, Linear(t, insn), out value);
    }

    /// <summary>Pushes a word or doubleword by the operand size; a selector's upper half is zero, as on current CPUs.</summary>
    private static bool Push(GuestThread* t, in I386Insn insn, uint value)
    {
        if ((insn.Prefixes & I386Prefixes.OperandSize) != 0)
        {
            if (!Write(t, t->I386.esp - 2 + t->I386.ss_base, (ushort)value))
            {
                return false;
            }

            t->I386.esp -= 2;
            return true;
        }

        if (!Write(t, t->I386.esp - 4 + t->I386.ss_base, value))
        {
            return false;
        }

        t->I386.esp -= 4;
        return true;
    }

    /// <summary>Reads the stack slot at ESP plus an offset, by operand size.</summary>
    private static bool Peek(GuestThread* t, in I386Insn insn, uint offset, out uint value)
    {
        uint address = t->I386.esp + offset + t->I386.ss_base;
        if ((insn.Prefixes & I386Prefixes.OperandSize) != 0)
        {
            bool ok = Read(t, address, out ushort half);
            value = half;
            return ok;
        }

        return Read(t, address, out value);
    }

    private static uint OperandBytes(in I386Insn insn) => (insn.Prefixes & I386Prefixes.OperandSize) != 0 ? 2u : 4u;
}
