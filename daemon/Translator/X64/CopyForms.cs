using Lodge.Translator.I386;

namespace Lodge.Translator.X64;

/// <summary>Instructions that mean the same in both modes, with ESP moved to r15d.</summary>
public unsafe partial struct UnitTranslator
{
    private void EmitCopy(ref Scanned s)
    {
        ref I386Insn insn = ref s.Insn;
        I386Operands ops = I386Table.Operands(insn.Row);
        bool hasModRM = (insn.Prefixes & I386Prefixes.ModRM) != 0;
        bool memory = HasMemory(insn);
        int reg = hasModRM ? (insn.ModRM >> 3) & 7 : 0;
        int rm = hasModRM && !memory ? insn.ModRM & 7 : 0;

        if (_delta != 0 && IsFoldedEsp(ref s, ops))
        {
            return;
        }

        if (_delta == 0 && IsEspArithmetic(ref s))
        {
            return;
        }

        bool esp = false;
        if ((ops & I386Operands.RegGpr) != 0 && reg == HostReg.Rsp)
        {
            reg = HostReg.Esp;
            esp = true;
        }

        if (hasModRM && !memory && (ops & I386Operands.RmGpr) != 0 && rm == HostReg.Rsp)
        {
            rm = HostReg.Esp;
            esp = true;
        }

        if ((ops & I386Operands.OpcodeGpr) != 0 && (insn.Opcode & 7) == HostReg.Rsp)
        {
            rm = HostReg.Esp;
            esp = true;
        }

        if ((ops & I386Operands.VvvvGpr) != 0 && (insn.VexVvvv & 7) == HostReg.Rsp)
        {
            esp = true;
        }

        if (_delta != 0 && (esp || NextIsBranch()))
        {
            CommitEsp();
            Mark(BoundaryKind.Normal);
        }

        MemRef m = default;
        if (memory)
        {
            m = Resolve(insn, (ops & I386Operands.MemAddressOnly) == 0);
        }

        bool highByte = ((ops & I386Operands.RegGpr8) != 0 && reg is >= 4 and < 8)
            || (!memory && (ops & I386Operands.RmGpr8) != 0 && rm is >= 4 and < 8 && hasModRM);
        bool rex = reg >= 8 || rm >= 8 || (memory && (m.Base >= 8 || m.Index >= 8));
        if (highByte && rex && (insn.Prefixes & I386Prefixes.Vex) == 0)
        {
            EmitHighByte(insn, ops, reg, rm, memory, m);
            return;
        }

        EmitEncoded(insn, reg, rm, memory, m);
    }

    /// <summary>True when a conditional branch follows: ESP is brought up to date before the compare, so that the pair stays fused.</summary>
    private readonly bool NextIsBranch() => _index + 1 < _count && _scan[_index + 1].Class == I386Class.Jcc;

    /// <summary>
    /// AH, CH, DH or BH beside an operand that needs REX: the byte registers are exchanged around the instruction. The address is
    /// computed first, since it may contain the same register.
    /// </summary>
    private void EmitHighByte(in I386Insn insn, I386Operands ops, int reg, int rm, bool memory, MemRef m)
    {
        bool inReg = (ops & I386Operands.RegGpr8) != 0 && reg is >= 4 and < 8;
        int full = (inReg ? reg : rm) - 4;
        if (memory && (m.Base != HostReg.Target || m.Index >= 0))
        {
            bool gs = m.GsPrefix;
            EmitLea(HostReg.Target, m);
            m.Base = HostReg.Target;
            m.Index = -1;
            m.Disp = 0;
            m.Address32 = false;
            m.GsPrefix = gs;
        }

        if (memory && insn.Map == 1 && insn.Opcode == 0xB0 && full == 0)
        {
            // CMPXCHG compares with AL, so AH cannot stay exchanged with it. A fault must find the flags as they were: no shift.
            EmitSwapBytes(full);
            Mark(BoundaryKind.SwappedBytes, full);
            _code.Mov32(HostReg.R9, full);
            EmitSwapBytes(full);
            Mark(BoundaryKind.Normal);
            EmitEncoded(insn, HostReg.R9, rm, memory, m);
            return;
        }

        EmitSwapBytes(full);
        Mark(BoundaryKind.SwappedBytes, full);
        EmitEncoded(insn, inReg ? full : reg, inReg ? rm : full, memory, m);

        // Done, but for the exchange: nothing may restart the instruction now, so the entry below is the next instruction's.
        AddBoundary(insn.Address + insn.Length, BoundaryKind.SwappedBytes, full);
        EmitSwapBytes(full);
    }

    /// <summary>xchg al, ah (cl, ch; …).</summary>
    private void EmitSwapBytes(int register)
    {
        _code.U8(0x86);
        _code.U8(0xC0 | ((register + 4) << 3) | register);
    }

    /// <summary>Forms that read ESP in a way the delta can be folded into: mov r, esp.</summary>
    private bool IsFoldedEsp(ref Scanned s, I386Operands ops)
    {
        ref I386Insn insn = ref s.Insn;
        if (IsEspArithmetic(ref s))
        {
            return true;
        }

        if (insn.Map != 0 || (insn.Prefixes & (I386Prefixes.OperandSize | I386Prefixes.Lock)) != 0 || insn.ModRM < 0xC0)
        {
            return false;
        }

        int reg = (insn.ModRM >> 3) & 7;
        int rm = insn.ModRM & 7;
        int dst;
        int src;
        if (insn.Opcode == 0x89 && (insn.Prefixes & I386Prefixes.ModRM) != 0)
        {
            dst = rm;
            src = reg;
        }
        else if (insn.Opcode == 0x8B && (insn.Prefixes & I386Prefixes.ModRM) != 0)
        {
            dst = reg;
            src = rm;
        }
        else
        {
            return false;
        }

        if (src == HostReg.Rsp && dst != HostReg.Rsp)
        {
            _code.Lea32(dst, HostReg.Esp, _delta);
            return true;
        }

        if (dst == HostReg.Rsp && src != HostReg.Rsp)
        {
            _code.Mov32(HostReg.Esp, src);
            _delta = 0;
            return true;
        }

        return false;
    }

