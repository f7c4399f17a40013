using Lodge.Translator.I386;

namespace Lodge.Shim;

/// <summary>Stack frames, flags and control transfers in forms too rare for the translator: 16-bit operands, far transfers, IRET.</summary>
public static unsafe partial class Emulation
{
    /// <summary>Flags that POPF and IRET change in ring 3 with IOPL 0.</summary>
    private const uint UserFlags = 0x00244DD5;

    private const ushort FlatCode32 = 0x23;

    private static bool Enter(GuestThread* t, in I386Insn insn)
    {
        uint bytes = OperandBytes(insn);
        uint size = insn.Imm & 0xFFFF;
        int level = insn.Imm2 & 31;
        uint esp = t->I386.esp;
        if (!Push(t, insn, t->I386.ebp))
        {
            return false;
        }

        uint frame = t->I386.esp;
        uint ebp = t->I386.ebp;
        for (int i = 1; i < level; i++)
        {
            ebp -= bytes;
            uint link;
            bool ok;
            if (bytes == 2)
            {
                ok = Read(t, ebp + t->I386.ss_base, out ushort half);
                link = half;
            }
            else
            {
                ok = Read(t, ebp + t->I386.ss_base, out link);
            }

            if (!ok || !Push(t, insn, link))
            {
                t->I386.esp = esp;
                return false;
            }
        }

        if (level > 0 && !Push(t, insn, frame))
        {
            t->I386.esp = esp;
            return false;
        }

        // The CPU probes the new top of stack before it commits.
        uint top = t->I386.esp - size;
        if (!Read(t, top + t->I386.ss_base, out byte probe) || !Write(t, top + t->I386.ss_base, probe))
        {
            t->I386.esp = esp;
            return false;
        }

        t->I386.esp = top;
        t->I386.ebp = bytes == 2 ? (t->I386.ebp & 0xFFFF0000) | (frame & 0xFFFF) : frame;
        return true;
    }

    private static bool Leave(GuestThread* t, in I386Insn insn)
    {
        uint esp = t->I386.esp;
        t->I386.esp = t->I386.ebp;
        if (!Peek(t, insn, 0, out uint value))
        {
            t->I386.esp = esp;
            return false;
        }

        uint bytes = OperandBytes(insn);
        t->I386.esp += bytes;
        t->I386.ebp = bytes == 2 ? (t->I386.ebp & 0xFFFF0000) | value : value;
        return true;
    }

    private static bool Popf(GuestThread* t, in I386Insn insn)
    {
        if (!Peek(t, insn, 0, out uint value))
        {
            return false;
        }

        uint bytes = OperandBytes(insn);
        uint mask = bytes == 2 ? UserFlags & 0xFFFF : UserFlags;
        t->I386.eflags = (t->I386.eflags & ~mask) | (value & mask) | 2;
        t->I386.esp += bytes;
        return true;
    }

    /// <summary>Near transfers with 16-bit operands or a 16-bit counter.</summary>
    private static void NearTransfer(GuestThread* t, in I386Insn insn)
    {
        bool word = (insn.Prefixes & I386Prefixes.OperandSize) != 0;
        uint next = insn.Address + insn.Length;
        uint mask = word ? 0xFFFFu : uint.MaxValue;
        uint target = (next + insn.Imm) & mask;
        switch (I386Table.Class(insn.Row))
        {
            case I386Class.CallRel:
                if (Push(t, insn, next))
                {
                    t->I386.eip = target;
                }

                break;
            case I386Class.CallRM:
            case I386Class.JmpRM:
                uint destination;
                if (word)
                {
                    if (!ReadRM16(t, insn, out ushort half))
                    {
                        break;
                    }

                    destination = half;
                }
                else if (!ReadRM(t, insn, out destination))
                {
                    break;
                }

                if (I386Table.Class(insn.Row) == I386Class.JmpRM || Push(t, insn, next))
                {
                    t->I386.eip = destination & mask;
                }

                break;
            case I386Class.Ret:
            case I386Class.RetImm:
                if (Peek(t, insn, 0, out uint back))
                {
                    t->I386.esp += OperandBytes(insn) + (I386Table.Class(insn.Row) == I386Class.RetImm ? insn.Imm & 0xFFFF : 0);
                    t->I386.eip = back & mask;
                }

                break;
            default:
                Counted(t, insn, target, next);
                break;
        }
    }

