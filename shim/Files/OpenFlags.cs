namespace Lodge.Shim;

/// <summary>
/// Open flags that x86 and ARM number differently (arch/arm/include/uapi/asm/fcntl.h against asm-generic/fcntl.h).
/// All other flags have the same value everywhere.
/// </summary>
public static class OpenFlags
{
    /// <summary>x86: O_DIRECT, O_LARGEFILE, O_DIRECTORY, O_NOFOLLOW.</summary>
    public const uint X86Direct = 0x4000, X86LargeFile = 0x8000, X86Directory = 0x10000, X86NoFollow = 0x20000;

    /// <summary>ARM, 32 and 64 bit: O_DIRECTORY, O_NOFOLLOW, O_DIRECT, O_LARGEFILE.</summary>
    public const uint ArmDirectory = 0x4000, ArmNoFollow = 0x8000, ArmDirect = 0x10000, ArmLargeFile = 0x20000;

    private const uint Moved = 0x3c000;

#if ARM64
    /// <summary>True if the host numbers the flags the ARM way.</summary>
    public const bool HostIsArm = true;
    /// <summary>The host's O_DIRECTORY.</summary>
    public const uint HostDirectory = ArmDirectory;
    /// <summary>The host's O_NOFOLLOW.</summary>
    public const uint HostNoFollow = ArmNoFollow;
    /// <summary>The host's O_LARGEFILE.</summary>
    public const uint HostLargeFile = ArmLargeFile;
#else
    /// <summary>True if the host numbers the flags the ARM way.</summary>
    public const bool HostIsArm = false;
    /// <summary>The host's O_DIRECTORY.</summary>
    public const uint HostDirectory = X86Directory;
    /// <summary>The host's O_NOFOLLOW.</summary>
    public const uint HostNoFollow = X86NoFollow;
    /// <summary>The host's O_LARGEFILE.</summary>
    public const uint HostLargeFile = X86LargeFile;
#endif

    /// <summary>Renumbers from x86 to ARM.</summary>
    public static uint X86ToArm(uint flags)
        => (flags & ~Moved)
            | ((flags & X86Direct) != 0 ? ArmDirect : 0)
            | ((flags & X86LargeFile) != 0 ? ArmLargeFile : 0)
            | ((flags & X86Directory) != 0 ? ArmDirectory : 0)
            | ((flags & X86NoFollow) != 0 ? ArmNoFollow : 0);

    /// <summary>Renumbers from ARM to x86.</summary>
    public static uint ArmToX86(uint flags)
        => (flags & ~Moved)
            | ((flags & ArmDirect) != 0 ? X86Direct : 0)
            | ((flags & ArmLargeFile) != 0 ? X86LargeFile : 0)
            | ((flags & ArmDirectory) != 0 ? X86Directory : 0)
            | ((flags & ArmNoFollow) != 0 ? X86NoFollow : 0);

    /// <summary>Guest open flags in the host's numbering; unknown bits are kept, so that the host judges them.</summary>
    public static uint ToHost<TAbi>(uint flags)
        where TAbi : unmanaged, IGuestAbi
        => TAbi.IsI386 != HostIsArm ? flags : TAbi.IsI386 ? X86ToArm(flags) : ArmToX86(flags);

    /// <summary>Host open flags in the guest's numbering.</summary>
    public static uint ToGuest<TAbi>(uint flags)
        where TAbi : unmanaged, IGuestAbi
        => TAbi.IsI386 != HostIsArm ? flags : TAbi.IsI386 ? ArmToX86(flags) : X86ToArm(flags);

    /// <summary>The guest's O_LARGEFILE.</summary>
    public static uint GuestLargeFile<TAbi>()
        where TAbi : unmanaged, IGuestAbi
        => TAbi.IsI386 ? X86LargeFile : ArmLargeFile;
}
