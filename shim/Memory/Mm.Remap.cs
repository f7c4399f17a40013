namespace Lodge.Shim;

/// <summary>Resizing and moving mappings. Under <see cref="Mm.Lock"/>; arguments are checked and page-rounded.</summary>
public unsafe partial struct Mm
{
    private const uint MayMoveFlag = 1, FixedFlag = 2, DontUnmapFlag = 4;

    /// <summary>
    /// The part of mremap behind its argument checks. The host has the same mappings at the same places, so it does the work and finds most
    /// errors, as its version has them; we choose the place, keep the guest's limits, and mirror the result.
    /// </summary>
    /// <returns>0 and the new address, or -errno.</returns>
    internal int Remap(
        GuestThread* t, uint address, uint oldLength, uint newLength, uint flags, uint newAddress, ref StaleRange stale, out uint at)
    {
        at = address;
        bool isFixed = (flags & FixedFlag) != 0, dontUnmap = (flags & DontUnmapFlag) != 0, moves = isFixed || dontUnmap;
        GuestMapping* found = Map.Find(address);
        if (found == null)
        {
            return -Errno.EFAULT;
        }

        if ((ulong)address + oldLength > Placement.TaskSize)
        {
            // Shrinking would unmap past the end, anything else reaches over the mapping's end.
            return moves || newLength > oldLength ? -Errno.EFAULT : -Errno.EINVAL;
        }

        GuestMapping old = Extent(*found);
        uint kept = oldLength < newLength ? oldLength : newLength;
        if (IsSealed(address, address + (oldLength == 0 ? GuestMap.PageSize : oldLength))
            || (isFixed && IsSealed(newAddress, newAddress + newLength)))
        {
            return -Errno.EPERM;
        }

        if (Map.Count + 4 > MaxMapCount || Map.IsShortOf(PiecesIn(address, address + oldLength) + 8))
        {
            return -Errno.ENOMEM;
        }

        // The host joins what differs in PROT_EXEC only. Whole ranges of several mappings may be moved (Linux 6.17), nothing else.
        bool crosses = kept > old.End - address;
        if (crosses && (moves ? oldLength != newLength : newLength > oldLength))
        {
            return -Errno.EFAULT;
        }

        uint more = dontUnmap ? newLength : newLength > oldLength ? newLength - oldLength : 0;
        if (more != 0 && !MayExpand(t, old, more / GuestMap.PageSize))
        {
            return -Errno.ENOMEM;
        }

        LeaveRoom(address, address + oldLength);
        RenewWrite(address, address + oldLength);
        int error;
        if (crosses && moves)
        {
            return isFixed && HostMovesSeveral() ? MovePieces(address, oldLength, newAddress, flags, ref stale, out at) : -Errno.EFAULT;
        }

        if (!moves && newLength > oldLength)
        {
            if (GrowInPlace(old, address, oldLength, newLength))
            {
                RenewGuards(address, address + oldLength);
                return 0;
            }

            moves = (flags & MayMoveFlag) != 0;
        }

        if (moves && !isFixed)
        {
            error = Placement.GetUnmappedArea(Map, dontUnmap ? newAddress : 0, newLength, false, 0, out newAddress);
            if (error != 0)
            {
                RenewGuards(address, address + oldLength);
                return error;
            }
        }

        uint hostFlags = moves ? MayMoveFlag | FixedFlag | (flags & DontUnmapFlag) : flags & ~MayMoveFlag;
        long result = Host.Syscall(Nr.mremap, address, oldLength, newLength, hostFlags, newAddress);
        error = Host.IsError(result) ? (int)result : 0;
        if (error == 0 && moves)
        {
            ForgetPages(newAddress, newAddress + newLength, ref stale);
            Map.Remove(newAddress, newAddress + newLength);
            MirrorMove(old, address, kept, newAddress, newLength, dontUnmap, ref stale);
            at = newAddress;
        }

        if (error == 0 && oldLength > newLength)
        {
            ForgetPages(address + newLength, address + oldLength, ref stale);
            Map.Remove(address + newLength, address + oldLength);
        }

        if (error != 0 && isFixed)
        {
            // Older kernels make room before they find the error.
            Reconcile(newAddress, newAddress + newLength, ref stale);
            Reconcile(address, address + oldLength, ref stale);
        }

        RenewGuards(address, address + oldLength);
        return error;
    }

    /// <summary>
    /// A mapping and what the kernel may hold as one with it. Where it does not, the host's own mremap says so (EFAULT).
    /// </summary>
    private readonly GuestMapping Extent(GuestMapping mapping)
    {
        GuestMapping* next;
        while ((next = Map.Find(mapping.End)) != null && mapping.MayContinue(*next))
        {
            mapping.End = next->End;
        }

        return mapping;
    }

