namespace Lodge.Shim;

/// <summary>
/// What a program is started with. Everything pointed to lies in host memory, because the guest's old memory goes away meanwhile.
/// </summary>
public unsafe struct ExecRequest
{
    /// <summary>The opened program; stays open and belongs to the caller.</summary>
    public int Fd;
    /// <summary>Path for AT_EXECFN, and whose last part becomes the thread's name.</summary>
    public byte* Path;
    /// <summary>Argument strings.</summary>
    public byte** Argv;
    /// <summary>Their number.</summary>
    public int Argc;
    /// <summary>Environment strings.</summary>
    public byte** Envp;
    /// <summary>Their number.</summary>
    public int Envc;
    /// <summary>The host's auxiliary vector (pairs, ended by AT_NULL), from which hardware bits and AT_SECURE are taken; null to do without.</summary>
    public ulong* HostAuxv;
    /// <summary>AT_FLAGS_PRESERVE_ARGV0 for the guest: it is itself an interpreter that binfmt_misc started with flag P.</summary>
    public bool PreserveArgv0;
    /// <summary>Descriptor for AT_EXECFD plus one; 0 = none.</summary>
    public int ExecFdPlusOne;
    /// <summary>Descriptor of the file that this process executes, the shim's image, plus one; 0 = none.</summary>
    public int ImagePlusOne;
    /// <summary>The thread has its name already.</summary>
    public bool KeepName;
    /// <summary>Set-id program: AT_SECURE is 1 whatever the host's vector says.</summary>
    public bool Secure;
}
