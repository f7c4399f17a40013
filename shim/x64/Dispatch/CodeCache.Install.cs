using System.Threading;
using Lodge.Translator.X64;

namespace Lodge.Shim;

/// <summary>Translation, linking and invalidation of units.</summary>
public unsafe partial struct CodeCache
{
    /// <summary>Write faults after which a page's code is checked at every entry instead of protected.</summary>
    private const int CheckedThreshold = 32;

    /// <summary>
    /// Code cache offset at which guest code for <paramref name="pc"/> can be entered, translating it when needed and entering it into the
    /// thread's target table. 0 when the guest may not fetch there: the caller raises SIGSEGV.
    /// </summary>
    public uint Find(GuestThread* t, uint pc)
    {
        Lock.Acquire(t);
        bool segmented = t->Exec.Segmented != 0;
        uint offset = Lookup(pc, segmented);
        bool isChecked = false;
        if (offset != 0)
        {
            int unit = UnitAt(offset);
            isChecked = _units[unit].Checked != 0;
            if (isChecked && !SourceMatches(unit))
            {
                Kill(unit);
                offset = 0;
            }
        }

        if (offset == 0)
        {
            offset = Translate(t, pc, segmented);
            isChecked = offset != 0 && _units[UnitAt(offset)].Checked != 0;
        }

        if (offset != 0 && !isChecked)
        {
            (segmented ? SegmentedTargets : Targets)[pc] = offset;
        }

        Lock.Release(t);
        return offset;
    }

    /// <summary>Links the exit to its target, translating that when needed. Returns the target's offset, or 0 when it cannot be fetched.</summary>
    public uint Link(GuestThread* t, uint exitId)
    {
        Lock.Acquire(t);
        ref LinkRecord link = ref _links[exitId];
        bool segmented = _units[link.Owner].Segmented != 0;
        uint offset = Lookup(link.Target, segmented);
        if (offset == 0)
        {
            offset = Translate(t, link.Target, segmented);
        }

        if (offset != 0)
        {
            int unit = UnitAt(offset);
            if (_units[unit].Checked != 0)
            {
                Lock.Release(t);
                return Find(t, link.Target);
            }

            ref Unit owner = ref _units[link.Owner];
            if (owner.Dead == 0 && owner.Checked == 0 && link.NextIncoming == NotLinked)
            {
                link.NextIncoming = _units[unit].Incoming;
                _units[unit].Incoming = (int)exitId;
                *(int*)(Base + link.PatchAt) = (int)offset - (int)(link.PatchAt + 4);
            }
        }

        Lock.Release(t);
        return offset;
    }

    private const int NotLinked = -2;

    /// <summary>Guest target of an exit.</summary>
    public readonly uint TargetOf(uint exitId) => _links[exitId].Target;

