namespace Lodge.Shim;

/// <summary>
/// NUMA policy calls (mm/mempolicy.c, mm/migrate.c): node masks are arrays of 32-bit words for the guest and of 64-bit words for the host,
/// page lists are arrays of pointers.
/// </summary>
public static unsafe partial class Syscalls<TAbi>
{
    /// <summary>Words of the largest mask: 4096 nodes, four times what kernels are built for.</summary>
    private const int MaskWords = 64;

    /// <summary>
    /// Reads a mask of <paramref name="bits"/> - 1 nodes (the kernel's odd count). EINVAL for a longer mask that has bits set behind the
    /// largest, EFAULT.
    /// </summary>
    private static int GetMask(uint pointer, uint bits, ulong* mask, out ulong hostBits)
    {
        for (int i = 0; i < MaskWords; i++)
        {
            mask[i] = 0;
        }

        hostBits = bits;
        if (pointer == 0 || bits <= 1)
        {
            return 0;
        }

        uint words = (bits - 1 + 31) / 32;
        if (words > MaskWords * 2)
        {
            return -Errno.EINVAL;
        }

        return User.CopyIn(mask, pointer, words * 4) ? 0 : -Errno.EFAULT;
    }

    /// <summary>mbind.</summary>
    public static int sys_mbind(GuestThread* t)
    {
        ulong* mask = stackalloc ulong[MaskWords];
        uint start = TAbi.Arg(t, 0), length = TAbi.Arg(t, 1);

        // The kernel looks at the mode first, then at the mask, then at flags and alignment, and only then for holes; on an empty
        // range the host checks just that much.
        int error = (int)Host.Syscall(Nr.mbind, 0, 0, (int)TAbi.Arg(t, 2), 0, 0, 0);
        if (error != 0)
        {
            return error;
        }

        error = GetMask(TAbi.Arg(t, 3), TAbi.Arg(t, 4), mask, out ulong bits);
        if (error != 0)
        {
            return error;
        }

        long nodes = TAbi.Arg(t, 3) == 0 ? 0 : (long)mask;
        error = (int)Host.Syscall(Nr.mbind, start, 0, (int)TAbi.Arg(t, 2), nodes, (long)bits, TAbi.Arg(t, 5));
        if (error != 0)
        {
            return error;
        }

        ulong top = ((ulong)start + length + PageMask) & ~(ulong)PageMask;
        uint limit = t->Mm->Placement.TaskSize;
        uint end = top > limit ? limit : (uint)top;
        if ((start & PageMask) == 0 && CoveredUntil(t, start, end) < top)
        {
            // A hole is EFAULT.
            return -Errno.EFAULT;
        }

        return (int)Host.Syscall(
            Nr.mbind, start, length, (int)TAbi.Arg(t, 2), nodes, (long)bits, TAbi.Arg(t, 5));
    }

    /// <summary>set_mempolicy.</summary>
    public static int sys_set_mempolicy(GuestThread* t)
    {
        ulong* mask = stackalloc ulong[MaskWords];
        int error = GetMask(TAbi.Arg(t, 1), TAbi.Arg(t, 2), mask, out ulong bits);
        if (error == -Errno.EFAULT)
        {
            // The mode is looked at first: with a mask that cannot be read the host says which error it is.
            return (int)Host.Syscall(Nr.set_mempolicy, (int)TAbi.Arg(t, 0), BadPointer.Value, (long)bits);
        }

        return error != 0
            ? error
            : (int)Host.Syscall(Nr.set_mempolicy, (int)TAbi.Arg(t, 0), TAbi.Arg(t, 1) == 0 ? 0 : (long)mask, (long)bits);
    }

    /// <summary>get_mempolicy.</summary>
    public static int sys_get_mempolicy(GuestThread* t)
    {
        ulong* mask = stackalloc ulong[MaskWords];
        uint modePointer = TAbi.Arg(t, 0), maskPointer = TAbi.Arg(t, 1), bits = TAbi.Arg(t, 2);
        int mode = 0;
        uint words = bits <= 1 ? 0 : (bits - 1 + 31) / 32;
        if (words > MaskWords * 2)
        {
            words = MaskWords * 2;
            bits = MaskWords * 64;
        }

        for (int i = 0; i < MaskWords; i++)
        {
            mask[i] = 0;
        }

        int result = (int)Host.Syscall(
            Nr.get_mempolicy, modePointer == 0 ? 0 : (long)&mode, maskPointer == 0 ? 0 : (long)mask, bits, TAbi.Arg(t, 3), TAbi.Arg(t, 4));
        if (result < 0)
        {
            return result;
        }

        Mm.PrepareWrite(t, modePointer, 4);
        Mm.PrepareWrite(t, maskPointer, words * 4);
        bool stored = (modePointer == 0 || User.Put(modePointer, mode)) && (maskPointer == 0 || User.CopyOut(maskPointer, mask, words * 4));
        return stored ? result : -Errno.EFAULT;
    }

    /// <summary>migrate_pages.</summary>
    public static int sys_migrate_pages(GuestThread* t)
    {
        ulong* from = stackalloc ulong[MaskWords];
        ulong* to = stackalloc ulong[MaskWords];
        int error = GetMask(TAbi.Arg(t, 2), TAbi.Arg(t, 1), from, out ulong bits);
        if (error == 0)
        {
            error = GetMask(TAbi.Arg(t, 3), TAbi.Arg(t, 1), to, out bits);
        }

        return error != 0
            ? error
            : (int)Host.Syscall(
                Nr.migrate_pages, (int)TAbi.Arg(t, 0), (long)bits, TAbi.Arg(t, 2) == 0 ? 0 : (long)from, TAbi.Arg(t, 3) == 0 ? 0 : (long)to);
    }

    /// <summary>move_pages: in batches, because the pages are 32-bit pointers.</summary>
    public static int sys_move_pages(GuestThread* t)
    {
        const uint Batch = 256;
        int pid = (int)TAbi.Arg(t, 0);
        uint count = TAbi.Arg(t, 1), pages = TAbi.Arg(t, 2), nodes = TAbi.Arg(t, 3), status = TAbi.Arg(t, 4), flags = TAbi.Arg(t, 5);
        uint* guest = stackalloc uint[(int)Batch];
        ulong* host = stackalloc ulong[(int)Batch];
        if (count == 0 || pages == 0)
        {
            return (int)Host.Syscall(Nr.move_pages, pid, count, 0, nodes, status, flags);
        }

        // Flags and process come first: an empty list is asked about.
        int refused = (int)Host.Syscall(Nr.move_pages, pid, 0, 0, 0, 0, flags);
        if (refused != 0)
        {
            return refused;
        }

        if ((ulong)status + ((ulong)count * 4) > t->Mm->Placement.TaskSize)
        {
            return -Errno.EFAULT;
        }

        Mm.PrepareWrite(t, status, (nuint)count * 4);
        int left = 0;
        for (uint done = 0; done < count; done += Batch)
        {
            uint n = count - done < Batch ? count - done : Batch;
            if (!User.CopyIn(guest, pages + (done * 4), n * 4))
            {
                return -Errno.EFAULT;
            }

            for (uint i = 0; i < n; i++)
            {
                host[i] = guest[i];
            }

            int result = (int)Host.Syscall(
                Nr.move_pages, pid, n, (long)host, nodes == 0 ? 0 : nodes + (done * 4), status + (done * 4), flags);
            if (result < 0)
            {
                return result;
            }

            // Positive: that many pages were not moved.
            left += result;
        }

        return left;
    }
}
