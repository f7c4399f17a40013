namespace Lodge.Shim;

/// <summary>Per-thread links to user memory and to host resources.</summary>
public unsafe partial struct ThreadLinks
{
    /// <summary>set_tid_address / CLONE_CHILD_CLEARTID address; 0 = none. The kernel clears it; kept to unprotect the page before.</summary>
    public uint ClearChildTid;
    /// <summary>set_robust_list head; 0 = none.</summary>
    public uint RobustList;

    /// <summary>Process id, kept here because fork changes it; 0 until it is known.</summary>
    public int Tgid;
    /// <summary>Non-zero in a child of clone3 with CLONE_CLEAR_SIGHAND until it has reset its handlers.</summary>
    public int ResetHandlers;

    /// <summary>Next thread of the group, under <see cref="ThreadGroup.ThreadsLock"/>.</summary>
    public GuestThread* Next;
    /// <summary>Previous thread of the group.</summary>
    public GuestThread* Previous;

    /// <summary>GDT entries 12 to 14 (struct thread_struct.tls_array), hardware format; 0 = empty.</summary>
    public fixed ulong Tls[3];

    /// <summary>The memory that the record, its stacks and its own copies of shared records lie in.</summary>
    public ThreadBlock* Block;
    /// <summary>Lowest address of the host signal stack.</summary>
    public ulong SignalStack;
    /// <summary>Highest address of the C# stack.</summary>
    public ulong HostStackTop;
    /// <summary>Lowest address of the return stack (return addresses of translated calls).</summary>
    public ulong ReturnStackLow;
    /// <summary>Highest address of the return stack.</summary>
    public ulong ReturnStackTop;
}
