namespace Lodge.Shim;

/// <summary>Mapping, unmapping and protecting ranges: tree and host together. Under <see cref="Mm.Lock"/>.</summary>
public unsafe partial struct Mm
{
    /// <summary>vm.max_map_count's default.</summary>
    public const int MaxMapCount = 65530;

    /// <summary>may_expand_vm: whether <paramref name="pages"/> more fit the guest's RLIMIT_AS and, for data, RLIMIT_DATA.</summary>
    internal readonly bool MayExpand(GuestThread* t, in GuestMapping kind, uint pages)
    {
        ref GuestLimits limits = ref t->Group->Limits;
        if (Map.TotalPages + (ulong)pages > limits.AddressSpace / GuestMap.PageSize)
        {
            return false;
        }

        if (!kind.IsData || Map.DataPages + (ulong)pages <= limits.Data / GuestMap.PageSize)
        {
            return true;
        }

        // The kernel lets a soft limit of 0 pass below the hard one (valgrind's way of asking).
        return limits.Data == 0 && Map.DataPages + (ulong)pages <= limits.DataMax / GuestMap.PageSize;
    }

    /// <summary>
    /// mmap_region: puts <paramref name="mapping"/> in place of whatever is there.
    /// </summary>
    /// <param name="t">The calling thread.</param>
    /// <param name="mapping">The new mapping; range checked by placement.</param>
    /// <param name="hostFlags">MAP_* for the host: everything the guest asked for but placement.</param>
    /// <param name="fd">Descriptor, or -1.</param>
    /// <param name="isThere">The host's pages stay as they are.</param>
    /// <param name="stale">Receives executable ranges that are gone.</param>
    /// <returns>0 or -errno.</returns>
    internal int MapRegion(GuestThread* t, in GuestMapping mapping, int hostFlags, int fd, bool isThere, ref StaleRange stale)
    {
        uint start = mapping.Start, end = mapping.End, pages = mapping.Length / GuestMap.PageSize;
        bool overlaps = Map.FindOverlap(start, end) != null;
        if (!MayExpand(t, mapping, pages)
            && !(overlaps && MayExpand(t, mapping, pages - (Map.MappedBytes(start, end) / GuestMap.PageSize))))
        {
            return -Errno.ENOMEM;
        }

        if (overlaps && IsSealed(start, end))
        {
            return -Errno.EPERM;
        }

        if (Map.Count > MaxMapCount || Map.IsShortOf(4))
        {
            return -Errno.ENOMEM;
        }

        if (!isThere)
        {
            LeaveRoom(start, end);
            long at = HostMap(start, end - start, HostProtection(mapping.Flags), hostFlags, fd, mapping.Offset);
            if (Host.IsError(at))
            {
                return (int)at;
            }
        }

        if (overlaps)
        {
            ForgetPages(start, end, ref stale);
            Map.Remove(start, end);
        }

        Map.Insert(mapping);
        return 0;
    }

    /// <summary>do_munmap over an aligned range.</summary>
    /// <returns>0, -EPERM for sealed memory, -ENOMEM when a cut would be one mapping too many.</returns>
    internal int UnmapRegion(uint start, uint end, ref StaleRange stale)
    {
        GuestMapping* first = Map.FindOverlap(start, end);
        if (first == null)
        {
            return 0;
        }

        if (IsSealed(start, end))
        {
            return -Errno.EPERM;
        }

        bool cutsInside = first->Start < start && first->End > end;
        if ((cutsInside && Map.Count >= MaxMapCount) || Map.IsShortOf(2))
        {
            return -Errno.ENOMEM;
        }

        // What is not mapped needs no system call; unmapping a few pages of a wide range stays cheap.
        uint from = first->Start > start ? first->Start : start;
        uint top = Map.FindBelow(end)->End;
        uint to = top < end ? top : end;
        LeaveRoom(start, end);
        HostUnmap(from, to);
        ForgetPages(start, end, ref stale);
        Map.Remove(start, end);
        return 0;
    }

    /// <summary>True when mseal forbids to change something in [start, end).</summary>
    internal readonly bool IsSealed(uint start, uint end)
    {
        if (!HasSeals)
        {
            return false;
        }

        for (GuestMapping* piece = Map.FindOverlap(start, end); piece != null && piece->Start < end; piece = Map.Next(piece))
        {
            if ((piece->Flags & MappingFlags.Sealed) != 0)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Set by the first mseal, so that others need not look.</summary>
    internal bool HasSeals;

    /// <summary>
    /// Gives one piece (part of one mapping, or all of it) new access rights, on the host and in the tree.
    /// </summary>
    /// <param name="t">The calling thread.</param>
    /// <param name="start">Start of the piece.</param>
    /// <param name="end">End of the piece.</param>
    /// <param name="access">New access bits.</param>
    /// <param name="stale">Receives the piece when translations of it may be wrong afterwards.</param>
    /// <returns>0 or -errno.</returns>
    internal int ProtectPiece(GuestThread* t, uint start, uint end, MappingFlags access, ref StaleRange stale)
    {
        GuestMapping old = *Map.Find(start);
        GuestMapping changed = old;
        changed.Flags = old.WithAccess(access);
        if (changed.Flags == old.Flags)
        {
            return 0;
        }

        if ((access & MappingFlags.Exec) != 0 && (old.Flags & MappingFlags.NoMayExec) != 0)
        {
            return -Errno.EACCES;
        }

        uint pages = (end - start) / GuestMap.PageSize;
        if (changed.IsData && !old.IsData && !MayExpand(t, changed, pages) && MayExpand(t, old, pages))
        {
            return -Errno.ENOMEM;
        }

        if ((Map.Count + 2 > MaxMapCount && old.Start != start && old.End != end) || Map.IsShortOf(4))
        {
            return -Errno.ENOMEM;
        }

        int prot = HostProtection(changed.Flags);
        if (prot != HostProtection(old.Flags) || HasGuards(start, end))
        {
            uint from = StackRoom != 0 && old.Start == start && old.End == StackEnd ? StackRoom : start;
            long result = Host.Syscall(Nr.mprotect, from, end - from, prot);
            if (result != 0)
            {
                return (int)result;
            }
        }

        if ((old.Flags & MappingFlags.Exec) != 0)
        {
            if ((access & MappingFlags.Exec) != 0 && (old.Flags & MappingFlags.Write) != 0 && (access & MappingFlags.Write) != 0)
            {
                RenewGuards(start, end);
            }
            else if ((access & MappingFlags.Exec) == 0 || (access & ~old.Flags & MappingFlags.Write) != 0)
            {
                ForgetPages(start, end, ref stale);
            }
            else
            {
                DropGuards(start, end);
            }
        }

        else if (CodeInvalidation.UsesData(this, start, end))
        {
            stale.Add(start, end);
        }

        Map.Change(start, end, MappingFlags.Access, changed.Flags);
        return 0;
    }
}
