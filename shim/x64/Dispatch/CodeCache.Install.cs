using System.Threading;
using Lodge.Protocol;
using Lodge.Translator.X64;

namespace Lodge.Shim;

/// <summary>Translation, linking and invalidation of units.</summary>
public unsafe partial struct CodeCache
{
    /// <summary>Write faults after which a page's code is checked at every entry instead of protected.</summary>
    private const int CheckedThreshold = 32;

    /// <summary>
    /// Exit stubs run once or never and would be a third of what lies between hot instructions: they get chunks of their own. No unit lies
    /// there, so a signal handler that finds a thread in one knows that it is on its way out.
    /// </summary>
    private const uint ColdChunk = 16 << 10;

    /// <summary>Bytes of <c>mov r, [esp]; ret</c>.</summary>
    private const uint ThunkLength = 4;

    /// <summary>Most exits, inner entries and landings that a unit can have (see <c>UnitTranslator.MaxUnitParts</c>).</summary>
    private const int MaxParts = UnitTranslator.MaxUnitParts;

    /// <summary>
    /// Code cache offset at which guest code for <paramref name="pc"/> can be entered, translating it when needed and entering it into the
    /// thread's target table. 0 when the guest may not fetch there: the caller raises SIGSEGV; otherwise the thread counts as inside.
    /// </summary>
    public uint Find(GuestThread* t, uint pc)
    {
        Lock.Acquire(t);
        bool segmented = t->Exec.Segmented != 0;
        uint offset = Lookup(pc, segmented, out uint unit);
        bool isChecked = false;
        bool translated = false;
        if (offset != 0)
        {
            isChecked = UnitRef(unit).Checked != 0;
            if (isChecked && !SourceMatches(unit))
            {
                Kill(unit);
                offset = 0;
            }
        }

        if (offset == 0)
        {
            offset = Translate(t, pc, segmented, out unit);
            isChecked = offset != 0 && UnitRef(unit).Checked != 0;
            translated = true;
        }

        if (offset != 0 && !isChecked)
        {
            if (segmented)
            {
                SetTarget(pc, offset, segmented);
            }
            else
            {
                bool indirect = t->Exec.Reason == (uint)ExitReason.Miss;
                if (translated || !indirect)
                {
                    Tell(t, indirect ? ForkHints.Translated : ForkHints.LookedUp, pc);
                }

                Remember(pc, offset, indirect);
            }
        }

        return LeaveWith(t, offset);
    }

    /// <summary>
    /// Makes the offset be found sooner. A target of indirect branches gets into the target table the second time: most are met once,
    /// and the table takes a page for every KiB of guest code.
    /// </summary>
    private void Remember(uint pc, uint offset, bool indirect)
    {
        ulong* slot = _recent + RecentSlot(pc);
        if (indirect && *slot != 0)
        {
            SetTarget(pc, offset, segmented: false);
        }
        else
        {
            Volatile.Write(ref *slot, ((ulong)offset << 32) | pc);
        }
    }

    /// <summary>Releases the lock for a thread that will enter the cache at the offset: it is inside before anybody can empty the cache.</summary>
    private uint LeaveWith(GuestThread* t, uint offset)
    {
        t->Exec.InCache = offset != 0 ? 1 : 0;
        Lock.Release(t);
        return offset;
    }

    /// <summary>
    /// Links the exit to its target, translating that when needed. Returns the target's offset, or 0 when it cannot be fetched; as
    /// <see cref="Find"/>.
    /// </summary>
    /// <param name="t">The calling thread.</param>
    /// <param name="exitId">The exit.</param>
    /// <param name="generation"><see cref="Generation"/> when the exit was taken.</param>
    /// <param name="target">The exit's target.</param>
    public uint Link(GuestThread* t, uint exitId, uint generation, uint target)
    {
        Lock.Acquire(t);
        if (generation != _generation)
        {
            Lock.Release(t);
            return Find(t, target);
        }

        bool segmented = UnitRef(LinkRef(exitId).Owner).Segmented != 0;
        uint offset = Lookup(target, segmented, out uint unit);
        if (offset == 0)
        {
            offset = Translate(t, target, segmented, out unit);
        }

        if (offset != 0 && UnitRef(unit).Checked != 0)
        {
            Lock.Release(t);
            return Find(t, target);
        }

        if (offset != 0 && generation == _generation)
        {
            Tell(t, exitId, target);
            ConnectIfFree(exitId, unit, offset);
        }

        return LeaveWith(t, offset);
    }

