using Lodge.Translator.X64;

namespace Lodge.Shim;

/// <summary>Entries into the middle of units: guest code that is there already is not translated again.</summary>
public unsafe partial struct CodeCache
{
    /// <summary>
    /// Finds the address inside a unit that is there already, and makes it an entry: about a quarter of all code would be translated twice
    /// otherwise. It can be entered where an instruction begins with ESP in r15d: the state is the guest's there, and what the unit leaves
    /// out before is dead behind it.
    /// </summary>
    /// <returns>Code cache offset; 0 when there is none.</returns>
    private uint EnterInside(uint pc, bool segmented, out uint unit)
    {
        unit = 0;
        if (segmented)
        {
            return 0;
        }

        // The nearest beginnings before the address: code of a unit rarely reaches over more than one other.
        uint from = pc;
        for (int tries = 0; tries < 4; tries++)
        {
            from = StartBefore(from, pc);
            if (from == pc)
            {
                return 0;
            }

            if (Lookup(from, false, out unit) == 0)
            {
                continue;
            }

            ref Unit u = ref UnitRef(unit);
            int at = pc - u.Pc < u.Length && (u.Dead | u.Checked) == 0 ? InstructionAt(unit, pc - u.Pc) : -1;
            if (at >= 0)
            {
                uint reference = _recordsUsed;
                _recordsUsed += (uint)sizeof(EntryRecord) / 4;
                AddEntry(reference, unit, pc, u.HostStart + (uint)at, segmented);
                ((EntryRecord*)(_records + reference))->NextFurther = u.FurtherEntries;
                u.FurtherEntries = reference;
                return u.HostStart + (uint)at;
            }
        }

        return 0;
    }

    /// <summary>Fills in <see cref="UnitRequest.Known"/>: what is there already is linked to, not translated again.</summary>
    private readonly void FindKnown(uint pc, bool segmented, ulong* known)
    {
        for (uint i = 0; i < UnitRequest.KnownBytes / 64; i++)
        {
            known[i] = segmented ? 0 : StartsAt(pc + (i * 64));
        }

        known[0] &= ~1ul;
    }

    /// <summary>How far before an address a unit that holds it may begin.</summary>
    private const uint StartReach = 768;

    /// <summary>
    /// The bits for 64 addresses: one for each of the lowest <see cref="CodeCacheSizes.StartBits"/> at which a unit begins; further up the bits
    /// are shared, so one may mean nothing.
    /// </summary>
    private readonly ulong StartsAt(uint pc)
    {
        uint word = (pc & (Sizes.StartBits - 1)) >> 6;
        int shift = (int)(pc & 63);
        ulong low = _starts[-1 - (int)word] >> shift;
        return shift == 0 ? low : low | (_starts[-1 - (int)((word + 1) & ((Sizes.StartBits >> 6) - 1))] << (64 - shift));
    }

    /// <summary>The nearest beginning of a unit before an address, or <paramref name="pc"/> when there is none within reach of that.</summary>
    private readonly uint StartBefore(uint address, uint pc)
    {
        while (pc - address < StartReach)
        {
            ulong bits = StartsAt(address - 64);
            if (bits != 0)
            {
                return address - 1 - (uint)System.Numerics.BitOperations.LeadingZeroCount(bits);
            }

            address -= 64;
        }

        return pc;
    }

    private readonly void MarkStart(uint pc, bool there)
    {
        ref ulong word = ref _starts[-1 - (int)((pc & (Sizes.StartBits - 1)) >> 6)];
        ulong bit = 1ul << (int)(pc & 63);
        word = there ? word | bit : word & ~bit;
    }

    /// <summary>Host offset in the unit at which the instruction at the guest offset begins with nothing moved aside; -1 = nowhere.</summary>
    private readonly int InstructionAt(uint unit, uint guestOffset)
    {
        SideTable table = new(SideTableOf(unit), UnitRef(unit).SideTableBytes);
        while (table.Next())
        {
            // The first entry for an instruction is its beginning, except that a landing comes before the instruction behind the call.
            Boundary b = table.Current;
            if (b.GuestOffset == guestOffset && b.Kind is not (BoundaryKind.TargetInR8 or BoundaryKind.TargetInR8RcxInR9))
            {
                return b.Kind == BoundaryKind.Normal && b.EspDelta == 0 && b.Register == 0 ? b.HostOffset : -1;
            }
        }

        return -1;
    }
}
