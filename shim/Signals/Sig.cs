namespace Lodge.Shim;

/// <summary>
/// Signal numbers, flags and codes; the same on all four ABIs (include/uapi/asm-generic/signal.h, siginfo.h), so that
/// guest numbers are host numbers.
/// </summary>
public static class Sig
{
    public const int SIGHUP = 1;
    public const int SIGINT = 2;
    public const int SIGQUIT = 3;
    public const int SIGILL = 4;
    public const int SIGTRAP = 5;
    public const int SIGABRT = 6;
    public const int SIGBUS = 7;
    public const int SIGFPE = 8;
    public const int SIGKILL = 9;
    public const int SIGSEGV = 11;
    public const int SIGPIPE = 13;
    public const int SIGCHLD = 17;
    public const int SIGCONT = 18;
    public const int SIGSTOP = 19;
    public const int SIGTSTP = 20;
    public const int SIGTTIN = 21;
    public const int SIGTTOU = 22;
    public const int SIGURG = 23;
    public const int SIGWINCH = 28;
    public const int SIGIO = 29;
    public const int SIGSYS = 31;
    public const int Count = 64;

    public const uint SIG_DFL = 0;
    public const uint SIG_IGN = 1;

    public const int SIG_BLOCK = 0;
    public const int SIG_UNBLOCK = 1;
    public const int SIG_SETMASK = 2;

    public const uint SA_NOCLDSTOP = 0x00000001;
    public const uint SA_NOCLDWAIT = 0x00000002;
    public const uint SA_SIGINFO = 0x00000004;
    public const uint SA_EXPOSE_TAGBITS = 0x00000800;
    public const uint SA_RESTORER = 0x04000000;
    public const uint SA_ONSTACK = 0x08000000;
    public const uint SA_RESTART = 0x10000000;
    public const uint SA_NODEFER = 0x40000000;
    public const uint SA_RESETHAND = 0x80000000;

    /// <summary>UAPI_SA_FLAGS: what sigaction keeps; the rest reads back as 0 (kernel/signal.c, do_sigaction).</summary>
    public const uint UserFlags = SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | SA_EXPOSE_TAGBITS | SA_RESTORER | SA_ONSTACK |
        SA_RESTART | SA_NODEFER | SA_RESETHAND;

    public const uint SS_ONSTACK = 1;
    public const uint SS_DISABLE = 2;
    public const uint SS_AUTODISARM = 0x80000000;
    /// <summary>Smallest sigaltstack of a 32-bit program (COMPAT_MINSIGSTKSZ).</summary>
    public const uint MinStackSize = 2048;

    public const int SI_USER = 0;
    public const int SI_KERNEL = 0x80;
    public const int SI_QUEUE = -1;
    public const int SI_TIMER = -2;
    public const int SI_SIGIO = -5;
    public const int SI_TKILL = -6;
    public const int ILL_ILLOPN = 2;
    public const int FPE_INTDIV = 1;
    public const int SEGV_MAPERR = 1;
    public const int SEGV_ACCERR = 2;
    public const int SEGV_BNDERR = 3;
    public const int SEGV_PKUERR = 4;
    public const int BUS_MCEERR_AR = 4;
    public const int BUS_MCEERR_AO = 5;
    public const int TRAP_BRKPT = 1;
    public const int TRAP_TRACE = 2;
    public const int TRAP_PERF = 6;

    /// <summary>Bytes of a siginfo, on guests and hosts.</summary>
    public const int InfoSize = 128;

    /// <summary>SEGV, BUS, ILL, FPE and TRAP: never blocked or ignored on the host while guest code runs.</summary>
    public const ulong Faults = (1UL << (SIGSEGV - 1)) | (1UL << (SIGBUS - 1)) | (1UL << (SIGILL - 1)) | (1UL << (SIGFPE - 1)) | (1UL << (SIGTRAP - 1));
    /// <summary>SIGKILL and SIGSTOP: no mask holds them.</summary>
    public const ulong Unmaskable = (1UL << (SIGKILL - 1)) | (1UL << (SIGSTOP - 1));
    /// <summary>The host mask while a caught signal waits.</summary>
    public const ulong AllButFaults = ~(Faults | Unmaskable);

    /// <summary>Signals whose default action is to do nothing.</summary>
    public const ulong IgnoredByDefault = (1UL << (SIGCHLD - 1)) | (1UL << (SIGCONT - 1)) | (1UL << (SIGURG - 1)) | (1UL << (SIGWINCH - 1));
    /// <summary>Signals whose default action is to stop the process.</summary>
    public const ulong StopsByDefault = (1UL << (SIGSTOP - 1)) | (1UL << (SIGTSTP - 1)) | (1UL << (SIGTTIN - 1)) | (1UL << (SIGTTOU - 1));

    /// <summary>Signals that can be caught and end the process by default, other than <see cref="Faults"/>, which are always caught.</summary>
    public const ulong FatalByDefault = ~(Faults | Unmaskable | IgnoredByDefault | StopsByDefault);

    /// <summary>Mask bit of a signal (1 to 64).</summary>
    public static ulong Bit(int signal) => 1UL << (signal - 1);

    /// <summary>Index of a fault signal in <see cref="ThreadSignals.VirtualInfo"/>.</summary>
    public static int FaultIndex(int signal) => signal switch
    {
        SIGSEGV => 0,
        SIGBUS => 1,
        SIGILL => 2,
        SIGFPE => 3,
        _ => 4,
    };
}
