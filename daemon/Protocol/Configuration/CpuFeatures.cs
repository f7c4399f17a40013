using System;

namespace Lodge.Protocol;

/// <summary>CPU features that can be shown or hidden, by their names in /proc/cpuinfo. Bit numbers of <see cref="Settings.CpuHidden"/>.</summary>
public enum CpuFeature : byte
{
    /// <summary>CMOVcc and the long NOPs.</summary>
    Cmov,
    /// <summary>MMX.</summary>
    Mmx,
    /// <summary>FXSAVE, FXRSTOR.</summary>
    Fxsr,
    /// <summary>CLFLUSH.</summary>
    Clflush,
    /// <summary>SSE.</summary>
    Sse,
    /// <summary>SSE2.</summary>
    Sse2,
    /// <summary>SSE3.</summary>
    Pni,
    /// <summary>SSSE3.</summary>
    Ssse3,
    /// <summary>SSE4.1.</summary>
    Sse41,
    /// <summary>SSE4.2.</summary>
    Sse42,
    /// <summary>POPCNT.</summary>
    Popcnt,
    /// <summary>XSAVE and the instructions beside it.</summary>
    Xsave,
    /// <summary>AVX.</summary>
    Avx,
    /// <summary>AVX2.</summary>
    Avx2,
    /// <summary>F16C.</summary>
    F16c,
    /// <summary>FMA.</summary>
    Fma,
    /// <summary>BMI1.</summary>
    Bmi1,
    /// <summary>BMI2.</summary>
    Bmi2,
    /// <summary>LZCNT.</summary>
    Abm,
    /// <summary>MOVBE.</summary>
    Movbe,
    /// <summary>AES.</summary>
    Aes,
    /// <summary>PCLMULQDQ.</summary>
    Pclmulqdq,
    /// <summary>SHA.</summary>
    ShaNi,
    /// <summary>ADCX, ADOX.</summary>
    Adx,
    /// <summary>RDRAND.</summary>
    Rdrand,
    /// <summary>RDSEED.</summary>
    Rdseed,
    /// <summary>RDTSCP.</summary>
    Rdtscp,
    /// <summary>RDPID.</summary>
    Rdpid,
    /// <summary>CLFLUSHOPT.</summary>
    Clflushopt,
    /// <summary>CLWB.</summary>
    Clwb,
    /// <summary>Fast string operations.</summary>
    Erms,
    /// <summary>Fast short string operations.</summary>
    Fsrm,
}

/// <summary>A register of a CPUID leaf.</summary>
public enum CpuidWord : byte
{
    /// <summary>Leaf 1, ECX.</summary>
    Leaf1Ecx,
    /// <summary>Leaf 1, EDX.</summary>
    Leaf1Edx,
    /// <summary>Leaf 7, subleaf 0, EBX.</summary>
    Leaf7Ebx,
    /// <summary>Leaf 7, subleaf 0, ECX.</summary>
    Leaf7Ecx,
    /// <summary>Leaf 7, subleaf 0, EDX.</summary>
    Leaf7Edx,
    /// <summary>Leaf 80000001h, ECX.</summary>
    Extended1Ecx,
    /// <summary>Leaf 80000001h, EDX.</summary>
    Extended1Edx,
}

/// <summary>The features: CPUID bits (Intel SDM vol. 2, AMD APM vol. 3), first CPU level that has them, and what they build on.</summary>
public static class CpuFeatures
{
    /// <summary>Number of features.</summary>
    public const int Count = (int)CpuFeature.Fsrm + 1;

    /// <summary>Values of cpu-level. host shows everything; the others are the psABI's levels and two older CPUs.</summary>
    public static ReadOnlySpan<byte> Levels => "host i586 i686 x86-64-v1 x86-64-v2 x86-64-v3"u8;

    /// <summary>Names, in the order of <see cref="CpuFeature"/>.</summary>
    public static ReadOnlySpan<byte> Names =>
        ("cmov mmx fxsr clflush sse sse2 pni ssse3 sse4_1 sse4_2 popcnt xsave avx avx2 f16c fma bmi1 bmi2 abm movbe aes pclmulqdq sha_ni adx "u8 +
        "rdrand rdseed rdtscp rdpid clflushopt clwb erms fsrm"u8);

    private const int None = 255;

