namespace Lodge.Shim;

/// <summary>
/// System calls of the host kernel. Results are the kernel's own: a value, or -errno in [-4095, -1]. Async-signal-safe, any thread.
/// Arguments are the full registers: cast guest values to the width that the kernel reads (uint zero-extends, int sign-extends).
/// </summary>
public static unsafe partial class Host
{
    /// <summary>A call without arguments.</summary>
    public static long Syscall(int nr) => Stubs.Syscall3(0, 0, 0, nr);

    /// <summary>A call with one argument.</summary>
    public static long Syscall(int nr, long a) => Stubs.Syscall3(a, 0, 0, nr);

    /// <summary>A call with two arguments.</summary>
    public static long Syscall(int nr, long a, long b) => Stubs.Syscall3(a, b, 0, nr);

    /// <summary>A call with three arguments.</summary>
    public static long Syscall(int nr, long a, long b, long c) => Stubs.Syscall3(a, b, c, nr);

    /// <summary>A call with four arguments.</summary>
    public static long Syscall(int nr, long a, long b, long c, long d) => Stubs.Syscall6(a, b, c, d, 0, 0, nr);

    /// <summary>A call with five arguments.</summary>
    public static long Syscall(int nr, long a, long b, long c, long d, long e) => Stubs.Syscall6(a, b, c, d, e, 0, nr);

    /// <summary>A call with six arguments.</summary>
    public static long Syscall(int nr, long a, long b, long c, long d, long e, long f) => Stubs.Syscall6(a, b, c, d, e, f, nr);

    /// <summary>
    /// A call that may sleep, made for the guest thread <paramref name="t"/>. Returns -ERESTARTSYS (-512) without having made the call
    /// when a caught signal is pending or arrives before the kernel is entered; the caller passes that on unchanged.
    /// </summary>
    public static long BlockingCall(GuestThread* t, int nr, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0, long f = 0) =>
        Stubs.Blocking(a, b, c, d, e, f, nr, &t->SignalPending);

    /// <summary>
    /// clone(2): the parent gets the child's id or -errno; the child runs <paramref name="fn"/>(<paramref name="arg"/>) on
    /// <paramref name="stackTop"/> (16-byte aligned; 16 bytes below it are used) and must end by exiting. Registers other than the
    /// stack pointer are the parent's. CLONE_SETTLS sets FS base / TPIDR_EL0 to <paramref name="tls"/> before the child runs.
    /// </summary>
    public static long Clone(ulong flags, void* stackTop, int* ptid, int* ctid, void* tls, delegate*<void*, void> fn, void* arg) =>
        Stubs.Clone(flags, stackTop, ptid, ctid, tls, fn, arg);

    /// <summary>clone3(2) with a new stack (args.stack and args.stack_size set); otherwise as <see cref="Clone"/>.</summary>
    public static long Clone3(void* args, nuint size, delegate*<void*, void> fn, void* arg) => Stubs.Clone3(args, size, fn, arg);

    /// <summary>
    /// fork-like clone: no new stack, so CLONE_VM is allowed only together with a caller that never returns into frames that the
    /// other side still uses. Returns twice: 0 in the child.
    /// </summary>
    public static long Fork(ulong flags, int* ptid = null, int* ctid = null) =>
#if ARM64
        Stubs.Syscall6((long)flags, 0, (long)ptid, 0, (long)ctid, 0, Nr.clone);
#else
        Stubs.Syscall6((long)flags, 0, (long)ptid, (long)ctid, 0, 0, Nr.clone);
#endif

    /// <summary>Unmaps the calling thread's own stack and ends the thread.</summary>
    public static void UnmapAndExit(void* stack, nuint length, int status) => Stubs.UnmapAndExit(stack, length, status);

    /// <summary>Points the thread register (FS base, TPIDR_EL0) at <paramref name="thread"/>, whose Self field must be set.</summary>
    public static void SetThread(GuestThread* thread) => Stubs.WriteThread(thread);

    /// <summary>The running thread's record. Only after <see cref="SetThread"/> (or CLONE_SETTLS) in this thread.</summary>
    public static GuestThread* Thread => Stubs.ReadThread();

    /// <summary>Makes freshly written code visible to instruction fetch.</summary>
    public static void SynchroniseCode(void* start, void* end) => Stubs.SynchroniseCode(start, end);

    /// <summary>One turn of a spin loop.</summary>
    public static void SpinHint() => Stubs.SpinHint();

    /// <summary>Ends the process with all its threads.</summary>
    public static void ExitGroup(int status)
    {
        for (;;)
        {
            Syscall(Nr.exit_group, status);
        }
    }

    /// <summary>True for results in the error range.</summary>
    public static bool IsError(long result) => (ulong)result > unchecked((ulong)-4096L);
}
