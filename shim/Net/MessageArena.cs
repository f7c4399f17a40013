namespace Lodge.Shim;

/// <summary>A piece of memory that the parts of one or more messages are cut from, first come first served.</summary>
internal unsafe struct MessageArena
{
    private byte* _next;
    private readonly byte* _end;

    /// <summary>An arena over <paramref name="size"/> bytes.</summary>
    public MessageArena(byte* start, nuint size)
    {
        _next = start;
        _end = start + size;
    }

    /// <summary>Cuts off <paramref name="size"/> bytes, aligned to 8. Null where they are not there.</summary>
    public byte* Take(nuint size)
    {
        nuint rounded = (size + 7) & ~(nuint)7;
        if ((nuint)(_end - _next) < rounded)
        {
            return null;
        }

        byte* result = _next;
        _next += rounded;
        return result;
    }
}
