using System.Threading;
using Lodge.Protocol;
using Lodge.Translator.X64;

namespace Lodge.Shim;

/// <summary>Translation of units.</summary>
public unsafe partial struct CodeCache
{
    /// <summary>
    /// Exit stubs run once or never and would be a third of what lies between hot instructions: they get chunks of their own. No unit lies
    /// there, so a signal handler that finds a thread in one knows that it is on its way out.
    /// </summary>
    private const uint ColdChunk = 8 << 10;

    /// <summary>Bytes of <c>mov r, [esp]; ret</c>.</summary>
    private const uint ThunkLength = 4;

    /// <summary>Most exits, inner entries and landings that a unit can have (see <c>UnitTranslator.MaxUnitParts</c>).</summary>
    private const int MaxParts = UnitTranslator.MaxUnitParts;

    /// <summary>Makes sure that a unit of the largest size fits into every table.</summary>
    private void MakeRoom(GuestThread* t, bool segmented)
    {
        bool fits = MakeTableRoom(segmented)
            && _used + UnitTranslator.MaxUnitHostBytes + ColdChunk + ShadowChunk + 64 <= Sizes.Code && _unitCount + 1 < Sizes.Units
            && (_unitCount < NearUnits || HasFar()) && HasRecordRoom() && _sourcesUsed + 8192 < Sizes.Sources
            && (Sizes.TargetNodes == 0 || (_targetNodes + 2 <= Sizes.TargetNodes && _segmentedNodes + 2 <= Sizes.TargetNodes));
        if (!fits)
        {
            Flush(t);
            if (!MakeTableRoom(segmented))
            {
                Fatal.Stop("no memory for translated code"u8);
            }
        }

        PopulateAhead();
    }

    private bool MakeTableRoom(bool segmented) =>
        (segmented ? _segmentedEntries.MakeRoom(MaxParts + 1) : _entries.MakeRoom(MaxParts + 1)) && _pages.MakeRoom(MaxUnitPages);

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
        u.Length = (ushort)result.GuestLength;
        u.HostStart = _used;
        u.HostLength = (ushort)result.Code.Position;
        u.LinkCount = (byte)result.ExitCount;
        u.EntryCount = (byte)(_hidden ? 0 : result.EntryCount);
        u.LandingCount = (byte)result.LandingCount;
        u.Segmented = request.Segmented ? (byte)1 : (byte)0;
        u.FirstStub = result.ExitCount == 0 ? 0 : _used + (uint)result.Exits[0].StubOffset;
        LinkRecord* links = (LinkRecord*)(_records + LinksOf(unit));
        for (int i = 0; i < result.ExitCount; i++)
        {
            links[i].Target = result.Exits[i].Target;
            links[i].NextIncoming = LinkRecord.NotLinked;
            links[i].Patch = (ushort)result.Exits[i].PatchOffset;
            links[i].Place = (ushort)(((result.Exits[i].StubOffset - result.Exits[0].StubOffset) << 4) | i);
        }

        short* landings = LandingsOf(unit);
        for (int i = 0; i < result.LandingCount; i++)
        {
            landings[i] = (short)result.Landings[i];
        }

        byte* table = (byte*)(landings + u.LandingCount);
        u.SideTableBytes = (ushort)SideTable.Write(table, result.Boundaries, result.BoundaryCount);
        _recordsUsed = (uint)((((ulong)(table + u.SideTableBytes) - (ulong)_records) + 3) / 4);

        if (!_hidden)
        {
            AddEntry(unit | IsUnit, pc, request.Segmented);
            uint entry = (uint)((uint*)EntriesOf(unit) - _records);
            for (int i = 0; i < result.EntryCount; i++, entry += (uint)sizeof(EntryRecord) / 4)
            {
                AddInside(entry, unit, result.Entries[i].Address - pc, (uint)result.Entries[i].HostOffset);
            }

            uint first = pc >> 12;
            uint last = (pc + u.Length - 1) >> 12;
            CodePage* page = MakePage(first);
            u.NextOnFirstPage = Enlist(page, unit);
            if (!request.Checked && !request.Segmented)
            {
                AddStart(page, pc);
            }

            if (last != first)
            {
                MakeExtra(ref u)->NextOnSecondPage = Enlist(MakePage(last), unit);
            }

            if (result.Thunk != 0)
            {
                uint number = result.Thunk >> 12;
                UnitExtra* extra = MakeExtra(ref u);
                extra->Thunk = result.Thunk;
                if (number != first && number != last)
                {
                    extra->NextOnThunkPage = Enlist(MakePage(number), unit);
                }
            }

            if (result.Table != 0)
            {
                uint number = result.Table >> 12;
                UnitExtra* extra = MakeExtra(ref u);
                extra->Table = result.Table;
                extra->TableLength = result.TableLength;
                if (number != first && number != last && (extra->Thunk == 0 || number != extra->Thunk >> 12))
                {
                    extra->NextOnTablePage = Enlist(MakePage(number), unit);
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

        _used += u.HostLength;
        _coldUsed += (uint)result.Cold.Position;
        TranslatedInstructions += (ulong)result.Instructions;
        TranslatedUnits++;
        TranslatedBytes += u.Length;
        EmittedBytes += u.HostLength;

        // A signal handler may search the units at any moment: the count goes up only when the record is whole.
        *IndexSlot(_unitCount) = unit;
        Volatile.Write(ref _unitCount, _unitCount + 1);
        return unit;
    }
}
