namespace Lodge.Shim;

/// <summary>do_mmap and do_brk_flags of mm/mmap.c: checks in the kernel's order, placement, host mapping, tree.</summary>
public unsafe partial struct Mm
{
    internal const uint MapTypeMask = 0x0F, MapSharedValidate = 3;
    internal const uint MapGrowsDown = 0x100, MapLocked = 0x2000, MapHugeTlb = 0x40000;
    private const uint MapDroppable = 8, MapPlacement = 0x10 | 0x40 | 0x80 | 0x100 | 0x100000;
    private const int MapHugeShift = 26;

    /// <summary>
    /// do_mmap. Under <see cref="Lock"/>.
    /// </summary>
    /// <param name="t">The calling thread.</param>
    /// <param name="hint">Address asked for.</param>
    /// <param name="length">Bytes, any number.</param>
    /// <param name="prot">PROT_* of the guest.</param>
    /// <param name="flags">MAP_* of the guest.</param>
    /// <param name="fd">Descriptor; not used with MAP_ANONYMOUS.</param>
    /// <param name="offset">File offset in bytes, a multiple of the page size.</param>
    /// <param name="file">The file behind the descriptor.</param>
    /// <param name="stale">Receives executable memory that was replaced.</param>
    /// <param name="address">The address, on success.</param>
    /// <returns>0 or -errno.</returns>
    internal int DoMmap(
        GuestThread* t, uint hint, uint length, uint prot, uint flags, int fd, ulong offset, in FileIdentity file, ref StaleRange stale, out uint address)
    {
        address = 0;
        bool anonymous = (flags & HostMemory.MapAnonymous) != 0;
        if (length == 0)
        {
            return -Errno.EINVAL;
        }

        MappingFlags access = (MappingFlags)prot & MappingFlags.Access;
        if ((access & MappingFlags.Read) != 0 && (t->Group->Personality & Personalities.ReadImpliesExec) != 0 && !file.NoExec)
        {
            access |= MappingFlags.Exec;
        }

        uint alignMask = file.AlignMask;
        if (anonymous && (flags & MapHugeTlb) != 0)
        {
            alignMask = HugePageMask(flags);
            length = unchecked(length + alignMask) & ~alignMask;
        }

        length = Placement.PageUp(length);
        if (length == 0)
        {
            return -Errno.ENOMEM;
        }

        if (offset + length < offset)
        {
            return -Errno.EOVERFLOW;
        }

        if (Map.Count > MaxMapCount)
        {
            return -Errno.ENOMEM;
        }

        int error = FindPlace(hint, length, flags, alignMask, out uint start);
        if (error != 0)
        {
            return error;
        }

        GuestMapping mapping = default;
        mapping.Start = start;
        mapping.End = start + length;
        mapping.Flags = access | DefaultFlags;
        uint type = flags & MapTypeMask;
        error = anonymous ? DescribeAnonymous(ref mapping, type, flags) : DescribeFile(ref mapping, type, flags, offset, file);
        if (error != 0)
        {
            return error;
        }

        if ((flags & MapLocked) != 0)
        {
            mapping.Flags |= MappingFlags.Locked;
        }

        if ((flags & HostMemory.MapNoReserve) == 0 || !anonymous)
        {
            // Of a file also without reservation: it says that the pages may have been written (see IsThere).
            mapping.Flags = mapping.WithAccess(access);
        }

        error = MapRegion(t, mapping, (int)(flags & ~MapPlacement), anonymous ? -1 : fd, file.IsRegular && IsThere(mapping, flags), ref stale);
        if (error != 0)
        {
            return error;
        }

        if (DefaultFlags != 0)
        {
            // mlockall(MCL_FUTURE): an error of the limit shows at the mapping, as it does natively.
            long locked = Host.Syscall(Nr.mlock2, start, length, (DefaultFlags & MappingFlags.LockOnFault) != 0 ? 1 : 0);
            if (locked == -Errno.ENOMEM || locked == -Errno.EPERM)
            {
                UnmapRegion(start, start + length, ref stale);
                return -Errno.EAGAIN;
            }
        }

        address = start;
        return 0;
    }

    /// <summary>
    /// Where a mapping goes: asked for, checked or chosen. Under <see cref="Lock"/>.
    /// </summary>
    /// <param name="hint">Address asked for.</param>
    /// <param name="length">Bytes, whole pages, not 0.</param>
    /// <param name="flags">MAP_* of the guest.</param>
    /// <param name="alignMask">Alignment less one; 0 for a page's.</param>
    /// <param name="start">The address, on success.</param>
    /// <returns>0 or -errno.</returns>
    internal int FindPlace(uint hint, uint length, uint flags, uint alignMask, out uint start)
    {
        bool isFixed = (flags & (HostMemory.MapFixed | HostMemory.MapFixedNoReplace)) != 0;
        if (!isFixed)
        {
            // round_hint_to_min
            hint = Placement.PageDown(hint);
            if (hint != 0 && hint < Placement.MinAddress)
            {
                hint = Placement.PageUp(Placement.MinAddress);
            }
        }

        if (StackRoom != 0 && hint != 0 && hint < StackEnd && hint + (ulong)length > StackRoom - GuestMap.StackGuardGap)
        {
            SyncStack();
        }

        int error = Placement.GetUnmappedArea(Map, hint, length, isFixed, alignMask, out start);
        return error == 0 && (flags & HostMemory.MapFixedNoReplace) != 0 && Map.FindOverlap(start, start + length) != null ? -Errno.EEXIST : error;
    }

