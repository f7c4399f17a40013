using Lodge.Protocol;
using Lodge.Translator.I386;

namespace Lodge.Shim;

/// <summary>
/// The CPU that the guest sees: the host's, less what the translator does not do (Intel SDM vol. 2, CPUID). A feature that is hidden here
/// is #UD in the decoder's table.
/// </summary>
public static unsafe class GuestCpu
{
    /// <summary>XCR0 bits that guests see: x87, SSE, AVX.</summary>
    public const uint XcrMask = 7;

    private const uint AvxState = 4;

    // Leaf 1: MONITOR, VMX, SMX, DTES64, DS-CPL, TM2, EIST, SDBG, xTPR, PDCM, PCID, DCA, x2APIC, TSC-deadline are the kernel's business and
    // shown as the host has them; of leaf 1 only SYSENTER is hidden.
    private const uint Leaf7Ebx = (1u << 3) | (1u << 5) | (1u << 8) | (1u << 9) | (1u << 18) | (1u << 19) | (1u << 23) | (1u << 24) | (1u << 29)
        | (1u << 6) | (1u << 7) | (1u << 10) | (1u << 13) | (1u << 20);

    // RDPID, UMIP, LA57, bus lock detection.
    private const uint Leaf7Ecx = (1u << 2) | (1u << 16) | (1u << 22) | (1u << 24);

    // FSRM, MD_CLEAR, and the speculation bits.
    private const uint Leaf7Edx = (1u << 4) | (1u << 10) | 0xFC000000u;

    // SSE4A, XOP, FMA4, TBM are not in the table.
    private const uint Extended1EcxHidden = (1u << 6) | (1u << 11) | (1u << 16) | (1u << 21);

    // SYSENTER and SYSCALL: their system calls return to code in the kernel's own vDSO. INT 80h is the guest's way in.
    private const uint Sep = 1u << 11;

    // SYSCALL, 3DNow! and its extensions.
    private const uint Extended1EdxHidden = (1u << 11) | (1u << 30) | (1u << 31);

    /// <summary>CPUID with EAX and ECX of the frame.</summary>
    public static void Cpuid(GuestThread* t)
    {
        ref I386Frame frame = ref t->I386;
        uint* r = stackalloc uint[4];
        Query(t, frame.eax, frame.ecx, r);
        frame.eax = r[0];
        frame.ebx = r[1];
        frame.ecx = r[2];
        frame.edx = r[3];
    }

    /// <summary>Takes over what the program that executed this one knew of the host's CPUs.</summary>
    public static void Inherit(GuestThread* t, byte* answers)
    {
        t->Cpuid.Cpu = CpuNumber() + 1;
        t->Cpuid.Read(answers);
    }

    // Not by the host's vDSO: the first look at it costs each forked child three pages of page tables.
    private static int CpuNumber()
    {
        int number = Stubs.CpuNumber();
        if (number < 0)
        {
            Host.Syscall(Nr.getcpu, (long)&number, 0, 0);
        }

        return number;
    }

    /// <summary>What the host's CPU answers, asked once for each CPU that the thread runs on. What needs no question does not come here.</summary>
    private static void Ask(GuestThread* t, uint leaf, uint subleaf, uint* r)
    {
        int cpu = CpuNumber() + 1;
        if (t->Cpuid.Cpu != cpu)
        {
            t->Cpuid.Cpu = cpu;
            t->Cpuid.Count = 0;
        }

        if (t->Cpuid.Find(leaf, subleaf, r))
        {
            return;
        }

        Stubs.CpuId(leaf, subleaf, r);
        if (CpuNumber() + 1 == cpu)
        {
            t->Cpuid.Add(leaf, subleaf, r);
        }
    }

    /// <summary>
    /// Leaf D, subleaves 0 and 2, where the guest has x87, SSE and AVX: the layout of these states is the same on every CPU, so nothing
    /// needs to be asked.
    /// </summary>
    private static bool SizesOfAvx(ThreadGroup* group, uint leaf, uint subleaf, uint* r)
    {
        if (leaf != 0xD || subleaf is not (0 or 2) || group->XstateFeatures != XcrMask)
        {
            return false;
        }

        r[0] = subleaf == 0 ? XcrMask : 256;
        r[1] = subleaf == 0 ? 832u : 576;
        r[2] = subleaf == 0 ? 832u : 0;
        r[3] = 0;
        return true;
    }

