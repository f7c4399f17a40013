namespace Lodge.Shim;

/// <summary>What the tree keeps of a mapped file.</summary>
internal struct FileIdentity
{
    /// <summary>st_dev.</summary>
    public ulong Device;
    /// <summary>st_ino.</summary>
    public ulong Inode;
    /// <summary>Huge page size less one when the file lies on hugetlbfs; 0 otherwise.</summary>
    public uint AlignMask;
    /// <summary>The mount forbids execution.</summary>
    public bool NoExec;
    /// <summary>A regular file: what is mapped depends on inode and offset alone.</summary>
    public bool IsRegular;

    // Word of st_mode in struct stat.
#if ARM64
    private const int ModeWord = 4;
#else
    private const int ModeWord = 6;
#endif

    /// <summary>
    /// Looks a descriptor up.
    /// </summary>
    /// <param name="fd">The descriptor.</param>
    /// <param name="wantsExec">Whether the mapping may become executable, so that the mount has to be asked.</param>
    /// <param name="identity">The result.</param>
    /// <returns>0 or -EBADF.</returns>
    public static unsafe int Of(int fd, bool wantsExec, out FileIdentity identity)
    {
        const int StatusBytes = 144, StatfsFlags = 10, StNoExec = 8;
        const uint TypeMask = 0xF000, Regular = 0x8000;
        const ulong HugetlbfsMagic = 0x958458f6;
        identity = default;
        // struct stat begins with st_dev and st_ino on both hosts; struct statfs has f_type first, f_bsize second and f_flags in word 10.
        ulong* buffer = stackalloc ulong[StatusBytes / 8];
        long result = Host.Syscall(Nr.fstat, fd, (long)buffer);
        if (result != 0)
        {
            return (int)result;
        }

        identity.Device = buffer[0];
        identity.Inode = buffer[1];
        identity.IsRegular = (((uint*)buffer)[ModeWord] & TypeMask) == Regular;
        if (wantsExec && Host.Syscall(Nr.fstatfs, fd, (long)buffer) == 0)
        {
            identity.NoExec = (buffer[StatfsFlags] & StNoExec) != 0;
            identity.AlignMask = buffer[0] == HugetlbfsMagic ? (uint)buffer[1] - 1 : 0;
        }

        return 0;
    }
}
