using Lodge.Translator.I386;

namespace Lodge.Translator.X64;

/// <summary>
/// Instructions that move ESP. ESP lives in r15d plus a delta known at translation time; stores go below the guest's ESP first and the
/// delta changes afterwards, so a fault leaves ESP as the CPU would.
/// </summary>
public unsafe partial struct UnitTranslator
{
    private static int OperandBytes(in I386Insn insn) => (insn.Prefixes & I386Prefixes.OperandSize) != 0 ? 2 : 4;

    /// <summary>mov [r15+disp], r32 or r16.</summary>
    private void StoreStack(int disp, int register, int bytes)
    {
        if (bytes == 2)
        {
            _code.U8(0x66);
        }

        _code.Store32(HostReg.Esp, disp, register);
    }

    /// <summary>mov r32 or r16, [r15+disp].</summary>
    private void LoadStack(int register, int disp, int bytes)
    {
        if (bytes == 2)
        {
            _code.U8(0x66);
        }

        _code.Load32(register, HostReg.Esp, disp);
    }

    /// <summary>push r32: mov [r15+delta-4], r.</summary>
    private void EmitPush(int register)
    {
        _delta -= 4;
        MoveStack(0x89, register, _delta);
        if (_delta < -MaxDelta)
        {
            MarkNext(BoundaryKind.Normal);
            CommitEsp();
        }
    }

    /// <summary>pop r32: mov r, [r15+delta].</summary>
    private void EmitPop(int register)
    {
        MoveStack(0x8B, register, _delta);
        _delta += 4;
        if (_delta > MaxDelta)
        {
            MarkNext(BoundaryKind.Normal);
            CommitEsp();
        }
    }

    /// <summary>mov between one of the lower registers and [r15+disp].</summary>
    private void MoveStack(int opcode, int register, int disp)
    {
        byte* p = _code.Next;
        int mod = disp == 0 ? 0 : disp is >= -128 and <= 127 ? 1 : 2;
        *(uint*)p = (uint)(0x41 | (opcode << 8) | (((mod << 6) | (register << 3) | (HostReg.Esp & 7)) << 16));
        *(int*)(p + 3) = disp;
        _code.Next = p + 3 + mod + (mod & 2);
    }

    private void EmitPushReg(in I386Insn insn)
    {
        int bytes = OperandBytes(insn);
        int register = insn.Opcode & 7;
        if (register == HostReg.Rsp)
        {
            _code.Lea32(HostReg.Target, HostReg.Esp, _delta);
            register = HostReg.Target;
        }

        StoreStack(_delta - bytes, register, bytes);
        _delta -= bytes;
    }

    private void EmitPushImm(in I386Insn insn)
    {
        int bytes = OperandBytes(insn);
        if (bytes == 2)
        {
            _code.U8(0x66);
            _code.Rex(0, 0, 0, HostReg.Esp);
            _code.U8(0xC7);
            _code.Memory(0, HostReg.Esp, _delta - 2);
            _code.U16((int)insn.Imm);
        }
        else
        {
            _code.Store32Imm(HostReg.Esp, _delta - 4, insn.Imm);
        }

        _delta -= bytes;
    }

    /// <summary>Loads the r/m operand of the instruction into a scratch register.</summary>
    private void EmitLoadRM(in I386Insn insn, int dst, int bytes)
    {
        if (!HasMemory(insn))
        {
            int rm = insn.ModRM & 7;
            if (rm == HostReg.Rsp)
            {
                _code.Lea32(dst, HostReg.Esp, _delta);
            }
            else
            {
                _code.Mov32(dst, rm);
            }

            return;
        }

        MemRef m = Resolve(insn, true);
        EmitMemoryMove(0x8B, dst, m, bytes);
    }

    /// <summary>mov between a scratch register and a resolved memory operand; opcode 8B loads, 89 stores.</summary>
    private void EmitMemoryMove(int opcode, int register, in MemRef m, int bytes)
    {
        if (m.Address32)
        {
            _code.U8(0x67);
        }

        if (m.GsPrefix)
        {
            _code.U8(0x65);
        }

        if (bytes == 2)
        {
            _code.U8(0x66);
        }

        _code.Rex(0, register, m.Index < 0 ? 0 : m.Index, m.Base < 0 ? 0 : m.Base);
        _code.U8(opcode);
        EmitOperand(register, m);
    }

