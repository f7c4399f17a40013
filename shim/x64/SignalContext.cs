namespace Lodge.Shim;

/// <summary>
/// The context that the x86-64 kernel hands to a signal handler (struct ucontext in arch/x86/include/uapi/asm/ucontext.h and
/// sigcontext.h): where things lie in it. All arguments point at the ucontext.
/// </summary>
public static unsafe class SignalContext
{
    private const int R8 = 40, R9 = 48, R10 = 56, R11 = 64, Rax = 144, Rsp = 160, Rip = 168, Error = 192, Trap = 200, Cr2 = 216, SigMask = 296;
    private const int RestartSyscall = 219;

    /// <summary>Program counter.</summary>
    public static ulong ProgramCounter(byte* context) => *(ulong*)(context + Rip);

    /// <summary>Sets the program counter.</summary>
    public static void SetProgramCounter(byte* context, ulong value) => *(ulong*)(context + Rip) = value;

    /// <summary>Stack pointer.</summary>
    public static ulong StackPointer(byte* context) => *(ulong*)(context + Rsp);

    /// <summary>The mask that returns when the handler does.</summary>
    public static ulong* Mask(byte* context) => (ulong*)(context + SigMask);

    /// <summary>x86 trap number of the last fault.</summary>
    public static uint TrapNumber(byte* context) => *(uint*)(context + Trap);

    /// <summary>x86 error code of the last fault.</summary>
    public static uint ErrorCode(byte* context) => *(uint*)(context + Error);

    /// <summary>CR2 of the last page fault.</summary>
    public static ulong FaultAddress(byte* context) => *(ulong*)(context + Cr2);

    /// <summary>
    /// True when the kernel has stopped a sleep that it means to continue by restart_syscall, and the program counter is at the
    /// instruction again: a handler that runs now ends the sleep with EINTR.
    /// </summary>
    public static bool IsRestartBlock(byte* context) => *(ulong*)(context + Rax) == RestartSyscall;

    /// <summary>Sets the result of the system call in progress.</summary>
    public static void SetResult(byte* context, long value) => *(long*)(context + Rax) = value;

    /// <summary>Keeps the scratch registers of translated code, which side tables refer to.</summary>
    public static void SaveScratch(GuestThread* t, byte* context)
    {
        t->Exec.R8 = *(ulong*)(context + R8);
        t->Exec.R9 = *(ulong*)(context + R9);
        t->Exec.R10 = *(ulong*)(context + R10);
        t->Exec.R11 = *(ulong*)(context + R11);
    }

    /// <summary>True when the fault was a store (page-fault error code bit 1).</summary>
    public static bool IsWrite(byte* context) => (ErrorCode(context) & 2) != 0;

    // A guest that has set EFLAGS.AC is interrupted with it, and C# makes unaligned accesses: pushfq; and dword [rsp], ~AC; popfq;
    // jmp to the handler, whose address lies behind the stub's other half: fs:[16] is GuestThread.HostSignalEntry.
    private static System.ReadOnlySpan<byte> EntryCode =>
    [
        0x9C,                                            // 00: pushfq
        0x81, 0x24, 0x24, 0xFF, 0xFF, 0xFB, 0xFF,        // 01: and dword ptr [rsp], 0xfffbffff
        0x9D,                                            // 08: popfq
        0x64, 0xFF, 0x24, 0x25, 0x10, 0x00, 0x00, 0x00,  // 09: jmp qword ptr fs:[16]
    ];

    /// <summary>
    /// What the kernel is to call for a signal: clears AC, then goes to <see cref="GuestThread.HostSignalEntry"/>, which every thread sets before it takes signals.
    /// </summary>
    public static ulong Entry(ulong handler)
    {
        return (ulong)(byte*)System.Runtime.CompilerServices.Unsafe.AsPointer(
            ref System.Runtime.InteropServices.MemoryMarshal.GetReference(EntryCode));
    }
}
