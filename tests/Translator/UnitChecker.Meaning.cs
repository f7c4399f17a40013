using Iced.Intel;
using Lodge.Translator.I386;
using Lodge.Translator.X64;

namespace Lodge.TranslatorTests;

/// <summary>A copied instruction must be the same instruction, with operands that name the same registers, addresses and values.</summary>
internal sealed partial class UnitChecker
{
    // [base+disp] as a 64-bit sum is the guest's 32-bit one, or faults as well, within these.
    private const int SafeDispMin = -8192, SafeDispMax = 65535;

    private void CheckMeaning()
    {
        for (int i = 0; i < _guest.Count; i++)
        {
            GuestInstruction g = _guest[i];
            bool copied = g.Class is I386Class.Copy or I386Class.IncDecReg or I386Class.Moffs or I386Class.X87State or I386Class.StringOp
                or I386Class.Xlat or I386Class.Maskmov;
            int copy = copied ? FindCopy(g, out bool emulated) : NoCopy(out emulated);
            CheckFlags(i, copy, copied && !emulated);
            if (!copied || emulated || g.Iced.IsInvalid)
            {
                continue;
            }

            if (MovesEsp(g.Iced))
            {
                continue;
            }

            if (copy < 0)
            {
                Report(0, $"guest +{g.Offset:x} {g.Iced}: nothing emitted");
                continue;
            }

            Compared++;
            string? difference = Compare(g.Iced, _host[copy].Iced, _host[copy].Boundary);
            if (difference != null)
            {
                Report(_host[copy].Offset, $"{g.Iced} became {_host[copy].Iced}: {difference}");
            }
        }
    }

    private static int NoCopy(out bool emulated)
    {
        emulated = false;
        return -1;
    }

    /// <summary>The last host instruction under the guest instruction's side table entries that only it can have brought.</summary>
    private int FindCopy(in GuestInstruction g, out bool emulated)
    {
        int found = -1;
        emulated = false;
        for (int i = 0; i < _host.Count; i++)
        {
            HostInstruction h = _host[i];
            if (h.Boundary.GuestOffset != g.Offset || h.Boundary.Kind is not (BoundaryKind.Normal or BoundaryKind.SwappedBytes))
            {
                continue;
            }

            if (h.Iced.FlowControl == FlowControl.UnconditionalBranch)
            {
                emulated |= h.Iced.NearBranchTarget == (ulong)TranslationRun.Layout.EmulateExit;
                continue;
            }

            bool esp = h.Iced.Mnemonic == Mnemonic.Lea && h.Iced.Op0Register == Register.R15D && h.Iced.MemoryBase == Register.R15;
            bool swapBack = h.Iced.Mnemonic == Mnemonic.Xchg && h.Boundary.Kind == BoundaryKind.SwappedBytes && h.Iced.Op0Kind == OpKind.Register;
            if (!esp && !swapBack)
            {
                found = i;
            }
        }

        return found;
    }

    /// <summary>add, sub, inc, dec, lea and mov with ESP change into arithmetic on the delta: golden code shows them.</summary>
    private static bool MovesEsp(in Instruction guest) =>
        (guest.Mnemonic is Mnemonic.Mov or Mnemonic.Add or Mnemonic.Sub or Mnemonic.Inc or Mnemonic.Dec or Mnemonic.Lea && guest.Op0Register == Register.ESP)
        || (guest.Mnemonic == Mnemonic.Mov && guest.OpCount == 2 && guest.Op1Kind == OpKind.Register && guest.Op1Register == Register.ESP);

    private static string? Compare(in Instruction guest, in Instruction host, Boundary state)
    {
        if (guest.Mnemonic != host.Mnemonic)
        {
            return "another instruction";
        }

        if (guest.IsPrivileged)
        {
            // Faults in both modes before any operand is looked at.
            return null;
        }

        if (guest.OpCount != host.OpCount)
        {
            return "another form";
        }

        if (guest.HasLockPrefix != host.HasLockPrefix || (guest.IsStringInstruction && (guest.HasRepPrefix != host.HasRepPrefix || guest.HasRepnePrefix != host.HasRepnePrefix)))
        {
            return "another prefix";
        }

        for (int i = 0; i < guest.OpCount; i++)
        {
            if (guest.Mnemonic is Mnemonic.Nop or Mnemonic.Reservednop && guest.GetOpKind(i) == OpKind.Register)
            {
                continue;
            }

            string? difference = CompareOperand(guest, host, i, state);
            if (difference != null)
            {
                return difference;
            }
        }

        return null;
    }

