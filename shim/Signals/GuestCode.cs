namespace Lodge.Shim;

/// <summary>What signals need to know of translated code: one place for the calls into the dispatcher and the code cache.</summary>
internal static unsafe class GuestCode
{
    /// <summary>
    /// Where a thread interrupted at <paramref name="pc"/> must go on so that the dispatcher gets it with a recoverable frame;
    /// 0 = the PC is not in guest code. Async-signal-safe.
    /// </summary>
    internal static ulong InterruptTarget(GuestThread* t, ulong pc) => Recovery.InterruptTarget(t, pc);

    /// <summary>
    /// A store to a page that is write-protected because it holds translated code, or below a growing mapping: makes it writable.
    /// False when the fault is the guest's.
    /// </summary>
    internal static bool OnWriteFault(GuestThread* t, ulong address)
    {
        if (address > uint.MaxValue || t->Mm == null || t->Mm->Lock.Owner == t->Tid)
        {
            return false;
        }

        if (!Mm.OnWriteFault(t, (uint)address))
        {
            return false;
        }

        Recovery.OnCodeWritten(t, (uint)address);
        return true;
    }

    /// <summary>A load below a growing mapping (or a store, where no page is protected): makes the mapping reach it.</summary>
    internal static bool OnReadFault(GuestThread* t, ulong address)
    {
        if (address > uint.MaxValue || t->Mm == null || t->Mm->Lock.Owner == t->Tid)
        {
            return false;
        }

        return Mm.OnReadFault(t, (uint)address);
    }

    /// <summary>True when something is mapped for the guest at the address.</summary>
    internal static bool IsMapped(GuestThread* t, ulong address) => address <= uint.MaxValue && Mm.Find(t, (uint)address, out _);
}
