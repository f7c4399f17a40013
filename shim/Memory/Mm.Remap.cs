namespace Lodge.Shim;

/// <summary>Resizing and moving mappings. Under <see cref="Mm.Lock"/>; arguments are checked and page-rounded.</summary>
public unsafe partial struct Mm
{
    private const int HostMayMove = 1, HostMoveFixed = 3, HostDontUnmap = 4;

    /// <summary>The part of mremap behind its argument checks.</summary>
    /// <returns>0 and the new address, or -errno.</returns>
    internal int Remap(
        GuestThread* t, uint address, uint oldLength, uint newLength, uint flags, uint newAddress, ref StaleRange stale, out uint at)
    {
        at = address;
        bool mayMove = (flags & 1) != 0, isFixed = (flags & 2) != 0, dontUnmap = (flags & 4) != 0;
        GuestMapping* found = Map.Find(address);
        if (found == null)
        {
            return -Errno.EFAULT;
        }

        GuestMapping old = *found;
        if (IsSealed(address, address + (oldLength == 0 ? GuestMap.PageSize : oldLength)))
        {
            return -Errno.EPERM;
        }

        if (StackRoom != 0 && old.End == StackEnd)
        {
            // Host and tree must agree about the mapping before part of it moves.
            LeaveRoom(old.Start, old.End);
        }

        if (!isFixed && !dontUnmap && oldLength >= newLength)
        {
            return oldLength == newLength ? 0 : UnmapRegion(address + newLength, address + oldLength, ref stale);
        }

        if (isFixed)
        {
            int error = UnmapRegion(newAddress, newAddress + newLength, ref stale);
            if (error != 0)
            {
                return error;
            }
        }

        if (oldLength > newLength)
        {
            int error = UnmapRegion(address + newLength, address + oldLength, ref stale);
            if (error != 0)
            {
                return error;
            }

            oldLength = newLength;
            old = *Map.Find(address);
        }

        int refused = CheckResize(t, old, address, oldLength, newLength, dontUnmap);
        if (refused != 0)
        {
            return refused;
        }

        if (!isFixed && !dontUnmap && oldLength == old.End - address && GrowInPlace(old, address, oldLength, newLength))
        {
            return 0;
        }

        if (!mayMove)
        {
            return -Errno.ENOMEM;
        }

        if (!isFixed)
        {
            int error = Placement.GetUnmappedArea(Map, dontUnmap ? newAddress : 0, newLength, false, 0, out newAddress);
            if (error != 0)
            {
                return error;
            }
        }

        at = newAddress;
        return Move(old, address, oldLength, newAddress, newLength, dontUnmap, ref stale);
    }

    /// <summary>vma_to_resize: may this mapping become that long?</summary>
    private readonly int CheckResize(GuestThread* t, in GuestMapping old, uint address, uint oldLength, uint newLength, bool dontUnmap)
    {
        if ((oldLength == 0 && (old.Flags & MappingFlags.Shared) == 0) || (dontUnmap && (old.Flags & MappingFlags.Vdso) != 0))
        {
            return -Errno.EINVAL;
        }

        if (oldLength > old.End - address)
        {
            return -Errno.EFAULT;
        }

        if (Map.Count + 4 > MaxMapCount || Map.IsShortOf(6))
        {
            return -Errno.ENOMEM;
        }

        if (dontUnmap)
        {
            return MayExpand(t, old, newLength / GuestMap.PageSize) ? 0 : -Errno.ENOMEM;
        }

        if (oldLength == newLength)
        {
            return 0;
        }

        if ((old.Flags & MappingFlags.Vdso) != 0)
        {
            return -Errno.EFAULT;
        }

        return MayExpand(t, old, (newLength - oldLength) / GuestMap.PageSize) ? 0 : -Errno.ENOMEM;
    }

