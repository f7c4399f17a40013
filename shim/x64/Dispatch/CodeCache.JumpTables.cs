using System.Threading;
using Lodge.Translator.X64;

namespace Lodge.Shim;

/// <summary>Head of a jump table's shadow in the code area; the code offsets and a copy of the guest's entries follow.</summary>
public struct JumpTableRecord
{
    /// <summary>Where entries lead whose target is not known yet: mov r9d, record; jmp exit.</summary>
    public ulong StubLow, StubHigh;
    /// <summary>Guest address and entries of the table.</summary>
    public uint Table, Count;
}

/// <summary>
/// Shadows of the guest's jump tables: what the flat target table says for each entry, in as little memory as the guest's own table takes.
/// Only for tables in mappings that cannot be written; units that use one die when its page changes, and a shadow is used again only
/// where the guest's entries are still the same. Under the cache's lock, but for the entries, which running threads read.
/// </summary>
public unsafe partial struct CodeCache
{
    /// <summary>Slots of the table of shadows, by guest address; three quarters are used.</summary>
    private const uint JumpTableSlots = 2048;

    private const uint ShadowChunk = 16 << 10;

    /// <summary>
    /// For <see cref="UnitRequest.JumpTable"/>: the shadow's first entry as code cache offset, or 0. The first table that meets a full chunk
    /// does without: the next unit brings a new one.
    /// </summary>
    internal static int Shadow(void* context, uint table, int count)
    {
        CodeCache* c = (CodeCache*)context;
        uint* entries = stackalloc uint[UnitTranslator.MaxJumpTable];
        uint bytes = (uint)count * 4;

        // Before the look at the mapping: whoever changes it behind that sees the mark, and waits for the lock.
        c->WatchData(table);
        if (!Mm.Find(Host.Thread, table, out GuestMapping mapping) || (mapping.Flags & (MappingFlags.Write | MappingFlags.Shared)) != 0
            || table + (ulong)bytes > mapping.End || !User.CopyIn(entries, table, bytes))
        {
            return 0;
        }

        uint slot = c->JumpTableSlot(table);
        uint at = c->_jumpTables[slot];
        if (at != 0)
        {
            JumpTableRecord* known = (JumpTableRecord*)(c->Base + at);
            return known->Count >= (uint)count && Same(CopyOf(known), entries, count) ? (int)at + sizeof(JumpTableRecord) : 0;
        }

        uint size = ((uint)sizeof(JumpTableRecord) + (2 * bytes) + 15) & ~15u;
        if (c->_jumpTableCount >= JumpTableSlots / 4 * 3 || c->_shadowUsed + size > c->_shadowEnd)
        {
            c->_shadowWanted = true;
            return 0;
        }

        at = c->_shadowUsed;
        c->_shadowUsed += size;
        c->_jumpTableCount++;
        JumpTableRecord* record = (JumpTableRecord*)(c->Base + at);
        CodeBuffer stub = new(c->Base + at, 16);
        stub.MovImm32(HostReg.R9, at);
        stub.JmpTo((int)(c->Stubs.JumpTableExit - at));
        record->Table = table;
        record->Count = (uint)count;
        for (int i = 0; i < count; i++)
        {
            CopyOf(record)[i] = entries[i];
            uint offset = c->Lookup(entries[i], segmented: false, out uint unit);
            bool usable = offset != 0 && c->UnitRef(unit).Checked == 0;
            OffsetsOf(record)[i] = usable ? offset : at;
            if (usable)
            {
                c->UnitRef(unit).InShadow = 1;
            }
        }

        c->_jumpTables[slot] = at;
        return (int)at + sizeof(JumpTableRecord);
    }

    private readonly void WatchData(uint address)
    {
        uint page = PageSlot(address >> 12);
        Interlocked.Or(ref _watched[page >> 6], 1ul << (int)(page & 63));
    }

    /// <summary>True when the contents of a page of [start, end) may have gone into translations. Without a lock.</summary>
    public readonly bool UsesData(uint start, uint end)
    {
        uint page = start >> 12;
        uint count = ((end - 1) >> 12) - page + 1;
        while (count != 0)
        {
            uint slot = PageSlot(page);
            ulong word = Volatile.Read(ref _watched[slot >> 6]) >> (int)(slot & 63);
            uint step = 64 - (slot & 63) < count ? 64 - (slot & 63) : count;
            if ((step == 64 ? word : word & ((1ul << (int)step) - 1)) != 0)
            {
                return true;
            }

            page += step;
            count -= step;
        }

        return false;
    }

    /// <summary>
    /// A jump through the shadow at <paramref name="at"/> met a target that was not known: it is entered there if it is known by now. A
    /// shadow of before the cache was emptied is left alone.
    /// </summary>
    public void ResolveJump(GuestThread* t, uint at, uint generation, uint target)
    {
        Lock.Acquire(t);
        uint offset = generation == _generation ? Lookup(target, segmented: false, out uint unit) : unit = 0;
        if (offset != 0 && UnitRef(unit).Checked == 0)
        {
            JumpTableRecord* record = (JumpTableRecord*)(Base + at);
            for (uint i = 0; i < record->Count; i++)
            {
                if (CopyOf(record)[i] == target)
                {
                    Volatile.Write(ref OffsetsOf(record)[i], offset);
                    UnitRef(unit).InShadow = 1;
                }
            }
        }

        Lock.Release(t);
    }

    /// <summary>Takes the code of a unit that dies out of all shadows.</summary>
    private readonly void LeaveShadows(ref Unit u)
    {
        for (uint slot = 0; slot < JumpTableSlots; slot++)
        {
            uint at = _jumpTables[slot];
            if (at == 0)
            {
                continue;
            }

            JumpTableRecord* record = (JumpTableRecord*)(Base + at);
            for (uint i = 0; i < record->Count; i++)
            {
                if (OffsetsOf(record)[i] - u.HostStart < u.HostLength)
                {
                    Volatile.Write(ref OffsetsOf(record)[i], at);
                }
            }
        }
    }

    /// <summary>Before a unit is emitted: room for the shadows that it may want, where others have wanted some.</summary>
    private void MakeShadowRoom()
    {
        if (_shadowWanted)
        {
            _shadowWanted = false;
            _shadowUsed = _used;
            _used += ShadowChunk;
            _shadowEnd = _used;
        }
    }

    private readonly uint JumpTableSlot(uint table)
    {
        uint slot = (table * 2654435769u) >> 21;
        while (_jumpTables[slot] != 0 && ((JumpTableRecord*)(Base + _jumpTables[slot]))->Table != table)
        {
            slot = (slot + 1) & (JumpTableSlots - 1);
        }

        return slot;
    }

    private static uint* OffsetsOf(JumpTableRecord* record) => (uint*)(record + 1);

    private static uint* CopyOf(JumpTableRecord* record) => OffsetsOf(record) + record->Count;

    private static bool Same(uint* a, uint* b, int count)
    {
        for (int i = 0; i < count; i++)
        {
            if (a[i] != b[i])
            {
                return false;
            }
        }

        return true;
    }
}
