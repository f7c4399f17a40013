namespace Lodge.Shim;

/// <summary>Address space record (mm_struct). Extended in shim/Memory.</summary>
public unsafe partial struct Mm
{
    /// <summary>Number of threads and processes in this memory that use the record.</summary>
    public int Users;
}

/// <summary>Signal actions (sighand_struct).</summary>
public unsafe partial struct Sighand
{
    /// <summary>Users of the record.</summary>
    public int Users;
}

/// <summary>Descriptor bookkeeping (files_struct).</summary>
public unsafe partial struct FilesStruct
{
    /// <summary>Users of the record.</summary>
    public int Users;
}

/// <summary>Root, working directory, umask (fs_struct).</summary>
public unsafe partial struct FsStruct
{
    /// <summary>Users of the record.</summary>
    public int Users;
}

/// <summary>Thread group (signal_struct and what belongs to the process: personality, program, auxv, limits).</summary>
public unsafe partial struct ThreadGroup
{
    /// <summary>Live threads.</summary>
    public int Users;
}

/// <summary>Per-thread signal state.</summary>
public unsafe partial struct ThreadSignals
{
    /// <summary>The guest's blocked mask, bit n-1 for signal n.</summary>
    public ulong Blocked;
}

/// <summary>Per-thread links to user memory and to host resources.</summary>
public unsafe partial struct ThreadLinks
{
    /// <summary>set_tid_address / CLONE_CHILD_CLEARTID address; 0 = none.</summary>
    public uint ClearChildTid;
    /// <summary>set_robust_list head; 0 = none.</summary>
    public uint RobustList;
}