    /// <summary>The guest's view of a leaf: EAX, EBX, ECX, EDX.</summary>
    private static void Query(GuestThread* t, uint leaf, uint subleaf, uint* r)
    {
        if (leaf is 0x12 or 0x14 or 0x19 or 0x1D or 0x1E or 0x24 || (leaf == 7 && subleaf != 0) || (leaf == 0xD && subleaf > 2))
        {
            // SGX, processor trace, key locker, AMX, AVX10; further features; states that the guest does not have.
            Clear(r);
            return;
        }

        if (!SizesOfAvx(t->Group, leaf, subleaf, r))
        {
            Ask(t, leaf, subleaf, r);
            Restrict(leaf, subleaf, r);
        }

        if (t->Group->HiddenFeatures != 0)
        {
            Reduce(t->Group->HiddenFeatures, leaf, subleaf, r);
        }
    }

    /// <summary>Takes out of a leaf what the translator does not do.</summary>
    private static void Restrict(uint leaf, uint subleaf, uint* r)
    {
        switch (leaf)
        {
            case 1:
                r[3] &= ~Sep;
                break;
            case 7:
                r[0] = 0;
                r[1] &= Leaf7Ebx;
                r[2] &= Leaf7Ecx;
                r[3] &= Leaf7Edx;
                break;
            case 0xD:
                ExtendedState(subleaf, r);
                break;
            case 0x80000001:
                r[2] &= ~Extended1EcxHidden;
                r[3] &= ~Extended1EdxHidden;
                break;
            default:
                break;
        }
    }

    /// <summary>
    /// Hides features from the program: from CPUID, XGETBV and signal frames, and their instructions raise #UD. TZCNT and LZCNT stay what the CPU
    /// makes of them: on CPUs without the feature they are BSF and BSR, and no #UD.
    /// </summary>
    /// <param name="t">The program's first thread; before it runs.</param>
    /// <param name="hidden">One bit for each <see cref="CpuFeature"/>, with all that build on one of them.</param>
    public static void Hide(GuestThread* t, ulong hidden)
    {
        ThreadGroup* group = t->Group;
        group->HiddenFeatures = hidden;
        System.ReadOnlySpan<byte> instructions = InstructionsOf;
        for (int i = 0; i < CpuFeatures.Count; i++)
        {
            if ((hidden >> i & 1) != 0)
            {
                group->HiddenInstructions |= 1ul << instructions[i];
            }
        }

        if (Hides(hidden, CpuFeature.Aes) || Hides(hidden, CpuFeature.Avx))
        {
            group->HiddenInstructions |= 1ul << (int)I386Feature.AesAvx;
        }

        if (Hides(hidden, CpuFeature.Pclmulqdq) || Hides(hidden, CpuFeature.Avx))
        {
            group->HiddenInstructions |= 1ul << (int)I386Feature.PclmulqdqAvx;
        }

        if (Hides(hidden, CpuFeature.Xsave))
        {
            group->HiddenInstructions |= (1ul << (int)I386Feature.Xsaveopt) | (1ul << (int)I386Feature.Xsavec);
        }

        // What every CPU has, by the number of what is not hidden by an instruction of its own.
        group->HiddenInstructions &= ~(1ul << (int)I386Feature.Base);
        DescribeXstate(t);
    }

    /// <summary>Feature of the instruction table for each <see cref="CpuFeature"/>; Base where there is nothing to refuse.</summary>
    private static System.ReadOnlySpan<byte> InstructionsOf =>
    [
        (byte)I386Feature.Cmov, (byte)I386Feature.Mmx, (byte)I386Feature.Fxsr, (byte)I386Feature.Clflush,
        (byte)I386Feature.Sse, (byte)I386Feature.Sse2, (byte)I386Feature.Sse3, (byte)I386Feature.Ssse3,
        (byte)I386Feature.Sse41, (byte)I386Feature.Sse42, (byte)I386Feature.Popcnt, (byte)I386Feature.Xsave,
        (byte)I386Feature.Avx, (byte)I386Feature.Avx2, (byte)I386Feature.F16c, (byte)I386Feature.Fma,
        (byte)I386Feature.Bmi1, (byte)I386Feature.Bmi2, (byte)I386Feature.Base, (byte)I386Feature.Movbe,
        (byte)I386Feature.Aes, (byte)I386Feature.Pclmulqdq, (byte)I386Feature.Sha, (byte)I386Feature.Adx,
        (byte)I386Feature.Rdrand, (byte)I386Feature.Rdseed, (byte)I386Feature.Rdtscp, (byte)I386Feature.Rdpid,
        (byte)I386Feature.Clflushopt, (byte)I386Feature.Clwb, (byte)I386Feature.Base, (byte)I386Feature.Base,
    ];