    private static void Counted(GuestThread* t, in I386Insn insn, uint target, uint next)
    {
        bool counter16 = (insn.Prefixes & I386Prefixes.AddressSize) != 0;
        uint count = counter16 ? t->I386.ecx & 0xFFFF : t->I386.ecx;
        bool taken;
        if (insn.Opcode == 0xE3)
        {
            taken = count == 0;
        }
        else
        {
            count--;
            bool zf = (t->I386.eflags & (uint)I386Flags.ZF) != 0;
            t->I386.ecx = counter16 ? (t->I386.ecx & 0xFFFF0000) | (count & 0xFFFF) : count;
            bool more = counter16 ? (count & 0xFFFF) != 0 : count != 0;
            taken = insn.Opcode switch
            {
                0xE0 => more && !zf,
                0xE1 => more && zf,
                _ => more,
            };
        }

        t->I386.eip = taken ? target : next;
    }

    /// <summary>Far transfers: only to the guest's own flat 32-bit code selector; anything else is #GP, as for a missing descriptor.</summary>
    private static void FarTransfer(GuestThread* t, in I386Insn insn)
    {
        uint bytes = OperandBytes(insn);
        uint next = insn.Address + insn.Length;
        uint offset;
        uint selector;
        switch (I386Table.Class(insn.Row))
        {
            case I386Class.RetFar:
                if (!Peek(t, insn, 0, out offset) || !Peek(t, insn, bytes, out selector) || !CheckCode(t, selector))
                {
                    return;
                }

                t->I386.esp += (2 * bytes) + ((insn.Opcode & 1) == 0 ? insn.Imm & 0xFFFF : 0);
                t->I386.eip = offset;
                return;
            case I386Class.Iret:
                if (!Peek(t, insn, 0, out offset) || !Peek(t, insn, bytes, out selector) || !Peek(t, insn, 2 * bytes, out uint flags)
                    || !CheckCode(t, selector))
                {
                    return;
                }

                uint mask = bytes == 2 ? UserFlags & 0xFFFF : UserFlags;
                t->I386.eflags = (t->I386.eflags & ~mask) | (flags & mask) | 2;
                t->I386.esp += 3 * bytes;
                t->I386.eip = offset;
                return;
            default:
                break;
        }

        if ((insn.Prefixes & I386Prefixes.ModRM) == 0)
        {
            offset = insn.Imm;
            selector = insn.Imm2;
        }
        else
        {
            uint address = Linear(t, insn);
            if (bytes == 2)
            {
                if (!Read(t, address, out ushort half))
                {
                    return;
                }

                offset = half;
            }
            else if (!Read(t, address, out offset))
            {
                return;
            }

            if (!Read(t, address + bytes, out ushort value))
            {
                return;
            }

            selector = value;
        }

        // Calls and jumps may ask for a more privileged level; they stay where they are.
        if (!CheckCode(t, selector | 3))
        {
            return;
        }

        if (I386Table.Class(insn.Row) == I386Class.CallFar)
        {
            uint esp = t->I386.esp;
            if (!Push(t, insn, t->I386.cs) || !Push(t, insn, next))
            {
                t->I386.esp = esp;
                return;
            }
        }

        t->I386.eip = offset;
    }

    private static bool CheckCode(GuestThread* t, uint selector)
    {
        if ((ushort)selector == FlatCode32)
        {
            return true;
        }

        Faults.GeneralProtection(t, selector & 0xFFFC);
        return false;
    }

    private static bool Xlat(GuestThread* t, in I386Insn insn)
    {
        uint offset = t->I386.ebx + (t->I386.eax & 0xFF);
        if ((insn.Prefixes & I386Prefixes.AddressSize) != 0)
        {
            offset &= 0xFFFF;
        }

        I386Segment segment = insn.Segment == I386Segment.None ? I386Segment.Ds : insn.Segment;
        if (!Read(t, offset + SegmentBase(t, segment), out byte value))
        {
            return false;
        }

        t->I386.eax = (t->I386.eax & ~0xFFu) | value;
        return true;
    }
}
