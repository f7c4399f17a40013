namespace Lodge.Shim;

/// <summary>
/// What a host signal handler finds in its ucontext on arm64 (arch/arm64/include/uapi/asm/sigcontext.h and ucontext.h): flags, link,
/// stack and a 128-byte signal mask, aligned to 16; then fault_address, x0 to x30, sp, pc, pstate. Changes take effect when the handler returns.
/// </summary>
public static unsafe partial class HostContext
{
    /// <summary>The interrupted program counter.</summary>
    public static ulong* ProgramCounter(void* ucontext) => (ulong*)((byte*)ucontext + 440);

    /// <summary>The interrupted stack pointer.</summary>
    public static ulong* StackPointer(void* ucontext) => (ulong*)((byte*)ucontext + 432);

    /// <summary>The register of call results.</summary>
    public static ulong* Result(void* ucontext) => (ulong*)((byte*)ucontext + 184);
}