    /// <summary>Linux 6.17 and later move whole ranges of several mappings; older ones refuse them (EFAULT).</summary>
    private static bool HostMovesSeveral()
    {
        const int UtsBytes = 6 * 65, ReleaseOffset = 2 * 65, Major = 6, Minor = 17;
        byte* names = stackalloc byte[UtsBytes];
        if (Host.Syscall(Nr.uname, (long)names) != 0)
        {
            return false;
        }

        byte* digit = names + ReleaseOffset;
        int major = Number(ref digit);
        digit++;
        return major > Major || (major == Major && Number(ref digit) >= Minor);
    }

    private static int Number(ref byte* digit)
    {
        int value = 0;
        while (*digit is >= (byte)'0' and <= (byte)'9')
        {
            value = (value * 10) + (*digit++ - '0');
        }

        return value;
    }

    /// <summary>
    /// Moves a range of several mappings with its holes: piece by piece, because for the host our holes may be mappings, too, and what lies
    /// at the holes' new places stays.
    /// </summary>
    private int MovePieces(uint address, uint length, uint newAddress, uint flags, ref StaleRange stale, out uint at)
    {
        uint end = address + length, from = address;
        at = newAddress;
        GuestMapping* piece;
        while (from < end && (piece = Map.FindOverlap(from, end)) != null)
        {
            GuestMapping old = *piece;
            from = old.Start > from ? old.Start : from;
            uint until = old.End < end ? old.End : end, to = newAddress + (from - address), bytes = until - from;
            long result = Host.Syscall(Nr.mremap, from, bytes, bytes, MayMoveFlag | FixedFlag | (flags & DontUnmapFlag), to);
            if (Host.IsError(result))
            {
                RenewGuards(from, end);
                return (int)result;
            }

            ForgetPages(to, to + bytes, ref stale);
            Map.Remove(to, to + bytes);
            MirrorMove(old, from, bytes, to, bytes, (flags & DontUnmapFlag) != 0, ref stale);
            from = until;
        }

        return 0;
    }

    private readonly int PiecesIn(uint start, uint end)
    {
        int count = 0;
        for (GuestMapping* piece = Map.FindOverlap(start, end); piece != null && piece->Start < end; piece = Map.Next(piece))
        {
            count++;
        }

        return count;
    }

    /// <summary>Grows a mapping whose end is at address + oldLength, when the space behind it is free and the host does it.</summary>
    private bool GrowInPlace(in GuestMapping old, uint address, uint oldLength, uint newLength)
    {
        ulong end = (ulong)address + newLength;
        if (oldLength != old.End - address || end > Placement.TaskSize || Map.FindOverlap(old.End, (uint)end) != null)
        {
            return false;
        }

        if (Host.IsError(Host.Syscall(Nr.mremap, address, oldLength, newLength, 0)))
        {
            return false;
        }

        GuestMapping grown = *Map.Find(old.End - 1);
        grown.Offset += grown.Length;
        grown.Start = old.End;
        grown.End = (uint)end;
        Map.Insert(grown);
        return true;
    }

    /// <summary>
    /// The tree after the host has moved [address, address + kept) to <paramref name="newAddress"/>, where the last mapping grows to
    /// <paramref name="newLength"/>. Newer kernels move several mappings at once.
    /// </summary>
    private void MirrorMove(
        in GuestMapping old, uint address, uint kept, uint newAddress, uint newLength, bool dontUnmap, ref StaleRange stale)
    {
        uint end = address + kept, to = newAddress + newLength;
        GuestMapping moved = old;
        moved.Offset = old.Offset + (address - old.Start);
        moved.Start = newAddress;
        moved.End = to;
        if (kept == 0)
        {
            // Old length 0: a second mapping of the same shared pages.
            Map.Insert(moved);
            return;
        }

        ForgetPages(address, end, ref stale);
        uint at = address;
        GuestMapping* piece;
        while (at < end && (piece = Map.FindOverlap(at, end)) != null)
        {
            moved = *piece;
            uint from = moved.Start > at ? moved.Start : at, until = moved.End < end ? moved.End : end;
            moved.Offset += from - moved.Start;
            moved.Start = newAddress + (from - address);
            moved.End = until == end ? to : newAddress + (until - address);
            at = until;
            Map.Insert(moved);
        }

        if (dontUnmap)
        {
            Map.Change(address, end, MappingFlags.Locked | MappingFlags.LockOnFault, 0);
        }
        else
        {
            Map.Remove(address, end);
        }
    }

    /// <summary>Takes out of the tree what the host has no longer mapped in [start, end).</summary>
    private void Reconcile(uint start, uint end, ref StaleRange stale)
    {
        const int MsAsync = 1;
        uint at = start;
        GuestMapping* piece;
        while (at < end && (piece = Map.FindOverlap(at, end)) != null)
        {
            uint from = piece->Start > at ? piece->Start : at, until = piece->End < end ? piece->End : end;
            if (Host.Syscall(Nr.msync, from, until - from, MsAsync) == -Errno.ENOMEM)
            {
                ForgetPages(from, until, ref stale);
                Map.Remove(from, until);
            }

            at = until;
        }
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
