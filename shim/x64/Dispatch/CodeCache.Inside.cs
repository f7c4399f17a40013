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

        // The nearest beginnings before the address: units end where one begins, so that code of a unit rarely reaches over another.
        uint from = pc;
        for (int tries = 0; tries < 2; tries++)
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
                FurtherEntry* entry = (FurtherEntry*)(_records + _recordsUsed);
                entry->Next = u.FurtherEntries;
                u.FurtherEntries = _recordsUsed;
                _recordsUsed += (uint)sizeof(FurtherEntry) / 4;
                return AddInside(u.FurtherEntries, unit, pc - u.Pc, (uint)at);
            }
        }

        return 0;
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