    /// <summary>Grows a mapping whose end is at address + oldLength, when the space behind it is free and the host does it.</summary>
    private bool GrowInPlace(in GuestMapping old, uint address, uint oldLength, uint newLength)
    {
        ulong end = (ulong)address + newLength;
        GuestMapping* next = Map.FindAbove(old.End);
        if (end > Placement.TaskSize || (next != null && next->GapStart < end && next->Start < end))
        {
            return false;
        }

        // The host, too, needs the space to be free: the reservation makes way. Nothing else of ours is ever placed there.
        if (IsReserved)
        {
            Host.Syscall(Nr.munmap, old.End, (long)end - old.End);
        }

        RenewWrite(old.Start, old.End);
        long result = Host.Syscall(Nr.mremap, address, oldLength, newLength, 0);
        if (Host.IsError(result))
        {
            return false;
        }

        RenewGuards(old.Start, old.End);
        GuestMapping grown = old;
        grown.Start = old.End;
        grown.End = (uint)end;
        grown.Offset = old.Offset + old.Length;
        Map.Insert(grown);
        return true;
    }

    private int Move(in GuestMapping old, uint address, uint oldLength, uint newAddress, uint newLength, bool dontUnmap, ref StaleRange stale)
    {
        if (!IsReserved)
        {
            HostUnmap(newAddress, newAddress + newLength);
        }

        RenewWrite(old.Start, old.End);
        long result = Host.Syscall(
            Nr.mremap, address, oldLength, newLength, dontUnmap ? HostMoveFixed | HostDontUnmap : HostMoveFixed, newAddress);
        if (Host.IsError(result))
        {
            RenewGuards(old.Start, old.End);
            return (int)result;
        }

        GuestMapping moved = old;
        moved.Start = newAddress;
        moved.End = newAddress + newLength;
        moved.Offset = old.Offset + (address - old.Start);
        if (oldLength != 0)
        {
            // The pages are gone from the old place either way; guards elsewhere in the old mapping stay.
            ForgetPages(address, address + oldLength, ref stale);
            RenewGuards(old.Start, old.End);
            if (dontUnmap)
            {
                Map.Change(address, address + oldLength, MappingFlags.Locked | MappingFlags.LockOnFault, 0);
            }
            else
            {
                Map.Remove(address, address + oldLength);
                if (IsReserved && oldLength >= SmallestReReservation)
                {
                    const int Flags = HostMemory.MapPrivate | HostMemory.MapAnonymous | HostMemory.MapNoReserve | HostMemory.MapFixed;
                    Host.Syscall(Nr.mmap, address, oldLength, 0, Flags, -1, 0);
                }
            }
        }

        Map.Insert(moved);
        return 0;
    }

    /// <summary>Makes guarded pages of a mapping writable on the host, so that the host, too, sees one mapping; their marks stay.</summary>
    private readonly void RenewWrite(uint start, uint end)
    {
        for (uint page = start / GuestMap.PageSize; GuardedCount != 0 && page < end / GuestMap.PageSize; page++)
        {
            if ((GuardedPages[page >> 6] >> (int)(page & 63) & 1) != 0)
            {
                Host.Syscall(
                    Nr.mprotect, page * GuestMap.PageSize, GuestMap.PageSize, HostMemory.ProtRead | HostMemory.ProtWrite);
            }
        }
    }

    /// <summary>The part of remap_file_pages behind its argument checks: the host does it, the tree gets the new offset.</summary>
    internal int RemapFilePages(uint start, uint end, uint page, uint flags, ref StaleRange stale)
    {
        GuestMapping* found = Map.Find(start);
        if (found == null || (found->Flags & MappingFlags.Shared) == 0 || found->End < end)
        {
            return -Errno.EINVAL;
        }

        if (Map.IsShortOf(4))
        {
            return -Errno.ENOMEM;
        }

        GuestMapping part = *found;
        long result = Host.Syscall(Nr.remap_file_pages, start, end - start, 0, page, flags);
        if (result != 0)
        {
            return (int)result;
        }

        ForgetPages(start, end, ref stale);
        part.Start = start;
        part.End = end;
        part.Offset = (ulong)page * GuestMap.PageSize;
        Map.Remove(start, end);
        Map.Insert(part);
        return 0;
    }
}