    private readonly bool SourceMatches(int unit)
    {
        ref Unit u = ref _units[unit];
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

    private void KeepSource(ref Unit u)
    {
        u.Source = _sourcesUsed;
        byte* guest = (byte*)(nuint)u.Pc;
        for (uint i = 0; i < u.Length; i++)
        {
            _sources[_sourcesUsed++] = guest[i];
        }
    }

    /// <summary>True while another unit of the largest size still fits into every table.</summary>
    private readonly bool HasRoom() => _used + UnitTranslator.MaxUnitHostBytes + 64 <= CodeSize && _unitCount + 1 < MaxUnits
        && _entryCount + 256 < MaxEntries && _linkCount + 256 < MaxLinks && _boundaryCount + UnitTranslator.MaxUnitBoundaries < MaxBoundaries
        && _sourcesUsed + 8192 < SourceSize;

    private uint Translate(GuestThread* t, uint pc, bool segmented)
    {
        if (!HasRoom())
        {
            Fatal.Stop("the code cache is full"u8);
        }

        UnitRequest request = default;
        request.Pc = pc;
        if (!Mm.FetchRange(t->Mm, pc, out request.FetchEnd, out bool writable))
        {
            return 0;
        }

        request.MaxInstructions = UnitTranslator.MaxUnitInstructions;
        request.Segmented = segmented;
        ulong pageEnd = ((ulong)pc & ~4095ul) + 4096;
        if (writable)
        {
            // Units from writable pages stay within one page, so that one fault invalidates what it must; only an instruction that starts
            // in the last bytes reaches into the next one.
            ulong end = (pc & 4095) > 4096 - 16 ? pageEnd + 16 : pageEnd;
            request.FetchEnd = request.FetchEnd < end ? request.FetchEnd : end;
            request.Checked = _pageFaults[pc >> 12] >= CheckedThreshold;
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

        int unit = Generate(ref request);
        if (unit == 0)
        {
            return 0;
        }

        if (request.Checked)
        {
            _units[unit].Checked = 1;
            KeepSource(ref _units[unit]);
        }

        return _units[unit].HostStart;
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
        int unit = 0;
        UnitRequest request = default;
        if (Mm.FetchRange(t->Mm, pc, out request.FetchEnd, out _))
        {
            unit = _singles[slot];
            if (unit == 0 || _units[unit].Pc != pc || (_units[unit].Segmented != 0) != segmented || pc + (ulong)_units[unit].Length > request.FetchEnd
                || !SourceMatches(unit))
            {
                request.Pc = pc;
                request.Segmented = segmented;
                request.MaxInstructions = 1;
                request.Checked = true;
                request.FetchEnd = request.FetchEnd < (ulong)pc + 16 ? request.FetchEnd : (ulong)pc + 16;
                unit = GenerateHidden(ref request);
                _singles[slot] = unit;
            }
        }

        uint offset = unit != 0 ? _units[unit].HostStart : 0;
        Lock.Release(t);
        return offset;
    }

    /// <summary>Notes that a store into the page dropped its code; pages that do so again and again are checked instead of protected.</summary>
    public void CountWriteFault(uint address)
    {
        ref byte count = ref _pageFaults[address >> 12];
        if (count < 255)
        {
            count++;
        }
    }

    private int GenerateHidden(ref UnitRequest request)
    {
        if (!HasRoom())
        {
            Fatal.Stop("the code cache is full"u8);
        }

        _hidden = true;
        int unit = Generate(ref request);
        _hidden = false;
        if (unit != 0)
        {
            _units[unit].Checked = 1;
            KeepSource(ref _units[unit]);
        }

        return unit;
    }

    private int Generate(ref UnitRequest request)
    {
        _used = (_used + 15) & ~15u;
        request.HostOffset = (int)_used;
        request.FirstExitId = (uint)_linkCount;
        UnitResult result = default;
        result.Code = new CodeBuffer(Base + _used, UnitTranslator.MaxUnitHostBytes);
        result.Boundaries = _boundaries + _boundaryCount;
        result.Exits = _exitScratch;
        result.Entries = _entries + _entryCount + 1;
        result.Landings = _landings + _landingCount;
        int count = UnitTranslator.Translate(request, Layout, &result, ref _scratch);
        return count == 0 ? 0 : Install(request, ref result);
    }

    private int Install(in UnitRequest request, ref UnitResult result)
    {
        // A signal handler may search the units at any moment: the count goes up only when the record is whole.
        int index = _unitCount;
        uint pc = request.Pc;
        ref Unit u = ref _units[index];
        u = default;
        u.Pc = pc;
        u.Length = result.GuestLength;
        u.HostStart = _used;
        u.HostLength = (uint)result.Code.Position;
        u.FirstBoundary = _boundaryCount;
        u.BoundaryCount = result.BoundaryCount;
        u.FirstExit = _linkCount;
        u.ExitCount = result.ExitCount;
        u.FirstLanding = _landingCount;
        u.LandingCount = result.LandingCount;
        u.Incoming = -1;
        u.Segmented = request.Segmented ? 1 : 0;
        for (int i = 0; i < result.ExitCount; i++)
        {
            ref LinkRecord link = ref _links[_linkCount + i];
            link.PatchAt = _used + (uint)_exitScratch[i].PatchOffset;
            link.Stub = _used + (uint)_exitScratch[i].StubOffset;
            link.Target = _exitScratch[i].Target;
            link.NextIncoming = NotLinked;
            link.Owner = index;
        }

        if (!_hidden)
        {
            // The translator wrote the inner entries where AddEntry will put them, one place further on.
            AddEntry(pc, _used, request.Segmented);
            u.FirstEntry = _entryCount - 1;
            for (int i = 0; i < result.EntryCount; i++)
            {
                UnitEntry e = _entries[_entryCount];
                AddEntry(e.Address, _used + (uint)e.HostOffset, request.Segmented);
            }

            u.EntryCount = result.EntryCount + 1;
            uint first = pc >> 12;
            uint last = (pc + u.Length - 1) >> 12;
            u.NextOnFirstPage = _pageUnits[first];
            _pageUnits[first] = index;
            if (last != first)
            {
                u.NextOnSecondPage = _pageUnits[last];
                _pageUnits[last] = index;
            }
        }

        _linkCount += result.ExitCount;
        _boundaryCount += result.BoundaryCount;
        _landingCount += result.LandingCount;
        _used += u.HostLength;
        TranslatedInstructions += (ulong)result.Instructions;
        Volatile.Write(ref _unitCount, index + 1);
        return index;
    }

    /// <summary>
    /// Kills every unit that has a byte in [start, start+length). Threads inside such a unit finish its straight-line rest: the memory is
    /// not reused while they can be there. Caller holds the address space's lock or is the only thread.
    /// </summary>
    public void Invalidate(GuestThread* t, uint start, ulong length)
    {
        if (length == 0)
        {
            return;
        }

        Lock.Acquire(t);
        ulong end = start + length;
        uint firstPage = start >> 12;
        uint lastPage = (uint)((end - 1) >> 12);
        for (uint page = firstPage; page <= lastPage && page < 1u << 20; page++)
        {
            int* link = &_pageUnits[page];
            while (*link != 0)
            {
                ref Unit u = ref _units[*link];
                bool isFirst = u.Pc >> 12 == page;
                if (u.Dead == 0 && u.Pc < end && (ulong)u.Pc + u.Length > start)
                {
                    Kill(*link);
                }

                if (u.Dead != 0)
                {
                    *link = isFirst ? u.NextOnFirstPage : u.NextOnSecondPage;
                }
                else
                {
                    link = isFirst ? &((Unit*)_units + *link)->NextOnFirstPage : &((Unit*)_units + *link)->NextOnSecondPage;
                }
            }
        }

        Lock.Release(t);
    }

    private void Kill(int index)
    {
        ref Unit u = ref _units[index];
        u.Dead = 1;
        for (int i = 0; i < u.EntryCount; i++)
        {
            ref UnitEntry e = ref _entries[u.FirstEntry + i];
            RemoveEntry(e.Address, (uint)e.HostOffset, u.Segmented != 0);
        }

        for (int exit = u.Incoming; exit >= 0;)
        {
            ref LinkRecord link = ref _links[exit];
            int next = link.NextIncoming;
            *(int*)(Base + link.PatchAt) = (int)link.Stub - (int)(link.PatchAt + 4);
            link.NextIncoming = NotLinked;
            exit = next;
        }

        u.Incoming = -1;
        for (int i = 0; i < u.LandingCount; i++)
        {
            int at = _landings[u.FirstLanding + i];
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
