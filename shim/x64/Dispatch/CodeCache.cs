using System.Runtime.InteropServices;
using Lodge.Translator.X64;

namespace Lodge.Shim;

/// <summary>One translated unit.</summary>
public struct Unit
{
    /// <summary>Guest address of the first byte, and bytes covered.</summary>
    public uint Pc, Length;
    /// <summary>Code cache offset of the first host byte, and bytes including cold stubs.</summary>
    public uint HostStart, HostLength;
    /// <summary>Side table, exits, inner entries and landings: first index and count in the cache's arrays.</summary>
    public int FirstBoundary, BoundaryCount, FirstExit, ExitCount, FirstEntry, EntryCount, FirstLanding, LandingCount;
    /// <summary>First exit that is linked to this unit; -1 = none.</summary>
    public int Incoming;
    /// <summary>Next units on the first and the second page that the unit touches; -1 = none.</summary>
    public int NextOnFirstPage, NextOnSecondPage;
    /// <summary>Non-zero when the unit was invalidated: it is never entered again.</summary>
    public int Dead;
    /// <summary>Non-zero when the unit is run one at a time after its source bytes were compared (a page written and executed by turns).</summary>
    public int Checked;
    /// <summary>Non-zero when data segments had bases at translation.</summary>
    public int Segmented;
    /// <summary>Where the source bytes of a checked or single-instruction unit are kept.</summary>
    public uint Source;
}

/// <summary>A direct exit as installed.</summary>
public struct LinkRecord
{
    /// <summary>Code cache offset of the rel32.</summary>
    public uint PatchAt;
    /// <summary>Code cache offset of the cold stub.</summary>
    public uint Stub;
    /// <summary>Guest target.</summary>
    public uint Target;
    /// <summary>Next exit linked to the same unit; -1 = none.</summary>
    public int NextIncoming;
    /// <summary>Unit that the exit belongs to.</summary>
    public int Owner;
}

