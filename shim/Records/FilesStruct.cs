using System.Runtime.CompilerServices;
using System.Threading;

namespace Lodge.Shim;

/// <summary>What a descriptor is, as far as the calls on it need to know before they reach the kernel.</summary>
public enum DescriptorKind : byte
{
    /// <summary>Not looked at since the descriptor was last closed or replaced.</summary>
    Unknown,
    /// <summary>Not a directory.</summary>
    Other,
    /// <summary>A directory whose positions are passed on as they are, or through <see cref="DirectoryCookies"/> where they do not fit.</summary>
    Directory,
    /// <summary>A directory that is read in hash order: the host position is (hash, minor hash), 32 bits each.</summary>
    HashedDirectory,
    /// <summary>A /proc directory that lists this process's descriptors.</summary>
    DescriptorDirectory,
}

/// <summary>What a descriptor of the shim's own is for.</summary>
public enum HiddenFile
{
    /// <summary>The shim's own image, for execve where binfmt_misc does not know us.</summary>
    ShimImage,
    /// <summary>The guest program (/proc/self/exe).</summary>
    Program,
    /// <summary>Where --strace writes.</summary>
    Trace,
    /// <summary>Connection to the service.</summary>
    Service,
    /// <summary>A procfs directory (/proc/self at start), for use after the guest changed its root.</summary>
    Proc,
    /// <summary>The system's compiled configuration.</summary>
    SystemConfiguration,
    /// <summary>The user's compiled configuration.</summary>
    UserConfiguration,
    /// <summary>Spare.</summary>
    Spare2,
}

/// <summary>
/// Descriptor bookkeeping (files_struct): the shim's own descriptors and a small cache of descriptor kinds. The descriptors themselves
/// are the host kernel's. Shared under CLONE_FILES; a plain copy of the structure is a valid private record. All-zero is the empty record.
/// No locks: a torn view only causes one more look at the descriptor.
/// </summary>
public unsafe partial struct FilesStruct
{
    /// <summary>Number of slots for the shim's own descriptors.</summary>
    public const int HiddenSlots = 8;

    /// <summary>Descriptors whose kind is cached; larger ones are looked at every time. The record fills 1 KiB with them.</summary>
    public const int CachedDescriptors = 960;

    private const byte KindMask = 7;
    private const byte NoLargeFileBit = 8;
    private const byte LimitedBit = 16;
    private const byte MemoryBit = 32;

    /// <summary>Users of the record.</summary>
    public int Users;

    /// <summary>Bumped whenever a descriptor may have got a new meaning; a kind is only cached if it did not move meanwhile.</summary>
    public uint Generation;

    /// <summary>The shim's own descriptors, stored as number + 1; 0 = free slot.</summary>
    public fixed int Hidden[HiddenSlots];

    /// <summary>Lowest descriptor of ours; 0 = none. Guest descriptors below it need no search.</summary>
    public int HiddenLow;

    /// <summary>The table of directory cookies as a number, for atomic set-up; see <see cref="Cookies"/>.</summary>
    public long CookiesAddress;

    private fixed byte kinds[CachedDescriptors];

    /// <summary>Cookies of wide directory positions; null until the first one is needed. Copies of the record share the table.</summary>
    public readonly DirectoryCookies* Cookies => (DirectoryCookies*)CookiesAddress;

    /// <summary>Cached kind of <paramref name="fd"/>; <see cref="DescriptorKind.Unknown"/> when it has to be looked up.</summary>
    public static DescriptorKind Kind(FilesStruct* files, int fd)
        => (uint)fd < CachedDescriptors ? (DescriptorKind)(files->kinds[fd] & KindMask) : DescriptorKind.Unknown;

    /// <summary>Caches a kind that was looked up while the record's generation was <paramref name="generation"/>.</summary>
    public static void SetKind(FilesStruct* files, int fd, DescriptorKind kind, uint generation)
    {
        if ((uint)fd < CachedDescriptors && Volatile.Read(ref files->Generation) == generation)
        {
            files->kinds[fd] = (byte)((files->kinds[fd] & ~KindMask) | (int)kind);
        }
    }

