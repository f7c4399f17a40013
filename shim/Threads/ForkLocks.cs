namespace Lodge.Shim;

/// <summary>
/// The shim's locks in the order in which they may be taken together. fork takes them all, so that the child's copy of
/// what they guard is whole, and makes them free in the child, where their owner does not exist.
/// </summary>
public static unsafe class ForkLocks
{
    /// <summary>Takes every lock. The calling thread holds none.</summary>
    public static void AcquireAll(GuestThread* t)
    {
        t->Group->ThreadsLock.Acquire(t);
        t->Sighand->Lock.Acquire(t);
#if X64
        if (t->Mm->Code != null)
        {
            t->Mm->Code->Lock.Acquire(t);
        }
#endif
        t->Mm->Lock.Acquire(t);
        t->Mm->Heap.Lock.Acquire(t);
    }

    /// <summary>Gives every lock back, in the parent.</summary>
    public static void ReleaseAll(GuestThread* t)
    {
        t->Mm->Heap.Lock.Release(t);
        t->Mm->Lock.Release(t);
#if X64
        if (t->Mm->Code != null)
        {
            t->Mm->Code->Lock.Release(t);
        }
#endif
        t->Sighand->Lock.Release(t);
        t->Group->ThreadsLock.Release(t);
    }

    /// <summary>Makes every lock free, in the child.</summary>
    public static void ResetAll(GuestThread* t)
    {
        t->Mm->Heap.Lock.Reset();
        t->Mm->Lock.Reset();
#if X64
        if (t->Mm->Code != null)
        {
            t->Mm->Code->Lock.Reset();
        }
#endif
        t->Sighand->Lock.Reset();
        t->Group->ThreadsLock.Reset();
    }
}
