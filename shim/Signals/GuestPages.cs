namespace Lodge.Shim;

/// <summary>What signals ask of guest memory.</summary>
internal static unsafe class GuestPages
{
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
