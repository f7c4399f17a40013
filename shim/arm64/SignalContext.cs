namespace Lodge.Shim;

/// <summary>
/// The context that the arm64 kernel hands to a signal handler (struct ucontext in arch/arm64/include/uapi/asm/ucontext.h and
/// sigcontext.h): where things lie in it. All arguments point at the ucontext.
/// </summary>
public static unsafe class SignalContext
{
    private const int SigMask = 40, Fault = 176, Registers = 184, Sp = 432, Pc = 440, Records = 464;
    private const int RestartSyscall = 128;
    private const uint EsrMagic = 0x45535201;

    /// <summary>Program counter.</summary>
    public static ulong ProgramCounter(byte* context) => *(ulong*)(context + Pc);

    /// <summary>Sets the program counter.</summary>
    public static void SetProgramCounter(byte* context, ulong value) => *(ulong*)(context + Pc) = value;

    /// <summary>Stack pointer.</summary>
    public static ulong StackPointer(byte* context) => *(ulong*)(context + Sp);

    /// <summary>The mask that returns when the handler does.</summary>
    public static ulong* Mask(byte* context) => (ulong*)(context + SigMask);

    /// <summary>No trap numbers here; an i386 guest's are made from the signal.</summary>
    public static uint TrapNumber(byte* context) => 0;

    /// <summary>Error code in the x86 page-fault form: user mode, and write where the syndrome says so.</summary>
    public static uint ErrorCode(byte* context) => IsWrite(context) ? 6u : 4u;

    /// <summary>Address of the last fault.</summary>
    public static ulong FaultAddress(byte* context) => *(ulong*)(context + Fault);

    /// <summary>
    /// True when the kernel has stopped a sleep that it means to continue by restart_syscall, and the program counter is at the
    /// instruction again: a handler that runs now ends the sleep with EINTR.
    /// </summary>
    public static bool IsRestartBlock(byte* context) => *(ulong*)(context + Registers + 64) == RestartSyscall;

    /// <summary>Sets the result of the system call in progress.</summary>
    public static void SetResult(byte* context, long value) => *(long*)(context + Registers) = value;

    /// <summary>Keeps the scratch registers of translated code, which side tables refer to: x8 to x11.</summary>
    public static void SaveScratch(GuestThread* t, byte* context)
    {
        ulong* x = (ulong*)(context + Registers);
        t->Exec.R8 = x[8];
        t->Exec.R9 = x[9];
        t->Exec.R10 = x[10];
        t->Exec.R11 = x[11];
    }

    /// <summary>True when the fault was a store (ESR_EL1.WnR, bit 6).</summary>
    public static bool IsWrite(byte* context)
    {
        for (byte* record = context + Records; *(uint*)record != 0 && *(uint*)(record + 4) >= 8; record += *(uint*)(record + 4))
        {
            if (*(uint*)record == EsrMagic)
            {
                return (*(ulong*)(record + 8) & 0x40) != 0;
            }
        }

        return false;
    }

    /// <summary>What the kernel is to call for a signal: the handler itself.</summary>
    public static ulong Entry(ulong handler) => handler;
}
