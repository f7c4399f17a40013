using Lodge.Translator.I386;

namespace Lodge.Shim;

/// <summary>
/// Instructions that translated code hands over: those that 64-bit mode lacks or that show what only the compat kernel knows (segments,
/// descriptors, CPUID), and those that raise signals. EIP is at the instruction; on success it is moved behind it, on a fault it stays
/// (or moves, for traps) as the CPU would leave it. Memory goes through the fault-safe window.
/// </summary>
public static unsafe partial class Emulation
{
    /// <summary>Carries out the instruction at EIP.</summary>
    public static void Execute(GuestThread* t)
    {
        if (DecodeAt(t, t->I386.eip, out I386Insn insn))
        {
            Execute(t, ref insn);
        }
    }

    /// <summary>
    /// Raises what the CPU raises when it cannot fetch or decode at <paramref name="eip"/>: a page fault at the first byte that cannot be
    /// fetched, #GP for an instruction of more than 15 bytes.
    /// </summary>
    public static void FetchFailed(GuestThread* t, uint eip) => DecodeAt(t, eip, out _);

    /// <summary>
    /// True for instructions that must see or set TF, which the CPU does not have while it is kept for the guest (PUSHF and POPF), and for
    /// string instructions, which trap after every iteration.
    /// </summary>
    public static bool HandlesTrapFlag(GuestThread* t, uint eip)
    {
        byte* code = stackalloc byte[16];
        int available = Fetch(t, eip, code);
        return available != 0 && I386Decoder.Decode(code, available, eip, out I386Insn insn) > 0
            && I386Table.Class(insn.Row) is I386Class.Pushf or I386Class.Popf or I386Class.StringOp;
    }

    /// <summary>Decodes; false when a fault was raised instead.</summary>
    private static bool DecodeAt(GuestThread* t, uint eip, out I386Insn insn)
    {
        byte* code = stackalloc byte[16];
        int available = Fetch(t, eip, code);
        if (available == 0)
        {
            insn = default;
            if (Mm.FetchRange(t->Mm, eip, out _, out _))
            {
                Faults.BusError(t, eip);
            }
            else
            {
                Faults.FetchFault(t, eip);
            }

            return false;
        }

        int length = I386Decoder.Decode(code, available, eip, out insn);
        if (length >= 0)
        {
            return true;
        }

        if (length == I386Decoder.TooLong)
        {
            Faults.GeneralProtection(t, 0);
        }
        else
        {
            Faults.FetchFault(t, eip + (uint)available);
        }

        return false;
    }

    private static int Fetch(GuestThread* t, uint eip, byte* code)
    {
        if (!Mm.FetchRange(t->Mm, eip, out ulong end, out _))
        {
            return 0;
        }

        // One byte more than an instruction may have: an instruction that is too long is told from one that is cut off.
        int available = end - eip < 16 ? (int)(end - eip) : 16;
        return User.CopyIn(code, eip, (nuint)available) ? available : 0;
    }

