using System.Runtime.InteropServices;

namespace Lodge.Shim;

/// <summary>
/// Registers of an i386 guest thread while it is outside translated code. Emitted code stores and loads them by offset
/// (<c>FrameOffsets</c>), so the order is fixed: the eight GPRs in ModRM order, then EIP and EFLAGS.
/// x87, MMX and the upper vector halves stay in the CPU: code compiled by ILC does not touch them.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct I386Frame
{
    /// <summary>EAX.</summary>
    public uint eax;
    /// <summary>ECX.</summary>
    public uint ecx;
    /// <summary>EDX.</summary>
    public uint edx;
    /// <summary>EBX.</summary>
    public uint ebx;
    /// <summary>ESP.</summary>
    public uint esp;
    /// <summary>EBP.</summary>
    public uint ebp;
    /// <summary>ESI.</summary>
    public uint esi;
    /// <summary>EDI.</summary>
    public uint edi;
    /// <summary>EIP; behind the instruction while its system call runs.</summary>
    public uint eip;
    /// <summary>EFLAGS with every user-visible bit; IF and bit 1 always set.</summary>
    public uint eflags;
    /// <summary>EAX as it was at the system call; -1 outside one (the kernel's orig_ax).</summary>
    public uint orig_eax;
    /// <summary>Selectors as the guest sees them (flat user selectors: cs 23h, ds/es/ss 2Bh).</summary>
    public ushort cs, ds, es, ss, fs, gs;
    /// <summary>Bases behind the selectors; ds/es/ss/cs are 0 unless an LDT or TLS descriptor is loaded.</summary>
    public uint fs_base, gs_base, ds_base, es_base, ss_base, cs_base;
    /// <summary>MXCSR.</summary>
    public uint mxcsr;
    /// <summary>Low halves of xmm0-7 (16 bytes each).</summary>
    public fixed byte xmm[128];
}

/// <summary>Registers of an AArch32 guest thread.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct ArmFrame
{
    /// <summary>r0 to r15 (pc).</summary>
    public fixed uint r[16];
    /// <summary>CPSR: NZCVQ, GE, T, IT, mode 10h.</summary>
    public uint cpsr;
    /// <summary>r0 as it was at the system call (the kernel's ORIG_r0).</summary>
    public uint orig_r0;
    /// <summary>TPIDRURO, the thread pointer.</summary>
    public uint tls;
    /// <summary>FPSCR.</summary>
    public uint fpscr;
    /// <summary>d0 to d31.</summary>
    public fixed ulong d[32];
}
