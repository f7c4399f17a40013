namespace Lodge.Shim;

/// <summary>
/// Where the kernel would put a mapping of a 32-bit process (arch/x86/mm/mmap.c and sys_x86_64.c on behalf of compat tasks; arch/arm64 for
/// AArch32). Pure: reads the map and these bases, changes nothing.
/// </summary>
public struct Placement
{
    /// <summary>mmap_base: exclusive upper end of top-down placement.</summary>
    public uint Base;
    /// <summary>mmap_legacy_base: where bottom-up placement begins.</summary>
    public uint LegacyBase;
    /// <summary>TASK_SIZE: first address a guest cannot map.</summary>
    public uint TaskSize;
    /// <summary>vm.mmap_min_addr as it holds for this process; hints below are raised to it.</summary>
    public uint MinAddress;
    /// <summary>Bottom-up layout (ADDR_COMPAT_LAYOUT or vm.legacy_va_layout).</summary>
    public bool Legacy;

    /// <summary>TASK_SIZE of a compat task on x86-64: 4 GiB less two pages.</summary>
    public const uint TaskSizeX86 = 0xFFFFE000;
    /// <summary>TASK_SIZE under personality ADDR_LIMIT_3GB.</summary>
    public const uint TaskSize3Gb = 0xC0000000;
    /// <summary>TASK_SIZE_32 on arm64: 4 GiB less one page.</summary>
    public const uint TaskSizeArm = 0xFFFFF000;

    /// <summary>Computes the bases that exec fixes (arch_pick_mmap_layout).</summary>
    /// <param name="taskSize">TASK_SIZE of the guest under its personality.</param>
    /// <param name="minAddress">vm.mmap_min_addr.</param>
    /// <param name="stackLimit">RLIMIT_STACK (soft), bytes; all ones for none.</param>
    /// <param name="random">Random offset of the mmap base in bytes, page-rounded; 0 without randomisation.</param>
    /// <param name="randomised">Whether the stack top is randomised, too, so that the gap must allow for it.</param>
    /// <param name="legacy">Bottom-up layout asked for.</param>
    public static Placement ForExec(uint taskSize, uint minAddress, ulong stackLimit, uint random, bool randomised, bool legacy)
    {
        const ulong MinGap = 128 << 20;
        ulong pad = GuestMap.StackGuardGap + (randomised ? (ulong)MaxStackRandom : 0);
        ulong gap = stackLimit;
        if (unchecked(gap + pad) > gap)
        {
            gap += pad;
        }

        ulong maxGap = taskSize / 6 * 5;
        gap = gap < MinGap ? MinGap : gap > maxGap ? maxGap : gap;
        Placement placement = default;
        placement.TaskSize = taskSize;
        placement.MinAddress = minAddress;
        placement.Legacy = legacy;
        placement.LegacyBase = PageUp(taskSize / 3) + random;
        placement.Base = legacy ? placement.LegacyBase : PageUp((uint)(taskSize - gap - random));
        return placement;
    }

    /// <summary>Largest random distance of the stack top from the end of the address space (__STACK_RND_MASK, 11 bits of pages).</summary>
    public const uint MaxStackRandom = 0x7FF * GuestMap.PageSize;

    /// <summary>Rounds up to pages, modulo 2^32.</summary>
    public static uint PageUp(uint value) => unchecked(value + (GuestMap.PageSize - 1)) & ~(GuestMap.PageSize - 1);

    /// <summary>Rounds down to pages.</summary>
    public static uint PageDown(uint value) => value & ~(GuestMap.PageSize - 1);

    /// <summary>
    /// get_unmapped_area: chooses, or with <paramref name="isFixed"/> checks, an address.
    /// </summary>
    /// <param name="map">The mappings.</param>
    /// <param name="hint">Requested address; any alignment unless fixed.</param>
    /// <param name="length">Bytes, page-rounded, not 0.</param>
    /// <param name="isFixed">MAP_FIXED or MAP_FIXED_NOREPLACE.</param>
    /// <param name="alignMask">Alignment less one: huge page size or SHMLBA; 0 for pages.</param>
    /// <param name="address">The address, on success.</param>
    /// <returns>0, -ENOMEM when nothing fits or the end is passed, -EINVAL when a fixed address is not aligned.</returns>
    public readonly int GetUnmappedArea(in GuestMap map, uint hint, uint length, bool isFixed, uint alignMask, out uint address)
    {
        address = hint;
        if (length > TaskSize)
        {
            return -Errno.ENOMEM;
        }

        if (!isFixed)
        {
            address = Choose(map, hint, length, alignMask);
            if (address == GuestMap.NoAddress)
            {
                return -Errno.ENOMEM;
            }
        }

        if (address > TaskSize - length)
        {
            return -Errno.ENOMEM;
        }

        return (address & ((GuestMap.PageSize - 1) | alignMask)) != 0 ? -Errno.EINVAL : 0;
    }

    private readonly uint Choose(in GuestMap map, uint hint, uint length, uint alignMask)
    {
        if (Legacy)
        {
            return BottomUp(map, hint, length, alignMask);
        }

        if (hint != 0)
        {
            uint page = PageDown(hint) & ~alignMask;
            if (page <= TaskSize - length && IsFree(map, page, length))
            {
                return page;
            }
        }

        uint low = MinAddress > GuestMap.PageSize ? MinAddress : GuestMap.PageSize;
        uint found = map.SearchDown(low, Base, length, alignMask);
        // Large stack limits leave little below the base: the kernel then tries bottom-up, over the whole address space.
        return found != GuestMap.NoAddress ? found : BottomUp(map, hint, length, alignMask);
    }

    private readonly uint BottomUp(in GuestMap map, uint hint, uint length, uint alignMask)
    {
        if (hint != 0)
        {
            uint page = unchecked(PageUp(hint) + alignMask) & ~alignMask;
            if (TaskSize - length >= page && IsFree(map, page, length))
            {
                return page;
            }
        }

        return map.SearchUp(LegacyBase, TaskSize, length, alignMask);
    }

    /// <summary>The kernel's test of a hint: ends before the next mapping's guard; what lies below is not looked at.</summary>
    private static unsafe bool IsFree(in GuestMap map, uint start, uint length)
    {
        GuestMapping* above = map.FindAbove(start);
        return above == null || start + length <= above->GapStart;
    }
}
