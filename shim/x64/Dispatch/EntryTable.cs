namespace Lodge.Shim;

/// <summary>
/// Guest addresses at which translated code can be entered, or numbers of guest pages, with a reference to the record of each. Open addressing;
/// the table begins with a few pages and grows, because a page that is touched first costs more than what is in it. An address may be in it more than once.
/// Under the code cache's lock.
/// </summary>
public unsafe struct EntryTable
{
    /// <summary>Bytes of a slot.</summary>
    public const uint SlotBytes = 8;

    /// <summary>Slots of a table that was not given memory to begin with.</summary>
    private const uint FirstCapacity = 2048;

    private const uint Removed = 1;

    /// <summary>Address in the low half, reference in the high one; a slot without reference is free (0) or was given up (<see cref="Removed"/>).</summary>
    private ulong* _slots;
    private uint _mask;
    private uint _filled;
    private int _shift;

    private bool _isMapped;

    /// <summary>Gives the table its first memory: <see cref="SlotBytes"/> for each of a power of two of slots, zeroed.</summary>
    public void Begin(byte* memory, uint slots) => Use((ulong*)memory, slots);

    /// <summary>Slots there are.</summary>
    public readonly uint Slots => _slots == null ? 0 : _mask + 1;

    /// <summary>Reference in the slot of a number below <see cref="Slots"/>, or 0, and the address it belongs to.</summary>
    public readonly uint ReferenceIn(uint slot, out uint address)
    {
        address = (uint)_slots[slot];
        return (uint)(_slots[slot] >> 32);
    }

    /// <summary>Reference of an entry at the address, or 0.</summary>
    public readonly uint Find(uint address)
    {
        if (_slots == null)
        {
            return 0;
        }

        for (uint i = Start(address); ; i = (i + 1) & _mask)
        {
            ulong slot = _slots[i];
            if ((uint)slot == address && slot >> 32 != 0)
            {
                return (uint)(slot >> 32);
            }

            if (slot == 0)
            {
                return 0;
            }
        }
    }

    /// <summary>Enters a reference other than 0. There is room (<see cref="MakeRoom"/>).</summary>
    public void Add(uint address, uint reference)
    {
        uint i = Start(address);
        while (_slots[i] >> 32 != 0)
        {
            i = (i + 1) & _mask;
        }

        _filled += _slots[i] == 0 ? 1u : 0;
        _slots[i] = ((ulong)reference << 32) | address;
    }

    /// <summary>Takes a reference out that is in the table.</summary>
    public readonly void Remove(uint address, uint reference)
    {
        ulong slot = ((ulong)reference << 32) | address;
        uint i = Start(address);
        while (_slots[i] != slot)
        {
            i = (i + 1) & _mask;
        }

        _slots[i] = Removed;
    }

    /// <summary>Makes sure that so many more fit. False when there is no memory.</summary>
    public bool MakeRoom(uint count)
    {
        // At most two thirds full: runs of slots stay short.
        return _slots != null && (_filled + count) * 3ul <= (_mask + 1) * 2ul ? true : Grow();
    }

    /// <summary>Empties the table.</summary>
    public void Clear()
    {
        if (_slots != null)
        {
            new System.Span<byte>(_slots, (int)((_mask + 1) * 8)).Clear();
        }

        _filled = 0;
    }

    private readonly uint Start(uint address) => (address * 2654435769u) >> _shift;

    private bool Grow()
    {
        ulong* old = _slots;
        uint oldCapacity = old == null ? 0 : _mask + 1;
        uint live = 0;
        for (uint i = 0; i < oldCapacity; i++)
        {
            live += old[i] >> 32 != 0 ? 1u : 0;
        }

        // What was given up makes room, too.
        uint capacity = old == null ? FirstCapacity : live * 3 > oldCapacity ? oldCapacity * 4 : oldCapacity;
        ulong* slots = (ulong*)HostMemory.MapNow(capacity * 8ul);
        if (slots == null)
        {
            return false;
        }

        Use(slots, capacity);
        for (uint i = 0; i < oldCapacity; i++)
        {
            if (old[i] >> 32 != 0)
            {
                Add((uint)old[i], (uint)(old[i] >> 32));
            }
        }

        if (_isMapped)
        {
            HostMemory.Unmap(old, oldCapacity * 8ul);
        }

        _isMapped = true;
        return true;
    }

    private void Use(ulong* slots, uint capacity)
    {
        _slots = slots;
        _mask = capacity - 1;
        _shift = 32 - System.Numerics.BitOperations.Log2(capacity);
        _filled = 0;
    }
}
