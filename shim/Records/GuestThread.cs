using System.Runtime.InteropServices;

namespace Lodge.Shim;

/// <summary>
/// One guest thread: what the kernel keeps in task_struct and what translated code needs. The host's FS base (x86-64) or
/// TPIDR_EL0 (arm64) points at it while the thread lives. Owned by its thread; other threads touch only fields that say so.
/// The first fields have fixed offsets: emitted code and stubs use them.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct GuestThread
{
    /// <summary>This record's own address (fs:[0]).</summary>
    public GuestThread* Self;
    /// <summary>
    /// Non-zero when a caught signal waits for delivery (set by the host signal handler in this thread, cleared by delivery).
    /// The blocking-call stub looks at it before it enters the kernel; the dispatcher before it enters guest code.
    /// </summary>
    public int SignalPending;
    /// <summary>Kernel thread id.</summary>
    public int Tid;
    /// <summary>Address of the host signal handler in C#, where the handler's entry stub jumps (fs:[16]).</summary>
    public ulong HostSignalEntry;
    /// <summary>State that emitted code uses to enter and leave guest code.</summary>
    public ExecState Exec;
    /// <summary>i386 registers.</summary>
    public I386Frame I386;
    /// <summary>AArch32 registers.</summary>
    public ArmFrame Arm;

    /// <summary>Address space; shared under CLONE_VM.</summary>
    public Mm* Mm;
    /// <summary>Signal actions; shared under CLONE_SIGHAND.</summary>
    public Sighand* Sighand;
    /// <summary>Descriptor bookkeeping; shared under CLONE_FILES.</summary>
    public FilesStruct* Files;
    /// <summary>Root, working directory and umask bookkeeping; shared under CLONE_FS.</summary>
    public FsStruct* Fs;
    /// <summary>Thread group; shared under CLONE_THREAD.</summary>
    public ThreadGroup* Group;

    /// <summary>CPUID answers that the thread has had on the CPU where it is.</summary>
    public CpuidAnswers Cpuid;
    /// <summary>set_tid_address, robust list, TLS descriptors, host stacks.</summary>
    public ThreadLinks Links;
    /// <summary>
    /// Signal state that is the thread's own: mask, alternate stack, the caught signal. Last, since the room for extended state at its end lies on the
    /// record's second page, which most threads never touch.
    /// </summary>
    public ThreadSignals Signals;
}

/// <summary>Fields used by the entry and exit stubs; offsets are in <c>FrameOffsets</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct ExecState
{
    /// <summary>Stack pointer of the C# side while guest code runs.</summary>
    public ulong HostStackPointer;
    /// <summary>RSP of the return stack (return addresses of translated calls) while C# runs.</summary>
    public ulong ReturnStackPointer;
    /// <summary>Value that empties the return stack: its bottom, where the sentinel lies.</summary>
    public ulong ReturnStackBase;
    /// <summary>Base of the code cache (r12).</summary>
    public ulong CodeBase;
    /// <summary>Base of the flat target table (r13).</summary>
    public ulong TargetTable;
    /// <summary>Why guest code was left: an <c>ExitReason</c>.</summary>
    public uint Reason;
    /// <summary>Argument of the reason: exit id, guest address, vector.</summary>
    public uint Argument;
    /// <summary>Host program counter where a signal handler took guest code out; 0 otherwise.</summary>
    public ulong InterruptedPc;
    /// <summary>GS base that the CPU holds for this thread now.</summary>
    public ulong HostGsBase;
    /// <summary>0, or a non-canonical address while FS holds a null selector: added to every FS address, it makes the CPU raise #GP.</summary>
    public ulong FsTrap;
    /// <summary>The same for GS.</summary>
    public ulong GsTrap;
    /// <summary>Non-zero while a segment is loaded whose limit or type is checked in front of every access.</summary>
    public uint Guarded;
    /// <summary>Non-zero when data segments have bases: other translations are used.</summary>
    public uint Segmented;
    /// <summary>Non-zero: the next instruction stores into its own code page, which is open for this one instruction.</summary>
    public uint StepOver;
    /// <summary>
    /// Indirect branches that a forked child still has looked up by the dispatcher alone: its target table is empty, and a child that soon
    /// ends is better off without touching it.
    /// </summary>
    public uint FreeMisses;
    /// <summary>
    /// Non-zero while the thread is in translated code or uses what it read from the code cache without its lock. Read by the thread that
    /// empties the cache.
    /// </summary>
    public int InCache;
    /// <summary>Non-zero while the shim's own signal to this thread is on its way (see <c>Signals.Kick</c>).</summary>
    public int Kick;
    /// <summary>Where the shared indirect branch takes an address apart (nested target tables).</summary>
    public uint Lookup;
    /// <summary>Saved r8, r9, r10, r11 of the interrupted PC (side tables refer to them).</summary>
    public ulong R8, R9, R10, R11;
}
