using System.Runtime.CompilerServices;
using Lodge.Translator.I386;

namespace Lodge.Shim;

/// <summary>
/// Segments that do not allow everything: descriptors of the LDT with a limit, expand-down, read-only or code, and null selectors in DS and
/// ES. 64-bit mode checks none of it. While one of them is loaded the dispatcher runs one instruction at a time and asks here first: slow,
/// and only for threads that have such a segment. Null selectors in FS and GS, and flat segments, cost nothing (see <c>ExecState.FsTrap</c>).
/// Limits of FS and GS descriptors of the TLS slots are not checked: Wine's are one page long and always loaded.
/// </summary>
public static unsafe class SegmentGuard
{
    private const ushort FlatData = 0x2B;

    /// <summary>CS 23h, DS 2Bh, ES 2Bh, SS 2Bh, as they lie in the frame.</summary>
    private const ulong FlatSelectors = 0x002B_002B_002B_0023;

    private const uint ExpandDown = 0x400, Big = 1u << 22;

    /// <summary>True when a loaded segment does not allow everything.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Applies(GuestThread* t) =>
        (*(ulong*)&t->I386.cs != FlatSelectors || ((t->I386.fs | t->I386.gs) & 4) != 0) && AnyRestricted(t);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool AnyRestricted(GuestThread* t)
    {
        ref I386Frame r = ref t->I386;
        return IsRestricted(t, r.ds) || IsRestricted(t, r.es) || IsRestricted(t, r.ss)
            || ((r.fs & 4) != 0 && IsRestricted(t, r.fs)) || ((r.gs & 4) != 0 && IsRestricted(t, r.gs));
    }

    private static bool IsRestricted(GuestThread* t, ushort selector)
    {
        if (selector == FlatData)
        {
            return false;
        }

        return selector <= 3 || !Segments.Query(t, selector, out _, out uint limit, out uint access) || limit != uint.MaxValue
            || (access & (SegmentAccess.Code | ExpandDown)) != 0 || (access & SegmentAccess.Writable) == 0;
    }

    /// <summary>Whether a segment allows an access. When not, the fault has been raised: #SS for the stack segment, #GP for the others.</summary>
    /// <param name="t">The calling thread.</param>
    /// <param name="segment">The segment.</param>
    /// <param name="offset">Within the segment.</param>
    /// <param name="size">Bytes; 0 is none.</param>
    /// <param name="write">Whether it stores.</param>
    public static bool Allow(GuestThread* t, I386Segment segment, uint offset, uint size, bool write)
    {
        if (size == 0 || IsAllowed(t, segment, offset, size, write))
        {
            return true;
        }

        if (segment == I386Segment.Ss)
        {
            Faults.SegmentNotPresent(t, 0, stack: true);
        }
        else
        {
            Faults.GeneralProtection(t, 0);
        }

        return false;
    }

    private static bool IsAllowed(GuestThread* t, I386Segment segment, uint offset, uint size, bool write)
    {
        ushort selector = Emulation.SegmentSelector(t, segment);
        if (selector == FlatData || (segment is I386Segment.Fs or I386Segment.Gs && (selector & 4) == 0 && selector > 3))
        {
            return true;
        }

        if (selector <= 3 || !Segments.Query(t, selector, out _, out uint limit, out uint access))
        {
            return false;
        }

        ulong last = (ulong)offset + size - 1;
        if ((access & SegmentAccess.Code) != 0)
        {
            return !write && (access & SegmentAccess.Readable) != 0 && last <= limit;
        }

        if (write && (access & SegmentAccess.Writable) == 0)
        {
            return false;
        }

        return (access & ExpandDown) == 0 ? last <= limit : offset > limit && last <= ((access & Big) != 0 ? uint.MaxValue : 0xFFFFu);
    }
}

/// <summary>The accesses of an instruction, before it runs.</summary>
public static unsafe partial class Emulation
{
    /// <summary>
    /// For a thread to which <see cref="SegmentGuard.Applies"/>: checks what the instruction at EIP will access. False when a fault has been
    /// raised. String instructions are carried out here as well, with a check in front of each iteration: then false, too.
    /// </summary>
    public static bool MayRun(GuestThread* t)
    {
        if (!DecodeAt(t, t->I386.eip, out I386Insn insn))
        {
            return false;
        }

        if (I386Table.Class(insn.Row) == I386Class.StringOp && (t->I386.eflags & TrapFlag) == 0)
        {
            Execute(t, ref insn);
            return false;
        }

        return MayUseStack(t, insn) && MayUseOperand(t, insn);
    }

