namespace Lodge.Shim;

/// <summary>What ties a process to the service. Part of the thread group; a forked child copies it, and is no registered guest itself.</summary>
public unsafe struct ServiceLink
{
    /// <summary>Unknown ioctls that are told at most.</summary>
    public const int MaxSeen = 16;

    /// <summary>Process that registered; 0 = none. A forked child differs from it.</summary>
    public int Registered;
    /// <summary>A service was there when the process, or the parent that it was forked from, started.</summary>
    public int Known;
    /// <summary>Value of XDG_RUNTIME_DIR in the program's first environment; null = only the system's service is asked.</summary>
    public byte* RuntimeDirectory;
    /// <summary>Lines that were not sent.</summary>
    public uint LinesSuppressed;
    /// <summary>Unknown ioctls that have been told: each is told once.</summary>
    public SeenRequests Seen;
}
