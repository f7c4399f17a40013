using Lodge.Translator.X64;

namespace Lodge.Shim;

/// <summary>Invalidation: units whose guest code has changed.</summary>
public unsafe partial struct CodeCache
{
    /// <summary>Write faults after which a page's code is checked at every entry instead of protected.</summary>
    private const int CheckedThreshold = 32;

    private readonly bool SourceMatches(uint unit)
    {
        ref Unit u = ref UnitRef(unit);
        byte* guest = (byte*)(nuint)u.Pc;
        byte* copy = _sources + ((UnitExtra*)(_records + u.Extra))->Source;
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
        if (!HasFar())
        {
            Fatal.Stop("no memory for translated code"u8);
        }

        ref Unit u = ref UnitRef(unit);
        u.Checked = 1;
        MakeExtra(ref u)->Source = _sourcesUsed;
        byte* guest = (byte*)(nuint)u.Pc;
        for (uint i = 0; i < u.Length; i++)
        {
            _sources[_sourcesUsed++] = guest[i];
        }
    }

    /// <summary>Link of the list of units by page, for a unit that is on the list of the page.</summary>
    private readonly uint* NextOnPage(Unit* u, uint page)
    {
        UnitExtra* extra = (UnitExtra*)(_records + u->Extra);
        return u->Pc >> 12 == page ? &u->NextOnFirstPage
            : (u->Pc + u->Length - 1) >> 12 == page ? &extra->NextOnSecondPage
            : extra->Thunk != 0 && extra->Thunk >> 12 == page ? &extra->NextOnThunkPage : &extra->NextOnTablePage;
    }

    /// <summary>Whether the unit depends on the guest's bytes in [start, end).</summary>
    private readonly bool DependsOn(Unit* u, uint start, ulong end)
    {
        bool own = Overlap(u->Pc, u->Length, start, end);
        if (own || u->Extra == 0)
        {
            return own;
        }

        UnitExtra* extra = (UnitExtra*)(_records + u->Extra);
        return (extra->Thunk != 0 && Overlap(extra->Thunk, ThunkLength, start, end))
            || (extra->Table != 0 && Overlap(extra->Table, extra->TableLength, start, end));
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
        uint first = start >> 12;
        uint last = (uint)((end - 1) >> 12);
        if (last - first < _pages.Slots)
        {
            for (uint page = first; page <= last; page++)
            {
                KillOn(page, _pages.Find(page), start, end);
            }
        }
        else
        {
            for (uint slot = 0; slot < _pages.Slots; slot++)
            {
                uint reference = _pages.ReferenceIn(slot, out uint page);
                if (page - first <= last - first)
                {
                    KillOn(page, reference, start, end);
                }
            }
        }

        Lock.Release(t);
    }

    /// <summary>Kills the units of a page that depend on [start, end).</summary>
    private void KillOn(uint page, uint reference, uint start, ulong end)
    {
        if (reference == 0)
        {
            return;
        }

        uint* link = &((CodePage*)(_records + reference))->Units;
        while (*link != 0)
        {
            Unit* u = (Unit*)(_records + *link);
            if (u->Dead == 0 && DependsOn(u, start, end))
            {
                Kill(*link);
            }

            uint* next = NextOnPage(u, page);
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

    private static bool Overlap(uint at, uint length, uint start, ulong end) => at < end && (ulong)at + length > start;

    private void Kill(uint unit)
    {
        ref Unit u = ref UnitRef(unit);
        u.Dead = 1;
        RemoveStart(u.Pc);
        ref ThunkRecord thunk = ref _thunks[ThunkRecord.SlotOf(u.Pc)];
        if (thunk.Address == u.Pc)
        {
            thunk.Address = 0;
        }

        RemoveEntry(unit | IsUnit, u.Pc, u.HostStart, u.Segmented != 0);
        uint entry = (uint)((uint*)EntriesOf(unit) - _records);
        for (int i = 0; i < u.EntryCount; i++, entry += (uint)sizeof(EntryRecord) / 4)
        {
            RemoveInside(entry, u);
        }

        if (u.InShadow != 0)
        {
            LeaveShadows(ref u);
        }

        for (entry = u.FurtherEntries; entry != 0; entry = ((FurtherEntry*)(_records + entry))->Next)
        {
            RemoveInside(entry, u);
        }

        for (uint exit = u.Incoming; exit != 0;)
        {
            ref LinkRecord link = ref LinkRef(exit);
            uint next = link.NextIncoming;
            uint at = PatchOf(exit);
            *(int*)(Base + at) = (int)StubOf(exit) - (int)(at + 4);
            link.NextIncoming = LinkRecord.NotLinked;
            exit = next;
        }

        u.Incoming = 0;
        short* landings = LandingsOf(unit);
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
