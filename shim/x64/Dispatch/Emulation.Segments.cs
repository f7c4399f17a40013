using Lodge.Translator.I386;

namespace Lodge.Shim;

/// <summary>
/// Segment registers and descriptor queries. The guest sees the flat user selectors of the kernel (cs 23h, data 2Bh) and its own TLS and
/// LDT descriptors; nothing is loaded into the host's segment registers, only bases are kept.
/// </summary>
public static unsafe partial class Emulation
{
    private static I386Segment SegmentOf(in I386Insn insn) => insn.Map == 1
        ? (insn.Opcode & 8) != 0 ? I386Segment.Gs : I386Segment.Fs
        : (I386Segment)((insn.Opcode >> 3) & 3);

    internal static ushort SegmentSelector(GuestThread* t, I386Segment segment) => segment switch
    {
        I386Segment.Es => t->I386.es,
        I386Segment.Cs => t->I386.cs,
        I386Segment.Ss => t->I386.ss,
        I386Segment.Ds => t->I386.ds,
        I386Segment.Fs => t->I386.fs,
        _ => t->I386.gs,
    };

    /// <summary>Loads a data segment register as the CPU checks it; #GP or #NP (SIGSEGV, SIGBUS) for what may not be loaded.</summary>
    private static bool LoadSegment(GuestThread* t, I386Segment segment, ushort selector)
    {
        uint segmentBase = 0;
        uint access;
        if (selector <= 3)
        {
            // A null selector may be loaded into everything but SS.
            if (segment == I386Segment.Ss)
            {
                Faults.GeneralProtection(t, 0);
                return false;
            }
        }
        else if (!Segments.Query(t, selector, out segmentBase, out _, out access))
        {
            Faults.GeneralProtection(t, selector & ~3u);
            return false;
        }
        else if ((access & SegmentAccess.Code) != 0 && (segment == I386Segment.Ss || (access & SegmentAccess.Readable) == 0))
        {
            Faults.GeneralProtection(t, selector & ~3u);
            return false;
        }
        else if (segment == I386Segment.Ss && ((access & SegmentAccess.Writable) == 0 || (selector & 3) != 3))
        {
            Faults.GeneralProtection(t, selector & ~3u);
            return false;
        }
        else if ((access & SegmentAccess.Present) == 0)
        {
            // #SS for the stack segment, #NP for the others: SIGBUS both.
            Faults.SegmentNotPresent(t, selector & ~3u, segment == I386Segment.Ss);
            return false;
        }

        switch (segment)
        {
            case I386Segment.Es:
                t->I386.es = selector;
                t->I386.es_base = segmentBase;
                break;
            case I386Segment.Ss:
                t->I386.ss = selector;
                t->I386.ss_base = segmentBase;
                break;
            case I386Segment.Ds:
                t->I386.ds = selector;
                t->I386.ds_base = segmentBase;
                break;
            case I386Segment.Fs:
                t->I386.fs = selector;
                t->I386.fs_base = segmentBase;
                break;
            case I386Segment.Gs:
                t->I386.gs = selector;
                t->I386.gs_base = segmentBase;
                break;
            default:
                break;
        }

        return true;
    }

    private static bool PopSeg(GuestThread* t, in I386Insn insn)
    {
        if (!Peek(t, insn, 0, out uint selector))
        {
            return false;
        }

        uint esp = t->I386.esp;
        t->I386.esp += OperandBytes(insn);
        if (!LoadSegment(t, SegmentOf(insn), (ushort)selector))
        {
            t->I386.esp = esp;
            return false;
        }

        return true;
    }

    private static bool MovFromSeg(GuestThread* t, in I386Insn insn)
    {
        ushort selector = SegmentSelector(t, (I386Segment)((insn.ModRM >> 3) & 7));
        if (insn.ModRM < 0xC0 || (insn.Prefixes & I386Prefixes.OperandSize) != 0)
        {
            return WriteRM16(t, insn, selector);
        }

        Gpr(t, insn.ModRM) = selector;
        return true;
    }

