namespace Lodge.Shim;

/// <summary>Thread group (signal_struct and what belongs to the process: personality, program, auxv, limits).</summary>
public unsafe partial struct ThreadGroup
{
    /// <summary>Live threads.</summary>
    public int Users;
    /// <summary>Guards the list of threads.</summary>
    public ShimLock ThreadsLock;
    /// <summary>First thread of the list linked by <see cref="ThreadLinks.Next"/>.</summary>
    public GuestThread* Threads;
    /// <summary>Non-zero for an AArch32 program, 0 for i386.</summary>
    public int IsArm;
    /// <summary>Descriptor of our own image, high and close-on-exec, opened at start; -1 = none. Used by execve.</summary>
    public int SelfFd;
    /// <summary>Non-zero when binfmt_misc started us: execve then passes guest programs straight to the kernel.</summary>
    public int StartedByBinfmt;
    /// <summary>
    /// Non-zero when calls are traced, <see cref="Strace.WithTimes"/> with their times. By --strace it is handed on over execve; by the configuration
    /// each program is asked about anew.
    /// </summary>
    public int Trace;
    /// <summary>Value of <see cref="Trace"/> when the program's configuration asks for it.</summary>
    public const int TracedByConfiguration = 4;
    /// <summary>Non-zero when the process says at its end what translation cost (--stats); handed on over execve.</summary>
    public int Statistics;
    /// <summary>Guest address of the vDSO's sigreturn trampoline; 0 = no vDSO, frames carry their own.</summary>
    public uint SigreturnTrampoline;
    /// <summary>Guest address of the vDSO's rt_sigreturn trampoline; 0 = no vDSO.</summary>
    public uint RtSigreturnTrampoline;
    /// <summary>Bytes of a host signal stack: AT_MINSIGSTKSZ and margin, whole pages.</summary>
    public uint HostSignalStackSize;
    /// <summary>State components that the guest sees in XCR0 (x87, SSE, AVX); 0 where the host has no XSAVE.</summary>
    public uint XstateFeatures;
    /// <summary>Bytes of the XSAVE area of those components: 832, 576, or 512 without XSAVE.</summary>
    public uint XstateSize;
    /// <summary>Non-zero when wrgsbase may be used (AT_HWCAP2 bit 1).</summary>
    public int HasFsGsBase;
    /// <summary>What ties the process to the service.</summary>
    public ServiceLink Service;
}
