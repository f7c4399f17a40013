using System.Runtime.InteropServices;

namespace Lodge.Shim;

/// <summary>struct sigcontext_32 (arch/x86/include/uapi/asm/sigcontext.h): 88 bytes. Selectors are stored as 32-bit values.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct I386SigContext
{
    internal uint gs, fs, es, ds, di, si, bp, sp, bx, dx, cx, ax, trapno, err, ip, cs, flags, sp_at_signal, ss, fpstate, oldmask, cr2;
}

/// <summary>struct sigframe_ia32 (arch/x86/include/asm/sigframe.h): 732 bytes; of the unused fpstate only the room is left.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct I386SigFrame
{
    internal uint pretcode;
    internal int sig;
    internal I386SigContext sc;
    internal fixed uint fpstate_unused[156];
    internal uint extramask;
    internal fixed byte retcode[8];
}

/// <summary>struct ucontext_ia32: 116 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct I386UContext
{
    internal uint uc_flags;
    internal uint uc_link;
    internal AltStack.Stack uc_stack;
    internal I386SigContext uc_mcontext;
    internal uint uc_sigmask_lo, uc_sigmask_hi;
}

/// <summary>struct rt_sigframe_ia32: 268 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct I386RtSigFrame
{
    internal uint pretcode;
    internal int sig;
    internal uint pinfo;
    internal uint puc;
    internal fixed byte info[128];
    internal I386UContext uc;
    internal fixed byte retcode[8];
}
