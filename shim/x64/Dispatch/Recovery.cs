using Lodge.Translator.X64;

namespace Lodge.Shim;

/// <summary>
/// Turns a stop between two host instructions into the guest's registers at an instruction boundary, by the unit's side table.
/// The interrupt exit has stored the registers as they were; this puts EIP, ESP and what an expansion had moved aside right.
/// </summary>
public static unsafe class Recovery
{
    /// <summary>
    /// Where a signal handler must send a thread that it interrupted at <paramref name="pc"/>: 0 when the PC is not in guest code (the
    /// signal is noted and the thread goes on), otherwise the new PC. Async-signal-safe; called in the handler, on the thread itself.
    /// </summary>
    public static ulong InterruptTarget(GuestThread* t, ulong pc)
    {
        if (t->Mm == null || t->Mm->Code == null || !t->Mm->Code->Contains(pc))
        {
            return 0;
        }

        CodeCache* cache = t->Mm->Code;
        uint offset = (uint)(pc - (ulong)cache->Base);
        if (offset < CodeCache.StubSize)
        {
            ref DispatchStubs s = ref cache->Stubs;
            if (pc >= s.EntryWindowStart && pc < s.EntryWindowEnd)
            {
                return s.NotEntered;
            }

            return pc >= s.IndirectStart && pc < s.IndirectEnd ? s.InterruptExit : 0;
        }

        uint unit = cache->UnitAt(offset);
        if (unit == 0 || cache->BoundaryAt(unit, offset).Kind == BoundaryKind.Leaving)
        {
            return 0;
        }

        return cache->Stubs.InterruptExit;
    }

    /// <summary>
    /// A store was let through to a page that had been protected: it is made by itself, because the next translation of code in the same
    /// page protects the page again.
    /// </summary>
    public static void OnCodeWritten(GuestThread* t, uint address)
    {
        t->Exec.StepOver = 1;
        if (t->Mm->Code != null)
        {
            t->Mm->Code->CountWriteFault(address);
        }
    }

    /// <summary>Makes the frame precise after <see cref="ExitReason.Interrupted"/>.</summary>
    public static void Recover(GuestThread* t, CodeCache* cache)
    {
        uint offset = (uint)(t->Exec.InterruptedPc - (ulong)cache->Base);
        if (offset < CodeCache.StubSize)
        {
            t->I386.eip = (uint)t->Exec.R8;
            if (t->Exec.InterruptedPc == cache->Stubs.Sentinel)
            {
                // The return has taken the sentinel off; the instruction that puts it back has not run.
                t->Exec.ReturnStackPointer -= 8;
            }

            return;
        }

        uint index = cache->UnitAt(offset);
        Boundary b = cache->BoundaryAt(index, offset);
        ref Unit u = ref cache->UnitRef(index);
        t->I386.eip = u.Pc + b.GuestOffset;
        t->I386.esp = (uint)((int)t->I386.esp + b.EspDelta);
        switch (b.Kind)
        {
            case BoundaryKind.TargetInR8RcxInR9:
                t->I386.ecx = (uint)t->Exec.R9;
                t->I386.eip = (uint)t->Exec.R8;
                break;
            case BoundaryKind.TargetInR8:
                t->I386.eip = (uint)t->Exec.R8;
                break;
            case BoundaryKind.EbpInR8:
                t->I386.ebp = (uint)t->Exec.R8;
                break;
            case BoundaryKind.Pushed:
                t->Exec.ReturnStackPointer += 8;
                break;
            case BoundaryKind.SwappedBytes:
                uint* r = &t->I386.eax + b.Register;
                *r = (*r & 0xFFFF0000) | ((*r & 0xFF) << 8) | ((*r >> 8) & 0xFF);
                break;
            default:
                break;
        }
    }

    /// <summary>
    /// Guest address of the instruction whose host address has the low half <paramref name="low"/>: x87 state keeps only that much.
    /// Values that do not lie in the code cache are returned as they are.
    /// </summary>
    public static uint GuestFip(GuestThread* t, uint low)
    {
        CodeCache* cache = t->Mm->Code;
        uint offset = low - (uint)(ulong)cache->Base;
        if (offset >= cache->Sizes.Code)
        {
            return low;
        }

        cache->Lock.Acquire(t);
        uint unit = cache->UnitAt(offset);
        uint fip = unit == 0 ? low : cache->UnitRef(unit).Pc + cache->BoundaryAt(unit, offset).GuestOffset;
        cache->Lock.Release(t);
        return fip;
    }
}
