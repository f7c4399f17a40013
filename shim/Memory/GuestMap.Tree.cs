namespace Lodge.Shim;

/// <summary>The treap under <see cref="GuestMap"/>: order by start, heap by priority, aggregates renewed on the way back up.</summary>
public unsafe partial struct GuestMap
{
    /// <summary>Takes a node from the arena and links it in; no joining, no accounting.</summary>
    private void Attach(in GuestMapping mapping)
    {
        uint index = _free;
        if (index != 0)
        {
            _free = _nodes[index].Left;
        }
        else
        {
            if (_used == _nearEnd && _far != 0)
            {
                _used = _far;
            }

            index = _used++;
        }

        // xorshift: priorities only have to be independent of the addresses.
        _random ^= _random << 13;
        _random ^= _random >> 17;
        _random ^= _random << 5;
        GuestMapping* node = _nodes + index;
        *node = mapping;
        node->Left = 0;
        node->Right = 0;
        node->Priority = _random;
        Renew(index);
        _root = Add(_root, index);
        Count++;
    }

    /// <summary>Unlinks the mapping that begins at <paramref name="start"/> and gives its node back.</summary>
    private void Detach(uint start)
    {
        _root = Take(_root, start);
        Count--;
    }

    private readonly uint Add(uint root, uint index)
    {
        if (root == 0)
        {
            return index;
        }

        GuestMapping* top = _nodes + root;
        GuestMapping* node = _nodes + index;
        if (node->Priority > top->Priority)
        {
            Divide(root, node->Start, out node->Left, out node->Right);
            Renew(index);
            return index;
        }

        if (node->Start < top->Start)
        {
            top->Left = Add(top->Left, index);
        }
        else
        {
            top->Right = Add(top->Right, index);
        }

        Renew(root);
        return root;
    }

    private uint Take(uint root, uint start)
    {
        if (root == 0)
        {
            return 0;
        }

        GuestMapping* top = _nodes + root;
        if (top->Start == start)
        {
            uint joined = Unite(top->Left, top->Right);
            top->Left = _free;
            _free = root;
            return joined;
        }

        if (start < top->Start)
        {
            top->Left = Take(top->Left, start);
        }
        else
        {
            top->Right = Take(top->Right, start);
        }

        Renew(root);
        return root;
    }

    /// <summary>Parts a subtree into what begins below <paramref name="start"/> and the rest.</summary>
    private readonly void Divide(uint root, uint start, out uint low, out uint high)
    {
        if (root == 0)
        {
            low = 0;
            high = 0;
            return;
        }

        GuestMapping* top = _nodes + root;
        if (top->Start < start)
        {
            Divide(top->Right, start, out uint middle, out high);
            top->Right = middle;
            low = root;
        }
        else
        {
            Divide(top->Left, start, out low, out uint middle);
            top->Left = middle;
            high = root;
        }

        Renew(root);
    }

    /// <summary>Joins two subtrees, all of <paramref name="low"/> being below <paramref name="high"/>.</summary>
    private readonly uint Unite(uint low, uint high)
    {
        if (low == 0 || high == 0)
        {
            return low | high;
        }

        if (_nodes[low].Priority > _nodes[high].Priority)
        {
            _nodes[low].Right = Unite(_nodes[low].Right, high);
            Renew(low);
            return low;
        }

        _nodes[high].Left = Unite(low, _nodes[high].Left);
        Renew(high);
        return high;
    }

    /// <summary>Recomputes a node's aggregates from its own range and its children's aggregates.</summary>
    private readonly void Renew(uint index)
    {
        GuestMapping* node = _nodes + index;
        uint gapStart = node->GapStart;
        uint first = gapStart, last = node->End, gap = 0;
        if (node->Left != 0)
        {
            GuestMapping* left = _nodes + node->Left;
            first = left->First;
            gap = left->Gap;
            if (gapStart > left->Last && gapStart - left->Last > gap)
            {
                gap = gapStart - left->Last;
            }
        }

        if (node->Right != 0)
        {
            GuestMapping* right = _nodes + node->Right;
            last = right->Last;
            if (right->Gap > gap)
            {
                gap = right->Gap;
            }

            if (right->First > node->End && right->First - node->End > gap)
            {
                gap = right->First - node->End;
            }
        }

        node->First = first;
        node->Last = last;
        node->Gap = gap;
    }
}
