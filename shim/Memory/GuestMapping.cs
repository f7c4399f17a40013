using System;
using System.Runtime.InteropServices;

namespace Lodge.Shim;

/// <summary>
/// What a guest mapping is: the access the guest asked for in the low three bits (PROT_READ, PROT_WRITE, PROT_EXEC as mmap numbers
/// them), then its kind.
/// </summary>
[Flags]
public enum MappingFlags : uint
{
    /// <summary>Nothing: PROT_NONE, private, anonymous.</summary>
    None = 0,
    /// <summary>PROT_READ.</summary>
    Read = 1,
    /// <summary>PROT_WRITE.</summary>
    Write = 2,
    /// <summary>PROT_EXEC. Never given to the host: guest code is only read, by the translator.</summary>
    Exec = 4,
    /// <summary>The three access bits.</summary>
    Access = 7,
    /// <summary>MAP_SHARED.</summary>
    Shared = 8,
    /// <summary>Grows towards lower addresses on a fault; keeps the stack guard gap below itself.</summary>
    GrowsDown = 0x10,
    /// <summary>A file stands behind it (device, inode and offset are valid).</summary>
    File = 0x20,
    /// <summary>Attached System V segment; the inode field holds the segment's id.</summary>
    Shm = 0x40,
    /// <summary>May never be made executable (file on a noexec mount).</summary>
    NoMayExec = 0x80,
    /// <summary>May never be made writable (shared mapping of a descriptor without write access).</summary>
    NoMayWrite = 0x100,
    /// <summary>The vDSO image: named [vdso], cannot be resized.</summary>
    Vdso = 0x200,
    /// <summary>VM_LOCKED.</summary>
    Locked = 0x400,
    /// <summary>VM_LOCKONFAULT.</summary>
    LockOnFault = 0x800,
    /// <summary>MADV_DONTFORK: not there in a child.</summary>
    DontFork = 0x1000,
    /// <summary>mseal: cannot be unmapped, moved or changed.</summary>
    Sealed = 0x2000,
    /// <summary>Huge pages of hugetlbfs: lengths are rounded to the huge page.</summary>
    HugeTlb = 0x4000,
    /// <summary>Grown by brk(2); keeps the heap apart from the program's last segment, as native maps show it.</summary>
    Heap = 0x8000,
    /// <summary>VM_ACCOUNT: private and writable at some time, charged against the overcommit limit; such memory is not joined with other.</summary>
    Account = 0x10000,
}

/// <summary>
/// One guest mapping (vm_area_struct) and at the same time one node of the tree in <see cref="GuestMap"/>: 64 bytes, addressed by index.
/// Addresses are guest addresses, which are host addresses. The last byte of the 4 GiB is never mapped, so ends fit 32 bits.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public struct GuestMapping
{
    /// <summary>First byte.</summary>
    public uint Start;
    /// <summary>First byte behind.</summary>
    public uint End;
    /// <summary>Access and kind.</summary>
    public MappingFlags Flags;
    internal uint Left, Right, Priority;
    /// <summary>Lowest gap start (start less guard) of the subtree.</summary>
    internal uint First;
    /// <summary>Highest end of the subtree.</summary>
    internal uint Last;
    /// <summary>Widest gap between neighbours inside the subtree.</summary>
    internal uint Gap;
    private readonly uint _reserved;
    /// <summary>st_dev of the file, or a serial number that tells anonymous shared mappings apart.</summary>
    public ulong Device;
    /// <summary>st_ino of the file; the id of a System V segment.</summary>
    public ulong Inode;
    /// <summary>Offset of <see cref="Start"/> in the file, in bytes.</summary>
    public ulong Offset;

    /// <summary>Length in bytes.</summary>
    public readonly uint Length => End - Start;

    /// <summary>Where a neighbour below must end at the latest: <see cref="Start"/>, less the guard gap under a stack (vm_start_gap).</summary>
    public readonly uint GapStart => (Flags & MappingFlags.GrowsDown) == 0 ? Start
        : Start > GuestMap.StackGuardGap ? Start - GuestMap.StackGuardGap : 0;

    /// <summary>True when <paramref name="next"/>, which begins where this ends, continues it, so that one record can describe both.</summary>
    public readonly bool Continues(in GuestMapping next) => Flags == next.Flags && MayContinue(next);

    /// <summary>
    /// True when the kernel may hold both as one mapping: whether it has joined them depends on which pages were touched, which we do not know.
    /// </summary>
    public readonly bool MayContinue(in GuestMapping next) =>
        End == next.Start && ((Flags ^ next.Flags) & ~(MappingFlags.Account | MappingFlags.Heap)) == 0 && Device == next.Device && Inode == next.Inode
        && ((Flags & (MappingFlags.File | MappingFlags.Shared)) == 0 || Offset + Length == next.Offset);

    /// <summary>What a change of access to <paramref name="access"/> makes of the flags.</summary>
    public readonly MappingFlags WithAccess(MappingFlags access) =>
        (Flags & ~MappingFlags.Access) | access
        | ((access & MappingFlags.Write) != 0 && (Flags & MappingFlags.Shared) == 0 ? MappingFlags.Account : 0);

    /// <summary>True for memory that RLIMIT_DATA counts: private and writable, not a stack (is_data_mapping).</summary>
    public readonly bool IsData => (Flags & (MappingFlags.Write | MappingFlags.Shared | MappingFlags.GrowsDown)) == MappingFlags.Write;
}