    /// <summary>Forgets everything about a descriptor; called before and after the host closes or replaces it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Forget(FilesStruct* files, int fd)
    {
        if ((uint)fd < CachedDescriptors)
        {
            files->kinds[fd] = 0;
        }

        files->Generation++;
    }

    /// <summary>Forgets a range of descriptors, both ends included.</summary>
    public static void ForgetRange(FilesStruct* files, uint first, uint last)
    {
        for (uint fd = first; fd <= last && fd < CachedDescriptors; fd++)
        {
            files->kinds[fd] = 0;
        }

        files->Generation++;
    }

    /// <summary>Gives a duplicate the knowledge about its original (they share one open file description).</summary>
    public static void Duplicate(FilesStruct* files, int from, int to)
    {
        files->Generation++;
        if ((uint)to < CachedDescriptors)
        {
            files->kinds[to] = (uint)from < CachedDescriptors ? files->kinds[from] : (byte)0;
        }
    }

    /// <summary>
    /// Notes that the guest opened a file without O_LARGEFILE: the host adds the flag for every 64-bit process, F_GETFL must not show it, and a
    /// regular file must not grow beyond 2 GiB - 1 through this descriptor.
    /// </summary>
    public static void MarkNoLargeFile(FilesStruct* files, int fd, bool regular)
    {
        if ((uint)fd < CachedDescriptors)
        {
            files->kinds[fd] |= regular ? (byte)(NoLargeFileBit | LimitedBit) : NoLargeFileBit;
        }
    }

    /// <summary>True if writes through the descriptor end at 2 GiB - 1, as far as known.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsLimited(FilesStruct* files, int fd)
        => (uint)fd < CachedDescriptors && (files->kinds[fd] & LimitedBit) != 0;

    /// <summary>Notes that the descriptor is the process's own /proc/PID/mem.</summary>
    public static void MarkMemory(FilesStruct* files, int fd)
    {
        if ((uint)fd < CachedDescriptors)
        {
            files->kinds[fd] |= MemoryBit;
        }
    }

    /// <summary>True for a descriptor of the process's own /proc/PID/mem, as far as known.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsMemory(FilesStruct* files, int fd)
        => (uint)fd < CachedDescriptors && (files->kinds[fd] & MemoryBit) != 0;

    /// <summary>True if writes through the descriptor need a look: <see cref="IsLimited"/> or <see cref="IsMemory"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsSpecial(FilesStruct* files, int fd)
        => (uint)fd < CachedDescriptors && (files->kinds[fd] & (LimitedBit | MemoryBit)) != 0;

    /// <summary>True if the guest opened the descriptor without O_LARGEFILE, as far as known.</summary>
    public static bool IsNoLargeFile(FilesStruct* files, int fd)
        => (uint)fd < CachedDescriptors && (files->kinds[fd] & NoLargeFileBit) != 0;

    /// <summary>True if <paramref name="fd"/> is one of the shim's own descriptors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsHidden(FilesStruct* files, int fd)
        => files->HiddenLow != 0 && fd >= files->HiddenLow && HiddenIndex(files, fd) >= 0;

    /// <summary>Slot of a descriptor of ours; -1 if it is not ours.</summary>
    public static int HiddenIndex(FilesStruct* files, int fd)
    {
        for (int i = 0; i < HiddenSlots; i++)
        {
            if (files->Hidden[i] == fd + 1)
            {
                return i;
            }
        }

        return -1;
    }

    /// <summary>The descriptor in a slot; -1 if there is none.</summary>
    public static int GetHidden(FilesStruct* files, HiddenFile slot) => files->Hidden[(int)slot] - 1;

    /// <summary>Enters (or, with -1, removes) a descriptor of ours. The caller moved it where the guest does not expect one.</summary>
    public static void SetHidden(FilesStruct* files, HiddenFile slot, int fd)
    {
        files->Hidden[(int)slot] = fd + 1;
        int low = 0;
        for (int i = 0; i < HiddenSlots; i++)
        {
            int number = files->Hidden[i] - 1;
            if (number >= 0 && (low == 0 || number < low))
            {
                low = number;
            }
        }

        files->HiddenLow = low;
    }
}
