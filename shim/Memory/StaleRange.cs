namespace Lodge.Shim;

/// <summary>
/// The span of executable memory that an operation has changed: collected under <see cref="Mm.Lock"/>, given to
/// <see cref="CodeInvalidation"/> after its release, because the code cache takes its own lock first.
/// </summary>
internal unsafe struct StaleRange
{
    private uint _start;
    private uint _end;

    /// <summary>Widens the span by [start, end).</summary>
    public void Add(uint start, uint end)
    {
        if (_end == 0)
        {
            _start = start;
            _end = end;
            return;
        }

        _start = start < _start ? start : _start;
        _end = end > _end ? end : _end;
    }

    /// <summary>Drops translations of the span, if there is one. Without locks held.</summary>
    public readonly void Invalidate(Mm* mm)
    {
        if (_end != 0)
        {
            CodeInvalidation.Range(mm, _start, _end - _start);
        }
    }
}
