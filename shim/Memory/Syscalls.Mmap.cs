namespace Lodge.Shim;

/// <summary>mmap, munmap, mprotect, brk (mm/mmap.c, mm/mprotect.c; entries of arch/x86/kernel/sys_ia32.c).</summary>
public static unsafe partial class Syscalls<TAbi>
    where TAbi : unmanaged, IGuestAbi
{
    /// <summary>old_mmap: one pointer to six words; the offset is in bytes. EFAULT, EINVAL for an offset that is not page-aligned.</summary>
    public static int sys_mmap(GuestThread* t)
    {
        uint* words = stackalloc uint[6];
        if (!User.CopyIn(words, TAbi.Arg(t, 0), 24))
        {
            return -Errno.EFAULT;
        }

        if ((words[5] & (GuestMap.PageSize - 1)) != 0)
        {
            return -Errno.EINVAL;
        }

        return MapPages(t, words[0], words[1], words[2], words[3], (int)words[4], words[5]);
    }

    /// <summary>mmap2: the offset is in units of 4096 bytes.</summary>
    public static int sys_mmap2(GuestThread* t) =>
        MapPages(t, TAbi.Arg(t, 0), TAbi.Arg(t, 1), TAbi.Arg(t, 2), TAbi.Arg(t, 3), (int)TAbi.Arg(t, 4), (ulong)TAbi.Arg(t, 5) * GuestMap.PageSize);

    private static int MapPages(GuestThread* t, uint hint, uint length, uint prot, uint flags, int fd, ulong offset)
    {
        Mm* mm = t->Mm;
        FileIdentity file = default;
        if ((flags & HostMemory.MapAnonymous) == 0)
        {
            bool wantsExec = (prot & HostMemory.ProtExec) != 0 || (t->Group->Personality & Personalities.ReadImpliesExec) != 0;
            int error = FileIdentity.Of(fd, wantsExec, out file);
            if (error != 0)
            {
                return error;
            }
        }

        StaleRange stale = default;
        mm->Lock.Acquire(t);
        int result = mm->DoMmap(t, hint, length, prot, flags, fd, offset, file, ref stale, out uint address);
        mm->Lock.Release(t);
        stale.Invalidate(mm);
        if (result == 0 && (flags & HostMemory.MapShared) != 0 && (prot & HostMemory.ProtWrite) != 0)
        {
            Signals.CatchDeath(t);
        }

        return result != 0 ? result : (int)address;
    }

    /// <summary>munmap: EINVAL for an unaligned address, no length, or a range past the end; unmapped memory is no error.</summary>
    public static int sys_munmap(GuestThread* t)
    {
        Mm* mm = t->Mm;
        uint start = TAbi.Arg(t, 0), length = TAbi.Arg(t, 1), taskSize = mm->Placement.TaskSize;
        if ((start & (GuestMap.PageSize - 1)) != 0 || start > taskSize || length > taskSize - start)
        {
            return -Errno.EINVAL;
        }

        length = Placement.PageUp(length);
        if (length == 0)
        {
            return -Errno.EINVAL;
        }

        StaleRange stale = default;
        mm->Lock.Acquire(t);
        int result = mm->UnmapRegion(start, start + length, ref stale);
        mm->Lock.Release(t);
        stale.Invalidate(mm);
        return result;
    }

    /// <summary>mprotect: EINVAL, ENOMEM for holes (what lies before them is changed), EACCES where the file forbids it.</summary>
    public static int sys_mprotect(GuestThread* t) => Protect(t, TAbi.Arg(t, 0), TAbi.Arg(t, 1), TAbi.Arg(t, 2));

    /// <summary>
    /// pkey_mprotect: only key -1 (none) and key 0 (every page has it) work, because pkey_alloc hands out
    /// no others: the host's keys would apply to the shim's accesses, too.
    /// </summary>
    public static int sys_pkey_mprotect(GuestThread* t) =>
        TAbi.Arg(t, 3) is 0 or uint.MaxValue ? Protect(t, TAbi.Arg(t, 0), TAbi.Arg(t, 1), TAbi.Arg(t, 2)) : -Errno.EINVAL;

    private static int Protect(GuestThread* t, uint start, uint length, uint prot)
    {
        const uint ProtSem = 8, GrowsDown = 0x01000000, GrowsUp = 0x02000000;
        uint grows = prot & (GrowsDown | GrowsUp);
        prot &= ~(GrowsDown | GrowsUp);
        if (grows == (GrowsDown | GrowsUp) || (start & (GuestMap.PageSize - 1)) != 0)
        {
            return -Errno.EINVAL;
        }

        if (length == 0)
        {
            return 0;
        }

        if ((prot & ~(7u | ProtSem)) != 0)
        {
            return -Errno.EINVAL;
        }

        length = Placement.PageUp(length);
        ulong top = (ulong)start + length;
        // A rounded length of 0, or an end at or past 4 GiB, has no mapping behind it.
        if (length == 0 || top > t->Mm->Placement.TaskSize)
        {
            return -Errno.ENOMEM;
        }

        Mm* mm = t->Mm;
        StaleRange stale = default;
        mm->Lock.Acquire(t);
        int result = ProtectRange(t, mm, start, (uint)top, (MappingFlags)prot & MappingFlags.Access, grows, ref stale);
        mm->Lock.Release(t);
        stale.Invalidate(mm);
        return result;
    }

    private static int ProtectRange(GuestThread* t, Mm* mm, uint start, uint end, MappingFlags access, uint grows, ref StaleRange stale)
    {
        GuestMapping* piece = mm->Map.FindAbove(start);
        if (piece == null || piece->Start >= end)
        {
            return -Errno.ENOMEM;
        }

        if (grows != 0)
        {
            const uint GrowsUp = 0x02000000;
            if (grows == GrowsUp || (piece->Flags & MappingFlags.GrowsDown) == 0)
            {
                return -Errno.EINVAL;
            }

            start = piece->Start;
        }
        else if (piece->Start > start)
        {
            return -Errno.ENOMEM;
        }

        bool readImpliesExec = (access & MappingFlags.Read) != 0 && (t->Group->Personality & Personalities.ReadImpliesExec) != 0;
        while (start < end)
        {
            piece = mm->Map.Find(start);
            if (piece == null)
            {
                return -Errno.ENOMEM;
            }

            if ((piece->Flags & MappingFlags.Sealed) != 0)
            {
                return -Errno.EPERM;
            }

            uint to = piece->End < end ? piece->End : end;
            MappingFlags wanted = access;
            if (readImpliesExec && (piece->Flags & MappingFlags.NoMayExec) == 0)
            {
                wanted |= MappingFlags.Exec;
            }

            int error = mm->ProtectPiece(t, start, to, wanted, ref stale);
            if (error != 0)
            {
                return error;
            }

            start = to;
        }

        return 0;
    }

    /// <summary>brk: the new end of the heap, or the old one when it cannot be had (mm/mmap.c). Never an error.</summary>
    public static int sys_brk(GuestThread* t)
    {
        Mm* mm = t->Mm;
        StaleRange stale = default;
        mm->Lock.Acquire(t);
        MoveBreak(t, mm, TAbi.Arg(t, 0), ref stale);
        uint result = mm->Brk;
        mm->Lock.Release(t);
        stale.Invalidate(mm);
        return (int)result;
    }

    private static void MoveBreak(GuestThread* t, Mm* mm, uint wanted, ref StaleRange stale)
    {
        if (wanted < mm->StartBrk)
        {
            return;
        }

        ulong limit = t->Group->Limits.Data;
        if (limit != ulong.MaxValue && (ulong)(wanted - mm->StartBrk) + (mm->EndData - mm->StartData) > limit)
        {
            return;
        }

        uint newEnd = Placement.PageUp(wanted), oldEnd = Placement.PageUp(mm->Brk);
        if (newEnd == 0 && wanted != 0)
        {
            return;
        }

        if (newEnd == oldEnd)
        {
            mm->Brk = wanted;
            return;
        }

        if (wanted <= mm->Brk)
        {
            GuestMapping* heap = mm->Map.FindOverlap(newEnd, oldEnd);
            if (heap != null && mm->UnmapRegion(newEnd, oldEnd, ref stale) == 0)
            {
                mm->Brk = wanted;
            }

            return;
        }

        // The next mapping's guard must stay clear of the new end and one page more.
        GuestMapping* next = mm->Map.FindAbove(oldEnd);
        if (next != null && (ulong)newEnd + GuestMap.PageSize > next->GapStart)
        {
            return;
        }

        if (newEnd <= mm->Placement.TaskSize && mm->DoBrk(t, oldEnd, newEnd - oldEnd, MappingFlags.Heap, ref stale) == 0)
        {
            mm->Brk = wanted;
        }
    }
}
