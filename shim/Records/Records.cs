namespace Lodge.Shim;

/// <summary>Address space record (mm_struct). Extended in shim/Memory.</summary>
public unsafe partial struct Mm
{
    /// <summary>Number of threads and processes in this memory that use the record.</summary>
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
