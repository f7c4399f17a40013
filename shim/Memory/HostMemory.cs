namespace Lodge.Shim;

/// <summary>
/// Memory for the shim itself. The kernel places it far above the guest: its own choice begins at the top of the address space, or goes up
/// from a third of it (legacy layout), never below. Any thread; no locks.
/// </summary>
public static unsafe class HostMemory
{
    private const ulong HugePage = 2 << 20;
    private const int MadvNoHugePage = 15;
    internal const int ProtRead = 1, ProtWrite = 2, ProtExec = 4;
    internal const int MapShared = 1, MapPrivate = 2, MapFixed = 0x10, MapAnonymous = 0x20, MapNoReserve = 0x4000, MapFixedNoReplace = 0x100000;

    /// <summary>Zeroed, readable and writable pages, committed as they are touched.</summary>
    /// <param name="bytes">Size; rounded up to pages.</param>
    /// <returns>The memory, or null when the kernel gives none.</returns>
    public static void* Map(ulong bytes) => Map(bytes, ProtRead | ProtWrite);

    /// <summary>Zeroed, readable and writable pages that are all there at once: cheaper than a fault for each where all are used.</summary>
    /// <inheritdoc cref="Map(ulong)"/>
    public static void* MapNow(ulong bytes)
    {
        const int MapPopulate = 0x8000;
        long at = Host.Syscall(Nr.mmap, 0, (long)((bytes + 4095) & ~4095ul), ProtRead | ProtWrite, MapPrivate | MapAnonymous | MapNoReserve | MapPopulate, -1, 0);
        return Host.IsError(at) ? null : (void*)at;
    }

    /// <summary>Makes whole pages of a mapping be there. Kernels before 5.14 do not know how: each page then comes with its fault.</summary>
    public static void Populate(void* memory, ulong bytes)
    {
        const int MadvPopulateWrite = 23;
        Host.Syscall(Nr.madvise, (long)memory, (long)bytes, MadvPopulateWrite);
    }

    /// <summary>Pages for generated code: readable, writable and executable.</summary>
    /// <inheritdoc cref="Map(ulong)"/>
    public static void* MapCode(ulong bytes) => Map(bytes, ProtRead | ProtWrite | ProtExec);

    /// <summary>Pages at an address that is free, mostly; else anywhere (<see cref="Home"/>).</summary>
    /// <inheritdoc cref="Map(ulong)"/>
    public static void* MapAt(ulong address, ulong bytes, int prot) => Map(address, bytes, prot);

    /// <summary>Pages with the given protection.</summary>
    /// <inheritdoc cref="Map(ulong)"/>
    public static void* Map(ulong bytes, int prot) => Map(0, bytes, prot);

    private static void* Map(ulong address, ulong bytes, int prot)
    {
        long at = Host.Syscall(Nr.mmap, (long)address, (long)((bytes + 4095) & ~4095ul), prot, MapPrivate | MapAnonymous | MapNoReserve, -1, 0);
        if (Host.IsError(at))
        {
            return null;
        }

        if ((ulong)at < Mm.ShimStart)
        {
            // No kernel does so; the guest's mappings would not be safe.
            Unmap((void*)at, bytes);
            return null;
        }

        if (bytes >= HugePage)
        {
            // Tables are touched here and there: a huge page for each place would cost 2 MiB and the time to clear it.
            Host.Syscall(Nr.madvise, at, (long)((bytes + 4095) & ~4095ul), MadvNoHugePage);
        }

        return (void*)at;
    }

    /// <summary>Gives pages back.</summary>
    public static void Unmap(void* memory, ulong bytes) => Host.Syscall(Nr.munmap, (long)memory, (long)((bytes + 4095) & ~4095ul));

    /// <summary>
    /// Makes accesses to a range of a mapping fault without making a mapping of its own of it, which each fork would copy. Kernels before
    /// 6.13 do not know how: then it becomes one, that stays out of children.
    /// </summary>
    public static void Guard(void* memory, ulong bytes)
    {
        const int MadvGuardInstall = 102, MadvDontFork = 10;
        if (Host.Syscall(Nr.madvise, (long)memory, (long)bytes, MadvGuardInstall) != 0)
        {
            Host.Syscall(Nr.mprotect, (long)memory, (long)bytes, 0);
            Host.Syscall(Nr.madvise, (long)memory, (long)bytes, MadvDontFork);
        }
    }

    /// <summary>Takes the write permission from pages of our own that are complete.</summary>
    public static void Seal(void* memory, ulong bytes) => Host.Syscall(Nr.mprotect, (long)memory, (long)bytes, ProtRead);
}
