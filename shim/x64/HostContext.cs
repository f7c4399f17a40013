namespace Lodge.Shim;

/// <summary>
/// What a host signal handler finds in its ucontext on x86-64 (arch/x86/include/uapi/asm/sigcontext.h): flags, link and stack take 40
/// bytes, then r8 to r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip. Changes take effect when the handler returns.
/// </summary>
public static unsafe partial class HostContext
{
    /// <summary>The interrupted program counter.</summary>
    public static ulong* ProgramCounter(void* ucontext) => (ulong*)((byte*)ucontext + 168);

    /// <summary>The interrupted stack pointer.</summary>
    public static ulong* StackPointer(void* ucontext) => (ulong*)((byte*)ucontext + 160);

    /// <summary>The register of call results.</summary>
    public static ulong* Result(void* ucontext) => (ulong*)((byte*)ucontext + 144);
}
