using System.Numerics;
using System.Runtime.CompilerServices;
using System.Threading;
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
        uint furthest = _request.Pc;
        bool careful = _request.Checked || _request.HiddenFeatures != 0;
        byte* code = (byte*)(_request.Pc + _request.GuestBase);
        byte* start = code;
        byte* bound = code;
        Scanned* s = _scan;
        Scanned* end = s + (_request.MaxInstructions < MaxUnitInstructions ? _request.MaxInstructions : MaxUnitInstructions);
        FetchAhead(_request.Pc);
        for (; s != end; s++)
        {
            uint pc = _request.Pc + (uint)(code - start);
            if (code >= bound)
            {
                if (pc >= _request.FetchEnd || IsKnown(pc))
                {
                    break;
                }

                bound = NextBound(pc);
            }

            _indexAt[pc - _request.Pc] = (byte)((nuint)((byte*)s - (byte*)_scan) / ScannedBytes);
            uint length = 0;
            bool special = true;
            if (code < bound)
            {
                length = Measure(code, pc, s, out I386Translation facts);
                special = facts.IsTransfer | careful;
            }

            if (special)
            {
                if (length == 0 || s->Class == I386Class.Invalid || (_request.HiddenFeatures != 0
                    && (_request.HiddenFeatures >> (int)I386Decoder.FeatureOf(s->Shape) & 1) != 0))
                {
                    length = DecodeLong(s, pc);
                    if (length == 0)
                    {
                        break;
                    }
                }

                if ((s->Facts.IsTransfer || _request.Checked) && EndsUnit(s, pc + length, ref furthest))
                {
                    s++;
                    break;
                }
            }

            code += length;
        }

        _count = (int)(s - _scan);
        for (int i = 0; i < _branchCount; i++)
        {
            ref Scanned branch = ref _scan[_branches[i]];
            int at = IndexOf(BranchTarget(branch.Insn));
            branch.TargetIndex = (short)at;
            if (at >= 0)
            {
                _scan[at].IsJoin = true;
            }
        }
    }

    /// <summary>Has the processor load the lines that come next, all at once, if they are on the same page.</summary>
    private readonly void FetchAhead(uint pc)
    {
        const int Line = 64;
        if ((pc & 4095) < 4096 - (2 * Line) && pc + (2ul * Line) < _request.FetchEnd)
        {
            byte* code = (byte*)(pc + _request.GuestBase);
            _ = Volatile.Read(ref code[Line]);
            _ = Volatile.Read(ref code[2 * Line]);
        }
    }

    /// <summary>
    /// Length, facts and form of an instruction of the decoder's short way; its class is Invalid when it is none. Arithmetic in place of
    /// branches, since code that is new has the processor guess wrong often, and conditional moves the compiler does not make in a loop.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Measure(byte* code, uint pc, Scanned* s, out I386Translation facts)
    {
        // Read once: nobody can tell that the bytes stay the same.
        ulong first = Unsafe.ReadUnaligned<ulong>(code);
        s->First = first;
        s->Second = Unsafe.ReadUnaligned<ulong>(code + 8);
        uint length = I386Decoder.Measure(first, out facts, out I386Shape shape);
        s->Facts = facts;
        s->Shape = shape;
        s->Insn.Address = pc;
        s->Insn.Length = (byte)length;

        // 67h is needed with an index and with a far displacement. The latter lies behind ModRM when there is no SIB byte, and does not matter with one.
        uint ops = (uint)facts.Operands;
        uint form = (uint)shape;
        uint address32 = form / (uint)I386Shape.Index & 1;
        if ((form & (uint)I386Shape.Disp32) != 0)
        {
            uint disp = (uint)(first >> ((byte)first == 0x0F ? 24 : 16));
            address32 |= disp - unchecked((uint)SafeDispMin) > SafeDispMax - SafeDispMin ? 1u : 0;
        }

        address32 &= ~(ops / (uint)I386Operands.MemAddressOnly);
        uint notPlain = facts.IsPlain ? 0u : 1;
        uint changes = notPlain | (form & ops & (uint)(I386Shape.Reg4 | I386Shape.Rm4)) | (form & (uint)I386Shape.Changes);
        uint stack = notPlain | (form & ops & (uint)(I386Shape.Reg4 | I386Shape.RegHighByte))
            | ((form & (uint)(I386Shape.Base4 | I386Shape.Index)) ^ (uint)I386Shape.Base4);
        s->Start((EmitForm)((OnesIfZero(changes) & ((uint)EmitForm.AsIs + address32)) | (OnesIfZero(stack) & (uint)EmitForm.StackOperand)
            | ((0 - notPlain) & ((uint)EmitForm.Class + (uint)facts.Class))));
        return length;
    }

    /// <summary>All ones if the value, which has no highest bit, is zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint OnesIfZero(uint value) => (uint)((int)(value - 1) >> 31);

    /// <summary>
    /// Decodes any instruction. Returns its length; 0 when it runs over the end of what may be fetched, or is longer than 15 bytes: as the first
    /// instruction it is the caller's fault to raise; later ones are reached by an exit and become a first instruction then.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private readonly uint DecodeLong(Scanned* s, uint pc)
    {
        ulong room = _request.FetchEnd - pc;
        bool whole = I386Decoder.Decode((byte*)(pc + _request.GuestBase), room < 64 ? (int)room : 64, pc, out s->Insn, out I386Translation facts) >= 0;
        if (!whole || (_request.HiddenFeatures != 0 && I386Decoder.NeedsOneOf(s->Insn, _request.HiddenFeatures)))
        {
            facts = I386Table.Translation(I386Table.InvalidRow);
        }

        s->Facts = facts;
        s->Start(EmitForm.Other);
        s->IsComplete = true;
        s->Insn.Length += s->Insn.Length == 0 ? (byte)1 : (byte)0;
        return whole ? s->Insn.Length : 0u;
    }

    /// <summary>Does the unit end behind this instruction? <paramref name="pc"/> is what follows it.</summary>
    private bool EndsUnit(Scanned* s, uint pc, ref uint furthest)
    {
        ulong kind = 1ul << (int)s->Class;
        if ((kind & I386ClassSets.Branch) != 0)
        {
            if (!s->IsComplete)
            {
                // As much as BranchTarget and EmitJcc look at: two bytes have a displacement of one, others of four.
                int length = s->Insn.Length;
                s->Insn.Prefixes = I386Prefixes.None;
                s->Insn.Imm = length == 2 ? (uint)(sbyte)(s->First >> 8) : (uint)(s->First >> ((length - 4) * 8));
                s->Insn.Opcode = (byte)(length == 6 ? s->First >> 8 : s->First);
            }

            uint target = BranchTarget(s->Insn);
            if (target > furthest)
            {
                furthest = target;
            }

            _branches[_branchCount++] = (byte)(s - _scan);
        }
        else if ((kind & I386ClassSets.Call) != 0)
        {
            _callCount++;
        }

        bool fallsThrough = (kind & I386ClassSets.Final) == 0;
        if (!fallsThrough && (furthest < pc || (kind & I386ClassSets.Dispatcher) != 0))
        {
            return true;
        }

        // Code further on is reached less and less likely: past a number of branches it waits until it is.
        if (_branchCount + _callCount >= MaxBranches)
        {
            return true;
        }

        // Forward code that only a branch over it reaches is worth including only when it is near.
        if (!fallsThrough && furthest >= pc && furthest - pc > 64)
        {
            return true;
        }

        // A store may change the code behind it, a call comes back at any time later.
        return _request.Checked && ((s->Facts.Operands & I386Operands.MemWrite) != 0
            || s->Class is I386Class.StringOp or I386Class.Maskmov or I386Class.CallRel or I386Class.CallRM);
    }

    /// <summary>Where behind <paramref name="pc"/> a translation is known to begin, or fewer bytes can be fetched than a decoder may look at.</summary>
    private readonly byte* NextBound(uint pc)
    {
        ulong bound = _request.FetchEnd < I386Decoder.Window ? 0 : _request.FetchEnd - I386Decoder.Window + 1;
        uint offset = pc + 1 - _request.Pc;
        ulong behind = ~0ul << (int)(offset & 63);
        for (uint word = offset / 64; _request.Known != null && word < UnitRequest.KnownBytes / 64; word++)
        {
            ulong known = _request.Known[word] & behind;
            behind = ~0ul;
            if (known != 0)
            {
                ulong at = _request.Pc + (word * 64ul) + (uint)BitOperations.TrailingZeroCount(known);
                bound = at < bound ? at : bound;
                break;
            }
        }

        return (byte*)((long)bound + _request.GuestBase);
    }

    /// <summary>True when there is a translation of what comes next.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
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

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool FallsThrough(I386Class c) => (I386ClassSets.Final >> (int)c & 1) == 0;

    /// <summary>Instructions looked at for one answer; a unit has fewer, but they may be reached in several ways.</summary>
    private const int LivenessSteps = 4 * MaxUnitInstructions;

    /// <summary>
    /// Does anybody look at the old values of these flags before they are written, from an instruction of the unit on? Branches to joins
    /// further on are followed; branches backwards, exits, calls and returns count as reading every flag, so that a guest which passes flags
    /// in unusual ways keeps them.
    /// </summary>
    private readonly bool IsLive(int from, I386Flags flags)
    {
        int steps = LivenessSteps;
        return IsLive(from, flags, ref steps);
    }

    private readonly bool IsLive(int from, I386Flags flags, ref int steps)
    {
        for (int i = from; i < _count && steps > 0; i++, steps--)
        {
            ref Scanned s = ref _scan[i];
            if ((s.Facts.FlagsRead & flags) != 0)
            {
                return true;
            }

            flags &= ~s.Killed;
            if (flags == 0)
            {
                return false;
            }

            if (s.Facts.IsTransfer)
            {
                // What is no branch has no target.
                if (s.TargetIndex <= i || IsLive(s.TargetIndex, flags, ref steps))
                {
                    return true;
                }

                if (s.Class == I386Class.JmpRel)
                {
                    return false;
                }
            }
        }

        return true;
    }
}
