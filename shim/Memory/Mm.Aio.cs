namespace Lodge.Shim;

/// <summary>The ring of an AIO context: mapped by the kernel, moved by us.</summary>
public unsafe partial struct Mm
{
    /// <summary>Moves a ring that the host has just mapped to a place in guest memory. Under <see cref="Lock"/>.</summary>
    /// <param name="t">The calling thread.</param>
    /// <param name="ring">Where the host has put it.</param>
    /// <param name="size">Bytes, whole pages.</param>
    /// <param name="address">Where it is now.</param>
    /// <returns>0 or -errno.</returns>
    internal int PlaceRing(GuestThread* t, ulong ring, uint size, out uint address)
    {
        const int MaymoveFixed = 3;
        int error = Placement.GetUnmappedArea(Map, 0, size, false, 0, out address);
        if (error != 0)
        {
            return error;
        }

        GuestMapping mapping = default;
        mapping.Start = address;
        mapping.End = address + size;
        mapping.Flags = MappingFlags.Read | MappingFlags.Write | MappingFlags.Shared;
        mapping.Device = ++NextSerial;
        if (!MayExpand(t, mapping, size / GuestMap.PageSize) || Map.Count > MaxMapCount || Map.IsShortOf(4))
        {
            return -Errno.ENOMEM;
        }

        LeaveRoom(mapping.Start, mapping.End);
        long moved = Host.Syscall(Nr.mremap, (long)ring, size, size, MaymoveFixed, address);
        if (Host.IsError(moved))
        {
            return (int)moved;
        }

        Map.Insert(mapping);
        return 0;
    }
}