    private static bool Hides(ulong hidden, CpuFeature feature) => (hidden >> (int)feature & 1) != 0;

    /// <summary>Takes hidden features out of a leaf.</summary>
    private static void Reduce(ulong hidden, uint leaf, uint subleaf, uint* r)
    {
        // AMD repeats these bits of leaf 1 in leaf 80000001h: CMOV, MMX, FXSR.
        const uint Osxsave = 1u << 27, Repeated = (1u << 15) | (1u << 23) | (1u << 24), MmxExtensions = 1u << 22;
        switch (leaf)
        {
            case 1:
                r[2] &= ~CpuFeatures.HiddenBits(CpuidWord.Leaf1Ecx, hidden);
                r[2] &= Hides(hidden, CpuFeature.Xsave) ? ~Osxsave : uint.MaxValue;
                r[3] &= ~CpuFeatures.HiddenBits(CpuidWord.Leaf1Edx, hidden);
                break;
            case 7:
                r[1] &= ~CpuFeatures.HiddenBits(CpuidWord.Leaf7Ebx, hidden);
                r[2] &= ~CpuFeatures.HiddenBits(CpuidWord.Leaf7Ecx, hidden);
                r[3] &= ~CpuFeatures.HiddenBits(CpuidWord.Leaf7Edx, hidden);
                break;
            case 0xD:
                ReduceState(hidden, subleaf, r);
                break;
            case 0x80000001:
                r[2] &= ~CpuFeatures.HiddenBits(CpuidWord.Extended1Ecx, hidden);
                r[3] &= ~CpuFeatures.HiddenBits(CpuidWord.Extended1Edx, hidden);
                r[3] &= ~(CpuFeatures.HiddenBits(CpuidWord.Leaf1Edx, hidden) & Repeated);
                r[3] &= Hides(hidden, CpuFeature.Sse) ? ~MmxExtensions : uint.MaxValue;
                break;
            default:
                break;
        }
    }

    private static void ReduceState(ulong hidden, uint subleaf, uint* r)
    {
        if (Hides(hidden, CpuFeature.Xsave))
        {
            Clear(r);
        }
        else if (Hides(hidden, CpuFeature.Avx))
        {
            switch (subleaf)
            {
                case 0:
                    r[0] &= 3;
                    r[1] = 576;
                    r[2] = 576;
                    break;
                case 1:
                    r[1] = 576;
                    break;
                default:
                    Clear(r);
                    break;
            }
        }
    }

    private static void ExtendedState(uint subleaf, uint* r)
    {
        switch (subleaf)
        {
            case 0:
                r[0] &= XcrMask;
                r[1] = (r[0] & 4) != 0 ? 832u : 576u;
                r[2] = r[1];
                r[3] = 0;
                break;
            case 1:
                // XSAVEOPT, XSAVEC, XGETBV(1); no supervisor states.
                r[0] &= 7;
                r[1] = 832;
                r[2] = 0;
                r[3] = 0;
                break;
            default:
                break;
        }
    }

    private static void Clear(uint* r)
    {
        r[0] = 0;
        r[1] = 0;
        r[2] = 0;
        r[3] = 0;
    }

    /// <summary>XGETBV for ECX 0 and 1; the caller has refused others.</summary>
    public static void Xgetbv(ThreadGroup* group, ref I386Frame frame)
    {
        ulong value = Stubs.XGetBv() & group->XstateFeatures;
        frame.eax = (uint)value;
        frame.edx = 0;
    }

    /// <summary>Records which extended state guests have in signal frames: components and bytes of the XSAVE area.</summary>
    public static void DescribeXstate(GuestThread* t)
    {
        const uint Osxsave = 1u << 27;
        ThreadGroup* group = t->Group;
        uint* r = stackalloc uint[4];
        Ask(t, 1, 0, r);
        bool none = (r[2] & Osxsave) == 0 || Hides(group->HiddenFeatures, CpuFeature.Xsave);
        uint mask = Hides(group->HiddenFeatures, CpuFeature.Avx) ? XcrMask & ~AvxState : XcrMask;
        group->XstateFeatures = none ? 0 : (uint)(Stubs.XGetBv() & mask);
        group->XstateSize = group->XstateFeatures == 0 ? 512u : (group->XstateFeatures & 4) != 0 ? 832u : 576u;
    }
}
