namespace Lodge.Shim;

/// <summary>mremap and remap_file_pages (mm/mremap.c, mm/mmap.c).</summary>
public static unsafe partial class Syscalls<TAbi>
{
    private const uint MremapMayMove = 1, MremapFixed = 2, MremapDontUnmap = 4;

    /// <summary>mremap: shrinks, grows in place, moves. EINVAL, EFAULT (range not one mapping), ENOMEM, EAGAIN (lock limit), EPERM (sealed).</summary>
    public static int sys_mremap(GuestThread* t)
    {
        uint address = TAbi.Arg(t, 0), oldLength = TAbi.Arg(t, 1), newLength = TAbi.Arg(t, 2), flags = TAbi.Arg(t, 3), newAddress = TAbi.Arg(t, 4);
        Mm* mm = t->Mm;
        int error = CheckRemap(mm, address, ref oldLength, ref newLength, flags, newAddress);
        if (error != 0)
        {
            return error;
        }

        StaleRange stale = default;
        mm->Lock.Acquire(t);
        int result = mm->Remap(t, address, oldLength, newLength, flags, newAddress, ref stale, out uint at);
        mm->Lock.Release(t);
        stale.Invalidate(mm);
        return result != 0 ? result : (int)at;
    }

    private static int CheckRemap(Mm* mm, uint address, ref uint oldLength, ref uint newLength, uint flags, uint newAddress)
    {
        const uint PageMask = GuestMap.PageSize - 1;
        uint taskSize = mm->Placement.TaskSize;
        if ((flags & ~(MremapMayMove | MremapFixed | MremapDontUnmap)) != 0 || (address & PageMask) != 0)
        {
            return -Errno.EINVAL;
        }

        // The last page of the 4 GiB is never mapped: clamping what would wrap keeps every comparison right.
        oldLength = oldLength > 0xFFFFF000 ? 0xFFFFF000 : Placement.PageUp(oldLength);
        newLength = Placement.PageUp(newLength);
        if (newLength == 0 || newLength > taskSize)
        {
            return -Errno.EINVAL;
        }

        if ((flags & (MremapFixed | MremapDontUnmap)) != 0)
        {
            if ((flags & MremapMayMove) == 0 || ((flags & MremapDontUnmap) != 0 && oldLength != newLength)
                || (newAddress & PageMask) != 0 || newAddress > taskSize - newLength
                || ((ulong)address + oldLength > newAddress && (ulong)newAddress + newLength > address))
            {
                return -Errno.EINVAL;
            }
        }

        return 0;
    }

    /// <summary>remap_file_pages: as the kernel emulates it, by mapping another part of the same file over the pages.</summary>
    public static int sys_remap_file_pages(GuestThread* t)
    {
        uint start = Placement.PageDown(TAbi.Arg(t, 0)), length = Placement.PageDown(TAbi.Arg(t, 1)), page = TAbi.Arg(t, 3);
        Mm* mm = t->Mm;
        if (TAbi.Arg(t, 2) != 0 || (ulong)start + length <= start || (ulong)start + length > mm->Placement.TaskSize
            || page + (ulong)(length / GuestMap.PageSize) > uint.MaxValue)
        {
            return -Errno.EINVAL;
        }

        StaleRange stale = default;
        mm->Lock.Acquire(t);
        int result = mm->RemapFilePages(start, start + length, page, TAbi.Arg(t, 4), ref stale);
        mm->Lock.Release(t);
        stale.Invalidate(mm);
        return result;
    }
}