    /// <summary>
    /// True when the host has these very pages there already, so that only the tree needs to know. Loaders map a library whole first and then, over that,
    /// its segments one by one: to the host code is read-only data, and a good part of that changes nothing.
    /// </summary>
    /// <param name="wanted">A mapping of a regular file.</param>
    /// <param name="flags">MAP_* of the guest.</param>
    private readonly bool IsThere(in GuestMapping wanted, uint flags)
    {
        const uint DenyWrite = 0x800, Executable = 0x1000;
        const MappingFlags Any = MappingFlags.Access | MappingFlags.NoMayExec;
        if ((flags & ~(DenyWrite | Executable)) != (HostMemory.MapPrivate | HostMemory.MapFixed)
            || (wanted.Flags & ~Any) != MappingFlags.File || HostProtection(wanted.Flags) != HostMemory.ProtRead)
        {
            return false;
        }

        // Never written: what could be once is accounted for, what was locked or kept out of children says so.
        GuestMapping* old = Map.Find(wanted.Start);
        return old != null && old->End >= wanted.End && (old->Flags & ~Any) == MappingFlags.File && HostProtection(old->Flags) == HostMemory.ProtRead
            && old->Device == wanted.Device && old->Inode == wanted.Inode && old->Offset + (wanted.Start - old->Start) == wanted.Offset;
    }

    /// <summary>
    /// Notes that pages may differ from their file although no store could reach them (/proc/PID/mem). Takes the lock.
    /// </summary>
    internal void MarkWritten(GuestThread* t, uint start, uint end)
    {
        start = Placement.PageDown(start);
        Lock.Acquire(t);
        while (start < end && !Map.IsShortOf(4))
        {
            GuestMapping* piece = Map.FindAbove(start);
            if (piece == null || piece->Start >= end)
            {
                break;
            }

            uint from = piece->Start > start ? piece->Start : start;
            start = piece->End;
            if ((piece->Flags & (MappingFlags.File | MappingFlags.Shared)) == MappingFlags.File)
            {
                uint to = Placement.PageUp(start < end ? start : end);
                Map.Change(from, to, 0, MappingFlags.Account);
            }
        }

        Lock.Release(t);
    }

    private int DescribeAnonymous(ref GuestMapping mapping, uint type, uint flags)
    {
        bool grows = (flags & MapGrowsDown) != 0;
        switch (type)
        {
            case HostMemory.MapShared:
                if (grows)
                {
                    return -Errno.EINVAL;
                }

                // Each is an object of its own: the serial number keeps neighbours apart and names the object for its aliases.
                mapping.Flags |= MappingFlags.Shared;
                mapping.Device = ++NextSerial;
                return 0;
            case HostMemory.MapPrivate:
            case MapDroppable:
                if (type == MapDroppable && grows)
                {
                    return -Errno.EINVAL;
                }

                mapping.Flags |= (grows ? MappingFlags.GrowsDown : 0) | ((flags & MapHugeTlb) != 0 ? MappingFlags.HugeTlb : 0);
                return 0;
            default:
                return -Errno.EINVAL;
        }
    }

    private static int DescribeFile(ref GuestMapping mapping, uint type, uint flags, ulong offset, in FileIdentity file)
    {
        mapping.Flags |= MappingFlags.File;
        mapping.Device = file.Device;
        mapping.Inode = file.Inode;
        mapping.Offset = offset;
        if (file.NoExec)
        {
            if ((mapping.Flags & MappingFlags.Exec) != 0)
            {
                return -Errno.EPERM;
            }

            mapping.Flags |= MappingFlags.NoMayExec;
        }

        switch (type)
        {
            case HostMemory.MapShared:
            case MapSharedValidate:
                mapping.Flags |= MappingFlags.Shared;
                break;
            case HostMemory.MapPrivate:
                break;
            default:
                return -Errno.EINVAL;
        }

        return (flags & MapGrowsDown) != 0 ? -Errno.EINVAL : 0;
    }

    /// <summary>Huge page size less one that MAP_HUGETLB asks for; 2 MiB unless the flags name another.</summary>
    private static uint HugePageMask(uint flags)
    {
        int log = (int)(flags >> MapHugeShift) & 0x3F;
        return log switch
        {
            0 => (2u << 20) - 1,
            16 or 21 or 25 or 30 => (1u << log) - 1,

            // A size that no host has: EINVAL from the host, whatever the length.
            _ => GuestMap.PageSize - 1,
        };
    }

    /// <summary>
    /// vm_brk_flags / do_brk_flags: anonymous, private, writable memory at a fixed place, over whatever is there. Under <see cref="Lock"/>.
    /// </summary>
    /// <param name="t">The calling thread.</param>
    /// <param name="start">Start, page-aligned.</param>
    /// <param name="length">Bytes, page-rounded, not 0.</param>
    /// <param name="kind">Exec for executable memory, Heap for brk(2).</param>
    /// <param name="stale">Receives executable memory that was replaced.</param>
    /// <returns>0 or -errno.</returns>
    internal int DoBrk(GuestThread* t, uint start, uint length, MappingFlags kind, ref StaleRange stale)
    {
        int error = Placement.GetUnmappedArea(Map, start, length, true, 0, out _);
        if (error != 0)
        {
            return error;
        }

        GuestMapping mapping = default;
        mapping.Start = start;
        mapping.End = start + length;
        mapping.Flags = MappingFlags.Read | MappingFlags.Write | MappingFlags.Account | DefaultFlags | kind;
        if ((t->Group->Personality & Personalities.ReadImpliesExec) != 0)
        {
            mapping.Flags |= MappingFlags.Exec;
        }

        error = MapRegion(t, mapping, HostMemory.MapPrivate | HostMemory.MapAnonymous, -1, false, ref stale);
        if (error == 0 && DefaultFlags != 0)
        {
            Host.Syscall(Nr.mlock2, start, length, (DefaultFlags & MappingFlags.LockOnFault) != 0 ? 1 : 0);
        }

        return error;
    }
}
