using Lodge.Translator.I386;

namespace Lodge.Translator.X64;

/// <summary>
/// Calls, returns and indirect jumps: targets are looked up inline in the flat table; calls and returns are host CALL and RET with a check
/// where the return lands (docs/translator.md).
/// </summary>
public unsafe partial struct UnitTranslator
{
    private void EmitCallRel(ref Scanned s)
    {
        ref I386Insn insn = ref s.Insn;
        uint next = insn.Address + insn.Length;
        uint target = BranchTarget(insn);
        if ((insn.Prefixes & I386Prefixes.OperandSize) != 0)
        {
            EmitEmulate(ref s);
            return;
        }

        if (target == next)
        {
            // call $+5: position-independent code asking where it is.
            _code.Store32Imm(HostReg.Esp, _delta - 4, next);
            _delta -= 4;
            return;
        }

        int thunk = ThunkRegister(target);
        if (thunk >= 0)
        {
            // __x86.get_pc_thunk.*: mov r, [esp]; ret.
            _code.Store32Imm(HostReg.Esp, _delta - 4, next);
            _code.MovImm32(thunk, next);
            return;
        }

        PushReturnAddress(next);
        _code.AlignPatch(1, _request.HostOffset);
        if (_request.Checked)
        {
            EmitExitJump(target);
            _stopped = true;
            return;
        }

        _code.CallTo(_code.Position);
        AddExit(target, UnitExitKind.Call);
        EmitLanding(ref s, next);
    }

    /// <summary>
    /// Register of a program counter thunk at <paramref name="target"/>, or -1: read from the page that the unit begins in, which
    /// invalidates the unit; elsewhere taken from the request's table, and named in the result.
    /// </summary>
    private readonly int ThunkRegister(uint target)
    {
        if (_request.Checked)
        {
            // Entered after a look at its own bytes only.
            return -1;
        }

        if (target >> 12 == _request.Pc >> 12)
        {
            return (ulong)target + 4 > _request.FetchEnd || (target & 4095) > 4092 ? -1 : ThunkRegister((byte*)(target + _request.GuestBase));
        }

        if (_request.Thunks == null)
        {
            return -1;
        }

        ThunkRecord known = _request.Thunks[ThunkRecord.SlotOf(target)];
        if (known.Address != target || (_result->Thunk != 0 && _result->Thunk != target))
        {
            return -1;
        }

        _result->Thunk = target;
        return known.Register;
    }

    /// <summary>Register that a program counter thunk loads, or -1 when the four bytes are none.</summary>
    public static int ThunkRegister(byte* code)
    {
        int register = (code[1] >> 3) & 7;
        return code[0] == 0x8B && (code[1] & 0xC7) == 0x04 && code[2] == 0x24 && code[3] == 0xC3 && register != HostReg.Rsp ? register : -1;
    }

    /// <summary>Stores the return address, brings ESP up to date, and notes that until the transfer itself the call can be restarted.</summary>
    private void PushReturnAddress(uint next)
    {
        _code.Store32Imm(HostReg.Esp, _delta - 4, next);
        _delta -= 4;
        CommitEsp();
        _delta = 4;
        Mark(BoundaryKind.Normal);
        _delta = 0;
    }

    private void EmitCallRM(ref Scanned s)
    {
        ref I386Insn insn = ref s.Insn;
        if ((insn.Prefixes & I386Prefixes.OperandSize) != 0)
        {
            EmitEmulate(ref s);
            return;
        }

        EmitLoadRM(insn, HostReg.Target, 4);
        uint next = insn.Address + insn.Length;
        PushReturnAddress(next);
        if (_request.Checked)
        {
            _code.JmpTo(Stub(_layout.IndirectJump));
            _stopped = true;
            return;
        }

        if (_layout.NestedTargets)
        {
            _code.CallTo(Stub(_layout.IndirectJump));
        }
        else
        {
            EmitTableLookup();
            _code.U8(0x41);
            _code.U8(0xFF);
            _code.U8(0xD1);
        }

        EmitLanding(ref s, next);
    }

    private void EmitJmpRM(ref Scanned s)
    {
        ref I386Insn insn = ref s.Insn;
        if ((insn.Prefixes & I386Prefixes.OperandSize) != 0)
        {
            EmitEmulate(ref s);
            return;
        }

        bool known = _tableJump == _index;
        if (known)
        {
            SealFrom(_index);
        }
        else if (HasMemory(insn) && IsTableOperand(insn))
        {
            known = LoadTableEntry(insn);
        }

        EmitLoadRM(insn, HostReg.Target, 4);
        CommitBeforeBranch();
        if (!known)
        {
            EmitIndirectJump();
            return;
        }

        SealFrom(_index);
        EmitJumpToOffset();
    }

    /// <summary>To guest address r8.</summary>
    private void EmitIndirectJump()
    {
        if (_layout.NestedTargets)
        {
            _code.JmpTo(Stub(_layout.IndirectJump));
            return;
        }

        EmitTableLookup();
        _code.U8(0x41);
        _code.U8(0xFF);
        _code.U8(0xE1);
    }

