namespace Lodge.Shim;

/// <summary>
/// Growing mappings. The kernel cannot grow a guest stack, which is no stack to it. So the main stack gets its room as host pages at
/// exec, which is free until touched and also right for kernel accesses; the tree shows only what has been touched, as native maps would.
/// Beyond the room (unlimited stacks) and for MAP_GROWSDOWN mappings a fault grows the mapping.
/// </summary>
public unsafe partial struct Mm
{
    /// <summary>First address behind the stack; 0 before the first exec.</summary>
    public uint StackEnd;

    /// <summary>
    /// Maps the stack of a new program. Under <see cref="Lock"/>.
    /// </summary>
    /// <param name="mapping">What the guest sees.</param>
    /// <param name="room">Lowest address to map on the host, at most the mapping's start.</param>
    /// <returns>0 or -errno.</returns>
    internal int MapStack(in GuestMapping mapping, uint room)
    {
        const int MapStackFlag = 0x20000;
        const int Flags = HostMemory.MapPrivate | HostMemory.MapAnonymous | HostMemory.MapNoReserve | MapStackFlag;
        long at = HostMap(room, mapping.End - room, HostProtection(mapping.Flags), Flags, -1, 0);
        if (Host.IsError(at))
        {
            return (int)at;
        }

        Map.Insert(mapping);
        StackEnd = mapping.End;
        StackRoom = room < mapping.Start ? room : 0;
        return 0;
    }

    /// <summary>Brings the visible start of the stack down to the lowest page touched in its room. Under <see cref="Lock"/>.</summary>
    internal void SyncStack()
    {
        GuestMapping* stack = StackRoom == 0 ? null : Map.Find(StackEnd - 1);
        if (stack == null || stack->Start <= StackRoom)
        {
            return;
        }

        const int Batch = 1024;
        byte* resident = stackalloc byte[Batch];
        uint at = StackRoom;
        while (at < stack->Start)
        {
            uint length = stack->Start - at;
            if (length > Batch * GuestMap.PageSize)
            {
                length = Batch * GuestMap.PageSize;
            }

            if (Host.Syscall(Nr.mincore, at, length, (long)resident) != 0)
            {
                return;
            }

            for (uint i = 0; i < length / GuestMap.PageSize; i++)
            {
                if ((resident[i] & 1) != 0)
                {
                    ExtendStack(stack, at + (i * GuestMap.PageSize));
                    return;
                }
            }

            at += length;
        }
    }

    /// <summary>Does so when [start, end) reaches into the room.</summary>
    internal void SyncStackFor(uint start, uint end)
    {
        if (StackRoom != 0 && start < StackEnd && end > StackRoom)
        {
            SyncStack();
        }
    }

    private void ExtendStack(GuestMapping* stack, uint start)
    {
        GuestMapping grown = *stack;
        grown.Start = start;
        grown.Offset = 0;
        Map.Remove(stack->Start, stack->End);
        Map.Insert(grown);
    }

    /// <summary>
    /// Gives the unused room of the stack up when [start, end) needs some of it or takes part of the stack away; growth then goes by faults.
    /// </summary>
    private void LeaveRoom(uint start, uint end)
    {
        if (StackRoom == 0 || end <= StackRoom || start >= StackEnd)
        {
            return;
        }

        SyncStack();
        GuestMapping* stack = Map.Find(StackEnd - 1);
        uint room = StackRoom;
        StackRoom = 0;
        if (stack != null && stack->Start > room)
        {
            Host.Syscall(Nr.munmap, room, stack->Start - room);
        }
    }

    /// <summary>Lowest address that the stack's room may begin at when it is extended for a fault in the page at <paramref name="start"/>.</summary>
    private readonly uint RoomBelow(uint start, uint end, uint neighbour, ulong limit)
    {
        uint step = IsTight ? 256u << 10 : 8 << 20;
        uint lowest = start > step ? start - step : 0;
        uint free = neighbour == 0 ? Placement.MinAddress : neighbour + GuestMap.StackGuardGap;
        lowest = lowest < free ? free : lowest;
        if (limit < end && end - (uint)limit > lowest)
        {
            lowest = Placement.PageUp(end - (uint)limit);
        }

        return lowest < start ? lowest : start;
    }

    /// <summary>
    /// expand_stack: makes the growing mapping above <paramref name="address"/> reach it, if there is one and the kernel would allow it:
    /// within RLIMIT_STACK and RLIMIT_AS, and a guard gap away from what lies below.
    /// </summary>
    /// <returns>True when the address is mapped now.</returns>
    internal bool Grow(GuestThread* t, uint address)
    {
        GuestMapping* above = Map.FindAbove(address);
        if (above == null || above->Start <= address || (above->Flags & MappingFlags.GrowsDown) == 0)
        {
            return false;
        }

        uint start = Placement.PageDown(address);
        GuestMapping grown = *above;
        uint pages = (grown.Start - start) / GuestMap.PageSize;
        GuestMapping* below = Map.FindBelow(start + 1);
        bool tooNear = below != null && (below->Flags & MappingFlags.GrowsDown) == 0 && (below->Flags & MappingFlags.Access) != 0
            && start - below->End < GuestMap.StackGuardGap;
        if (start < Placement.MinAddress || tooNear || grown.End - start > t->Group->Limits.Stack
            || !MayExpand(t, grown, pages) || Map.IsShortOf(2))
        {
            return false;
        }

        uint from = start, to = grown.Start;
        bool isStack = grown.End == StackEnd;
        if (isStack)
        {
            // The main stack gets new room with every step, so that deep recursion does not fault for every page.
            from = RoomBelow(start, grown.End, below == null ? 0 : below->End, t->Group->Limits.Stack);
            to = StackRoom != 0 && StackRoom < to ? StackRoom : to;
        }

        if (from < to)
        {
            const int Flags = HostMemory.MapPrivate | HostMemory.MapAnonymous | HostMemory.MapNoReserve | HostMemory.MapFixedNoReplace;
            int prot = HostProtection(grown.Flags);
            if (Host.IsError(Host.Syscall(Nr.mmap, from, to - from, prot, Flags, -1, 0)))
            {
                // Under a limit the host may give what is needed now, though not the room.
                from = start;
                if (Host.IsError(Host.Syscall(Nr.mmap, from, to - from, prot, Flags, -1, 0)))
                {
                    return false;
                }
            }
        }

        StackRoom = isStack && from < start ? from : isStack ? 0 : StackRoom;
        ExtendStack(above, start);
        return true;
    }
}
