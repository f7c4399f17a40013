namespace Lodge.Shim;

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
