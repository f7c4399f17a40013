using Iced.Intel;
using Lodge.Translator.I386;
using Lodge.Translator.X64;

namespace Lodge.TranslatorTests;

/// <summary>
/// EFLAGS are the guest's at every instruction: no instruction that the translator adds may write them while they are live, and none that
/// writes them may be left out.
/// </summary>
internal sealed partial class UnitChecker
{
    private const RflagsBits Arithmetic = RflagsBits.OF | RflagsBits.SF | RflagsBits.ZF | RflagsBits.AF | RflagsBits.CF | RflagsBits.PF;
    private const int MaxDepth = 64;

    /// <summary>What may surround copied instructions.</summary>
    private static bool IsHelper(in Instruction host) => host.Mnemonic is Mnemonic.Mov or Mnemonic.Lea or Mnemonic.Movzx or Mnemonic.Xchg or Mnemonic.Jmp
        or Mnemonic.Call or Mnemonic.Ret or Mnemonic.Nop or Mnemonic.Cmp or Mnemonic.Test or Mnemonic.Push or Mnemonic.Pop or Mnemonic.Pushfq
        or Mnemonic.Popfq or Mnemonic.Jrcxz or Mnemonic.Jecxz or Mnemonic.Loop or Mnemonic.Loope or Mnemonic.Loopne || host.IsJccShortOrNear;

    private void CheckFlags(int index, int copy, bool copied)
    {
        GuestInstruction g = _guest[index];
        for (int i = 0; i < _host.Count; i++)
        {
            HostInstruction h = _host[i];
            if (h.Boundary.GuestOffset != g.Offset || i == copy)
            {
                continue;
            }

            if (!IsHelper(h.Iced))
            {
                Report(h.Offset, $"{h.Iced}: neither a copy nor one of the translator's own");
            }

            if ((h.Iced.RflagsModified & Arithmetic) == 0 || g.Class == I386Class.Popf)
            {
                continue;
            }

            bool landing = h.Boundary.Kind == BoundaryKind.TargetInR8 && h.Iced.Mnemonic == Mnemonic.Cmp;
            if (!landing || !IsDead(index, h.Iced.RflagsModified & Arithmetic, 0))
            {
                Report(h.Offset, $"{h.Iced}: writes flags that guest +{g.Offset:x} {g.Iced} does not, or that are live");
            }
        }

        RflagsBits written = (g.Iced.RflagsWritten | g.Iced.RflagsCleared | g.Iced.RflagsSet) & Arithmetic;
        if (copied && written != 0 && (copy < 0 || _host[copy].Iced.Mnemonic != g.Iced.Mnemonic) && !IsDead(index + 1, written, 0))
        {
            Report(0, $"guest +{g.Offset:x} {g.Iced}: its flags are live but not computed");
        }
    }

    /// <summary>True when on every way from the guest instruction on the flags are written before anything can read them.</summary>
    private bool IsDead(int index, RflagsBits flags, int depth)
    {
        for (; depth < MaxDepth && index < _guest.Count; index++, depth++)
        {
            GuestInstruction g = _guest[index];
            if (g.Iced.IsInvalid || (g.Iced.RflagsRead & flags) != 0)
            {
                return false;
            }

            switch (g.Class)
            {
                case I386Class.JmpRel:
                    return _guestAt.TryGetValue(Target(g), out int jump) && IsDead(jump, flags, depth + 1);
                case I386Class.Jcc:
                case I386Class.Loop:
                case I386Class.Jecxz:
                    if (!_guestAt.TryGetValue(Target(g), out int branch) || !IsDead(branch, flags, depth + 1))
                    {
                        return false;
                    }

                    break;
                case I386Class.Copy:
                case I386Class.IncDecReg:
                case I386Class.Moffs:
                case I386Class.PushReg:
                case I386Class.PushImm:
                case I386Class.PushRM:
                case I386Class.PopReg:
                case I386Class.PopRM:
                case I386Class.Pusha:
                case I386Class.Popa:
                case I386Class.Popf:
                case I386Class.Leave:
                case I386Class.StringOp:
                case I386Class.Xlat:
                case I386Class.Maskmov:
                    break;
                default:
                    return false;
            }

            if (!MayWriteNothing(g.Iced))
            {
                flags &= ~(g.Iced.RflagsWritten | g.Iced.RflagsCleared | g.Iced.RflagsSet);
            }

            if (g.Iced.Mnemonic is Mnemonic.And or Mnemonic.Or or Mnemonic.Xor or Mnemonic.Test)
            {
                // Undefined by the manual, written by every CPU.
                flags &= ~RflagsBits.AF;
            }

            if (flags == 0)
            {
                return true;
            }
        }

        return false;
    }

    private int Target(in GuestInstruction g) => (int)((uint)g.Iced.NearBranchTarget - _unit.Pc);

    /// <summary>Shifts by CL and repeated compares write no flags when the count is zero.</summary>
    private static bool MayWriteNothing(in Instruction guest)
    {
        if (guest.IsStringInstruction && (guest.HasRepPrefix || guest.HasRepnePrefix))
        {
            return true;
        }

        return guest.Mnemonic is Mnemonic.Shl or Mnemonic.Sal or Mnemonic.Shr or Mnemonic.Sar or Mnemonic.Rol or Mnemonic.Ror or Mnemonic.Rcl or Mnemonic.Rcr
            or Mnemonic.Shld or Mnemonic.Shrd && guest.GetOpKind(guest.OpCount - 1) == OpKind.Register;
    }
}