    private void EmitPushRM(in I386Insn insn)
    {
        int bytes = OperandBytes(insn);
        EmitLoadRM(insn, HostReg.Target, bytes);
        StoreStack(_delta - bytes, HostReg.Target, bytes);
        _delta -= bytes;
    }

    private void EmitPopReg(in I386Insn insn)
    {
        int bytes = OperandBytes(insn);
        int register = insn.Opcode & 7;
        if (register != HostReg.Rsp)
        {
            LoadStack(register, _delta, bytes);
            _delta += bytes;
            return;
        }

        if (bytes == 2)
        {
            EmitPop16Sp();
            return;
        }

        _code.Load32(HostReg.Esp, HostReg.Esp, _delta);
        _delta = 0;
    }

    /// <summary>POP SP: ESP is incremented, then its low half replaced.</summary>
    private void EmitPop16Sp()
    {
        LoadStack(HostReg.Target, _delta, 2);
        _delta += 2;
        CommitEsp();
        _delta = -2;
        Mark(BoundaryKind.Normal);
        _delta = 0;
        _code.U8(0x66);
        _code.Mov32(HostReg.Esp, HostReg.Target);
    }

    private void EmitPopRM(in I386Insn insn)
    {
        int bytes = OperandBytes(insn);
        if (!HasMemory(insn))
        {
            I386Insn form = insn;
            form.Opcode = (byte)(0x58 | (insn.ModRM & 7));
            EmitPopReg(form);
            return;
        }

        LoadStack(HostReg.R10, _delta, bytes);

        // An ESP-based address uses ESP as it is behind the increment.
        _delta += bytes;
        MemRef m = Resolve(insn, true);
        EmitMemoryMove(0x89, HostReg.R10, m, bytes);
    }

    private void EmitPusha(in I386Insn insn)
    {
        int bytes = OperandBytes(insn);
        _code.Lea32(HostReg.Target, HostReg.Esp, _delta);
        for (int register = 0; register < 8; register++)
        {
            StoreStack(_delta - (bytes * (register + 1)), register == HostReg.Rsp ? HostReg.Target : register, bytes);
        }

        _delta -= 8 * bytes;
    }

    private void EmitPopa(in I386Insn insn)
    {
        int bytes = OperandBytes(insn);
        for (int register = 7; register >= 0; register--)
        {
            if (register != HostReg.Rsp)
            {
                LoadStack(register, _delta + (bytes * (7 - register)), bytes);
            }
        }

        _delta += 8 * bytes;
    }

    private void EmitPushf(in I386Insn insn)
    {
        int bytes = OperandBytes(insn);

        // pushfq; pop r8: through the return stack.
        _code.U8(0x9C);
        Mark(BoundaryKind.Pushed);
        _code.U8(0x41);
        _code.U8(0x58);
        Mark(BoundaryKind.Normal);
        StoreStack(_delta - bytes, HostReg.Target, bytes);
        _delta -= bytes;
    }

    private void EmitPopf(ref Scanned s)
    {
        if ((s.Insn.Prefixes & I386Prefixes.OperandSize) != 0)
        {
            EmitEmulate(ref s);
            return;
        }

        LoadStack(HostReg.Target, _delta, 4);

        // A guest that sets TF single-steps itself: the dispatcher does that. Flags are about to be replaced, so TEST may clobber them.
        _code.U8(0x41);
        _code.U8(0xF7);
        _code.U8(0xC0);
        _code.U32(0x100);
        EmitColdEmulate(5, ref s);
        _code.U8(0x41);
        _code.U8(0x50);
        Mark(BoundaryKind.Pushed);
        _code.U8(0x9D);
        _delta += 4;
    }

    /// <summary>LEAVE: the frame pointer is loaded first, so that a fault changes nothing; once ESP has moved, the rest is only
    /// a register move, which recovery does itself.</summary>
    private void EmitLeave(ref Scanned s)
    {
        if ((s.Insn.Prefixes & I386Prefixes.OperandSize) != 0 || _request.Segmented)
        {
            EmitEmulate(ref s);
            return;
        }

        _code.Load32(HostReg.Target, HostReg.Rbp, 0);
        _code.Mov32(HostReg.Esp, HostReg.Rbp);
        _delta = 4;
        MarkNext(BoundaryKind.EbpInR8);
        _code.Mov32(HostReg.Rbp, HostReg.Target);
    }
}
