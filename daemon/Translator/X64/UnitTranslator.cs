using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Lodge.Translator.I386;

namespace Lodge.Translator.X64;

/// <summary>
/// Translates one unit of i386 code to x86-64: a run of guest instructions in address order with one first entry, inner joins and
/// several exits. Instructions are copied register for register; what differs between the modes is rewritten (docs/translator.md).
/// Deterministic: the same bytes, request and layout give the same host bytes. No state outside this value; not thread-safe.
/// </summary>
public unsafe partial struct UnitTranslator
{
    /// <summary>Most instructions a unit may have.</summary>
    public const int MaxUnitInstructions = 128;

    /// <summary>Guest bytes that a unit can have.</summary>
    internal const int MaxGuestBytes = MaxUnitInstructions * I386Decoder.MaxLength;

    internal const int ScannedBytes = 64;

    /// <summary>Host bytes that a unit can need in the worst case.</summary>
    public const int MaxUnitHostBytes = MaxUnitInstructions * 160 + 1024;

    /// <summary>Bytes of exit stubs that a unit can need in the worst case.</summary>
    public const int MaxUnitColdBytes = (MaxCold * 18) + (MaxUnitParts * 11);

    /// <summary>Side table entries that a unit can need in the worst case.</summary>
    public const int MaxUnitBoundaries = (MaxUnitInstructions * 6) + 16;

    private const int MaxDelta = 2048;
    internal const int MaxCold = 64;
    private const int MaxBranches = 14;

    /// <summary>Most exits, inner entries and landings that a unit can have: each branch or call makes at most one of each.</summary>
    public const int MaxUnitParts = MaxBranches + 2;

    private UnitRequest _request;
    private EmitLayout _layout;
    private UnitResult* _result;
    private Scanned* _scan;
    private byte* _indexAt;
    private int _count;
    private int _index;
    private int _delta;
    private CodeBuffer _code;
    private bool _stopped;

    /// <summary>Index of the jump whose target's code offset is in r9 already; -1 = none.</summary>
    private int _tableJump;
    private int _pendingCount;
    private Pending* _pending;
    private int _coldCount;
    private long* _cold;
    private Boundary* _nextBoundary;
    private int _lastBoundaryAt;
    private int _branchCount;
    private int _callCount;

    /// <summary>Indices of the branches.</summary>
    private fixed byte _branches[MaxBranches + 2];

    /// <summary>How an instruction is written, as far as the first pass can tell.</summary>
    internal enum EmitForm : byte
    {
        /// <summary>Looked at in detail when its turn comes.</summary>
        Other,
        /// <summary>The guest's own bytes.</summary>
        AsIs,
        /// <summary>67h, then the guest's own bytes.</summary>
        Address32,
        /// <summary>[ESP+disp] is the only way in which ESP comes in, and there is no byte register that REX would change.</summary>
        StackOperand,
        /// <summary>From here on: the class.</summary>
        Class,
    }

    /// <summary>One scanned instruction.</summary>
    [StructLayout(LayoutKind.Sequential, Size = ScannedBytes)]
    internal struct Scanned
    {
        /// <summary>Address and length; the rest only after <see cref="Complete"/>.</summary>
        internal I386Insn Insn;
        /// <summary>What the form is about. See <see cref="First"/>.</summary>
        internal I386Shape Shape;
        internal I386Translation Facts;
        /// <summary>The guest's bytes, when <see cref="Form"/> is not <see cref="EmitForm.Other"/>.</summary>
        internal ulong First;
        internal ulong Second;
        internal ushort HostOffset;
        /// <summary>Index of the branch's target in the unit, or -1.</summary>
        internal short TargetIndex;
        internal bool IsComplete;
        internal EmitForm Form;
        internal bool IsJoin;

        internal readonly I386Class Class => Facts.Class;

        /// <summary>Forms <see cref="EmitForm.AsIs"/> and <see cref="EmitForm.Address32"/>, and no join.</summary>
        internal readonly bool IsPlainCopy => Unsafe.ReadUnaligned<ushort>(in Unsafe.As<EmitForm, byte>(ref Unsafe.AsRef(in Form))) - 1u <= 1;

        /// <summary>Flags whose old values are certainly gone behind it.</summary>
        internal I386Flags Killed
        {
            get
            {
                if (!Facts.KilledByCount)
                {
                    return Facts.FlagsKilled;
                }

                Complete();
                return (Insn.Imm & 31) == 0 ? I386Flags.None : Facts.FlagsKilled;
            }
        }

