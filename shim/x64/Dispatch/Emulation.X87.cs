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
            // Half an address is stored, which names no unit. The whole one is still in the CPU, except behind FNSAVE, which has cleared it.
            bool isCleared = insn.Opcode == 0xDD;
            uint* environment = stackalloc uint[7];
            CpuStubs.StoreX87Environment(environment);
            User.Put(address + Fip16, isCleared ? (ushort)0 : (ushort)Recovery.GuestFip(t, environment[3]));
            FixSelectors(address + Fip16 + 2, 2);
            return;
        }

        uint at = address + (insn.Map == 0 ? Fip32 : FipFxsave);
        FixSelectors(at + 4, 4);
        if (User.Get(at, out uint low) && low != 0)
        {
            uint fip = Recovery.GuestFip(t, low);
            if (fip != low)
            {
                User.Put(at, fip);
            }
        }
    }

    /// <summary>Bytes that FXSAVE writes outside 64-bit mode: up to XMM7.</summary>
    private const int FxSaveSize = 288;

    /// <summary>FXSAVE. The x87 state and MXCSR are live, XMM0-7 are in the frame.</summary>
    private static bool FxSave(GuestThread* t, in I386Insn insn)
    {
        uint address = Linear(t, insn);
        if ((address & 15) != 0)
        {
            Faults.GeneralProtection(t, 0);
            return false;
        }

        // The CPU checks the end of the area before it stores.
        if (!User.Get(address + 511, out byte last))
        {
            Faults.PageFault(t, address + 511, 1, write: true);
            return false;
        }

        if (!Write(t, address + 511, last))
        {
            return false;
        }

        ulong* area = stackalloc ulong[66];
        area = (ulong*)(((nuint)area + 15) & ~(nuint)15);
        CpuStubs.StoreX87((byte*)area);
        uint fip = Recovery.GuestFip(t, (uint)area[1]), fdp = (uint)area[2];
        ushort code = (ushort)(area[1] >> 32), data = (ushort)(area[2] >> 32);
        if (code == HostCs)
        {
            code = GuestCs;
            data = fdp != 0 && data == 0 ? GuestDs : data;
        }

        area[1] = fip | (ulong)code << 32;
        area[2] = fdp | (ulong)data << 32;
        for (int i = 0; i < 16; i++)
        {
            area[20 + i] = ((ulong*)t->I386.xmm)[i];
        }

        for (uint i = 0; i < FxSaveSize / 8; i++)
        {
            if (!Write(t, address + (8 * i), area[i]))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>
    /// CPUs that keep selectors store the host's code selector, and no data selector in 64-bit mode; the guest's are flat as well. CPUs
    /// that have given them up (CPUID leaf 7, EBX bit 13) store zero, which stays.
    /// </summary>
    /// <param name="address">Of the code selector; the data pointer and its selector follow.</param>
    /// <param name="field">Bytes of a field: 2 or 4.</param>
    private static void FixSelectors(uint address, uint field)
    {
        if (!User.Get(address, out ushort code) || code != HostCs)
        {
            return;
        }

        User.Put(address, GuestCs);
        bool operand = field == 2
            ? User.Get(address + field, out ushort near) && near != 0
            : User.Get(address + field, out uint far) && far != 0;
        if (operand && User.Get(address + (2 * field), out ushort data) && data == 0)
        {
            User.Put(address + (2 * field), GuestDs);
        }
    }
}
