namespace Lodge.Shim;

/// <summary>First-fit search of free ranges (vm_unmapped_area).</summary>
public unsafe partial struct GuestMap
{
    /// <summary>Result of a search that found nothing; no valid address has low bits set.</summary>
    public const uint NoAddress = uint.MaxValue;

    /// <summary>
    /// The highest free range of <paramref name="length"/> bytes in [low, high), or <see cref="NoAddress"/>. The guard below growing
    /// mappings counts as taken.
    /// </summary>
    /// <param name="low">Lowest address allowed.</param>
    /// <param name="high">First address not allowed.</param>
    /// <param name="length">Bytes, page-rounded, not 0.</param>
    /// <param name="alignMask">Alignment less one, or 0.</param>
    public readonly uint SearchDown(uint low, uint high, uint length, uint alignMask)
    {
        ulong need = (ulong)length + alignMask;
        if (need > high || low >= high)
        {
            return NoAddress;
        }

        ulong end = Down(_root, 0, high, low, high, need);
        if (end == 0)
        {
            return NoAddress;
        }

        uint address = (uint)end - length;
        return address & ~alignMask;
    }

    /// <summary>The lowest free range of <paramref name="length"/> bytes in [low, high), or <see cref="NoAddress"/>.</summary>
    /// <inheritdoc cref="SearchDown"/>
    public readonly uint SearchUp(uint low, uint high, uint length, uint alignMask)
    {
        ulong need = (ulong)length + alignMask;
        if (need > high || low >= high)
        {
            return NoAddress;
        }

        ulong start = Up(_root, 0, high, low, high, need);
        if (start == ulong.MaxValue)
        {
            return NoAddress;
        }

        uint address = (uint)start;
        return (address + alignMask) & ~alignMask;
    }

    /// <summary>End of the highest gap of at least <paramref name="need"/> bytes between <paramref name="left"/> and <paramref name="right"/>, or 0.</summary>
    private readonly ulong Down(uint index, uint left, uint right, uint low, uint high, ulong need)
    {
        if (index == 0)
        {
            uint from = left > low ? left : low;
            uint to = right < high ? right : high;
            return to > from && to - from >= need ? to : 0;
        }

        // A guard may reach below mappings of this subtree, so a low right border alone says nothing about them.
        GuestMapping* node = _nodes + index;
        if (left >= high || (right <= low && node->Last <= low))
        {
            return 0;
        }

        bool inside = node->Gap >= need;
        bool before = node->First > left && node->First - left >= need;
        bool behind = right > node->Last && right - node->Last >= need;
        if (!inside && !before && !behind)
        {
            return 0;
        }

        ulong found = Down(node->Right, node->End, right, low, high, need);
        return found != 0 ? found : Down(node->Left, left, node->GapStart, low, high, need);
    }

    /// <summary>Start of the lowest gap of at least <paramref name="need"/> bytes, or all ones.</summary>
    private readonly ulong Up(uint index, uint left, uint right, uint low, uint high, ulong need)
    {
        if (index == 0)
        {
            uint from = left > low ? left : low;
            uint to = right < high ? right : high;
            return to > from && to - from >= need ? from : ulong.MaxValue;
        }

        GuestMapping* node = _nodes + index;
        if (left >= high || (right <= low && node->Last <= low))
        {
            return ulong.MaxValue;
        }

        bool inside = node->Gap >= need;
        bool before = node->First > left && node->First - left >= need;
        bool behind = right > node->Last && right - node->Last >= need;
        if (!inside && !before && !behind)
        {
            return ulong.MaxValue;
        }

        ulong found = Up(node->Left, left, node->GapStart, low, high, need);
        return found != ulong.MaxValue ? found : Up(node->Right, node->End, right, low, high, need);
    }
}