        /// <summary>What the first pass starts from: one store for the fields from <see cref="HostOffset"/> on.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        internal void Start(EmitForm form) => Unsafe.As<ushort, ulong>(ref HostOffset) = 0xFFFF_0000ul | ((ulong)form << 40);

        /// <summary>Fills in all of <see cref="Insn"/>.</summary>
        internal void Complete()
        {
            if (!IsComplete)
            {
                fixed (Scanned* s = &this)
                {
                    I386Decoder.Fill((byte*)&s->First, Insn.Address, Insn.Length, Shape, &s->Insn);
                    IsComplete = true;
                }
            }
        }
    }

    private struct Pending
    {
        internal int PatchOffset;
        internal int TargetIndex;
    }

    /// <summary>
    /// Translates the unit at <c>request.Pc</c>. Returns the number of guest instructions, or 0 when not even the first instruction
    /// can be fetched (the caller raises the guest's fault).
    /// </summary>
    public static int Translate(in UnitRequest request, in EmitLayout layout, UnitResult* result, ref UnitScratch scratch)
    {
        UnitTranslator translator = default;
        translator._request = request;
        translator._layout = layout;
        translator._result = result;
        translator._code = result->Code;
        translator._scan = (Scanned*)scratch.Scan;
        translator._indexAt = scratch.Scan + (MaxUnitInstructions * sizeof(Scanned));
        translator._pending = (Pending*)scratch.PendingJumps;
        translator._cold = (long*)(translator._pending + MaxUnitInstructions);
        translator._nextBoundary = result->Boundaries;
        translator._lastBoundaryAt = -1;
        result->ExitCount = 0;
        result->EntryCount = 0;
        result->LandingCount = 0;
        result->Thunk = 0;
        result->Table = 0;
        result->TableLength = 0;
        translator._tableJump = -1;
        translator.Scan();
        if (translator._count == 0)
        {
            return 0;
        }

        translator.EmitAll();
        result->Code = translator._code;
        result->BoundaryCount = (int)(translator._nextBoundary - result->Boundaries);
        result->Instructions = translator._count;
        return translator._count;
    }

    private void EmitAll()
    {
        for (_index = 0; _index < _count && !_stopped; _index++)
        {
            ref Scanned s = ref _scan[_index];
            if (s.IsPlainCopy && (_delta == 0 || !NextIsBranch()) && !_request.Segmented)
            {
                s.HostOffset = (ushort)_code.Position;
                AddBoundary(s.Insn.Address, BoundaryKind.Normal, 0);
                EmitAsIs();
                continue;
            }

            if (s.IsJoin)
            {
                EmitJoin(ref s);
            }

            s.HostOffset = (ushort)_code.Position;
            AddBoundary(s.Insn.Address, BoundaryKind.Normal, 0);
            switch (_request.Segmented ? EmitForm.Other : s.Form)
            {
                case EmitForm.AsIs or EmitForm.Address32 when _delta == 0 || !NextIsBranch():
                    EmitAsIs();
                    break;
                case EmitForm.StackOperand:
                    EmitStackOperand(ref s);
                    break;
                case EmitForm.Class + (int)I386Class.PushReg when (s.First & 7) != HostReg.Rsp:
                    EmitPush((int)s.First & 7);
                    break;
                case EmitForm.Class + (int)I386Class.PopReg when (s.First & 7) != HostReg.Rsp:
                    EmitPop((int)s.First & 7);
                    break;
                case EmitForm.Class + (int)I386Class.Jcc:
                    EmitJcc(ref s);
                    break;
                case EmitForm.Class + (int)I386Class.CallRel:
                    s.Complete();
                    EmitCallRel(ref s);
                    break;
                default:
                    EmitInDetail(ref s);
                    break;
            }
        }

        if (!_stopped)
        {
            MarkNext(BoundaryKind.Normal);
            if (_delta != 0)
            {
                CommitEsp();
                MarkNext(BoundaryKind.Normal);
            }

            uint next = _scan[_count - 1].Insn.Address + _scan[_count - 1].Insn.Length;
            EmitExitJump(next);
        }

        ResolvePending();
        EmitColdStubs();
        ref I386Insn last = ref _scan[_count - 1].Insn;
        _result->GuestLength = last.Address + last.Length - _request.Pc;
    }