    private static bool LoadFarPointer(GuestThread* t, in I386Insn insn)
    {
        uint bytes = OperandBytes(insn);
        uint address = Linear(t, insn);
        uint offset;
        if (bytes == 2)
        {
            if (!Read(t, address, out ushort half))
            {
                return false;
            }

            offset = half;
        }
        else if (!Read(t, address, out offset))
        {
            return false;
        }

        if (!Read(t, address + bytes, out ushort selector))
        {
            return false;
        }

        I386Segment segment = insn.Map == 0
            ? (insn.Opcode == 0xC4 ? I386Segment.Es : I386Segment.Ds)
            : insn.Opcode switch
            {
                0xB2 => I386Segment.Ss,
                0xB4 => I386Segment.Fs,
                _ => I386Segment.Gs,
            };
        if (!LoadSegment(t, segment, selector))
        {
            return false;
        }

        ref uint register = ref Gpr(t, insn.ModRM >> 3);
        register = bytes == 2 ? (register & 0xFFFF0000) | offset : offset;
        return true;
    }

    /// <summary>LAR, LSL, VERR, VERW: ZF says whether the selector can be seen from ring 3.</summary>
    private static bool Descriptor(GuestThread* t, in I386Insn insn)
    {
        if (!ReadRM16(t, insn, out ushort selector))
        {
            return false;
        }

        uint limit = 0;
        uint access = 0;
        bool visible = selector > 3 && Segments.Query(t, selector, out _, out limit, out access);
        bool ok = visible;
        uint value = 0;
        bool write = false;
        if (insn.Opcode == 0x00)
        {
            // VERR /4, VERW /5.
            bool code = (access & SegmentAccess.Code) != 0;
            ok = visible && (((insn.ModRM >> 3) & 7) == 4
                ? !code || (access & SegmentAccess.Readable) != 0
                : !code && (access & SegmentAccess.Writable) != 0);
        }
        else
        {
            write = visible;
            // Bits 16-19 are undefined in the manuals; CPUs give the descriptor's limit bits.
            value = insn.Opcode == 0x02 ? (access & 0x00F0FF00) | (((access & (1u << 23)) != 0 ? limit >> 12 : limit) & 0xF0000) : limit;
        }

        if (write)
        {
            ref uint register = ref Gpr(t, insn.ModRM >> 3);
            register = (insn.Prefixes & I386Prefixes.OperandSize) != 0 ? (register & 0xFFFF0000) | (value & 0xFFFF) : value;
        }

        t->I386.eflags = ok ? t->I386.eflags | (uint)I386Flags.ZF : t->I386.eflags & ~(uint)I386Flags.ZF;
        return true;
    }

    /// <summary>
    /// SGDT, SIDT, SLDT, STR, SMSW: what the kernel's UMIP emulation shows (arch/x86/kernel/umip.c); SLDT and STR are #GP there for user
    /// mode with UMIP, and answer the fixed selectors of 64-bit kernels otherwise.
    /// </summary>
    private static bool SystemTable(GuestThread* t, in I386Insn insn)
    {
        int form = (insn.ModRM >> 3) & 7;
        if (insn.Opcode == 0x01 && form is 0 or 1)
        {
            uint address = Linear(t, insn);
            return Write(t, address, (ushort)0) && Write(t, address + 2, form == 0 ? 0xFFFE0000u : 0xFFFF0000u);
        }

        ushort value = insn.Opcode == 0x01 ? (ushort)0x33 : form == 0 ? (ushort)0 : (ushort)0x40;
        if (insn.ModRM >= 0xC0 && (insn.Prefixes & I386Prefixes.OperandSize) == 0)
        {
            // The whole CR0 as the emulation shows it: PE, MP, ET, NE, WP, AM, PG.
            Gpr(t, insn.ModRM) = insn.Opcode == 0x01 ? 0x80050033u : value;
            return true;
        }

        return WriteRM16(t, insn, value);
    }
}