    private static string? CompareOperand(in Instruction guest, in Instruction host, int i, Boundary state)
    {
        OpKind kind = guest.GetOpKind(i);
        if (kind != host.GetOpKind(i))
        {
            return $"operand {i} of another kind";
        }

        switch (kind)
        {
            case OpKind.Register:
                return SameRegister(guest.GetOpRegister(i), host.GetOpRegister(i), guest, state) ? null : $"operand {i}";
            case OpKind.Memory:
                return guest.MemorySize == host.MemorySize ? CompareAddress(guest, host, state) : "memory operand of another size";
            case OpKind.Immediate8:
            case OpKind.Immediate8_2nd:
            case OpKind.Immediate16:
            case OpKind.Immediate32:
            case OpKind.Immediate8to16:
            case OpKind.Immediate8to32:
                return guest.GetImmediate(i) == host.GetImmediate(i) ? null : "immediate";
            default:
                // Implicit addresses: the kind says which register, and that it is the 32-bit one.
                return null;
        }
    }

    private static bool SameRegister(Register guest, Register host, in Instruction instruction, Boundary state)
    {
        Register expected = guest switch
        {
            Register.ESP => Register.R15D,
            Register.SP => Register.R15W,
            _ => guest,
        };
        if (state.Kind == BoundaryKind.SwappedBytes)
        {
            // Exchanged: AH is where AL was. No instruction names both and needs this.
            expected = expected is >= Register.AH and <= Register.BH ? expected - Register.AH + Register.AL : expected;
        }

        // CMPXCHG with AH: the byte is in r9b, since AL takes part. RDPID names a 64-bit register, of which the upper half is zero.
        return expected == host || (instruction.Mnemonic == Mnemonic.Cmpxchg && guest is >= Register.AH and <= Register.BH && host == Register.R9L)
            || (instruction.Mnemonic == Mnemonic.Rdpid && expected.GetFullRegister() == host.GetFullRegister());
    }

    private static string? CompareAddress(in Instruction guest, in Instruction host, Boundary state)
    {
        bool address16 = guest.MemoryBase.GetSize() == 2 || guest.MemoryIndex.GetSize() == 2 || guest.MemoryDisplSize == 2;
        bool computed = host.MemoryBase is Register.R8 or Register.R8D;
        if (address16 && !computed && guest.MemoryBase == Register.None && guest.MemoryIndex == Register.None)
        {
            // A0-A3 with a 16-bit address: a constant.
            return host.MemoryBase == Register.None && host.MemoryDisplacement64 == (guest.MemoryDisplacement32 & 0xFFFF) ? null : "16-bit address";
        }

        if (computed)
        {
            // Put together in r8 because of a segment base, a 16-bit address or a byte register.
            return host.MemoryDisplacement64 == 0 ? null : "displacement beside a computed address";
        }

        if (address16)
        {
            return "16-bit address";
        }

        bool gs = guest.SegmentPrefix == Register.GS && NeverAccessed(guest) == false;
        if (gs != (host.SegmentPrefix == Register.GS))
        {
            return "segment";
        }

        if (guest.SegmentPrefix == Register.FS && !NeverAccessed(guest))
        {
            return "FS base missing";
        }

        bool esp = guest.MemoryBase == Register.ESP;
        Register expectedBase = esp ? Register.R15 : guest.MemoryBase.GetFullRegister();
        if (host.MemoryBase.GetFullRegister() != expectedBase)
        {
            return "base register";
        }

        if (host.MemoryIndex.GetFullRegister() != guest.MemoryIndex.GetFullRegister()
            || (guest.MemoryIndex != Register.None && host.MemoryIndexScale != guest.MemoryIndexScale))
        {
            return "index register";
        }

        int displacement = (int)guest.MemoryDisplacement32 + (esp ? state.EspDelta : 0);
        if ((int)host.MemoryDisplacement32 != displacement)
        {
            return $"displacement (ESP is r15d{state.EspDelta:+0;-0})";
        }

        if (NeverAccessed(guest))
        {
            return null;
        }

        if (host.MemoryBase == Register.None && host.MemoryIndex == Register.None)
        {
            return gs || host.MemoryDisplacement64 == guest.MemoryDisplacement32 ? null : "sign-extended address";
        }

        bool wide = host.MemoryBase.GetSize() == 8 || (host.MemoryIndex.IsGPR() && host.MemoryIndex.GetSize() == 8);
        return wide && (guest.MemoryIndex != Register.None || displacement is < SafeDispMin or > SafeDispMax) ? "64-bit address" : null;
    }

    private static bool NeverAccessed(in Instruction guest) =>
        guest.Mnemonic is Mnemonic.Lea or Mnemonic.Nop or Mnemonic.Reservednop or Mnemonic.Prefetchw or Mnemonic.Prefetch or Mnemonic.Prefetchwt1
            or Mnemonic.Prefetchit0 or Mnemonic.Prefetchit1 or Mnemonic.Cldemote or Mnemonic.Prefetchnta or Mnemonic.Prefetcht0 or Mnemonic.Prefetcht1 or Mnemonic.Prefetcht2;
}