    private readonly void ConnectIfFree(uint exitId, uint unit, uint offset)
    {
        ref LinkRecord link = ref LinkRef(exitId);
        ref Unit owner = ref UnitRef(link.Owner);
        if (owner.Dead == 0 && owner.Checked == 0 && link.NextIncoming == LinkRecord.NotLinked)
        {
            Connect(exitId, ref link, unit, offset);
        }
    }

    private readonly void Connect(uint exitId, ref LinkRecord link, uint unit, uint offset)
    {
        ref Unit entered = ref UnitRef(unit);
        link.NextIncoming = entered.Incoming;
        entered.Incoming = exitId;
        *(int*)(Base + link.PatchAt) = (int)offset - (int)(link.PatchAt + 4);
    }

    /// <summary>Goes up when the cache is emptied: exits and offsets from before mean nothing then. Stable while the thread is inside.</summary>
    public readonly uint Generation => _generation;

    /// <summary>Guest target of an exit.</summary>
    public readonly uint TargetOf(uint exitId) => LinkRef(exitId).Target;

    private readonly bool SourceMatches(uint unit)
    {
        ref Unit u = ref UnitRef(unit);
        byte* guest = (byte*)(nuint)u.Pc;
        byte* copy = _sources + u.Source;
        for (uint i = 0; i < u.Length; i++)
        {
            if (guest[i] != copy[i])
            {
                return false;
            }
        }

        return true;
    }

    private void KeepSource(uint unit)
    {
        ref Unit u = ref UnitRef(unit);
        u.Checked = 1;
        u.Source = _sourcesUsed;
        byte* guest = (byte*)(nuint)u.Pc;
        for (uint i = 0; i < u.Length; i++)
        {
            _sources[_sourcesUsed++] = guest[i];
        }
    }

    /// <summary>Makes sure that a unit of the largest size fits into every table.</summary>
    private void MakeRoom(GuestThread* t, bool segmented)
    {
        bool fits = (segmented ? _segmentedEntries.MakeRoom(MaxParts + 1) : _entries.MakeRoom(MaxParts + 1))
            && _used + UnitTranslator.MaxUnitHostBytes + ColdChunk + ShadowChunk + 64 <= Sizes.Code && _unitCount + 1 < Sizes.Units
            && (_recordsUsed * 4ul) + (64 * 1024) < Sizes.Records && _sourcesUsed + 8192 < Sizes.Sources
            && (Sizes.TargetNodes == 0 || (_targetNodes + 2 <= Sizes.TargetNodes && _segmentedNodes + 2 <= Sizes.TargetNodes));
        if (!fits)
        {
            Flush(t);
            if (!(segmented ? _segmentedEntries.MakeRoom(MaxParts + 1) : _entries.MakeRoom(MaxParts + 1)))
            {
                Fatal.Stop("no memory for translated code"u8);
            }
        }

        PopulateAhead();
    }

