using Lodge.Translator.I386;

namespace Lodge.Translator.X64;

/// <summary>Second pass: one switch over the instruction classes.</summary>
public unsafe partial struct UnitTranslator
{
    private void Emit(ref Scanned s)
    {
        switch (s.Class)
        {
            case I386Class.Copy:
                EmitCopy(ref s);
                break;
            case I386Class.X87State:
                EmitX87State(ref s);
                break;
            case I386Class.IncDecReg:
                EmitIncDec(ref s);
                break;
            case I386Class.Moffs:
                EmitMoffs(ref s);
                break;
            case I386Class.PushReg:
                EmitPushReg(s.Insn);
                break;
            case I386Class.PushImm:
                EmitPushImm(s.Insn);
                break;
            case I386Class.PushRM:
                EmitPushRM(s.Insn);
                break;
            case I386Class.PopReg:
                EmitPopReg(s.Insn);
                break;
            case I386Class.PopRM:
                EmitPopRM(s.Insn);
                break;
            case I386Class.Pusha:
                EmitPusha(s.Insn);
                break;
            case I386Class.Popa:
                EmitPopa(s.Insn);
                break;
            case I386Class.Pushf:
                EmitPushf(s.Insn);
                break;
            case I386Class.Popf:
                EmitPopf(ref s);
                break;
            case I386Class.Leave:
                EmitLeave(ref s);
                break;
            case I386Class.CallRel:
                EmitCallRel(ref s);
                break;
            case I386Class.CallRM:
                EmitCallRM(ref s);
                break;
            case I386Class.Ret:
            case I386Class.RetImm:
                EmitRet(ref s);
                break;
            case I386Class.JmpRel:
                EmitJmpRel(ref s);
                break;
            case I386Class.JmpRM:
                EmitJmpRM(ref s);
                break;
            case I386Class.Jcc:
                EmitJcc(ref s);
                break;
            case I386Class.Loop:
            case I386Class.Jecxz:
                EmitShortCounted(ref s);
                break;
            case I386Class.StringOp:
            case I386Class.Xlat:
            case I386Class.Maskmov:
                EmitImplicitAddress(ref s);
                break;
            case I386Class.IntImm when s.Insn.Imm == 0x80 || s.Insn.Imm == 0xFFFFFF80:
                EmitSyscall(ref s, _layout.SyscallExit);
                break;
            default:
                EmitEmulate(ref s);
                break;
        }

        // Whatever left for good may have been the last instruction before a join: the delta is settled there.
        if (!FallsThrough(s.Class))
        {
            _delta = 0;
            if (_index == _count - 1)
            {
                _stopped = true;
            }
        }
    }
}
