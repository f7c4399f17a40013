namespace Lodge.Shim;

/// <summary>
/// The limits that guest memory is accounted against. They are the guest's own: the host's RLIMIT_AS would count the shim's tables, so a
/// guest's setrlimit of AS and DATA is kept here and not given to the host. All in bytes, all ones for none.
/// </summary>
public struct GuestLimits
{
    /// <summary>RLIMIT_AS, soft.</summary>
    public ulong AddressSpace;
    /// <summary>RLIMIT_AS, hard.</summary>
    public ulong AddressSpaceMax;
    /// <summary>RLIMIT_DATA, soft.</summary>
    public ulong Data;
    /// <summary>RLIMIT_DATA, hard.</summary>
    public ulong DataMax;
    /// <summary>RLIMIT_STACK, soft: how far the guest's stack may grow.</summary>
    public ulong Stack;

    /// <summary>
    /// The tighter of the two hard limits: what the host counts of our own memory is kept small when it is finite.
    /// </summary>
    public readonly ulong Least => AddressSpaceMax < DataMax ? AddressSpaceMax : DataMax;

    /// <summary>Lowers hard limits to those of the program before, which the host does not have.</summary>
    public void LowerHard(ulong addressSpace, ulong data)
    {
        AddressSpaceMax = addressSpace < AddressSpaceMax ? addressSpace : AddressSpaceMax;
        DataMax = data < DataMax ? data : DataMax;
        AddressSpace = AddressSpace < AddressSpaceMax ? AddressSpace : AddressSpaceMax;
        Data = Data < DataMax ? Data : DataMax;
    }

    /// <summary>Takes over the limits that the process was started with.</summary>
    public unsafe void ReadHost()
    {
        const int RlimitData = 2, RlimitStack = 3, RlimitAs = 9;
        ulong* pair = stackalloc ulong[2];
        Get(RlimitAs, pair);
        AddressSpace = pair[0];
        AddressSpaceMax = pair[1];
        Get(RlimitData, pair);
        Data = pair[0];
        DataMax = pair[1];
        Get(RlimitStack, pair);
        Stack = pair[0];
    }

    /// <summary>
    /// Lifts the host's soft limits of AS and DATA to the hard ones, so that its tables fit. The guest's own limits are those read
    /// before; execve hands them on. Call after <see cref="ReadHost"/>.
    /// </summary>
    public readonly unsafe void LiftHost()
    {
        const int RlimitData = 2, RlimitAs = 9;
        Lift(RlimitAs, AddressSpace, AddressSpaceMax);
        Lift(RlimitData, Data, DataMax);
    }

    private static unsafe void Lift(int resource, ulong soft, ulong hard)
    {
        if (soft != hard)
        {
            ulong* pair = stackalloc ulong[2];
            pair[0] = hard;
            pair[1] = hard;
            Host.Syscall(Nr.prlimit64, 0, resource, (long)pair, 0);
        }
    }

    private static unsafe void Get(int resource, ulong* pair)
    {
        pair[0] = ulong.MaxValue;
        pair[1] = ulong.MaxValue;
        Host.Syscall(Nr.prlimit64, 0, resource, 0, (long)pair);
    }
}

public unsafe partial struct ThreadGroup
{
    /// <summary>Memory limits of the guest process.</summary>
    public GuestLimits Limits;
    /// <summary>
    /// Personality word as the guest sees it (uapi/linux/personality.h); READ_IMPLIES_EXEC, ADDR_COMPAT_LAYOUT, ADDR_LIMIT_3GB and
    /// ADDR_NO_RANDOMIZE steer memory. Kept here because the host process's own word must stay that of a 64-bit program.
    /// </summary>
    public uint Personality;
}

/// <summary>Bits of the personality word that memory management knows.</summary>
public static class Personalities
{
    /// <summary>No randomisation of stack, mmap base, brk and vDSO.</summary>
    public const uint AddrNoRandomize = 0x0040000;
    /// <summary>Readable memory is executable.</summary>
    public const uint ReadImpliesExec = 0x0400000;
    /// <summary>Bottom-up placement.</summary>
    public const uint AddrCompatLayout = 0x0200000;
    /// <summary>TASK_SIZE is 3 GiB.</summary>
    public const uint AddrLimit3Gb = 0x8000000;
    /// <summary>Page 0 is mapped readable at exec.</summary>
    public const uint MmapPageZero = 0x0100000;
}
