namespace Lodge.Shim;

/// <summary>An auxiliary vector under construction (uapi/linux/auxvec.h).</summary>
internal unsafe struct AuxVector
{
    internal const uint AtExecFd = 2, AtPhdr = 3, AtPhEnt = 4, AtPhNum = 5, AtPageSz = 6, AtBase = 7, AtFlags = 8, AtEntry = 9, AtUid = 11, AtEuid = 12,
        AtGid = 13, AtEgid = 14, AtPlatform = 15, AtHwcap = 16, AtClkTck = 17, AtSecure = 23, AtRandom = 25, AtHwcap2 = 26, AtExecFn = 31,
        AtSysinfo = 32, AtSysinfoEhdr = 33, AtMinSigStkSz = 51;

    /// <summary>The pairs.</summary>
    public fixed uint Words[64];
    /// <summary>Words in use.</summary>
    public uint Length;

    /// <summary>Adds a pair.</summary>
    public void Add(uint type, uint value)
    {
        Words[Length] = type;
        Words[Length + 1] = value;
        Length += 2;
    }

    /// <summary>A value of the host's vector; 0 when it is not there.</summary>
    public static ulong HostValue(ulong* host, uint type)
    {
        if (host == null)
        {
            return 0;
        }

        while (host[0] != 0 && host[0] != type)
        {
            host += 2;
        }

        return host[0] == 0 ? 0 : host[1];
    }

    /// <summary>AT_HWCAP: CPUID leaf 1, EDX. All of its bits are features of Pentium 4 class, which the translator has.</summary>
    public static uint Hwcap(ulong* host)
    {
        // FPU to SSE2, without hyper-threading: what a host of another architecture stands for.
        const uint Baseline = 0x078BFBFF;
#if ARM64
        return Baseline;
#else
        uint value = (uint)HostValue(host, AtHwcap);
        return value != 0 ? value : Baseline;
#endif
    }

    /// <summary>AT_HWCAP2: bit 1, FSGSBASE, is shown as the host has it.</summary>
    public static uint Hwcap2(ulong* host)
    {
#if ARM64
        return 0;
#else
        const uint FsGsBase = 2;
        return (uint)HostValue(host, AtHwcap2) & FsGsBase;
#endif
    }

    /// <summary>
    /// AT_MINSIGSTKSZ: the kernel's frame without the extended state (680 bytes: 64-bit rt_sigframe, legacy FSAVE area, padding; it counts
    /// its own, larger, frame for compat tasks, too), and the state that the guest has.
    /// </summary>
    public static uint MinimumSignalStack(uint xstateSize)
    {
        const uint Frame = 680, AvxState = 832;
        return Frame + (xstateSize != 0 ? xstateSize : AvxState);
    }
}