    /// <summary>add/sub esp, imm with dead flags and lea esp, [esp+disp]: only the delta changes.</summary>
    private bool IsEspArithmetic(ref Scanned s)
    {
        ref I386Insn insn = ref s.Insn;
        if (insn.Map != 0 || (insn.Prefixes & (I386Prefixes.OperandSize | I386Prefixes.AddressSize | I386Prefixes.Lock)) != 0)
        {
            return false;
        }

        int change;
        if (insn.Opcode is 0x81 or 0x83 && insn.ModRM is 0xC4 or 0xEC)
        {
            if (IsLive(_index + 1, I386Flags.Arith))
            {
                return false;
            }

            change = insn.ModRM == 0xC4 ? (int)insn.Imm : -(int)insn.Imm;
        }
        else if (insn.Opcode == 0x8D && ((insn.ModRM >> 3) & 7) == 4 && (insn.ModRM & 7) == 4 && insn.Sib == 0x24 && insn.ModRM >> 6 != 0)
        {
            change = (int)insn.Disp;
        }
        else
        {
            return false;
        }

        if (change is > MaxDelta or < -MaxDelta)
        {
            return false;
        }

        _delta += change;
        return true;
    }

    /// <summary>
    /// FNSTENV, FNSAVE, FXSAVE, XSAVE: the image that they store names the host address of the last x87 instruction. The dispatcher puts
    /// the guest's there afterwards; its argument is the instruction's own address.
    /// </summary>
    private void EmitX87State(ref Scanned s)
    {
        if (s.Insn.Map == 1 && s.Insn.Opcode == 0xAE && ((s.Insn.ModRM >> 3) & 7) == 0)
        {
            // FXSAVE: in 64-bit mode it writes XMM8-15, too, where 32-bit mode leaves memory alone.
            EmitEmulate(ref s);
            return;
        }

        EmitCopy(ref s);
        MarkNext(BoundaryKind.Leaving);
        CommitEsp();
        _code.MovImm32(HostReg.R9, s.Insn.Address);
        _code.JmpTo(Stub(_layout.X87Exit));
    }

    /// <summary>INC/DEC r32: the one-byte forms are REX prefixes in 64-bit mode.</summary>
    private void EmitIncDec(ref Scanned s)
    {
        ref I386Insn insn = ref s.Insn;
        int register = insn.Opcode & 7;
        bool decrement = insn.Opcode >= 0x48;
        if (register == HostReg.Rsp)
        {
            if ((insn.Prefixes & I386Prefixes.OperandSize) == 0 && !IsLive(_index + 1, I386Flags.Arith & ~I386Flags.CF))
            {
                _delta += decrement ? -1 : 1;
                return;
            }

            CommitEsp();
            Mark(BoundaryKind.Normal);
            register = HostReg.Esp;
        }

        if ((insn.Prefixes & I386Prefixes.OperandSize) != 0)
        {
            _code.U8(0x66);
        }

        _code.Rex(0, 0, 0, register);
#if SEEDED_FAULT
        // Only in the build that the differential tests must find fault with (tests/Differential/run-seeded-fault): ADD where INC is to leave CF alone.
        if (!decrement && register == HostReg.Rdi)
        {
            _code.U8(0x83);
            _code.U8(0xC7);
            _code.U8(1);
            return;
        }
#endif
        _code.U8(0xFF);
        _code.U8((decrement ? 0xC8 : 0xC0) | (register & 7));
    }

    /// <summary>MOV AL/EAX, moffs and back: as the ModRM form, since moffs is 64 bits wide in 64-bit mode.</summary>
    private void EmitMoffs(ref Scanned s)
    {
        I386Insn form = s.Insn;
        form.Opcode = form.Opcode switch
        {
            0xA0 => 0x8A,
            0xA1 => 0x8B,
            0xA2 => 0x88,
            _ => 0x89,
        };
        bool address16 = (form.Prefixes & I386Prefixes.AddressSize) != 0;
        form.Prefixes = (form.Prefixes | I386Prefixes.ModRM) & ~I386Prefixes.AddressSize;
        form.ModRM = 0x05;
        form.ImmSize = 0;
        MemRef m = default;
        m.Base = -1;
        m.Index = -1;
        m.Disp = address16 ? (int)(form.Disp & 0xFFFF) : (int)form.Disp;
        int segmentBase = SegmentBase(form.Segment, false);
        if (form.Segment == I386Segment.Gs)
        {
            m.GsPrefix = true;
        }
        else if (segmentBase != 0)
        {
            AddSegmentBase(ref m, segmentBase);
        }
        else
        {
            m.Address32 = m.Disp < 0;
        }

        EmitEncoded(form, 0, 0, true, m);
    }

    /// <summary>Implicit ESI/EDI/EBX addresses: the 67h prefix selects the 32-bit registers. Based segments go to the dispatcher.</summary>
    private void EmitImplicitAddress(ref Scanned s)
    {
        ref I386Insn insn = ref s.Insn;
        if (_request.Segmented || insn.Segment is I386Segment.Fs or I386Segment.Gs || (insn.Prefixes & I386Prefixes.AddressSize) != 0)
        {
            EmitEmulate(ref s);
            return;
        }

        _code.U8(0x67);
        MemRef none = default;
        EmitEncoded(insn, (insn.ModRM >> 3) & 7, insn.ModRM & 7, false, none);
    }
}
