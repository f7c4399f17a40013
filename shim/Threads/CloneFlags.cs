namespace Lodge.Shim;

/// <summary>Flags of clone and clone3 (include/uapi/linux/sched.h).</summary>
public static class CloneFlags
{
    public const ulong CSIGNAL = 0xff;
    public const ulong CLONE_VM = 0x100;
    public const ulong CLONE_FS = 0x200;
    public const ulong CLONE_FILES = 0x400;
    public const ulong CLONE_SIGHAND = 0x800;
    public const ulong CLONE_PIDFD = 0x1000;
    public const ulong CLONE_VFORK = 0x4000;
    public const ulong CLONE_THREAD = 0x10000;
    public const ulong CLONE_NEWNS = 0x20000;
    public const ulong CLONE_SETTLS = 0x80000;
    public const ulong CLONE_PARENT_SETTID = 0x100000;
    public const ulong CLONE_CHILD_CLEARTID = 0x200000;
    public const ulong CLONE_CHILD_SETTID = 0x1000000;
    public const ulong CLONE_NEWUSER = 0x10000000;
    public const ulong CLONE_CLEAR_SIGHAND = 0x100000000;
}

/// <summary>struct clone_args (clone3): 88 bytes, the same for 32-bit callers.</summary>
public struct CloneArgs
{
    public ulong flags;
    public ulong pidfd;
    public ulong child_tid;
    public ulong parent_tid;
    public ulong exit_signal;
    public ulong stack;
    public ulong stack_size;
    public ulong tls;
    public ulong set_tid;
    public ulong set_tid_size;
    public ulong cgroup;

    /// <summary>Bytes of the first published form.</summary>
    public const uint SizeVersion0 = 64;
}