    private uint Translate(GuestThread* t, uint pc, bool segmented, out uint unit)
    {
        unit = 0;
        UnitRequest request = default;
        request.Pc = pc;
        if (!Mm.FetchRange(t->Mm, pc, out request.FetchEnd, out bool writable))
        {
            return 0;
        }

        // A file that has become shorter than its mapping: the page is there and cannot be read.
        ulong pageEnd = ((ulong)pc & ~4095ul) + 4096;
        if (!User.Get(pc, out byte _))
        {
            return 0;
        }

        if (request.FetchEnd > pageEnd && !User.Get((uint)pageEnd, out byte _))
        {
            request.FetchEnd = pageEnd;
        }

        MakeRoom(t, segmented);
        uint inside = EnterInside(pc, segmented, out unit);
        if (inside != 0)
        {
            return inside;
        }

        ulong* known = stackalloc ulong[UnitRequest.KnownBytes / 64];
        FindKnown(pc, segmented, known);
        request.Known = known;
        request.JumpTable = &Shadow;
        request.Context = t->Mm->Code;
        request.MaxInstructions = UnitTranslator.MaxUnitInstructions;
        request.Segmented = segmented;
        bool checkedCode = t->Group->Settings.Has(Workaround.CheckedCode);
        request.Thunks = _thunks;
        if (writable || checkedCode)
        {
            // Units from writable pages stay within one page, so that one fault invalidates what it must; only an instruction that starts
            // in the last bytes reaches into the next one.
            ulong end = (pc & 4095) > 4096 - 16 ? pageEnd + 16 : pageEnd;
            request.FetchEnd = request.FetchEnd < end ? request.FetchEnd : end;
            request.Checked = checkedCode || _pageFaults[PageSlot(pc >> 12)] >= CheckedThreshold;
            if (!request.Checked)
            {
                // Write protection comes before the bytes are read: what is translated is what later stores fault on.
                Mm.ProtectCode(t, pc & ~4095u);
                if (request.FetchEnd > pageEnd)
                {
                    Mm.ProtectCode(t, (uint)pageEnd);
                }
            }
        }
        else
        {
            request.FetchEnd = request.FetchEnd < pageEnd + 4096 ? request.FetchEnd : pageEnd + 4096;
        }

        bool timed = t->Group->Statistics != 0;
        ulong start = timed ? Now() : 0;
        unit = Generate(t, ref request);
        if (timed)
        {
            TranslationTime += Now() - start;
        }

        if (unit == 0)
        {
            return 0;
        }

        if (request.Checked)
        {
            KeepSource(unit);
        }

        return UnitRef(unit).HostStart;
    }

    /// <summary>
    /// Finds the address inside a unit that is there already, and makes it an entry: about a quarter of all code would be translated twice
    /// otherwise. It can be entered where an instruction begins with ESP in r15d: the state is the guest's there, and what the unit leaves
    /// out before is dead behind it.
    /// </summary>
    /// <returns>Code cache offset; 0 when there is none.</returns>
    private uint EnterInside(uint pc, bool segmented, out uint unit)
    {
        unit = 0;
        if (segmented)
        {
            return 0;
        }

        // The nearest beginnings before the address: code of a unit rarely reaches over more than one other.
        uint from = pc;
        for (int tries = 0; tries < 4; tries++)
        {
            from = StartBefore(from, pc);
            if (from == pc)
            {
                return 0;
            }

            if (Lookup(from, false, out unit) == 0)
            {
                continue;
            }

            ref Unit u = ref UnitRef(unit);
            int at = pc - u.Pc < u.Length && (u.Dead | u.Checked) == 0 ? InstructionAt(unit, pc - u.Pc) : -1;
            if (at >= 0)
            {
                uint reference = _recordsUsed;
                _recordsUsed += (uint)sizeof(EntryRecord) / 4;
                AddEntry(reference, unit, pc, u.HostStart + (uint)at, segmented);
                ((EntryRecord*)(_records + reference))->NextFurther = u.FurtherEntries;
                u.FurtherEntries = reference;
                return u.HostStart + (uint)at;
            }
        }

        return 0;
    }

    /// <summary>Fills in <see cref="UnitRequest.Known"/>: what is there already is linked to, not translated again.</summary>
    private readonly void FindKnown(uint pc, bool segmented, ulong* known)
    {
        for (uint i = 0; i < UnitRequest.KnownBytes / 64; i++)
        {
            known[i] = segmented ? 0 : StartsAt(pc + (i * 64));
        }

        known[0] &= ~1ul;
    }

    /// <summary>How far before an address a unit that holds it may begin.</summary>
    private const uint StartReach = 768;

    /// <summary>
    /// The bits for 64 addresses: one for each of the lowest <see cref="CodeCacheSizes.StartBits"/> at which a unit begins; further up the bits
    /// are shared, so one may mean nothing.
    /// </summary>
    private readonly ulong StartsAt(uint pc)
    {
        uint word = (pc & (Sizes.StartBits - 1)) >> 6;
        int shift = (int)(pc & 63);
        ulong low = _starts[-1 - (int)word] >> shift;
        return shift == 0 ? low : low | (_starts[-1 - (int)((word + 1) & ((Sizes.StartBits >> 6) - 1))] << (64 - shift));
    }