    /// <summary>lea r9, [r12+r9]; jmp r9.</summary>
    private void EmitJumpToOffset()
    {
        _code.U8(0x4F);
        _code.U8(0x8D);
        _code.U8(0x0C);
        _code.U8(0x0C);
        _code.U8(0x41);
        _code.U8(0xFF);
        _code.U8(0xE1);
    }

    /// <summary>r9 = host address for guest address r8: one load from the flat table, no flags, zero entries lead to the miss stub.</summary>
    private void EmitTableLookup()
    {
        // mov r9d, [r13+r8*4]
        _code.U8(0x47);
        _code.U8(0x8B);
        _code.U8(0x4C);
        _code.U8(0x85);
        _code.U8(0x00);

        // lea r9, [r12+r9]
        _code.U8(0x4F);
        _code.U8(0x8D);
        _code.U8(0x0C);
        _code.U8(0x0C);
    }

    /// <summary>Where a return comes back: r8d holds the address that the guest really returned to.</summary>
    private void EmitLanding(ref Scanned s, uint next)
    {
        AddBoundary(next, BoundaryKind.TargetInR8, 0);
        if (!IsLive(_index + 1, I386Flags.Arith))
        {
            // cmp r8d, imm32; jne mismatch
            _code.U8(0x41);
            _code.U8(0x81);
            _code.U8(0xF8);
            _code.U32(next);
            while (((_request.HostOffset + _code.Position) & 63) > 62)
            {
                _code.U8(0x90);
            }

            _result->Landings[_result->LandingCount++] = _code.Position;
            _code.JccTo(5, Stub(_layout.IndirectJump));
            return;
        }

        // The continuation reads the callee's flags: compare without them. The landing dies through its jump over the check.
        // lea r9d, [r8-imm32]
        while (((_request.HostOffset + _code.Position) & 63) > 62)
        {
            _code.U8(0x90);
        }

        _result->Landings[_result->LandingCount++] = ~_code.Position;
        _code.U8(0x45);
        _code.U8(0x8D);
        _code.U8(0x88);
        _code.U32(0u - next);

        // xchg rcx, r9; jrcxz +8; xchg rcx, r9; jmp mismatch; mov rcx, r9
        _code.U8(0x4C);
        _code.U8(0x87);
        _code.U8(0xC9);
        AddBoundary(next, BoundaryKind.TargetInR8RcxInR9, 0);
        _code.U8(0xE3);
        _code.U8(8);
        _code.U8(0x4C);
        _code.U8(0x87);
        _code.U8(0xC9);
        AddBoundary(next, BoundaryKind.TargetInR8, 0);
        _code.JmpTo(Stub(_layout.IndirectJump));
        AddBoundary(next, BoundaryKind.TargetInR8RcxInR9, 0);
        _code.Mov64(HostReg.Rcx, HostReg.R9);
    }

    private void EmitRet(ref Scanned s)
    {
        ref I386Insn insn = ref s.Insn;
        if ((insn.Prefixes & I386Prefixes.OperandSize) != 0)
        {
            EmitEmulate(ref s);
            return;
        }

        int pop = 4 + (s.Class == I386Class.RetImm ? (int)(insn.Imm & 0xFFFF) : 0);
        _code.Load32(HostReg.Target, HostReg.Esp, _delta);
        _code.Lea32(HostReg.Esp, HostReg.Esp, _delta + pop);
        if (pop > short.MaxValue)
        {
            AddBoundary(insn.Address, BoundaryKind.TargetInR8, 0);
        }
        else
        {
            _delta = -pop;
            Mark(BoundaryKind.Normal);
        }

        _delta = 0;
        if (_request.Checked)
        {
            _code.JmpTo(Stub(_layout.IndirectJump));
            return;
        }

        if (ReturnsWhereTheUnitSays())
        {
            // A jump: no call waits for it, and its target may read the flags, which a landing may have given up.
            EmitIndirectJump();
            return;
        }

        _code.U8(0xC3);
    }

    /// <summary>
    /// True when the unit has just put the address there that the return at hand takes: push; ret, or mov [esp], r; ret n with a load or two in
    /// between, as the dynamic linker goes to a function that it has looked up. Without n it is a retpoline, which takes back its own call.
    /// </summary>
    private readonly bool ReturnsWhereTheUnitSays()
    {
        const int Loads = 2;
        for (int i = _index - 1; i >= 0 && i >= _index - 1 - Loads && !_scan[i + 1].IsJoin; i--)
        {
            ref I386Insn insn = ref Whole(i);
            if (i == _index - 1 && _scan[i].Class is I386Class.PushReg or I386Class.PushImm or I386Class.PushRM)
            {
                return true;
            }

            bool is32 = insn.Map == 0 && (insn.Prefixes & (I386Prefixes.OperandSize | I386Prefixes.AddressSize)) == 0;
            if (is32 && _scan[_index].Class == I386Class.RetImm && insn.Opcode is 0x89 or 0x87 && (insn.ModRM & 0xC7) == 4 && insn.Sib == 0x24 && insn.Segment == I386Segment.None)
            {
                return true;
            }

            if (!is32 || insn.Opcode != 0x8B || ((insn.ModRM >> 3) & 7) == HostReg.Rsp)
            {
                return false;
            }
        }

        return false;
    }
}
