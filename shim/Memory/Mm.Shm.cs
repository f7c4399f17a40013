namespace Lodge.Shim;

/// <summary>System V segments in the guest's memory. Under <see cref="Mm.Lock"/>.</summary>
public unsafe partial struct Mm
{
    private const uint ShmRdOnly = 0x1000, ShmRemap = 0x4000, ShmExec = 0x8000;

    internal int AttachSegment(
        GuestThread* t, int shmid, uint address, bool isFixed, uint size, uint flags, ref StaleRange stale, out uint result)
    {
        result = 0;
        bool replaces = (flags & ShmRemap) != 0;
        uint top = size > Placement.TaskSize || address > Placement.TaskSize - size ? Placement.TaskSize : address + size;
        if (isFixed && !replaces && address < top && Map.FindOverlap(address, top) != null)
        {
            return -Errno.EINVAL;
        }

        int error = Placement.GetUnmappedArea(Map, address, size, isFixed, 0, out uint at);
        if (error != 0)
        {
            return error;
        }

        GuestMapping mapping = default;
        mapping.Start = at;
        mapping.End = at + size;
        mapping.Flags = MappingFlags.Read | MappingFlags.Shared | MappingFlags.Shm | DefaultFlags
            | ((flags & ShmRdOnly) == 0 ? MappingFlags.Write : 0);
        if ((flags & ShmExec) != 0 || (t->Group->Personality & Personalities.ReadImpliesExec) != 0)
        {
            mapping.Flags |= MappingFlags.Exec;
        }

        mapping.Inode = (ulong)shmid;
        if (!MayExpand(t, mapping, size / GuestMap.PageSize) || Map.Count > MaxMapCount || Map.IsShortOf(4))
        {
            return -Errno.ENOMEM;
        }

        if (replaces && IsSealed(at, at + size))
        {
            return -Errno.EPERM;
        }

        LeaveRoom(at, at + size);
        // SHM_REMAP lets the segment take what the guest has there, and nothing else's place.
        long attached = Host.Syscall(Nr.shmat, shmid, at, (flags & ShmRdOnly) | (Map.FindOverlap(at, at + size) != null ? ShmRemap : 0));
        if (Host.IsError(attached))
        {
            return (int)attached;
        }

        ForgetPages(at, at + size, ref stale);
        Map.Remove(at, at + size);
        Map.Insert(mapping);
        result = at;
        return 0;
    }

    internal int DetachSegment(uint address, ref StaleRange stale)
    {
        // Pieces of the attachment are those whose place fits their offset; the first one found names the segment.
        ulong segment = 0;
        bool any = false;
        GuestMapping* piece = Map.FindAbove(address);
        while (piece != null)
        {
            uint start = piece->Start, end = piece->End;
            if ((piece->Flags & MappingFlags.Shm) != 0 && start >= address && piece->Offset == start - address
                && (!any || piece->Inode == segment))
            {
                segment = piece->Inode;
                any = true;
                int error = UnmapRegion(start, end, ref stale);
                if (error != 0)
                {
                    return error;
                }
            }

            piece = Map.FindAbove(end);
        }

        return any ? 0 : -Errno.EINVAL;
    }
}
