namespace Lodge.Shim;

/// <summary>The copy of an address space that a fork makes.</summary>
public unsafe partial struct Mm
{
    /// <summary>
    /// Puts the record right in a forked child: mappings marked MADV_DONTFORK are gone, memory locks are not inherited. Only thread; the
    /// locks have been reset.
    /// </summary>
    internal void BecomeChild()
    {
        if (DefaultFlags != 0)
        {
            DefaultFlags = 0;
        }

        if ((Map.Seen & (MappingFlags.DontFork | MappingFlags.Locked)) == 0)
        {
            return;
        }

        GuestMapping* piece = Map.FirstMapping();
        while (piece != null)
        {
            uint start = piece->Start, end = piece->End;
            if ((piece->Flags & MappingFlags.DontFork) != 0)
            {
                DropGuards(start, end);
                Map.Remove(start, end);
            }
            else if ((piece->Flags & MappingFlags.Locked) != 0)
            {
                Map.Change(start, end, MappingFlags.Locked | MappingFlags.LockOnFault, 0);
            }

            piece = Map.FindAbove(end);
        }
    }
}
