namespace Lodge.Shim;

/// <summary>
/// The guest's address space as a set of disjoint mappings: a balanced tree (treap) ordered by address, in which every node knows the
/// widest gap of its subtree. It is the truth for placement, /proc/self/maps, mremap, brk and code invalidation.
/// Pure but for <see cref="GrowLater"/>: no system calls, no locks; the owner (<see cref="Mm"/>) holds its lock around every call. Nodes live in
/// an arena that the owner provides and are named by index, 0 being none, so that a forked copy of the arena stays valid.
/// </summary>
public unsafe partial struct GuestMap
{
    /// <summary>Guest page size, bytes.</summary>
    public const uint PageSize = 4096;
    /// <summary>stack_guard_gap: 256 pages kept free below a growing mapping.</summary>
    public const uint StackGuardGap = 256 * PageSize;

    private GuestMapping* _nodes;
    private uint _capacity;
    private uint _used;
    private uint _nearEnd;
    private uint _farCapacity;
    private ulong _farHome;
    private uint _far;
    private uint _free;
    private uint _root;
    private uint _random;

    /// <summary>Number of mappings (map_count).</summary>
    public int Count;
    /// <summary>Pages mapped (total_vm), what RLIMIT_AS limits.</summary>
    public uint TotalPages;
    /// <summary>Private writable pages (data_vm), what RLIMIT_DATA limits.</summary>
    public uint DataPages;
    /// <summary>Flags that a mapping has had since the start.</summary>
    public MappingFlags Seen;

    /// <summary>Bytes of a first arena, enough for most programs.</summary>
    public const uint FirstBytes = 64 << 10;

    /// <summary>Takes an arena for nodes.</summary>
    /// <param name="arena">Zeroed memory, 8-byte aligned, that stays where it is.</param>
    /// <param name="bytes">Its size; 64 bytes for each mapping, and 64 that are not used.</param>
    public void Initialize(byte* arena, nuint bytes)
    {
        _nodes = (GuestMapping*)arena;
        _capacity = (uint)(bytes / (nuint)sizeof(GuestMapping));
        _nearEnd = _capacity;
        _random = 0x9E3779B9;
        Clear();
    }

    /// <summary>Allows a second arena, which is mapped when the first one is full.</summary>
    /// <param name="home">Address for it, above the first; another one within 128 GiB above does as well.</param>
    /// <param name="bytes">Its size.</param>
    public void GrowLater(ulong home, nuint bytes)
    {
        _farHome = home;
        _farCapacity = (uint)(bytes / (nuint)sizeof(GuestMapping));
    }

    /// <summary>Forgets all mappings.</summary>
    public void Clear()
    {
        _used = 1;
        _free = 0;
        _root = 0;
        Count = 0;
        TotalPages = 0;
        DataPages = 0;
    }

    /// <summary>True when fewer than <paramref name="nodes"/> more mappings fit in the arena.</summary>
    public bool IsShortOf(int nodes) => (uint)(Count + 1 + nodes) > _capacity && !Grow((uint)(Count + 1 + nodes));

    /// <summary>Maps the second arena. Nodes are used to the end of the first one before: numbers in between stand for nothing.</summary>
    private bool Grow(uint wanted)
    {
        const ulong Reach = 128ul << 30;
        if (wanted > _capacity + _farCapacity)
        {
            return false;
        }

        ulong bytes = _farCapacity * (ulong)sizeof(GuestMapping);
        byte* far = (byte*)HostMemory.MapAt(_farHome, bytes, HostMemory.ProtRead | HostMemory.ProtWrite);
        if (far == null)
        {
            return false;
        }

        if (far < (byte*)_nodes || (ulong)(far - (byte*)_nodes) > Reach)
        {
            HostMemory.Unmap(far, bytes);
            return false;
        }

        _far = (uint)((ulong)(far - (byte*)_nodes + sizeof(GuestMapping) - 1) / (ulong)sizeof(GuestMapping));
        _capacity += _farCapacity - 1;
        _farCapacity = 0;
        return true;
    }

    /// <summary>The lowest mapping that ends above <paramref name="address"/> (find_vma), or null. It need not contain the address.</summary>
    public readonly GuestMapping* FindAbove(uint address)
    {
        uint index = _root, best = 0;
        while (index != 0)
        {
            GuestMapping* node = _nodes + index;
            if (node->End > address)
            {
                best = index;
                index = node->Left;
            }
            else
            {
                index = node->Right;
            }
        }

        return best == 0 ? null : _nodes + best;
    }

    /// <summary>The mapping that contains <paramref name="address"/>, or null.</summary>
    public readonly GuestMapping* Find(uint address)
    {
        GuestMapping* node = FindAbove(address);
        return node != null && node->Start <= address ? node : null;
    }