    /// <summary>The nearest beginning of a unit before an address, or <paramref name="pc"/> when there is none within reach of that.</summary>
    private readonly uint StartBefore(uint address, uint pc)
    {
        while (pc - address < StartReach)
        {
            ulong bits = StartsAt(address - 64);
            if (bits != 0)
            {
                return address - 1 - (uint)System.Numerics.BitOperations.LeadingZeroCount(bits);
            }

            address -= 64;
        }

        return pc;
    }

    private readonly void MarkStart(uint pc, bool there)
    {
        ref ulong word = ref _starts[-1 - (int)((pc & (Sizes.StartBits - 1)) >> 6)];
        ulong bit = 1ul << (int)(pc & 63);
        word = there ? word | bit : word & ~bit;
    }

    /// <summary>Host offset in the unit at which the instruction at the guest offset begins with nothing moved aside; -1 = nowhere.</summary>
    private readonly int InstructionAt(uint unit, uint guestOffset)
    {
        SideTable table = new(SideTableOf(unit), UnitRef(unit).SideTableBytes);
        while (table.Next())
        {
            // The first entry for an instruction is its beginning, except that a landing comes before the instruction behind the call.
            Boundary b = table.Current;
            if (b.GuestOffset == guestOffset && b.Kind is not (BoundaryKind.TargetInR8 or BoundaryKind.TargetInR8RcxInR9))
            {
                return b.Kind == BoundaryKind.Normal && b.EspDelta == 0 && b.Register == 0 ? b.HostOffset : -1;
            }
        }

        return -1;
    }

    /// <summary>Link of the list of units by page, for a unit that is on the list of the page.</summary>
    private readonly uint* NextOnPage(Unit* u, uint slot) =>
        PageSlot(u->Pc >> 12) == slot ? &u->NextOnFirstPage
        : PageSlot((u->Pc + u->Length - 1) >> 12) == slot ? &u->NextOnSecondPage
        : u->Thunk != 0 && PageSlot(u->Thunk >> 12) == slot ? &u->NextOnThunkPage : &u->NextOnTablePage;

    /// <summary>
    /// A unit of one instruction at <paramref name="pc"/> that is entered only by the caller: the page is not protected, and nothing else
    /// finds the unit. For stores into the code's own page and for single-stepping. 0 when the guest may not fetch there.
    /// </summary>
    public uint Single(GuestThread* t, uint pc)
    {
        Lock.Acquire(t);
        bool segmented = t->Exec.Segmented != 0;
        int slot = (int)(((pc * 2654435761u) >> 20) % SingleSlots);
        uint unit = 0;
        UnitRequest request = default;
        if (Mm.FetchRange(t->Mm, pc, out request.FetchEnd, out _) && User.Get(pc, out byte _))
        {
            MakeRoom(t, segmented);
            unit = _singles[slot];
            if (unit == 0 || UnitRef(unit).Pc != pc || (UnitRef(unit).Segmented != 0) != segmented
                || pc + (ulong)UnitRef(unit).Length > request.FetchEnd || !SourceMatches(unit))
            {
                request.Pc = pc;
                request.Segmented = segmented;
                request.MaxInstructions = 1;
                request.Checked = true;
                request.FetchEnd = request.FetchEnd < (ulong)pc + 16 ? request.FetchEnd : (ulong)pc + 16;
                _hidden = true;
                unit = Generate(t, ref request);
                _hidden = false;
                if (unit != 0)
                {
                    KeepSource(unit);
                }

                _singles[slot] = unit;
            }
        }

        return LeaveWith(t, unit != 0 ? UnitRef(unit).HostStart : 0);
    }

    /// <summary>Notes that a store into the page dropped its code; pages that do so again and again are checked instead of protected.</summary>
    public void CountWriteFault(uint address)
    {
        ref byte count = ref _pageFaults[PageSlot(address >> 12)];
        if (count < 255)
        {
            count++;
        }
    }

