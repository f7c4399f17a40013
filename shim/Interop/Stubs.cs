using System.Runtime;
using System.Runtime.CompilerServices;

namespace Lodge.Shim;

/// <summary>
/// Typed access to the host's machine-code stubs, and the program-counter windows that signal handlers look at. The code itself is in
/// the folder of the host (stubs.ld and HostStubs.cs of x64/ and arm64/).
/// </summary>
internal static unsafe partial class Stubs
{
    /// <summary>
    /// First address of the blocking-call window: from the look at the pending flag up to and including the instruction that enters
    /// the kernel. A signal handler that finds the program counter in [BlockingStart, BlockingEnd) moves it to
    /// <see cref="BlockingInterrupted"/>: the call has not happened (or the kernel has rewound it for a restart), and returns
    /// -ERESTARTSYS. At BlockingEnd the call is over and its result stands.
    /// </summary>
    internal static nuint BlockingStart
    {
        [MethodImpl(MethodImplOptions.NoInlining)]
        get => (nuint)(delegate*<void>)&BlockingWindow;
    }

    /// <summary>End of the blocking-call window (exclusive).</summary>
    internal static nuint BlockingEnd
    {
        [MethodImpl(MethodImplOptions.NoInlining)]
        get => (nuint)(delegate*<void>)&BlockingWindowEnd;
    }

    /// <summary>Where an interrupted blocking call continues.</summary>
    internal static nuint BlockingInterrupted
    {
        [MethodImpl(MethodImplOptions.NoInlining)]
        get => (nuint)(delegate*<void>)&BlockingWindowLeft;
    }

    /// <summary>First address of the guest-memory routines.</summary>
    internal static nuint AccessStart
    {
        [MethodImpl(MethodImplOptions.NoInlining)]
        get => (nuint)(delegate*<void*, void*, nuint, long>)&Copy;
    }

    /// <summary>
    /// End (exclusive) of the guest-memory routines, and the address where the SIGSEGV/SIGBUS handler continues them after a fault:
    /// they then return -EFAULT. No register needs restoring.
    /// </summary>
    internal static nuint AccessFault
    {
        [MethodImpl(MethodImplOptions.NoInlining)]
        get => (nuint)(delegate*<void>)&AccessFailed;
    }

    /// <summary>sa_restorer of every host signal action.</summary>
    internal static nuint Restorer => (nuint)At(RestorerCode);

    // What stubs.ld defines is called directly, by a thousand places; bytes among the read-only data are called through a register.
    [RuntimeImport("*", "lodge_syscall3")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    internal static extern long Syscall3(long a, long b, long c, long nr);

    [RuntimeImport("*", "lodge_syscall6")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    internal static extern long Syscall6(long a, long b, long c, long d, long e, long f, long nr);

    [RuntimeImport("*", "lodge_blocking")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    internal static extern long Blocking(long a, long b, long c, long d, long e, long f, long nr, int* pending);

    [RuntimeImport("*", "lodge_copy")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    internal static extern long Copy(void* dst, void* src, nuint n);

    [RuntimeImport("*", "lodge_copy_string")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    internal static extern long CopyString(byte* dst, byte* src, nuint max);

    [RuntimeImport("*", "lodge_fill")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    internal static extern long Fill(void* dst, uint value, nuint n);

    [RuntimeImport("*", "lodge_compare_exchange")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    internal static extern long CompareExchange(uint* address, uint expected, uint desired, uint* seen);

    [RuntimeImport("*", "lodge_read_thread")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    internal static extern GuestThread* ReadThread();

    // Places inside them: only their addresses are used, and not inlined: the compiler takes the difference of two for a number that it knows.
    [RuntimeImport("*", "lodge_blocking_window")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    private static extern void BlockingWindow();

    [RuntimeImport("*", "lodge_blocking_end")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    private static extern void BlockingWindowEnd();

    [RuntimeImport("*", "lodge_blocking_interrupted")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    private static extern void BlockingWindowLeft();

    [RuntimeImport("*", "lodge_access_fault")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    private static extern void AccessFailed();

    internal static long Clone(ulong flags, void* stack, int* ptid, int* ctid, void* tls, delegate*<void*, void> fn, void* arg) =>
        ((delegate*<ulong, void*, int*, int*, void*, delegate*<void*, void>, void*, long>)At(CloneCode))(flags, stack, ptid, ctid, tls, fn, arg);

    internal static long Clone3(void* args, nuint size, delegate*<void*, void> fn, void* arg) =>
        ((delegate*<void*, nuint, delegate*<void*, void>, void*, long>)At(Clone3Code))(args, size, fn, arg);

    internal static void UnmapAndExit(void* address, nuint length, int status) =>
        ((delegate*<void*, nuint, int, void>)At(UnmapAndExitCode))(address, length, status);

    internal static void SpinHint() => ((delegate*<void>)At(SpinHintCode))();
}
