using System.Runtime.CompilerServices;

namespace Lodge.Shim;

/// <summary>
/// Per-thread signal state. Written by the owning thread and by the host signal handler that runs in it.
/// At most one asynchronous signal is caught at a time: the handler returns with everything blocked, so the kernel keeps
/// the rest queued and in order. The five signals that are never blocked on the host have a place of their own.
/// </summary>
public unsafe partial struct ThreadSignals
{
    /// <summary>The guest's blocked mask, bit n-1 for signal n.</summary>
    public ulong Blocked;
    /// <summary>The mask that the host has for this thread; the host signal handler sets it to everything when it catches.</summary>
    public ulong HostBlocked;
    /// <summary>The mask of sigsuspend, ppoll, …, in force while <see cref="HasTemporaryMask"/>.</summary>
    public ulong TemporaryMask;
    /// <summary>
    /// Non-zero during a call with a mask of its own, and on its exit path when a signal interrupted it: the handler then runs
    /// under <see cref="TemporaryMask"/>, and the frame keeps <see cref="Blocked"/>.
    /// </summary>
    public int HasTemporaryMask;
    /// <summary>AArch32: non-zero on the exit path of sigreturn, whose result is the interrupted code's register (i386: orig_eax is -1 there).</summary>
    public int NoRestart;

    /// <summary>Number of the caught asynchronous signal; 0 = none.</summary>
    public int CaughtSignal;
    /// <summary>Number of the synchronous signal (fault) that waits for delivery; 0 = none.</summary>
    public int SyncSignal;
    /// <summary>Of SEGV, BUS, ILL, FPE and TRAP: those sent by somebody while the guest could not take them at once.</summary>
    public ulong VirtualPending;

    /// <summary>x86 trap number, error code and fault address of the last fault; they stay, as in the kernel's thread_struct.</summary>
    public uint TrapNumber, ErrorCode, FaultAddress;

    /// <summary>sigaltstack: base.</summary>
    public uint AltStack;
    /// <summary>sigaltstack: bytes.</summary>
    public uint AltStackSize;
    /// <summary>sigaltstack: flags as set (SS_AUTODISARM, SS_DISABLE).</summary>
    public uint AltStackFlags;

    /// <summary>Host siginfo of <see cref="CaughtSignal"/>.</summary>
    private fixed ulong _caughtInfo[16];
    /// <summary>Host siginfo of <see cref="SyncSignal"/>.</summary>
    private fixed ulong _syncInfo[16];
    /// <summary>Host siginfo of each signal of <see cref="VirtualPending"/>, in the order of <c>Signals.VirtualIndex</c>.</summary>
    private fixed ulong _virtualInfo[16 * 5];
    /// <summary>Room for the processor's extended state (XSAVE, 64-byte aligned inside) on its way to and from frames.</summary>
    private fixed ulong _xstate[(1088 + 64) / 8];

    /// <summary>Host siginfo (128 bytes) of the caught signal.</summary>
    public static byte* CaughtInfo(ThreadSignals* s) => (byte*)s->_caughtInfo;

    /// <summary>Host siginfo (128 bytes) of the synchronous signal.</summary>
    public static byte* SyncInfo(ThreadSignals* s) => (byte*)s->_syncInfo;

    /// <summary>Host siginfo (128 bytes) of virtually pending signal number <paramref name="index"/> (0 to 4).</summary>
    public static byte* VirtualInfo(ThreadSignals* s, int index) => (byte*)&s->_virtualInfo[index * 16];

    /// <summary>1088 bytes of scratch, 64-byte aligned.</summary>
    public static byte* Xstate(ThreadSignals* s) => (byte*)(((nuint)Unsafe.AsPointer(ref s->_xstate[0]) + 63) & ~(nuint)63);
}