    private static bool MayUseOperand(GuestThread* t, in I386Insn insn)
    {
        I386Segment Segment(in I386Insn i, I386Segment otherwise) => i.Segment == I386Segment.None ? otherwise : i.Segment;
        switch (I386Table.Class(insn.Row))
        {
            case I386Class.Xlat:
                uint at = t->I386.ebx + (byte)t->I386.eax;
                at = (insn.Prefixes & I386Prefixes.AddressSize) != 0 ? at & 0xFFFF : at;
                return SegmentGuard.Allow(t, Segment(insn, I386Segment.Ds), at, 1, write: false);
            case I386Class.Moffs:
                uint size = (insn.Opcode & 1) == 0 ? 1 : OperandBytes(insn);
                return SegmentGuard.Allow(t, Segment(insn, I386Segment.Ds), insn.Disp, size, write: (insn.Opcode & 2) != 0);
            case I386Class.Maskmov:
                return SegmentGuard.Allow(t, Segment(insn, I386Segment.Ds), t->I386.edi, insn.Pp == 1 ? 16u : 8, write: true);
            default:
                break;
        }

        I386Operands operands = I386Table.Operands(insn.Row);
        if (!I386Decoder.HasMemory(insn) || (operands & (I386Operands.MemAddressOnly | I386Operands.Vsib)) != 0)
        {
            return true;
        }

        uint offset = OperandOffset(t, insn, out bool stackSegment);
        const uint StateArea = 576;
        int bytes = I386Decoder.MemSize(insn);
        return SegmentGuard.Allow(
            t,
            Segment(insn, stackSegment ? I386Segment.Ss : I386Segment.Ds),
            offset,
            bytes == 0 ? StateArea : (uint)bytes,
            (operands & I386Operands.MemWrite) != 0);
    }

    /// <summary>What the instruction itself pushes and pops.</summary>
    private static bool MayUseStack(GuestThread* t, in I386Insn insn)
    {
        uint bytes = OperandBytes(insn);
        uint esp = t->I386.esp;
        switch (I386Table.Class(insn.Row))
        {
            case I386Class.PushReg or I386Class.PushImm or I386Class.PushRM or I386Class.PushSeg or I386Class.Pushf or I386Class.CallRel or I386Class.CallRM:
                return SegmentGuard.Allow(t, I386Segment.Ss, esp - bytes, bytes, write: true);
            case I386Class.Pusha:
                return SegmentGuard.Allow(t, I386Segment.Ss, esp - (8 * bytes), 8 * bytes, write: true);
            case I386Class.CallFar:
                return SegmentGuard.Allow(t, I386Segment.Ss, esp - (2 * bytes), 2 * bytes, write: true);
            case I386Class.Enter:
                uint used = (1 + (uint)(insn.Imm2 & 31)) * bytes;
                return SegmentGuard.Allow(t, I386Segment.Ss, esp - used, used, write: true)
                    && SegmentGuard.Allow(t, I386Segment.Ss, esp - used - (insn.Imm & 0xFFFF), 1, write: true);
            case I386Class.PopReg or I386Class.PopRM or I386Class.PopSeg or I386Class.Popf or I386Class.Ret or I386Class.RetImm:
                return SegmentGuard.Allow(t, I386Segment.Ss, esp, bytes, write: false);
            case I386Class.Popa:
                return SegmentGuard.Allow(t, I386Segment.Ss, esp, 8 * bytes, write: false);
            case I386Class.RetFar:
                return SegmentGuard.Allow(t, I386Segment.Ss, esp, 2 * bytes, write: false);
            case I386Class.Iret:
                return SegmentGuard.Allow(t, I386Segment.Ss, esp, 3 * bytes, write: false);
            case I386Class.Leave:
                return SegmentGuard.Allow(t, I386Segment.Ss, t->I386.ebp, bytes, write: false);
            default:
                return true;
        }
    }
}
