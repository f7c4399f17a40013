using System.Runtime;
using System.Runtime.CompilerServices;

namespace Lodge.Shim;

/// <summary>
/// Typed access to the host's machine-code stubs, and the program-counter windows that signal handlers look at. The code itself is in
/// the folder of the host (HostStubs.cs and link.ld of x64/ and arm64/).
/// </summary>
internal static unsafe partial class Stubs
{
    /// <summary>
    /// First address of the blocking-call window: from the look at the pending flag up to and including the instruction that enters
    /// the kernel. A signal handler that finds the program counter in [BlockingStart, BlockingEnd) moves it to
    /// <see cref="BlockingInterrupted"/>: the call has not happened (or the kernel has rewound it for a restart), and returns
    /// -ERESTARTSYS. At BlockingEnd the call is over and its result stands.
    /// </summary>
    internal static nuint BlockingStart => (nuint)At(BlockingCode) + BlockingWindowStart;

    /// <summary>End of the blocking-call window (exclusive).</summary>
    internal static nuint BlockingEnd => (nuint)At(BlockingCode) + BlockingWindowEnd;

    /// <summary>Where an interrupted blocking call continues.</summary>
    internal static nuint BlockingInterrupted => (nuint)At(BlockingCode) + BlockingInterruptedLabel;

    /// <summary>First address of the guest-memory routines.</summary>
    internal static nuint AccessStart => (nuint)At(AccessCode);

    /// <summary>
    /// End (exclusive) of the guest-memory routines, and the address where the SIGSEGV/SIGBUS handler continues them after a fault:
    /// they then return -EFAULT. No register needs restoring.
    /// </summary>
    internal static nuint AccessFault => (nuint)At(AccessCode) + AccessFaultLabel;

    /// <summary>sa_restorer of every host signal action.</summary>
    internal static nuint Restorer => (nuint)At(RestorerCode);

    /// <summary>
    /// Up to three arguments. The ways into the kernel are symbols of the link script: a thousand places call them, directly, where bytes among the
    /// read-only data would be called through a register.
    /// </summary>
    [RuntimeImport("*", "lodge_syscall3")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    internal static extern long Syscall3(long a, long b, long c, long nr);

    /// <summary>Up to six arguments.</summary>
    [RuntimeImport("*", "lodge_syscall6")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    internal static extern long Syscall6(long a, long b, long c, long d, long e, long f, long nr);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static long Blocking(long a, long b, long c, long d, long e, long f, long nr, int* pending) =>
        ((delegate*<long, long, long, long, long, long, long, int*, long>)At(BlockingCode))(a, b, c, d, e, f, nr, pending);

    internal static long Clone(ulong flags, void* stack, int* ptid, int* ctid, void* tls, delegate*<void*, void> fn, void* arg) =>
        ((delegate*<ulong, void*, int*, int*, void*, delegate*<void*, void>, void*, long>)At(CloneCode))(flags, stack, ptid, ctid, tls, fn, arg);

    internal static long Clone3(void* args, nuint size, delegate*<void*, void> fn, void* arg) =>
        ((delegate*<void*, nuint, delegate*<void*, void>, void*, long>)At(Clone3Code))(args, size, fn, arg);

    internal static void UnmapAndExit(void* address, nuint length, int status) =>
        ((delegate*<void*, nuint, int, void>)At(UnmapAndExitCode))(address, length, status);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static GuestThread* ReadThread() => ((delegate*<GuestThread*>)At(ReadThreadCode))();

    internal static void SpinHint() => ((delegate*<void>)At(SpinHintCode))();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static long Copy(void* dst, void* src, nuint n) => ((delegate*<void*, void*, nuint, long>)(At(AccessCode) + AccessCopy))(dst, src, n);

    internal static long CopyString(byte* dst, byte* src, nuint max) =>
        ((delegate*<byte*, byte*, nuint, long>)(At(AccessCode) + AccessString))(dst, src, max);

    internal static long Fill(void* dst, byte value, nuint n) => ((delegate*<void*, uint, nuint, long>)(At(AccessCode) + AccessFill))(dst, value, n);

    internal static long CompareExchange(uint* address, uint expected, uint desired, uint* seen) =>
        ((delegate*<uint*, uint, uint, uint*, long>)(At(AccessCode) + AccessCompareExchange))(address, expected, desired, seen);
}