    private static void Execute(GuestThread* t, ref I386Insn insn)
    {
        if (I386Decoder.NeedsOneOf(insn, t->Group->HiddenInstructions))
        {
            Faults.InvalidOpcode(t);
            return;
        }

        bool done;
        switch (I386Table.Class(insn.Row))
        {
            case I386Class.IntImm:
                SoftwareInterrupt(t, insn);
                return;
            case I386Class.Int3:
                t->I386.eip += insn.Length;
                Faults.Breakpoint(t);
                return;
            case I386Class.Int1:
                t->I386.eip += insn.Length;
                Faults.DebugTrap(t, Faults.TRAP_BRKPT);
                return;
            case I386Class.Into:
                t->I386.eip += insn.Length;
                if ((t->I386.eflags & (uint)I386Flags.OF) != 0)
                {
                    Faults.Overflow(t);
                }

                return;
            case I386Class.Bound:
                done = Bound(t, insn);
                break;
            case I386Class.BcdAdjust:
                BcdAdjust(t, insn);
                done = true;
                break;
            case I386Class.BcdAxImm:
                done = BcdAxImm(t, insn);
                break;
            case I386Class.Salc:
                t->I386.eax = (t->I386.eax & ~0xFFu) | ((t->I386.eflags & 1) != 0 ? 0xFFu : 0);
                done = true;
                break;
            case I386Class.Arpl:
                done = Arpl(t, insn);
                break;
            case I386Class.PushSeg:
                done = Push(t, insn, SegmentSelector(t, SegmentOf(insn)));
                break;
            case I386Class.PopSeg:
                done = PopSeg(t, insn);
                break;
            case I386Class.MovFromSeg:
                done = MovFromSeg(t, insn);
                break;
            case I386Class.MovToSeg:
                done = ReadRM16(t, insn, out ushort selector) && LoadSegment(t, (I386Segment)((insn.ModRM >> 3) & 7), selector);
                break;
            case I386Class.LoadFarPointer:
                done = LoadFarPointer(t, insn);
                break;
            case I386Class.Enter:
                done = Enter(t, insn);
                break;
            case I386Class.Leave:
                done = Leave(t, insn);
                break;
            case I386Class.Pushf:
                done = Push(t, insn, t->I386.eflags);
                break;
            case I386Class.Popf:
                done = Popf(t, insn);
                break;
            case I386Class.Cpuid:
                GuestCpu.Cpuid(t);
                done = true;
                break;
            case I386Class.Xgetbv:
                if (t->I386.ecx > 1)
                {
                    Faults.GeneralProtection(t, 0);
                    return;
                }

                GuestCpu.Xgetbv(t->Group, ref t->I386);
                done = true;
                break;
            case I386Class.Descriptor:
                done = Descriptor(t, insn);
                break;
            case I386Class.SystemTable:
                done = SystemTable(t, insn);
                break;
            case I386Class.X87State:
                done = FxSave(t, insn);
                break;
            case I386Class.StringOp:
                done = StringOp(t, insn);
                break;
            case I386Class.Xlat:
                done = Xlat(t, insn);
                break;
            case I386Class.CallFar:
            case I386Class.JmpFar:
            case I386Class.RetFar:
            case I386Class.Iret:
                FarTransfer(t, insn);
                return;
            case I386Class.CallRel:
            case I386Class.CallRM:
            case I386Class.JmpRM:
            case I386Class.Ret:
            case I386Class.RetImm:
            case I386Class.Loop:
            case I386Class.Jecxz:
                NearTransfer(t, insn);
                return;
            default:
                Faults.InvalidOpcode(t);
                return;
        }

        if (done)
        {
            t->I386.eip += insn.Length;
        }
    }

    private static void SoftwareInterrupt(GuestThread* t, in I386Insn insn)
    {
        byte vector = (byte)insn.Imm;
        switch (vector)
        {
            case 3:
                t->I386.eip += insn.Length;
                Faults.Breakpoint(t);
                break;
            case 4:
                t->I386.eip += insn.Length;
                Faults.Overflow(t);
                break;
            default:
                // The gate's privilege level forbids it: #GP with the vector in the error code (bit 1: IDT).
                Faults.GeneralProtection(t, ((uint)vector << 3) | 2);
                break;
        }
    }

    private static bool Bound(GuestThread* t, in I386Insn insn)
    {
        bool word = (insn.Prefixes & I386Prefixes.OperandSize) != 0;
        uint address = Linear(t, insn);
        int lower;
        int upper;
        int index;
        if (word)
        {
            if (!Read(t, address, out short low) || !Read(t, address + 2, out short high))
            {
                return false;
            }

            lower = low;
            upper = high;
            index = (short)Gpr(t, insn.ModRM >> 3);
        }
        else
        {
            if (!Read(t, address, out lower) || !Read(t, address + 4, out upper))
            {
                return false;
            }

            index = (int)Gpr(t, insn.ModRM >> 3);
        }

        if (index < lower || index > upper)
        {
            Faults.BoundRange(t);
            return false;
        }

        return true;
    }

    private static bool Arpl(GuestThread* t, in I386Insn insn)
    {
        if (!ReadRM16(t, insn, out ushort destination))
        {
            return false;
        }

        uint source = Gpr(t, insn.ModRM >> 3) & 3;
        if ((destination & 3) < source)
        {
            if (!WriteRM16(t, insn, (ushort)((destination & ~3u) | source)))
            {
                return false;
            }

            t->I386.eflags |= (uint)I386Flags.ZF;
        }
        else
        {
            t->I386.eflags &= ~(uint)I386Flags.ZF;
        }

        return true;
    }
}
