namespace Lodge.Shim;

/// <summary>
/// CPU exceptions as the signals that the kernel makes of them (arch/x86/kernel/traps.c, arch/x86/mm/fault.c): number, si_code, si_addr,
/// trap number and error code. The frame's EIP is where the exception leaves it.
/// </summary>
public static unsafe class Faults
{
    /// <summary>si_code TRAP_BRKPT.</summary>
    public const int TRAP_BRKPT = 1;
    /// <summary>si_code TRAP_TRACE.</summary>
    public const int TRAP_TRACE = 2;

    private const int SI_KERNEL = 0x80, SEGV_MAPERR = 1, SEGV_ACCERR = 2, ILL_ILLOPN = 2, FPE_INTDIV = 1, BUS_ADRERR = 2;
    private const int SIGILL = 4, SIGTRAP = 5, SIGBUS = 7, SIGFPE = 8, SIGSEGV = 11;
    private const uint TrapDivide = 0, TrapDebug = 1, TrapBreakpoint = 3, TrapOverflow = 4, TrapBound = 5, TrapInvalidOpcode = 6, TrapNotPresent = 11, TrapStack = 12,
        TrapProtection = 13, TrapPage = 14;
    private const uint PagePresent = 1;

    /// <summary>#UD.</summary>
    public static void InvalidOpcode(GuestThread* t) => Force(t, SIGILL, ILL_ILLOPN, t->I386.eip, TrapInvalidOpcode, 0);

    /// <summary>#GP with an error code.</summary>
    public static void GeneralProtection(GuestThread* t, uint error) => Force(t, SIGSEGV, SI_KERNEL, 0, TrapProtection, error);

    /// <summary>#NP or #SS for a descriptor that is not present, with the selector as error code.</summary>
    public static void SegmentNotPresent(GuestThread* t, uint error, bool stack) =>
        Force(t, SIGBUS, SI_KERNEL, 0, stack ? TrapStack : TrapNotPresent, error);

    /// <summary>
    /// The page fault noted for the instruction at EIP may have been at the very top of the address space, or beyond. An operand that reaches
    /// over the end is beyond the segment limit for the guest's CPU: #SS (SIGBUS) in the stack segment, #GP in the others, no page fault.
    /// </summary>
    public static void CheckLimit(GuestThread* t)
    {
        ThreadSignals* s = &t->Signals;
        if (s->SyncSignal != SIGSEGV || s->TrapNumber != TrapPage)
        {
            return;
        }

        ulong address = *(ulong*)(ThreadSignals.SyncInfo(s) + 16);
        bool nullSegment = address - (Dispatcher.NullGsBase - (1ul << 31)) < 6ul << 30;
        bool outside = address > uint.MaxValue;
        const uint Above = 64, Below = 32;
        if (!nullSegment && !outside && s->FaultAddress + Above >= Above + Below)
        {
            // Not near either end.
            return;
        }

        bool stack = false;
        if (!nullSegment && !Emulation.IsBeyondLimit(t, s->FaultAddress, out stack))
        {
            if (outside)
            {
                // The host's half of the address space is protected from us; for the guest nothing is there.
                s->ErrorCode &= ~PagePresent;
            }

            return;
        }

        if (stack)
        {
            SegmentNotPresent(t, 0, stack: true);
        }
        else
        {
            GeneralProtection(t, 0);
        }
    }

    /// <summary>A page of a mapping that has no file behind it any more: SIGBUS, BUS_ADRERR.</summary>
    public static void BusError(GuestThread* t, uint address) => Force(t, SIGBUS, BUS_ADRERR, address, TrapPage, 0x14);

    /// <summary>#DE.</summary>
    public static void DivideError(GuestThread* t) => Force(t, SIGFPE, FPE_INTDIV, t->I386.eip, TrapDivide, 0);

    /// <summary>#BP, EIP behind the instruction.</summary>
    public static void Breakpoint(GuestThread* t) => Force(t, SIGTRAP, SI_KERNEL, 0, TrapBreakpoint, 0);

    /// <summary>#DB with si_code TRAP_BRKPT or TRAP_TRACE.</summary>
    public static void DebugTrap(GuestThread* t, int code) => Force(t, SIGTRAP, code, t->I386.eip, TrapDebug, 0);

    /// <summary>#OF, EIP behind the instruction.</summary>
    public static void Overflow(GuestThread* t) => Force(t, SIGSEGV, SI_KERNEL, 0, TrapOverflow, 0);

    /// <summary>#BR.</summary>
    public static void BoundRange(GuestThread* t) => Force(t, SIGSEGV, SI_KERNEL, 0, TrapBound, 0);

    /// <summary>A data access of at most a page that the guest's memory map does not allow; the fault is at the first byte of it that is refused.</summary>
    public static void PageFault(GuestThread* t, uint address, uint size, bool write)
    {
        const uint PageMask = 4095;
        uint last = address + size - 1;
        MappingFlags needed = write ? MappingFlags.Write : MappingFlags.Access;
        if (last > address && ((address ^ last) & ~PageMask) != 0 && Mm.Find(t, address, out GuestMapping first) && (first.Flags & needed) != 0)
        {
            address = last & ~PageMask;
        }

        // A page of PROT_NONE is not present for the CPU.
        bool mapped = Mm.Find(t, address, out GuestMapping mapping);
        uint error = 4u | (write ? 2u : 0u) | ((mapping.Flags & MappingFlags.Access) != 0 ? PagePresent : 0u);
        Force(t, SIGSEGV, mapped ? SEGV_ACCERR : SEGV_MAPERR, address, TrapPage, error);
        CheckLimit(t);
    }

    /// <summary>An instruction fetch from memory that is not mapped or not executable; EIP is at the instruction.</summary>
    public static void FetchFault(GuestThread* t, uint address)
    {
        bool mapped = Mm.Find(t, address, out _);
        uint error = 0x14u | (mapped ? 1u : 0u);
        Force(t, SIGSEGV, mapped ? SEGV_ACCERR : SEGV_MAPERR, address, TrapPage, error);
    }

    private static void Force(GuestThread* t, int signal, int code, uint address, uint trap, uint error)
    {
        t->Signals.TrapNumber = trap;
        t->Signals.ErrorCode = error;
        if (trap == TrapPage)
        {
            t->Signals.FaultAddress = address;
        }

        Signals.Force(t, signal, code, address);
    }
}
