namespace Lodge.Shim;

/// <summary>
/// ioctl requests that something has been said about, so that it is said once. All-zero is empty. Without a lock a race between threads costs a
/// line too many or too few, nothing else.
/// </summary>
public unsafe struct SeenRequests
{
    /// <summary>Room for requests.</summary>
    public const int Capacity = 32;

    private int _count;
    private fixed uint _requests[Capacity];

    /// <summary>Requests remembered.</summary>
    public readonly int Count => _count;

    /// <summary>Whether the request is remembered.</summary>
    public readonly bool Contains(uint request)
    {
        for (int i = 0; i < _count; i++)
        {
            if (_requests[i] == request)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Remembers a request; false when <paramref name="limit"/> (at most <see cref="Capacity"/>) are remembered already.</summary>
    public bool TryAdd(uint request, int limit)
    {
        int at = _count;
        if (at >= limit)
        {
            return false;
        }

        _requests[at] = request;
        _count = at + 1;
        return true;
    }
}
