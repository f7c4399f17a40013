using Lodge.Translator.I386;

namespace Lodge.Shim;

/// <summary>The x87 instruction pointer in stored state (Intel SDM vol. 1, 8.1.8; FXSAVE area: vol. 2).</summary>
public static unsafe partial class Emulation
{
    /// <summary>Offsets of the instruction pointer: protected-mode environment with 32 and with 16 bits, FXSAVE area.</summary>
    private const uint Fip32 = 12, Fip16 = 6, FipFxsave = 8;

    /// <summary>Code selectors of 64-bit and of 32-bit user mode. CPUs that still store one store the host's.</summary>
    private const ushort HostCs = 0x33, GuestCs = 0x23, GuestDs = 0x2B;

    /// <summary>Called behind the store at EIP, whose memory operand is still the same: replaces the host's address by the guest's.</summary>
    public static void FixX87State(GuestThread* t)
    {
        byte* code = stackalloc byte[16];
        uint eip = t->I386.eip;
        int available = Fetch(t, eip, code);
        I386Insn insn = default;
        if (available == 0 || I386Decoder.Decode(code, available, eip, out insn) < 0)
        {
            // Another thread has unmapped the code meanwhile; the store is done, and what follows cannot be fetched either.
            Faults.FetchFault(t, eip);
            return;
        }

        t->I386.eip += insn.Length;
        uint address = Linear(t, insn);
        bool word = (insn.Prefixes & I386Prefixes.OperandSize) != 0 && insn.Map == 0;
        if (word)
        {
            // Of the 16-bit form only half an address is stored: which unit it belongs to cannot be told, so it is cleared.
            User.Put(address + Fip16, (ushort)0);
            FixSelectors(address + Fip16 + 2, 0, 0);
            return;
        }

        uint at = address + (insn.Map == 0 ? Fip32 : FipFxsave);
        FixSelectors(at + 4, at + 8, at + 12);
        if (User.Get(at, out uint low) && low != 0)
        {
            uint fip = Recovery.GuestFip(t->Mm->Code, low);
            if (fip != low)
            {
                User.Put(at, fip);
            }
        }
    }

    /// <summary>
    /// CPUs that keep selectors store the host's code selector, and no data selector in 64-bit mode; the guest's are flat as well. CPUs
    /// that have given them up (CPUID leaf 7, EBX bit 13) store zero, which stays.
    /// </summary>
    private static void FixSelectors(uint code, uint dataPointer, uint data)
    {
        if (!User.Get(code, out ushort selector) || selector != HostCs)
        {
            return;
        }

        User.Put(code, GuestCs);
        if (data != 0 && User.Get(dataPointer, out uint pointer) && pointer != 0)
        {
            User.Put(data, GuestDs);
        }
    }
}
