using Lodge.Translator.I386;

namespace Lodge.Translator.X64;

/// <summary>Direct control transfers, which end in a rel32 that is linked later, and what leaves translated code (docs/translator.md).</summary>
public unsafe partial struct UnitTranslator
{
    private void EmitJcc(ref Scanned s)
    {
        CommitBeforeBranch();
        EmitConditional(s.Insn.Opcode & 15, BranchTarget(s.Insn), s.TargetIndex);
    }

    private void CommitBeforeBranch()
    {
        if (_delta != 0)
        {
            CommitEsp();
            Mark(BoundaryKind.Normal);
        }
    }

    /// <summary>jcc to a guest address: a join of this unit, or an exit.</summary>
    private void EmitConditional(int condition, uint target, int at)
    {
        if (at >= 0 && at <= _index && !_request.Checked)
        {
            int distance = _scan[at].HostOffset - (_code.Position + 2);
            if (distance >= -128)
            {
                _code.U8(0x70 | condition);
                _code.U8(distance);
                return;
            }

            _code.JccTo(condition, _scan[at].HostOffset);
            return;
        }

        if (at >= 0 && !_request.Checked)
        {
            _code.JccTo(condition, _code.Position);
            AddPending(at);
            return;
        }

        _code.AlignPatch(2, _request.HostOffset);
        _code.JccTo(condition, _code.Position);
        AddExit(target, UnitExitKind.Jump);
    }

    private void EmitJmpRel(ref Scanned s)
    {
        CommitBeforeBranch();
        EmitJumpTo(BranchTarget(s.Insn), s.TargetIndex);
    }

    private void EmitJumpTo(uint target, int at)
    {
        if (at >= 0 && at <= _index && !_request.Checked)
        {
            int distance = _scan[at].HostOffset - (_code.Position + 2);
            if (distance >= -128)
            {
                _code.U8(0xEB);
                _code.U8(distance);
                return;
            }

            _code.JmpTo(_scan[at].HostOffset);
            return;
        }

        if (at >= 0 && !_request.Checked)
        {
            if (at == _index + 1)
            {
                return;
            }

            _code.JmpTo(_code.Position);
            AddPending(at);
            return;
        }

        EmitExitJump(target);
    }

    private void EmitExitJump(uint target)
    {
        _code.AlignPatch(1, _request.HostOffset);
        _code.JmpTo(_code.Position);
        AddExit(target, UnitExitKind.Jump);
    }

    private void AddPending(int index)
    {
        _pending[_pendingCount].PatchOffset = _code.Position - 4;
        _pending[_pendingCount].TargetIndex = index;
        _pendingCount++;
    }

    /// <summary>Records the rel32 just written as a direct exit.</summary>
    private void AddExit(uint target, UnitExitKind kind)
    {
        ref UnitExit exit = ref _result->Exits[_result->ExitCount++];
        exit.PatchOffset = _code.Position - 4;
        exit.StubOffset = 0;
        exit.Target = target;
        exit.Kind = kind;
    }

    /// <summary>LOOPcc and JECXZ have only an 8-bit form: taken, they hop over a short jump.</summary>
    private void EmitShortCounted(ref Scanned s)
    {
        if ((s.Insn.Prefixes & I386Prefixes.AddressSize) != 0)
        {
            EmitEmulate(ref s);
            return;
        }

        CommitBeforeBranch();
        _code.U8(0x67);
        _code.U8(s.Insn.Opcode);
        _code.U8(2);
        MarkNext(BoundaryKind.Normal);
        _code.U8(0xEB);
        byte* skip = _code.Next;
        _code.U8(0);

        // LOOP has counted: from here on the branch is taken, so the state is the target's. A jump inside the unit or an exit follows.
        EmitTakenJump(BranchTarget(s.Insn), s.TargetIndex);
        *skip = (byte)(_code.Next - (skip + 1));
    }