/// <summary>
/// Translated code of one address space: code, side tables, links, the flat target table. Changed only under <see cref="Lock"/>; the
/// target table and the code are read by running guest threads without it (4-byte stores only, see docs/code-cache.md).
/// Memory is taken with MAP_NORESERVE and used from the bottom; a full cache is emptied when no other thread runs.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe partial struct CodeCache
{
    /// <summary>Bytes of host code that fit.</summary>
    public const uint CodeSize = 256u << 20;

    /// <summary>Bytes at the start that hold the shared stubs.</summary>
    public const uint StubSize = 4096;

    private const int MaxUnits = 1 << 21;
    private const int MaxBoundaries = 1 << 26;
    private const int MaxLinks = 1 << 23;
    private const int MaxEntries = 1 << 22;
    private const int HashBits = 20;
    private const uint SourceSize = 64u << 20;
    private const int SingleSlots = 4096;

    /// <summary>Start of the code (r12).</summary>
    public byte* Base;
    /// <summary>Flat target table (r13): for every guest address the code cache offset of its translation, 0 = none.</summary>
    public uint* Targets;
    /// <summary>The same for threads whose data segments have bases; null until the first one.</summary>
    public uint* SegmentedTargets;
    /// <summary>An empty target table, for running single instructions; null until needed.</summary>
    public uint* NoTargets;
    /// <summary>Guards everything below and all changes.</summary>
    public ShimLock Lock;
    /// <summary>Addresses and offsets of the shared stubs.</summary>
    public DispatchStubs Stubs;
    /// <summary>Offsets that the translator uses.</summary>
    public EmitLayout Layout;

    private uint _used;
    private Unit* _units;
    private int _unitCount;
    private Boundary* _boundaries;
    private int _boundaryCount;
    private LinkRecord* _links;
    private int _linkCount;
    private UnitEntry* _entries;
    private int _entryCount;
    private int* _landings;
    private int _landingCount;
    private int* _pageUnits;
    private int* _buckets;
    private int* _segmentedBuckets;
    private byte* _sources;
    private uint _sourcesUsed;
    private byte* _pageFaults;
    private int* _singles;
    private bool _hidden;
    private int* _chain;
    private UnitScratch _scratch;
    private UnitExit* _exitScratch;

    /// <summary>Instructions translated so far (statistics).</summary>
    public ulong TranslatedInstructions;

    /// <summary>
    /// Creates a cache. Returns null when the host gives no memory (strict RLIMIT_AS): the caller reports it.
    /// </summary>
    public static CodeCache* Create()
    {
        CodeCache* c = (CodeCache*)HostMemory.Map((ulong)sizeof(CodeCache));
        if (c == null)
        {
            return null;
        }

        // One mapping for all tables: each is mostly untouched, and every mapping more costs at start and at every fork.
        ulong total = TargetTableSize;
        ulong units = Reserve(ref total, (ulong)MaxUnits * (ulong)sizeof(Unit));
        ulong boundaries = Reserve(ref total, (ulong)MaxBoundaries * (ulong)sizeof(Boundary));
        ulong links = Reserve(ref total, (ulong)MaxLinks * (ulong)sizeof(LinkRecord));
        ulong entries = Reserve(ref total, (ulong)MaxEntries * (ulong)sizeof(UnitEntry));
        ulong landings = Reserve(ref total, (ulong)MaxEntries * 4);
        ulong chain = Reserve(ref total, (ulong)MaxEntries * 4);
        ulong sources = Reserve(ref total, SourceSize);
        ulong buckets = Reserve(ref total, (1ul << HashBits) * 4);
        ulong segmentedBuckets = Reserve(ref total, (1ul << HashBits) * 4);
        ulong pageUnits = Reserve(ref total, (1ul << 20) * 4);
        ulong pageFaults = Reserve(ref total, 1ul << 20);
        ulong singles = Reserve(ref total, SingleSlots * 4);
        ulong scan = Reserve(ref total, UnitScratch.ScanBytes);
        ulong pending = Reserve(ref total, UnitScratch.PendingBytes);
        ulong exits = Reserve(ref total, (ulong)(UnitTranslator.MaxUnitInstructions + 2) * (ulong)sizeof(UnitExit));
        byte* tables = (byte*)HostMemory.Map(total);
        c->Base = (byte*)HostMemory.MapCode(CodeSize);
        if (tables == null || c->Base == null)
        {
            return null;
        }

        c->Targets = (uint*)tables;
        c->_units = (Unit*)(tables + units);
        c->_boundaries = (Boundary*)(tables + boundaries);
        c->_links = (LinkRecord*)(tables + links);
        c->_entries = (UnitEntry*)(tables + entries);
        c->_landings = (int*)(tables + landings);
        c->_chain = (int*)(tables + chain);
        c->_sources = tables + sources;
        c->_buckets = (int*)(tables + buckets);
        c->_segmentedBuckets = (int*)(tables + segmentedBuckets);
        c->_pageUnits = (int*)(tables + pageUnits);
        c->_pageFaults = tables + pageFaults;
        c->_singles = (int*)(tables + singles);
        c->_scratch.Scan = tables + scan;
        c->_scratch.PendingJumps = tables + pending;
        c->_exitScratch = (UnitExit*)(tables + exits);

        // Index 0 means "none" in the page and hash tables, so the first unit and entry are dummies.
        c->_unitCount = 1;
        c->_entryCount = 1;
        c->_used = StubSize;
        c->Stubs = DispatchStubs.Build(c->Base, (int)StubSize, ref c->Layout);
        return c;
    }

    /// <summary>Bytes of a flat target table: four for every guest address.</summary>
    public const ulong TargetTableSize = 16ul << 30;

    private static ulong Reserve(ref ulong total, ulong bytes)
    {
        ulong at = total;
        total += (bytes + 4095) & ~4095ul;
        return at;
    }

    /// <summary>True when <paramref name="pc"/> lies in the cache (stubs included).</summary>
    public readonly bool Contains(ulong pc) => pc - (ulong)Base < CodeSize;

    /// <summary>Neighbours share buckets and pages on purpose: code that is used together touches few pages of the table.</summary>
    private static uint Hash(uint pc) => (pc >> 3) & ((1u << HashBits) - 1);

    /// <summary>Code cache offset of a live translation that starts at <paramref name="pc"/>, or 0. Under the lock.</summary>
    private readonly uint Lookup(uint pc, bool segmented)
    {
        for (int e = (segmented ? _segmentedBuckets : _buckets)[Hash(pc)]; e != 0; e = _chain[e])
        {
            if (_entries[e].Address == pc)
            {
                return (uint)_entries[e].HostOffset;
            }
        }

        return 0;
    }

    private void AddEntry(uint pc, uint hostOffset, bool segmented)
    {
        int e = _entryCount++;
        _entries[e].Address = pc;
        _entries[e].HostOffset = (int)hostOffset;
        int* bucket = (segmented ? _segmentedBuckets : _buckets) + Hash(pc);
        _chain[e] = *bucket;
        *bucket = e;
    }

    private void RemoveEntry(uint pc, uint hostOffset, bool segmented)
    {
        int* link = (segmented ? _segmentedBuckets : _buckets) + Hash(pc);
        while (*link != 0)
        {
            int e = *link;
            if (_entries[e].Address == pc && (uint)_entries[e].HostOffset == hostOffset)
            {
                *link = _chain[e];
                break;
            }

            link = &_chain[e];
        }

        uint* targets = segmented ? SegmentedTargets : Targets;
        if (targets[pc] == hostOffset)
        {
            targets[pc] = 0;
        }
    }

    /// <summary>Index of the unit whose host code holds the offset, or -1 (stubs, unused space).</summary>
    public readonly int UnitAt(uint hostOffset)
    {
        int low = 1;
        int high = _unitCount - 1;
        while (low <= high)
        {
            int mid = (low + high) >> 1;
            ref Unit u = ref _units[mid];
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
                return mid;
            }
        }

        return -1;
    }

    /// <summary>Side table entry for a host offset inside the unit.</summary>
    public readonly Boundary BoundaryAt(int unit, uint hostOffset)
    {
        ref Unit u = ref _units[unit];
        uint inside = hostOffset - u.HostStart;
        int low = 0;
        int high = u.BoundaryCount - 1;
        while (low < high)
        {
            int mid = (low + high + 1) >> 1;
            if (_boundaries[u.FirstBoundary + mid].HostOffset <= inside)
            {
                low = mid;
            }
            else
            {
                high = mid - 1;
            }
        }

        return _boundaries[u.FirstBoundary + low];
    }

    /// <summary>The unit's record.</summary>
    public readonly ref Unit UnitRef(int unit) => ref _units[unit];
}