    /// <summary>What comes before an instruction that others branch to.</summary>
    private void EmitJoin(ref Scanned s)
    {
        if (_delta != 0)
        {
            // The instruction before is done and must not be restarted while the stack pointer is brought up to date.
            AddBoundary(s.Insn.Address, BoundaryKind.Normal, 0);
            CommitEsp();
        }

        if (_index != 0)
        {
            ref UnitEntry entry = ref _result->Entries[_result->EntryCount++];
            entry.Address = s.Insn.Address;
            entry.HostOffset = _code.Position;
        }
    }

    /// <summary>An instruction whose form did not say everything.</summary>
    private void EmitInDetail(ref Scanned s)
    {
        s.Complete();
        if (s.Facts.IsPlain)
        {
            if (s.Insn.Opcode == 0x8B)
            {
                PrepareTableJump(ref s);
            }

            if (EmitPlain(ref s))
            {
                return;
            }
        }

        Emit(ref s);
        if (_delta is > MaxDelta or < -MaxDelta)
        {
            MarkNext(BoundaryKind.Normal);
            CommitEsp();
        }
    }

    /// <summary>Opens a side table entry for the current instruction at the current host position.</summary>
    private void Mark(BoundaryKind kind, int register = 0) => AddBoundary(_scan[_index].Insn.Address, kind, register);

    /// <summary>Opens a side table entry for the next instruction: everything before is done.</summary>
    private void MarkNext(BoundaryKind kind)
    {
        ref I386Insn insn = ref _scan[_index < _count ? _index : _count - 1].Insn;
        AddBoundary(insn.Address + insn.Length, kind, 0);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void AddBoundary(uint guest, BoundaryKind kind, int register)
    {
        int host = _code.Position;
        Boundary* b = _nextBoundary;
        if (_lastBoundaryAt == host)
        {
            // Nothing was written since: the entry is superseded.
            b--;
        }

        _lastBoundaryAt = host;
        _nextBoundary = b + 1;

        // One store: host offset, guest offset, ESP's delta, kind, register.
        *(ulong*)b = (ushort)host | ((ulong)(ushort)(guest - _request.Pc) << 16) | ((ulong)(ushort)_delta << 32)
            | ((ulong)(byte)kind << 48) | ((ulong)(byte)register << 56);
    }

    /// <summary>Brings r15d up to the guest's ESP. Flag-neutral.</summary>
    private void CommitEsp()
    {
        if (_delta != 0)
        {
            _code.Lea32(HostReg.Esp, HostReg.Esp, _delta);
            _delta = 0;
        }
    }

    private void ResolvePending()
    {
        for (int i = 0; i < _pendingCount; i++)
        {
            int target = _scan[_pending[i].TargetIndex].HostOffset;
            *(int*)(_code.Start + _pending[i].PatchOffset) = target - (_pending[i].PatchOffset + 4);
        }
    }

    /// <summary>Index of the scanned instruction at <paramref name="address"/>, or -1.</summary>
    private readonly int IndexOf(uint address)
    {
        uint offset = address - _request.Pc;
        if (offset >= MaxGuestBytes)
        {
            return -1;
        }

        // Only where an instruction begins has something been written.
        int index = _indexAt[offset];
        return index < _count && _scan[index].Insn.Address == address ? index : -1;
    }

    /// <summary>Position, relative to the unit, of a place in the stub area.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly int Stub(int cacheOffset) => cacheOffset - _request.HostOffset;
}

/// <summary>Work memory of a translation; owned by whoever holds the translation lock.</summary>
public unsafe struct UnitScratch
{
    /// <summary>At least <see cref="ScanBytes"/> bytes.</summary>
    public byte* Scan;
    /// <summary>At least <see cref="PendingBytes"/> bytes.</summary>
    public byte* PendingJumps;

    /// <summary>Bytes needed for <see cref="Scan"/>.</summary>
    public const int ScanBytes = (UnitTranslator.MaxUnitInstructions * UnitTranslator.ScannedBytes) + UnitTranslator.MaxGuestBytes;

    /// <summary>Bytes needed for <see cref="PendingJumps"/>.</summary>
    public const int PendingBytes = (8 * UnitTranslator.MaxUnitInstructions) + (16 * UnitTranslator.MaxCold);
}
