using Lodge.Translator.X64;

namespace Lodge.Shim;

/// <summary>Translation, linking and invalidation of units.</summary>
public unsafe partial struct CodeCache
{
    /// <summary>
    /// Code cache offset at which guest code for <paramref name="pc"/> can be entered, translating it when needed and entering it into the
    /// target table. 0 when the guest may not fetch there: the caller raises SIGSEGV. <paramref name="unit"/> is set for checked units only.
    /// </summary>
    public uint Find(GuestThread* t, uint pc)
    {
        Lock.Acquire(t);
        uint offset = Lookup(pc);
        if (offset == 0)
        {
            offset = Translate(t, pc);
        }

        if (offset != 0)
        {
            Targets[pc] = offset;
        }

        Lock.Release(t);
        return offset;
    }

    /// <summary>Links the exit to its target, translating that when needed. Returns the target's offset, or 0 when it cannot be fetched.</summary>
    public uint Link(GuestThread* t, uint exitId)
    {
        Lock.Acquire(t);
        uint target = _links[exitId].Target;
        uint offset = Lookup(target);
        if (offset == 0)
        {
            offset = Translate(t, target);
        }

        if (offset != 0)
        {
            ref LinkRecord link = ref _links[exitId];
            int unit = UnitAt(offset);
            if (_units[link.Owner].Dead == 0 && link.NextIncoming == -2 && _units[unit].Checked == 0)
            {
                link.NextIncoming = _units[unit].Incoming;
                _units[unit].Incoming = (int)exitId;
                *(int*)(Base + link.PatchAt) = (int)offset - (int)(link.PatchAt + 4);
            }
        }

        Lock.Release(t);
        return offset;
    }

    /// <summary>Guest target of an exit.</summary>
    public readonly uint TargetOf(uint exitId) => _links[exitId].Target;

    private uint Translate(GuestThread* t, uint pc)
    {
        if (_used + UnitTranslator.MaxUnitHostBytes + 64 > CodeSize || _unitCount + 1 >= MaxUnits || _entryCount + 256 >= MaxEntries
            || _linkCount + 256 >= MaxLinks || _boundaryCount + 4096 >= MaxBoundaries)
        {
            return 0;
        }

        UnitRequest request = default;
        request.Pc = pc;
        if (!Mm.FetchRange(t->Mm, pc, out request.FetchEnd, out bool writable))
        {
            return 0;
        }

        _used = (_used + 15) & ~15u;
        request.MaxInstructions = UnitTranslator.MaxUnitInstructions;
        request.HostOffset = (int)_used;
        request.FirstExitId = (uint)_linkCount;
        request.Segmented = (t->I386.ds_base | t->I386.es_base | t->I386.ss_base | t->I386.cs_base) != 0;

        // Write protection comes before the bytes are read: what is translated is what later stores fault on.
        if (writable)
        {
            Mm.ProtectCode(t, pc & ~4095u);
            ulong second = ((ulong)pc & ~4095ul) + 4096;
            if (request.FetchEnd > second)
            {
                // Units from writable pages stay within one page, so that one fault invalidates what it must.
                request.FetchEnd = (pc & 4095) > 4096 - 16 && request.FetchEnd > second ? second + 16 : second;
                if (request.FetchEnd > second)
                {
                    Mm.ProtectCode(t, (uint)second);
                }
            }
        }
        else
        {
            ulong end = ((ulong)pc & ~4095ul) + 8192;
            if (request.FetchEnd > end)
            {
                request.FetchEnd = end;
            }
        }

        UnitResult result = default;
        result.Code = new CodeBuffer(Base + _used, UnitTranslator.MaxUnitHostBytes);
        result.Boundaries = _boundaries + _boundaryCount;
        result.Exits = _exitScratch;
        result.Entries = _entries + _entryCount + 1;
        result.Landings = _landings + _landingCount;
        int count = UnitTranslator.Translate(request, Layout, &result, ref _scratch);
        if (count == 0)
        {
            return 0;
        }

        return Install(pc, ref result);
    }

    private uint Install(uint pc, ref UnitResult result)
    {
        // A signal handler may search the units at any moment: the count goes up only when the record is whole.
        int index = _unitCount;
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
        for (int i = 0; i < result.ExitCount; i++)
        {
            ref LinkRecord link = ref _links[_linkCount + i];
            link.PatchAt = _used + (uint)_exitScratch[i].PatchOffset;
            link.Stub = _used + (uint)_exitScratch[i].StubOffset;
            link.Target = _exitScratch[i].Target;
            link.NextIncoming = -2;
            link.Owner = index;
        }

        // The translator wrote the inner entries where AddEntry will put them, one place further on.
        int inner = result.EntryCount;
        uint start = _used;
        AddEntry(pc, start);
        u.FirstEntry = _entryCount - 1;
        for (int i = 0; i < inner; i++)
        {
            UnitEntry e = _entries[_entryCount];
            uint at = start + (uint)e.HostOffset;
            AddEntry(e.Address, at);
        }

        u.EntryCount = inner + 1;
        _linkCount += result.ExitCount;
        _boundaryCount += result.BoundaryCount;
        _landingCount += result.LandingCount;
        _used += u.HostLength;
        TranslatedInstructions += (ulong)result.Instructions;
        uint first = pc >> 12;
        uint last = (pc + u.Length - 1) >> 12;
        u.NextOnFirstPage = _pageUnits[first];
        _pageUnits[first] = index;
        if (last != first)
        {
            u.NextOnSecondPage = _pageUnits[last];
            _pageUnits[last] = index;
        }

        System.Threading.Volatile.Write(ref _unitCount, index + 1);
        return start;
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
            RemoveEntry(e.Address, (uint)e.HostOffset);
        }

        for (int exit = u.Incoming; exit >= 0;)
        {
            ref LinkRecord link = ref _links[exit];
            int next = link.NextIncoming;
            *(int*)(Base + link.PatchAt) = (int)link.Stub - (int)(link.PatchAt + 4);
            link.NextIncoming = -2;
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
