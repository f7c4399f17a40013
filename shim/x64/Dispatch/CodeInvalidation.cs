namespace Lodge.Shim;

/// <summary>The address space's translated code.</summary>
public unsafe partial struct Mm
{
    /// <summary>Code cache; null until the first thread is about to run.</summary>
    public CodeCache* Code;
}

/// <summary>Drops translations of guest memory that has changed.</summary>
public static unsafe class CodeInvalidation
{
    /// <summary>Everything translated from [start, start + length) is stale. Called without <see cref="Mm.Lock"/>.</summary>
    /// <param name="mm">The address space.</param>
    /// <param name="start">First changed guest address.</param>
    /// <param name="length">Bytes.</param>
    public static void Range(Mm* mm, uint start, uint length)
    {
        if (mm->Code != null)
        {
            mm->Code->Invalidate(Host.Thread, start, length);
        }
    }

    /// <summary>
    /// True when translations may depend on data in [start, end), which is not executable: it is stale with them when it changes. May be
    /// called with <see cref="Mm.Lock"/>.
    /// </summary>
    public static bool UsesData(in Mm mm, uint start, uint end) => mm.Code != null && mm.Code->UsesData(start, end);

    /// <summary>Waits while another thread empties the code cache (see <see cref="CodeCache.Pause"/>).</summary>
    public static void Pause(GuestThread* t)
    {
        if (t->Mm->Code != null)
        {
            t->Mm->Code->Pause(t);
        }
    }
}