    /// <summary>The highest mapping that begins below <paramref name="address"/>, or null.</summary>
    public readonly GuestMapping* FindBelow(uint address)
    {
        uint index = _root, best = 0;
        while (index != 0)
        {
            GuestMapping* node = _nodes + index;
            if (node->Start < address)
            {
                best = index;
                index = node->Right;
            }
            else
            {
                index = node->Left;
            }
        }

        return best == 0 ? null : _nodes + best;
    }

    /// <summary>The lowest mapping, or null.</summary>
    public readonly GuestMapping* FirstMapping() => FindAbove(0);

    /// <summary>The mapping above <paramref name="node"/>, or null.</summary>
    public readonly GuestMapping* Next(GuestMapping* node) => FindAbove(node->End);

    /// <summary>The lowest mapping that overlaps [start, end), or null (find_vma_intersection).</summary>
    public readonly GuestMapping* FindOverlap(uint start, uint end)
    {
        GuestMapping* node = FindAbove(start);
        return node != null && node->Start < end ? node : null;
    }

    /// <summary>True when every byte of [start, end) is mapped.</summary>
    public readonly bool IsCovered(uint start, uint end)
    {
        while (start < end)
        {
            GuestMapping* node = Find(start);
            if (node == null)
            {
                return false;
            }

            start = node->End;
        }

        return true;
    }

    /// <summary>Number of mapped bytes in [start, end).</summary>
    public readonly uint MappedBytes(uint start, uint end)
    {
        uint sum = 0;
        for (GuestMapping* node = FindOverlap(start, end); node != null && node->Start < end; node = Next(node))
        {
            uint from = node->Start > start ? node->Start : start;
            uint to = node->End < end ? node->End : end;
            sum += to - from;
        }

        return sum;
    }

    /// <summary>
    /// Adds a mapping over a free range, joined with neighbours that it continues. The caller has removed what was there and has asked
    /// <see cref="IsShortOf"/>.
    /// </summary>
    public void Insert(in GuestMapping mapping)
    {
        Seen |= mapping.Flags;
        GuestMapping joined = mapping;
        Account(joined, 1);
        GuestMapping* below = FindBelow(joined.Start);
        if (below != null && below->Continues(joined))
        {
            joined.Start = below->Start;
            joined.Offset = below->Offset;
            Detach(below->Start);
        }

        GuestMapping* above = FindAbove(joined.Start);
        if (above != null && joined.Continues(*above))
        {
            joined.End = above->End;
            Detach(above->Start);
        }

        Attach(joined);
    }

    /// <summary>Removes [start, end) from whatever is mapped there; mappings at the borders are cut. Needs room for one more mapping.</summary>
    public void Remove(uint start, uint end)
    {
        Split(start);
        Split(end);
        GuestMapping* node;
        while ((node = FindOverlap(start, end)) != null)
        {
            Account(*node, -1);
            Detach(node->Start);
        }
    }

    /// <summary>
    /// Replaces flag bits of everything mapped in [start, end): <paramref name="clear"/> are taken away, then <paramref name="set"/> added.
    /// Holes stay holes. Mappings are cut at the borders and joined again where they agree. Needs room for two more mappings.
    /// </summary>
    public void Change(uint start, uint end, MappingFlags clear, MappingFlags set)
    {
        Split(start);
        Split(end);
        uint at = start;
        GuestMapping* node;
        while ((node = FindOverlap(at, end)) != null)
        {
            at = node->End;
            MappingFlags flags = (node->Flags & ~clear) | set;
            if (flags != node->Flags)
            {
                GuestMapping changed = *node;
                Account(changed, -1);
                Detach(changed.Start);
                changed.Flags = flags;
                Insert(changed);
            }
            else
            {
                // An unchanged piece may continue what was just changed before it.
                GuestMapping same = *node;
                Account(same, -1);
                Detach(same.Start);
                Insert(same);
            }
        }

        Rejoin(end);
    }

    /// <summary>Cuts the mapping that spans <paramref name="address"/> in two there. Needs room for one more mapping.</summary>
    private void Split(uint address)
    {
        GuestMapping* node = Find(address);
        if (node == null || node->Start == address)
        {
            return;
        }

        GuestMapping low = *node;
        GuestMapping high = low;
        high.Offset += address - low.Start;
        high.Start = address;
        low.End = address;
        Detach(low.Start);
        Attach(low);
        Attach(high);
    }

    /// <summary>Joins the two mappings that meet at <paramref name="address"/> when they agree.</summary>
    private void Rejoin(uint address)
    {
        GuestMapping* high = Find(address);
        if (high != null && high->Start == address)
        {
            GuestMapping copy = *high;
            Account(copy, -1);
            Detach(address);
            Insert(copy);
        }
    }

    private void Account(in GuestMapping mapping, int sign)
    {
        uint pages = (uint)(sign * (int)(mapping.Length / PageSize));
        TotalPages += pages;
        if (mapping.IsData)
        {
            DataPages += pages;
        }
    }
}
