using System.Runtime.CompilerServices;
using Lodge.Translator.I386;

namespace Lodge.Translator.X64;

/// <summary>First pass: which instructions belong to the unit, where its joins are, which flags are live.</summary>
public unsafe partial struct UnitTranslator
{
    /// <summary>
    /// Decodes from the first instruction on. The run ends behind an instruction without fall-through that no earlier branch of the
    /// unit jumps over, at the instruction limit, or where nothing more can be fetched.
    /// </summary>
    private void Scan()
    {
        uint pc = _request.Pc;
        uint furthest = pc;
        int branches = 0;
        int limit = _request.MaxInstructions < MaxUnitInstructions ? _request.MaxInstructions : MaxUnitInstructions;
        while (_count < limit)
        {
            ulong room = _request.FetchEnd > pc ? _request.FetchEnd - pc : 0;
            if (room == 0 || IsKnown(pc))
            {
                break;
            }

            Scanned* s = _scan + _count;
            int length = I386Decoder.Decode((byte*)(pc + _request.GuestBase), room < 64 ? (int)room : 64, pc, out s->Insn, out s->Facts);
            if (length < 0)
            {
                // The instruction runs over the end of what may be fetched, or is longer than 15 bytes. As the first instruction it is
                // the caller's fault to raise; later ones are reached by an exit and become a first instruction then.
                break;
            }

            if (_request.HiddenFeatures != 0 && I386Decoder.NeedsOneOf(s->Insn, _request.HiddenFeatures))
            {
                s->Facts = I386Table.Translation(I386Table.InvalidRow);
            }

            s->Classify();
            _count++;
            pc += s->Insn.Length;
            if (s->Insn.Length == 0)
            {
                s->Insn.Length = 1;
                pc++;
            }

            ulong kind = 1ul << (int)s->Class;
            if ((kind & (FinalClasses | BranchClasses | CallClasses)) == 0 && !_request.Checked)
            {
                continue;
            }

            if ((kind & BranchClasses) != 0)
            {
                uint target = BranchTarget(s->Insn);
                if (target > furthest)
                {
                    furthest = target;
                }

                branches++;
            }
            else if ((kind & CallClasses) != 0)
            {
                branches++;
            }

            bool fallsThrough = FallsThrough(s->Class);
            if (!fallsThrough && (furthest < pc || EndsUnit(s->Class)))
            {
                break;
            }

            // Code further on is reached less and less likely: past a number of branches it waits until it is.
            if (branches >= MaxBranches)
            {
                break;
            }

            // Forward code that only a branch over it reaches is worth including only when it is near.
            if (!fallsThrough && furthest >= pc && furthest - pc > 64)
            {
                break;
            }

            // A store may change the code behind it, a call comes back at any time later.
            if (_request.Checked && ((s->Facts.Operands & I386Operands.MemWrite) != 0
                || s->Class is I386Class.StringOp or I386Class.Maskmov or I386Class.CallRel or I386Class.CallRM))
            {
                break;
            }
        }

        for (int i = 0; i < _count; i++)
        {
            if ((1ul << (int)_scan[i].Class & BranchClasses) != 0)
            {
                int at = IndexOf(BranchTarget(_scan[i].Insn));
                _scan[i].TargetIndex = (short)at;
                if (at >= 0)
                {
                    _scan[at].IsJoin = true;
                }
            }
        }
    }

    /// <summary>True when there is a translation of what comes next.</summary>
    private readonly bool IsKnown(uint pc)
    {
        uint offset = pc - _request.Pc;
        return _request.Known != null && offset < UnitRequest.KnownBytes && (_request.Known[offset >> 6] >> (int)(offset & 63) & 1) != 0;
    }

    /// <summary>Target of a relative branch; a 66h prefix truncates EIP to 16 bits.</summary>
    private static uint BranchTarget(in I386Insn insn)
    {
        uint target = insn.Address + insn.Length + insn.Imm;
        return (insn.Prefixes & I386Prefixes.OperandSize) != 0 ? target & 0xFFFF : target;
    }

    /// <summary>Classes that leave to the dispatcher: nothing behind them belongs to the unit unless a branch goes there.</summary>
    private const ulong DispatcherClasses =
        (1ul << (int)I386Class.Invalid) | (1ul << (int)I386Class.Ud) | (1ul << (int)I386Class.IntImm) | (1ul << (int)I386Class.Int3) |
        (1ul << (int)I386Class.Int1) | (1ul << (int)I386Class.Into) | (1ul << (int)I386Class.Bound) | (1ul << (int)I386Class.CallFar) |
        (1ul << (int)I386Class.JmpFar) | (1ul << (int)I386Class.RetFar) | (1ul << (int)I386Class.Iret) | (1ul << (int)I386Class.Sysenter) |
        (1ul << (int)I386Class.Syscall) | (1ul << (int)I386Class.BcdAdjust) | (1ul << (int)I386Class.BcdAxImm) |
        (1ul << (int)I386Class.Salc) | (1ul << (int)I386Class.Arpl) | (1ul << (int)I386Class.PushSeg) | (1ul << (int)I386Class.PopSeg) |
        (1ul << (int)I386Class.MovFromSeg) | (1ul << (int)I386Class.MovToSeg) | (1ul << (int)I386Class.LoadFarPointer) |
        (1ul << (int)I386Class.Enter) | (1ul << (int)I386Class.Cpuid) | (1ul << (int)I386Class.Xgetbv) |
        (1ul << (int)I386Class.Descriptor) | (1ul << (int)I386Class.SystemTable) | (1ul << (int)I386Class.X87State);

    /// <summary>Classes that never reach the next instruction.</summary>
    private const ulong FinalClasses = DispatcherClasses | (1ul << (int)I386Class.JmpRel) | (1ul << (int)I386Class.JmpRM)
        | (1ul << (int)I386Class.Ret) | (1ul << (int)I386Class.RetImm);

    /// <summary>Classes with a direct target that the unit may hold.</summary>
    private const ulong BranchClasses = (1ul << (int)I386Class.Jcc) | (1ul << (int)I386Class.Loop) | (1ul << (int)I386Class.Jecxz)
        | (1ul << (int)I386Class.JmpRel);

    private const ulong CallClasses = (1ul << (int)I386Class.CallRel) | (1ul << (int)I386Class.CallRM);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool FallsThrough(I386Class c) => (FinalClasses >> (int)c & 1) == 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool EndsUnit(I386Class c) => (DispatcherClasses >> (int)c & 1) != 0;

    /// <summary>
    /// Backward flag liveness over the run. Branches to joins further on use the join's own result; branches backwards, exits, calls and
    /// returns count as reading every flag, so that a guest which passes flags in unusual ways keeps them.
    /// </summary>
    private void ComputeLiveness()
    {
        I386Flags live = I386Flags.Arith;
        for (int i = _count - 1; i >= 0; i--)
        {
            ref Scanned s = ref _scan[i];
            ulong kind = 1ul << (int)s.Class;
            if ((kind & (BranchClasses | FinalClasses)) != 0)
            {
                if ((kind & BranchClasses) != 0)
                {
                    int target = s.TargetIndex;
                    I386Flags taken = target > i ? _scan[target].LiveIn : I386Flags.Arith;
                    live = s.Class == I386Class.JmpRel ? taken : live | taken;
                }
                else
                {
                    live = I386Flags.Arith;
                }
            }

            // LiveOut of a call describes the landing behind it; LiveIn treats the call itself as reading all.
            s.LiveOut = live;
            live = s.LiveIn;
        }
    }
}