    private uint Generate(GuestThread* t, ref UnitRequest request)
    {
        request.HiddenFeatures = t->Group->HiddenInstructions;
        UnitExit* exits = stackalloc UnitExit[MaxParts];
        UnitEntry* entries = stackalloc UnitEntry[MaxParts];
        int* landings = stackalloc int[MaxParts];
        _used = (_used + 15) & ~15u;
        if (_coldUsed + UnitTranslator.MaxUnitColdBytes > _coldEnd)
        {
            _coldUsed = _used;
            _used += ColdChunk;
            _coldEnd = _used;
        }

        MakeShadowRoom();
        uint unit = _recordsUsed;
        request.HostOffset = (int)_used;
        request.ColdOffset = (int)_coldUsed;
        request.FirstExitId = LinksOf(unit);
        request.ExitIdStep = (uint)sizeof(LinkRecord) / 4;
        UnitResult result = default;
        result.Code = new CodeBuffer(Base + _used, UnitTranslator.MaxUnitHostBytes);
        result.Cold = new CodeBuffer(Base + _coldUsed, UnitTranslator.MaxUnitColdBytes);
        result.Exits = exits;
        result.Entries = entries;
        result.Landings = landings;
        result.Boundaries = _boundaries;
        return UnitTranslator.Translate(request, Layout, &result, ref _scratch) == 0 ? 0 : Install(unit, request, result);
    }

    private uint Install(uint unit, in UnitRequest request, in UnitResult result)
    {
        uint pc = request.Pc;
        ref Unit u = ref UnitRef(unit);
        u = default;
        u.Pc = pc;
        u.Length = result.GuestLength;
        u.HostStart = _used;
        u.HostLength = (uint)result.Code.Position;
        u.LinkCount = (ushort)result.ExitCount;
        u.EntryCount = (ushort)(_hidden ? 0 : result.EntryCount + 1);
        u.LandingCount = (ushort)result.LandingCount;
        u.Segmented = request.Segmented ? (byte)1 : (byte)0;
        for (uint i = 0; i < u.LinkCount; i++)
        {
            ref LinkRecord link = ref LinkRef(LinksOf(unit) + (i * request.ExitIdStep));
            link.PatchAt = _used + (uint)result.Exits[i].PatchOffset;
            link.Stub = _used + (uint)result.Exits[i].StubOffset;
            link.Target = result.Exits[i].Target;
            link.NextIncoming = LinkRecord.NotLinked;
            link.Owner = unit;
        }

        int* landings = (int*)(_records + LandingsOf(unit));
        for (int i = 0; i < u.LandingCount; i++)
        {
            landings[i] = result.Landings[i];
        }

        u.SideTableBytes = (ushort)SideTable.Write(SideTableOf(unit), result.Boundaries, result.BoundaryCount);

        if (!_hidden)
        {
            uint entry = EntriesOf(unit);
            AddEntry(entry, unit, pc, _used, request.Segmented);
            for (int i = 0; i < result.EntryCount; i++)
            {
                entry += (uint)sizeof(EntryRecord) / 4;
                AddEntry(entry, unit, result.Entries[i].Address, _used + (uint)result.Entries[i].HostOffset, request.Segmented);
            }

            if (!request.Checked && !request.Segmented)
            {
                MarkStart(pc, true);
            }

            uint first = PageSlot(pc >> 12);
            uint last = PageSlot((pc + u.Length - 1) >> 12);
            u.NextOnFirstPage = _pageUnits[first];
            _pageUnits[first] = unit;
            if (last != first)
            {
                u.NextOnSecondPage = _pageUnits[last];
                _pageUnits[last] = unit;
            }

            if (result.Thunk != 0)
            {
                uint page = PageSlot(result.Thunk >> 12);
                u.Thunk = result.Thunk;
                if (page != first && page != last)
                {
                    u.NextOnThunkPage = _pageUnits[page];
                    _pageUnits[page] = unit;
                }
            }

            if (result.Table != 0)
            {
                uint page = PageSlot(result.Table >> 12);
                u.Table = result.Table;
                u.TableLength = result.TableLength;
                if (page != first && page != last && (u.Thunk == 0 || page != PageSlot(u.Thunk >> 12)))
                {
                    u.NextOnTablePage = _pageUnits[page];
                    _pageUnits[page] = unit;
                }
            }

            // Checked units stay correct by their own bytes only.
            if (u.Length == ThunkLength && !request.Checked && !request.Segmented)
            {
                int register = UnitTranslator.ThunkRegister((byte*)(nuint)pc);
                if (register >= 0)
                {
                    ref ThunkRecord thunk = ref _thunks[ThunkRecord.SlotOf(pc)];
                    thunk.Address = pc;
                    thunk.Register = register;
                }
            }
        }

        if (!request.Checked)
        {
            // What is there already is linked at once: each exit that finds its stub costs a round through the dispatcher.
            uint exit = LinksOf(unit);
            for (uint i = 0; i < u.LinkCount; i++, exit += request.ExitIdStep)
            {
                ref LinkRecord link = ref LinkRef(exit);
                uint offset = Lookup(link.Target, request.Segmented, out uint target);
                if (offset != 0 && UnitRef(target).Checked == 0)
                {
                    Connect(exit, ref link, target, offset);
                }
            }
        }

        _recordsUsed = LandingsOf(unit) + u.LandingCount + ((u.SideTableBytes + 3u) / 4);
        _used += u.HostLength;
        _coldUsed += (uint)result.Cold.Position;
        TranslatedInstructions += (ulong)result.Instructions;
        TranslatedUnits++;
        TranslatedBytes += u.Length;
        EmittedBytes += u.HostLength;

        // A signal handler may search the units at any moment: the count goes up only when the record is whole.
        _index[-1 - _unitCount] = unit;
        Volatile.Write(ref _unitCount, _unitCount + 1);
        return unit;
    }

