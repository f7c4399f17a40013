namespace Lodge.Translator.I386;

/// <summary>CPUID feature that a table row needs. The names are those of the Linux kernel's /proc/cpuinfo where it has one.</summary>
public enum I386Feature : byte
{
    /// <summary>Every CPU of the set (Pentium).</summary>
    Base,
    /// <summary>CMOVcc, and with it the long NOPs (Pentium Pro).</summary>
    Cmov,
    /// <summary>x87.</summary>
    Fpu,
    /// <summary>MMX.</summary>
    Mmx,
    /// <summary>CMPXCHG8B.</summary>
    Cx8,
    /// <summary>SYSENTER.</summary>
    Sep,
    /// <summary>SYSCALL outside 64-bit mode (AMD).</summary>
    Syscall,
    /// <summary>FXSAVE, FXRSTOR.</summary>
    Fxsr,
    /// <summary>SSE.</summary>
    Sse,
    /// <summary>SSE2.</summary>
    Sse2,
    /// <summary>SSE3 (pni).</summary>
    Sse3,
    /// <summary>SSSE3.</summary>
    Ssse3,
    /// <summary>SSE4.1.</summary>
    Sse41,
    /// <summary>SSE4.2.</summary>
    Sse42,
    /// <summary>POPCNT.</summary>
    Popcnt,
    /// <summary>LZCNT (abm); without it the CPU runs BSR.</summary>
    Lzcnt,
    /// <summary>BMI1; without it the CPU runs TZCNT as BSF.</summary>
    Bmi1,
    /// <summary>BMI2.</summary>
    Bmi2,
    /// <summary>MOVBE.</summary>
    Movbe,
    /// <summary>ADCX, ADOX.</summary>
    Adx,
    /// <summary>AES.</summary>
    Aes,
    /// <summary>AES and AVX.</summary>
    AesAvx,
    /// <summary>PCLMULQDQ.</summary>
    Pclmulqdq,
    /// <summary>PCLMULQDQ and AVX.</summary>
    PclmulqdqAvx,
    /// <summary>SHA (sha_ni).</summary>
    Sha,
    /// <summary>RDRAND.</summary>
    Rdrand,
    /// <summary>RDSEED.</summary>
    Rdseed,
    /// <summary>RDPID.</summary>
    Rdpid,
    /// <summary>RDTSCP.</summary>
    Rdtscp,
    /// <summary>XSAVE, XRSTOR, XGETBV.</summary>
    Xsave,
    /// <summary>XSAVEOPT.</summary>
    Xsaveopt,
    /// <summary>XSAVEC.</summary>
    Xsavec,
    /// <summary>XSAVES, XRSTORS (privileged).</summary>
    Xsaves,
    /// <summary>CLFLUSH.</summary>
    Clflush,
    /// <summary>CLFLUSHOPT.</summary>
    Clflushopt,
    /// <summary>CLWB.</summary>
    Clwb,
    /// <summary>PREFETCHW (3dnowprefetch).</summary>
    Prefetchw,
    /// <summary>AVX.</summary>
    Avx,
    /// <summary>AVX2.</summary>
    Avx2,
    /// <summary>F16C.</summary>
    F16c,
    /// <summary>FMA.</summary>
    Fma,
    /// <summary>MONITOR, MWAIT (#UD in user mode).</summary>
    Monitor,
    /// <summary>CLAC, STAC (#UD in user mode).</summary>
    Smap,
    /// <summary>INVPCID (privileged).</summary>
    Invpcid,
}
