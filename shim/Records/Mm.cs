namespace Lodge.Shim;

/// <summary>
/// Address space record (mm_struct): one per set of processes and threads that share memory. Methods are in shim/Memory. The record lies
/// in host memory above the guest, so a forked child has its own copy at the same address, and a CLONE_VM child the same one.
/// </summary>
public unsafe partial struct Mm
{
    /// <summary>Number of threads and processes in this memory that use the record.</summary>
    public int Users;
    /// <summary>Guards everything below. Order: the code cache's lock, then this one, then the heap's.</summary>
    public ShimLock Lock;
    /// <summary>The guest's mappings.</summary>
    public GuestMap Map;
    /// <summary>Where mappings go.</summary>
    public Placement Placement;
    /// <summary>Records of the shim.</summary>
    public ShimHeap Heap;

    /// <summary>First address of the heap; 0 before the first exec.</summary>
    public uint StartBrk;
    /// <summary>End of the heap, any byte.</summary>
    public uint Brk;
    /// <summary>Bounds of the program's code and data (as /proc/PID/stat has them).</summary>
    public uint StartCode, EndCode, StartData, EndData;
    /// <summary>Stack pointer at entry.</summary>
    public uint StartStack;
    /// <summary>Bounds of the argument and environment strings.</summary>
    public uint ArgStart, ArgEnd, EnvStart, EnvEnd;
    /// <summary>Guest address of the vDSO; 0 = none.</summary>
    public uint VdsoBase;
    /// <summary>Bytes of <see cref="SavedAuxv"/> in use, including AT_NULL.</summary>
    public uint AuxvLength;
    /// <summary>The auxiliary vector of the program, 32-bit pairs.</summary>
    public fixed uint SavedAuxv[64];

    /// <summary>True when the host has a hard limit on address space or data: what the shim maps for itself is kept small, since it counts.</summary>
    public bool IsTight;
    /// <summary>True when the kernel knows where the guest's arguments, environment and auxiliary vector lie, instead of the shim's.</summary>
    public bool IsDescribed;
    /// <summary>Set when exec failed after the old program was gone: the process can only be killed (SIGSEGV).</summary>
    public bool ExecFailed;
    /// <summary>The memory limits that the process was started with: the first thread group's own.</summary>
    public GuestLimits StartLimits;
    /// <summary>Flags that new mappings get from mlockall(MCL_FUTURE).</summary>
    public MappingFlags DefaultFlags;
    /// <summary>Bytes of translated code that are asked for; 0 = no order.</summary>
    public ulong CodeCacheBytes;
    /// <summary>Lowest address of the stack's pre-mapped room (host pages below the visible stack, so that growth needs no fault); 0 = none.</summary>
    public uint StackRoom;
    /// <summary>Serial number of the next anonymous shared mapping.</summary>
    public ulong NextSerial;

    /// <summary>One bit for each guest page that holds translated code.</summary>
    internal ulong* CodePages;
    /// <summary>One bit for each of these that the host protects although the guest may write it.</summary>
    internal ulong* GuardedPages;
    /// <summary>Number of bits in <see cref="GuardedPages"/>. Read without the lock by <see cref="PrepareWrite"/>.</summary>
    internal int GuardedCount;
}
