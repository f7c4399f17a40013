namespace Lodge.Shim;

/// <summary>
/// Memory for one system call whose size the guest decides: anonymous host memory outside the guest's 4 GiB, committed as it is
/// touched, given back by <see cref="Free"/>. Small, usual sizes do not come here: handlers keep them on the stack.
/// Not shared between threads; a process that is killed in between gives it back by dying.
/// </summary>
internal unsafe struct HostBuffer
{
    /// <summary>The memory, zeroed; null before <see cref="Allocate"/> and after <see cref="Free"/>.</summary>
    public byte* Pointer;

    private nuint _size;

    /// <summary>Maps <paramref name="size"/> bytes.</summary>
    /// <returns>False where the host has no memory or the limit is reached.</returns>
    public bool Allocate(nuint size)
    {
        const long ReadWrite = 3;
        const long PrivateAnonymousNoReserve = 0x2 | 0x20 | 0x4000;
        long result = Host.Syscall(Nr.mmap, 0, (long)size, ReadWrite, PrivateAnonymousNoReserve, -1, 0);
        if (result is < 0 and > -4096)
        {
            return false;
        }

        Pointer = (byte*)result;
        _size = size;
        return true;
    }

    /// <summary>Unmaps the memory, if there is any.</summary>
    public void Free()
    {
        if (Pointer != null)
        {
            Host.Syscall(Nr.munmap, (long)Pointer, (long)_size);
            Pointer = null;
        }
    }
}