    // Word, bit, level (6 = none of them), what it needs.
    private static ReadOnlySpan<byte> Rows =>
    [
        (byte)CpuidWord.Leaf1Edx, 15, 2, None,
        (byte)CpuidWord.Leaf1Edx, 23, 3, None,
        (byte)CpuidWord.Leaf1Edx, 24, 3, None,
        (byte)CpuidWord.Leaf1Edx, 19, 3, None,
        (byte)CpuidWord.Leaf1Edx, 25, 3, (byte)CpuFeature.Fxsr,
        (byte)CpuidWord.Leaf1Edx, 26, 3, (byte)CpuFeature.Sse,
        (byte)CpuidWord.Leaf1Ecx, 0, 4, (byte)CpuFeature.Sse2,
        (byte)CpuidWord.Leaf1Ecx, 9, 4, (byte)CpuFeature.Pni,
        (byte)CpuidWord.Leaf1Ecx, 19, 4, (byte)CpuFeature.Ssse3,
        (byte)CpuidWord.Leaf1Ecx, 20, 4, (byte)CpuFeature.Sse41,
        (byte)CpuidWord.Leaf1Ecx, 23, 4, None,
        (byte)CpuidWord.Leaf1Ecx, 26, 5, (byte)CpuFeature.Sse2,
        (byte)CpuidWord.Leaf1Ecx, 28, 5, (byte)CpuFeature.Xsave,
        (byte)CpuidWord.Leaf7Ebx, 5, 5, (byte)CpuFeature.Avx,
        (byte)CpuidWord.Leaf1Ecx, 29, 5, (byte)CpuFeature.Avx,
        (byte)CpuidWord.Leaf1Ecx, 12, 5, (byte)CpuFeature.Avx,
        (byte)CpuidWord.Leaf7Ebx, 3, 5, None,
        (byte)CpuidWord.Leaf7Ebx, 8, 5, None,
        (byte)CpuidWord.Extended1Ecx, 5, 5, None,
        (byte)CpuidWord.Leaf1Ecx, 22, 5, None,
        (byte)CpuidWord.Leaf1Ecx, 25, 6, (byte)CpuFeature.Sse2,
        (byte)CpuidWord.Leaf1Ecx, 1, 6, (byte)CpuFeature.Sse2,
        (byte)CpuidWord.Leaf7Ebx, 29, 6, (byte)CpuFeature.Ssse3,
        (byte)CpuidWord.Leaf7Ebx, 19, 6, None,
        (byte)CpuidWord.Leaf1Ecx, 30, 6, None,
        (byte)CpuidWord.Leaf7Ebx, 18, 6, None,
        (byte)CpuidWord.Extended1Edx, 27, 6, None,
        (byte)CpuidWord.Leaf7Ecx, 22, 6, None,
        (byte)CpuidWord.Leaf7Ebx, 23, 6, None,
        (byte)CpuidWord.Leaf7Ebx, 24, 6, None,
        (byte)CpuidWord.Leaf7Ebx, 9, 6, None,
        (byte)CpuidWord.Leaf7Edx, 4, 6, None,
    ];

    /// <summary>
    /// The features to hide: those that the level lacks, less those shown explicitly, and those hidden explicitly; then all that build on a
    /// hidden one.
    /// </summary>
    /// <param name="level">Index into <see cref="Levels"/>; 0 hides nothing.</param>
    /// <param name="shown">Features to show whatever the level says.</param>
    /// <param name="hidden">Features to hide.</param>
    public static ulong Hidden(int level, ulong shown, ulong hidden)
    {
        ReadOnlySpan<byte> rows = Rows;
        ulong result = hidden;
        for (int i = 0; i < Count; i++)
        {
            if (level != 0 && rows[(i * 4) + 2] > level && (shown >> i & 1) == 0)
            {
                result |= 1ul << i;
            }
        }

        // What a feature builds on stands before it.
        for (int i = 0; i < Count; i++)
        {
            int needs = rows[(i * 4) + 3];
            if (needs != None && (result >> needs & 1) != 0)
            {
                result |= 1ul << i;
            }
        }

        return result;
    }

    /// <summary>The bits of one CPUID register that belong to hidden features.</summary>
    public static uint HiddenBits(CpuidWord word, ulong hidden)
    {
        ReadOnlySpan<byte> rows = Rows;
        uint bits = 0;
        for (int i = 0; i < Count; i++)
        {
            if (rows[i * 4] == (byte)word && (hidden >> i & 1) != 0)
            {
                bits |= 1u << rows[(i * 4) + 1];
            }
        }

        return bits;
    }
}