    /// <summary>
    /// Kills every unit that has a byte in [start, start+length). Threads inside such a unit finish its straight-line rest: the memory is
    /// not reused while they can be there. Takes the cache's lock; the address space's must not be held.
    /// </summary>
    public void Invalidate(GuestThread* t, uint start, ulong length)
    {
        if (length == 0)
        {
            return;
        }

        Lock.Acquire(t);
        ulong end = start + length;
        uint pages = (uint)((end - 1) >> 12) - (start >> 12) + 1;
        for (uint i = 0; i < pages && i < 1u << Sizes.PageBits; i++)
        {
            uint slot = PageSlot((start >> 12) + i);
            uint* link = &_pageUnits[slot];
            while (*link != 0)
            {
                Unit* u = (Unit*)(_records + *link);
                if (u->Dead == 0 && (Overlap(u->Pc, u->Length, start, end) || (u->Thunk != 0 && Overlap(u->Thunk, ThunkLength, start, end))
                    || (u->Table != 0 && Overlap(u->Table, u->TableLength, start, end))))
                {
                    Kill(*link);
                }

                uint* next = NextOnPage(u, slot);
                if (u->Dead != 0)
                {
                    *link = *next;
                }
                else
                {
                    link = next;
                }
            }
        }

        Lock.Release(t);
    }

    private static bool Overlap(uint at, uint length, uint start, ulong end) => at < end && (ulong)at + length > start;

    private void Kill(uint unit)
    {
        ref Unit u = ref UnitRef(unit);
        u.Dead = 1;
        MarkStart(u.Pc, false);
        ref ThunkRecord thunk = ref _thunks[ThunkRecord.SlotOf(u.Pc)];
        if (thunk.Address == u.Pc)
        {
            thunk.Address = 0;
        }

        uint entry = EntriesOf(unit);
        for (int i = 0; i < u.EntryCount; i++)
        {
            RemoveEntry(entry, u.Segmented != 0);
            entry += (uint)sizeof(EntryRecord) / 4;
        }

        if (u.InShadow != 0)
        {
            LeaveShadows(ref u);
        }

        for (entry = u.FurtherEntries; entry != 0; entry = ((EntryRecord*)(_records + entry))->NextFurther)
        {
            RemoveEntry(entry, u.Segmented != 0);
        }

        for (uint exit = u.Incoming; exit != 0;)
        {
            ref LinkRecord link = ref LinkRef(exit);
            uint next = link.NextIncoming;
            *(int*)(Base + link.PatchAt) = (int)link.Stub - (int)(link.PatchAt + 4);
            link.NextIncoming = LinkRecord.NotLinked;
            exit = next;
        }

        u.Incoming = 0;
        int* landings = (int*)(_records + LandingsOf(unit));
        for (int i = 0; i < u.LandingCount; i++)
        {
            int at = landings[i];
            if (at >= 0)
            {
                // jne rel32 becomes nop; jmp rel32.
                *(ushort*)(Base + u.HostStart + at) = 0xE990;
            }
            else
            {
                // lea r9d, [r8-imm32] becomes a jump to the mismatch jump 15 bytes on.
                *(ushort*)(Base + u.HostStart + ~at) = 0x0DEB;
            }
        }
    }
}