    private void EmitTakenJump(uint target, int at)
    {
        if (at < 0 || _request.Checked)
        {
            AddBoundaryAt(target);
            EmitExitJump(target);
            return;
        }

        AddBoundaryAt(target);
        if (at <= _index)
        {
            _code.JmpTo(_scan[at].HostOffset);
        }
        else
        {
            _code.JmpTo(_code.Position);
            AddPending(at);
        }
    }

    /// <summary>
    /// State at a taken branch whose count is already done: the target's address when it lies within reach of the side table. Otherwise the
    /// jump is marked as leaving: it is one instruction long, and the next stop is a stub or the target itself.
    /// </summary>
    private void AddBoundaryAt(uint target)
    {
        uint offset = target - _request.Pc;
        if (offset <= ushort.MaxValue)
        {
            AddBoundary(target, BoundaryKind.Normal, 0);
        }
        else
        {
            AddBoundary(_request.Pc, BoundaryKind.Leaving, 0);
        }
    }

    private void EmitSyscall(ref Scanned s, int stub)
    {
        CommitBeforeBranch();
        _code.MovImm32(HostReg.R9, s.Insn.Address + s.Insn.Length);
        _code.JmpTo(Stub(stub));
    }

    /// <summary>Leaves to the dispatcher, which carries the instruction out and goes on behind it.</summary>
    private void EmitEmulate(ref Scanned s)
    {
        CommitBeforeBranch();
        _code.MovImm32(HostReg.R9, s.Insn.Address);
        _code.JmpTo(Stub(_layout.EmulateExit));
    }

    /// <summary>jcc to a cold copy of <see cref="EmitEmulate"/>.</summary>
    private void EmitColdEmulate(int condition, ref Scanned s)
    {
        if (_coldCount == MaxCold)
        {
            // Over the limit the unit ends before this instruction.
            EmitEmulate(ref s);
            return;
        }

        _code.JccTo(condition, _code.Position);
        _cold[_coldCount * 2] = _code.Position - 4;
        _cold[(_coldCount * 2) + 1] = ((long)(uint)_delta << 32) | s.Insn.Address;
        _coldCount++;
    }

    /// <summary>
    /// What is executed once or never: unlinked exits and rare ways out. Into the cold buffer when there is one, so that hot code lies
    /// close together; else behind the code.
    /// </summary>
    private void EmitColdStubs()
    {
        CodeBuffer hot = _code;
        bool apart = _result->Cold.Start != null;
        int shift = apart ? _request.ColdOffset - _request.HostOffset : 0;
        if (apart)
        {
            _code = _result->Cold;
        }
        else
        {
            AddBoundary(_request.Pc, BoundaryKind.Leaving, 0);
        }

        for (int i = 0; i < _coldCount; i++)
        {
            int at = (int)_cold[i * 2];
            *(int*)(hot.Start + at) = shift + _code.Position - (at + 4);
            long packed = _cold[(i * 2) + 1];
            _delta = (int)(packed >> 32);
            CommitEsp();
            _code.MovImm32(HostReg.R9, (uint)packed);
            _code.JmpTo(Stub(_layout.EmulateExit) - shift);
        }

        int linkExit = Stub(_layout.LinkExit) - shift;
        for (int i = 0; i < _result->ExitCount; i++)
        {
            ref UnitExit exit = ref _result->Exits[i];
            exit.StubOffset = shift + _code.Position;
            *(int*)(hot.Start + exit.PatchOffset) = exit.StubOffset - (exit.PatchOffset + 4);

            // mov r9d, id; jmp
            byte* p = _code.Next;
            *(ulong*)p = 0x00E9_0000_0000_B941ul | ((ulong)(_request.FirstExitId + ((uint)i * _request.ExitIdStep)) << 16);
            *(int*)(p + 7) = linkExit - (_code.Position + 11);
            _code.Next = p + 11;
        }

        if (apart)
        {
            _result->Cold = _code;
            _code = hot;
        }
    }
}
