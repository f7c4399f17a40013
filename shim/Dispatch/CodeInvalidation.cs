namespace Lodge.Shim;

/// <summary>Drops translations of guest memory that has changed.</summary>
public static unsafe class CodeInvalidation
{
    /// <summary>Everything translated from [start, start + length) is stale. Called without <see cref="Mm.Lock"/>.</summary>
    /// <param name="mm">The address space.</param>
    /// <param name="start">First changed guest address.</param>
    /// <param name="length">Bytes.</param>
    public static void Range(Mm* mm, uint start, uint length)
    {
    }
}
