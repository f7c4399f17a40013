namespace Lodge.Shim;

/// <summary>
/// Root, working directory and umask (fs_struct). The host kernel holds all three for this very process; the record only marks
/// which threads share them (CLONE_FS), so that a copy is made where the kernel makes one.
/// </summary>
public unsafe partial struct FsStruct
{
    /// <summary>Users of the record.</summary>
    public int Users;
}
