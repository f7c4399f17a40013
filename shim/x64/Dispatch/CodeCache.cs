using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Threading;
using Lodge.Translator.X64;

namespace Lodge.Shim;

/// <summary>
/// Translated code of one address space: code, side tables, links, the flat target table. Changed only under <see cref="Lock"/>; the
/// target table and the code are read by running guest threads without it (4-byte stores only, see docs/code-cache.md).
/// Memory is taken with MAP_NORESERVE and used from the bottom, in two parts; a full cache is emptied.
/// A "reference" is the distance from the start of the record area in 4-byte words; 0 stands for none.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe partial struct CodeCache
{
    /// <summary>Bytes at the start that hold the shared stubs.</summary>
    public const uint StubSize = 4096;

    private const int RecentSlots = 512;
    private const int SingleSlots = 4096;

    /// <summary>Slots that the tables of entries and of pages begin with.</summary>
    private const uint FirstEntries = 2048, FirstPages = 512;

    /// <summary>Start of the code (r12).</summary>
    public byte* Base;
    /// <summary>Target table (r13): for every guest address the code cache offset of its translation, 0 = none.</summary>
    public byte* Targets;
    /// <summary>The same for threads whose data segments have bases; null until the first one.</summary>
    public byte* SegmentedTargets;
    /// <summary>An empty target table, for running single instructions; null until needed.</summary>
    public byte* NoTargets;
    /// <summary>Guards everything below and all changes.</summary>
    public ShimLock Lock;
    /// <summary>Addresses and offsets of the shared stubs.</summary>
    public DispatchStubs Stubs;
    /// <summary>Offsets that the translator uses.</summary>
    public EmitLayout Layout;
    /// <summary>How large everything is.</summary>
    public CodeCacheSizes Sizes;
    /// <summary>Instructions translated so far (statistics).</summary>
    public ulong TranslatedInstructions;

    private byte* _tables;
    private ulong _tablesSize;
    /// <summary>Second part of the index, the records and what few programs need; null until then.</summary>
    private byte* _far;
    private ulong _farSize;
    private uint _used;
    private uint _coldUsed;
    private uint _coldEnd;
    private uint* _records;
    private uint _recordsUsed;
    /// <summary>Distance of the end of the part in use from the start, and words between the parts that stand for nothing.</summary>
    private ulong _recordsEnd;
    private uint _recordsSkipped;
    /// <summary>The index: units in the order of their code. Its second part begins where the first one's end would be (<see cref="IndexSlot"/>).</summary>
    private uint* _index, _farIndex;
    private int _unitCount;
    private EntryTable _entries;
    private EntryTable _segmentedEntries;
    /// <summary>Guest pages (address without its last 12 bits) with a reference to the <see cref="CodePage"/> of each.</summary>
    private EntryTable _pages;
    private ulong* _recent;
    private uint _codeReady;
    private ulong _recordsReady;
    private byte* _sources;
    private uint _sourcesUsed;
    private byte* _pageFaults;
    private uint* _singles;
    private uint _targetNodes, _segmentedNodes;
    private ThunkRecord* _thunks;
    private uint* _jumpTables;
    private ulong* _watched;
    private uint _jumpTableCount;
    private uint _shadowUsed;
    private uint _shadowEnd;
    private bool _shadowWanted;
    private bool _hidden;
    private uint _generation;
    private int _stopping;
    private UnitScratch _scratch;
    private Boundary* _boundaries;

    /// <summary>Units and bytes of records in the first part of the tables; a unit's records take less than <see cref="MostRecordBytes"/>.</summary>
    private const int NearUnits = 4096;
    private const ulong NearRecords = 312 << 10, MostRecordBytes = 16 << 10;

    /// <summary>
    /// Where the tables are, by distance from the first one of their part; all but the target tables. The first part lies with everything else
    /// that each program uses (<see cref="Home"/>), the second one is mapped when the first is full: mappings and page tables cost every fork.
    /// </summary>
    private struct TablePlaces
    {
        internal ulong Cache, PageFaults, Watched, JumpTables, Singles, Recent, Thunks, Scratch, Entries, Pages, Index, Records, RecordBytes, End;
        internal ulong FarIndex, FarRecords, FarRecordBytes, Sources, FarEnd;

        internal TablePlaces(in CodeCacheSizes sizes)
        {
            Watched = (ulong)sizeof(CodeCache);
            Cache = Reserve(ref End, Watched + (1ul << (sizes.PageBits - 3)));
            PageFaults = Reserve(ref End, 1ul << sizes.PageBits);
            Singles = Reserve(ref End, SingleSlots * 4);
            JumpTables = Reserve(ref End, JumpTableSlots * 4);
            Index = Reserve(ref End, NearUnits * 4);
            Recent = Reserve(ref End, RecentSlots * 8);
            Thunks = Reserve(ref End, ThunkRecord.Slots * (ulong)sizeof(ThunkRecord));
            Scratch = Reserve(ref End, UnitScratch.ScanBytes + UnitScratch.PendingBytes + (UnitTranslator.MaxUnitBoundaries * (ulong)sizeof(Boundary)));
            Entries = Reserve(ref End, FirstEntries * EntryTable.SlotBytes);
            Pages = Reserve(ref End, FirstPages * EntryTable.SlotBytes);
            RecordBytes = sizes.Records < NearRecords ? sizes.Records : NearRecords;
            Records = Reserve(ref End, RecordBytes);
            FarIndex = Reserve(ref FarEnd, sizes.Units < NearUnits ? 0 : (ulong)(sizes.Units - NearUnits) * 4);
            FarRecordBytes = sizes.Records - RecordBytes;
            FarRecords = Reserve(ref FarEnd, FarRecordBytes);
            Sources = Reserve(ref FarEnd, sizes.Sources);
        }

        private static ulong Reserve(ref ulong end, ulong bytes)
        {
            ulong at = end;
            end += (bytes + 4095) & ~4095ul;
            return at;
        }
    }

    /// <summary>Bytes of the first part of all tables but the target tables.</summary>
    public static ulong NearBytes(in CodeCacheSizes sizes) => new TablePlaces(sizes).End;

    /// <summary>
    /// Creates a cache. Returns null when the host gives no memory (strict RLIMIT_AS): the caller reports it.
    /// </summary>
    /// <param name="sizes">How large everything is.</param>
    /// <param name="memory">Zeroed memory for the first part of the tables, and how much; used when it is enough.</param>
    /// <param name="bytes">Its size.</param>
    public static CodeCache* Create(in CodeCacheSizes sizes, byte* memory, ulong bytes)
    {
        TablePlaces at = new(sizes);
        bool isGiven = at.End <= bytes;
        byte* tables = isGiven ? memory : (byte*)HostMemory.Map(at.End + at.FarEnd);
        byte* targets = (byte*)HostMemory.MapAt(Home.Targets, TargetTables.Bytes(sizes.TargetNodes), HostMemory.ProtRead | HostMemory.ProtWrite);
        ulong home = sizes.Code <= CodeCacheSizes.DefaultCode ? Home.CodeStart : Home.LargeCode;
        byte* code = (byte*)HostMemory.MapAt(home, sizes.Code, HostMemory.ProtRead | HostMemory.ProtWrite | HostMemory.ProtExec);
        if (tables == null || targets == null || code == null)
        {
            return null;
        }

        if (sizes.TargetNodes == 0)
        {
            // A forked child finds its way through the other tables again: it runs little code, mostly, and copying and freeing this one
            // is dearer (page tables for scattered entries). Kernels before 4.14 copy it.
            const int MadvWipeOnFork = 18;
            Host.Syscall(Nr.madvise, (long)targets, (long)TargetTables.FlatBytes, MadvWipeOnFork);
        }

        CodeCache* c = (CodeCache*)(tables + at.Cache);
        c->Base = code;
        c->Targets = targets;
        c->Sizes = sizes;
        c->_index = (uint*)(tables + at.Index);
        c->_tables = tables + at.PageFaults;
        c->_tablesSize = at.End - at.PageFaults;
        c->_pageFaults = tables + at.PageFaults;
        c->_recent = (ulong*)(tables + at.Recent);
        c->_thunks = (ThunkRecord*)(tables + at.Thunks);
        c->_watched = (ulong*)(tables + at.Watched);
        c->_jumpTables = (uint*)(tables + at.JumpTables);
        c->_scratch.PendingJumps = tables + at.Scratch;
        c->_scratch.Scan = tables + at.Scratch + UnitScratch.PendingBytes;
        c->_boundaries = (Boundary*)(c->_scratch.Scan + UnitScratch.ScanBytes);
        c->_entries.Begin(tables + at.Entries, FirstEntries);
        c->_pages.Begin(tables + at.Pages, FirstPages);
        c->_records = (uint*)(tables + at.Records);
        c->_singles = (uint*)(tables + at.Singles);
        c->_targetNodes = 1;
        c->_segmentedNodes = 1;
        c->Layout.NestedTargets = sizes.TargetNodes != 0;

        // What every program uses: two calls instead of some forty page faults.
        HostMemory.Populate(c->Base, FirstCode);
        HostMemory.Populate(c->_recent, at.Records - at.Recent + FirstRecords);
        c->_codeReady = FirstCode;
        c->_recordsReady = FirstRecords;
        c->Stubs = DispatchStubs.Build(c->Base, (int)StubSize, ref c->Layout);
        c->_used = StubSize;
        c->_recordsUsed = FirstRecord;
        c->_recordsEnd = at.RecordBytes;
        if (!isGiven)
        {
            c->UseFar(at, tables + at.End);
        }

        return c;
    }

    /// <summary>Makes sure that the second part of the tables is there. Under the lock. False when there is no memory.</summary>
    private bool HasFar()
    {
        // References are 31-bit numbers of words.
        const ulong Reach = 8ul << 30;
        if (_far != null)
        {
            return true;
        }

        TablePlaces at = new(Sizes);
        byte* far = (byte*)HostMemory.MapAt(Home.FarTables, at.FarEnd, HostMemory.ProtRead | HostMemory.ProtWrite);
        if (far == null)
        {
            return false;
        }

        if (far < (byte*)_records || (ulong)(far - (byte*)_records) + at.FarEnd > Reach)
        {
            HostMemory.Unmap(far, at.FarEnd);
            return false;
        }

        UseFar(at, far);
        return true;
    }

    private void UseFar(in TablePlaces at, byte* far)
    {
        _farSize = at.FarEnd;
        _farIndex = (uint*)(far + at.FarIndex) - NearUnits;
        _sources = far + at.Sources;
        _far = far;
    }

    /// <summary>Makes sure that the records of a unit fit, in the second part if need be. Under the lock.</summary>
    private bool HasRecordRoom()
    {
        ulong used = _recordsUsed * 4ul;
        if (used + MostRecordBytes <= _recordsEnd)
        {
            return true;
        }

        if (_recordsSkipped != 0 || !HasFar())
        {
            return false;
        }

        TablePlaces at = new(Sizes);
        ulong start = (ulong)(_far + at.FarRecords - (byte*)_records);
        _recordsSkipped = (uint)(start / 4) - _recordsUsed;
        _recordsUsed = (uint)(start / 4);
        _recordsReady = start;
        _recordsEnd = start + at.FarRecordBytes;
        return start + MostRecordBytes <= _recordsEnd;
    }

    /// <summary>Where the index keeps the unit of this number. Async-signal-safe.</summary>
    private readonly uint* IndexSlot(int number) => (number < NearUnits ? _index : _farIndex) + number;

    /// <summary>Code and records that are there from the beginning, and least memory that is made to be there at once later.</summary>
    private const uint FirstCode = 48 << 10, FirstRecords = 32 << 10, PopulateStep = 16 << 10;

    /// <summary>Most units need less code and less of the records than this; the others take page faults.</summary>
    private const uint OrdinaryUnit = 1024;

    /// <summary>
    /// Called before a unit is written: makes the next pages of code and records be there when the last ones are nearly used up. A call costs
    /// about half as much as a page that is never used, which every fork copies as well: a few pages at a time, and a sixteenth of what is used.
    /// </summary>
    private void PopulateAhead()
    {
        if (_used + OrdinaryUnit > _codeReady && _codeReady < Sizes.Code)
        {
            uint step = PopulateStep + ((_used / 16) & ~4095u);
            step = step < Sizes.Code - _codeReady ? step : Sizes.Code - _codeReady;
            HostMemory.Populate(Base + _codeReady, step);
            _codeReady += step;
        }

        ulong used = _recordsUsed * 4ul;
        if (used + OrdinaryUnit > _recordsReady && _recordsReady < _recordsEnd)
        {
            ulong left = _recordsEnd - _recordsReady;
            ulong step = PopulateStep + (((used - (_recordsSkipped * 4ul)) / 16) & ~4095ul);
            step = step < left ? step : left;
            HostMemory.Populate((byte*)_records + _recordsReady, step);
            _recordsReady += step;
        }
    }

    // The first words stay unused: reference 0 means "none".
    private const uint FirstRecord = 16;

    /// <summary>True when <paramref name="pc"/> lies in the cache (stubs included).</summary>
    public readonly bool Contains(ulong pc) => pc - (ulong)Base < Sizes.Code;

    /// <summary>The unit's record.</summary>
    public readonly ref Unit UnitRef(uint unit) => ref *(Unit*)(_records + unit);

    private readonly ref LinkRecord LinkRef(uint link) => ref *(LinkRecord*)(_records + link);

    private static uint LinksOf(uint unit) => unit + ((uint)sizeof(Unit) / 4);

    private readonly EntryRecord* EntriesOf(uint unit) => (EntryRecord*)(_records + LinksOf(unit) + (UnitRef(unit).LinkCount * ((uint)sizeof(LinkRecord) / 4)));

    private readonly short* LandingsOf(uint unit) => (short*)(EntriesOf(unit) + UnitRef(unit).EntryCount);

    private readonly byte* SideTableOf(uint unit) => (byte*)(LandingsOf(unit) + UnitRef(unit).LandingCount);

    /// <summary>What few units need; made when there is none.</summary>
    private UnitExtra* MakeExtra(ref Unit u)
    {
        if (u.Extra == 0)
        {
            u.Extra = _recordsUsed;
            _recordsUsed += (uint)sizeof(UnitExtra) / 4;
            *(UnitExtra*)(_records + u.Extra) = default;
        }

        return (UnitExtra*)(_records + u.Extra);
    }

    /// <summary>
    /// Code cache offset of a live translation that starts at <paramref name="pc"/>, and its unit; 0 for none. Under the lock.
    /// </summary>
    private readonly uint Lookup(uint pc, bool segmented, out uint unit)
    {
        uint reference = segmented ? _segmentedEntries.Find(pc) : _entries.Find(pc);
        unit = reference & ~IsUnit;
        if (reference == unit)
        {
            EntryRecord* e = (EntryRecord*)(_records + reference);
            unit = reference == 0 ? 0 : e->Owner;
            return reference == 0 ? 0 : UnitRef(unit).HostStart + e->HostOffset;
        }

        return UnitRef(unit).HostStart;
    }

    /// <summary>Enters a translation into the target table. Under the lock.</summary>
    private void SetTarget(uint pc, uint offset, bool segmented)
    {
        ref uint used = ref segmented ? ref _segmentedNodes : ref _targetNodes;
        TargetTables.Write(segmented ? SegmentedTargets : Targets, pc, offset, Sizes.TargetNodes, ref used);
    }

    /// <summary>Where counts of write faults and marks of watched data are kept for a page; others share them.</summary>
    private readonly uint PageSlot(uint page) => page & ((1u << Sizes.PageBits) - 1);

    /// <summary>Set in what the tables of entries hold where that is a unit, which is entered at its beginning; else it is an <see cref="EntryRecord"/>.</summary>
    private const uint IsUnit = 1u << 31;

    private void AddEntry(uint reference, uint pc, bool segmented)
    {
        if (segmented)
        {
            _segmentedEntries.Add(pc, reference);
        }
        else
        {
            _entries.Add(pc, reference);
        }
    }

    /// <summary>Makes a place in a unit an entry, by the record at the reference.</summary>
    private uint AddInside(uint reference, uint unit, uint guestOffset, uint hostOffset)
    {
        ref Unit u = ref UnitRef(unit);
        EntryRecord* e = (EntryRecord*)(_records + reference);
        e->GuestOffset = (ushort)guestOffset;
        e->HostOffset = (ushort)hostOffset;
        e->Owner = unit;
        AddEntry(reference, u.Pc + guestOffset, u.Segmented != 0);
        return u.HostStart + hostOffset;
    }

    private void RemoveInside(uint reference, in Unit u)
    {
        EntryRecord* e = (EntryRecord*)(_records + reference);
        RemoveEntry(reference, u.Pc + e->GuestOffset, u.HostStart + e->HostOffset, u.Segmented != 0);
    }

    private void RemoveEntry(uint reference, uint pc, uint offset, bool segmented)
    {
        byte* targets;
        if (segmented)
        {
            _segmentedEntries.Remove(pc, reference);
            targets = SegmentedTargets;
        }
        else
        {
            _entries.Remove(pc, reference);
            targets = Targets;
            ulong* recent = RecentPair(pc);
            recent[0] = (uint)recent[0] == pc ? 0 : recent[0];
            recent[1] = (uint)recent[1] == pc ? 0 : recent[1];
        }

        TargetTables.Remove(targets, pc, offset, Layout.NestedTargets);
    }

    /// <summary>
    /// Code cache offset for an address at which the dispatcher has entered the cache before, or 0. Not for segmented threads. The target table
    /// is for indirect branches in translated code: it takes a page for every KiB of guest code, this one page for all.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly uint Recent(uint pc)
    {
        ulong* pair = RecentPair(pc);
        ulong slot = Volatile.Read(ref pair[0]);
        if ((uint)slot != pc)
        {
            slot = Volatile.Read(ref pair[1]);
        }

        return (uint)slot == pc ? (uint)(slot >> 32) : 0;
    }

    /// <summary>The two words in which the offset for an address may be: what is used again and again rarely meets two others there.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly ulong* RecentPair(uint pc) => _recent + ((pc ^ (pc >> 9)) % (RecentSlots / 2) * 2);

    /// <summary>The unit whose host code holds the offset, or 0 (stubs, unused space). Async-signal-safe.</summary>
    public readonly uint UnitAt(uint hostOffset)
    {
        int low = 0;
        int high = _unitCount - 1;
        while (low <= high)
        {
            int mid = (low + high) >> 1;
            uint unit = *IndexSlot(mid);
            ref Unit u = ref UnitRef(unit);
            if (hostOffset < u.HostStart)
            {
                high = mid - 1;
            }
            else if (hostOffset >= u.HostStart + u.HostLength)
            {
                low = mid + 1;
            }
            else
            {
                return unit;
            }
        }

        return 0;
    }

    /// <summary>Side table entry for a host offset inside the unit. Async-signal-safe.</summary>
    public readonly Boundary BoundaryAt(uint unit, uint hostOffset)
    {
        ref Unit u = ref UnitRef(unit);
        uint inside = hostOffset - u.HostStart;
        SideTable table = new(SideTableOf(unit), u.SideTableBytes);
        table.Next();
        while (table.NextHostOffset <= inside)
        {
            table.Next();
        }

        return table.Current;
    }
}
