namespace Lodge.Shim;

public static unsafe partial class Host
{
    /// <summary>Sets GS base: where the guest's thread-local storage begins.</summary>
    public static void SetGsBase(ulong address) => Syscall(Nr.arch_prctl, 0x1001, (long)address);

    /// <summary>CPUID.</summary>
    /// <param name="leaf">EAX.</param>
    /// <param name="subleaf">ECX.</param>
    /// <param name="result">Four words: EAX, EBX, ECX, EDX.</param>
    public static void CpuId(uint leaf, uint subleaf, uint* result) => Stubs.CpuId(leaf, subleaf, result);

    /// <summary>XCR0: what the kernel saves. Call only when CPUID.1:ECX.OSXSAVE is set.</summary>
    public static ulong XGetBv() => Stubs.XGetBv();
}
