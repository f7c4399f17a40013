namespace Lodge.Shim;

/// <summary>Which members of siginfo's union are in use (enum siginfo_layout in kernel/signal.c).</summary>
public enum SigInfoLayout
{
    /// <summary>pid, uid.</summary>
    Kill,
    /// <summary>tid, overrun, value.</summary>
    Timer,
    /// <summary>band, fd.</summary>
    Poll,
    /// <summary>Address.</summary>
    Fault,
    /// <summary>Address, lsb.</summary>
    FaultMachineCheck,
    /// <summary>Address, lower and upper bound.</summary>
    FaultBounds,
    /// <summary>Address, protection key.</summary>
    FaultKey,
    /// <summary>Address, perf data, type, flags.</summary>
    FaultPerf,
    /// <summary>pid, uid, status, user and system time.</summary>
    Child,
    /// <summary>pid, uid, value.</summary>
    Queue,
    /// <summary>Call address, number, architecture.</summary>
    SystemCall,
}

/// <summary>
/// siginfo between the 64-bit host and the 32-bit guests, member by member as copy_siginfo_to_external32 and
/// post_copy_siginfo_from_user32 do it. Both guests have the same layout: signo, errno, code, union at 12 (host: at 16).
/// </summary>
public static unsafe class SigInfo
{
    /// <summary>The kernel's siginfo_layout(): what a signal number and si_code say about the union.</summary>
    public static SigInfoLayout Layout(int signal, int code)
    {
        if (code > Sig.SI_USER && code < Sig.SI_KERNEL)
        {
            switch (signal)
            {
                case Sig.SIGILL when code <= 11:
                case Sig.SIGFPE when code <= 15:
                    return SigInfoLayout.Fault;
                case Sig.SIGSEGV when code <= 10:
                    return code switch
                    {
                        Sig.SEGV_BNDERR => SigInfoLayout.FaultBounds,
                        Sig.SEGV_PKUERR => SigInfoLayout.FaultKey,
                        _ => SigInfoLayout.Fault,
                    };
                case Sig.SIGBUS when code <= 5:
                    return code is Sig.BUS_MCEERR_AR or Sig.BUS_MCEERR_AO ? SigInfoLayout.FaultMachineCheck : SigInfoLayout.Fault;
                case Sig.SIGTRAP when code <= 6:
                    return code == Sig.TRAP_PERF ? SigInfoLayout.FaultPerf : SigInfoLayout.Fault;
                case Sig.SIGCHLD when code <= 6:
                    return SigInfoLayout.Child;
                case Sig.SIGIO when code <= 6:
                    return SigInfoLayout.Poll;
                case Sig.SIGSYS when code <= 2:
                    return SigInfoLayout.SystemCall;
                default:
                    return code <= 6 ? SigInfoLayout.Poll : SigInfoLayout.Kill;
            }
        }

        return code switch
        {
            Sig.SI_TIMER => SigInfoLayout.Timer,
            Sig.SI_SIGIO => SigInfoLayout.Poll,
            < 0 => SigInfoLayout.Queue,
            _ => SigInfoLayout.Kill,
        };
    }

    /// <summary>Converts for the guest.</summary>
    /// <param name="guest">128 bytes, written in full (zero-padded).</param>
    /// <param name="host">128 bytes as the host kernel wrote them.</param>
    public static void ToGuest(byte* guest, byte* host)
    {
        uint* g = (uint*)guest;
        uint* h = (uint*)host;
        for (int i = 0; i < Sig.InfoSize / 4; i++)
        {
            g[i] = 0;
        }

        g[0] = h[0];
        g[1] = h[1];
        g[2] = h[2];
        switch (Layout((int)h[0], (int)h[2]))
        {
            case SigInfoLayout.Kill:
                g[3] = h[4];
                g[4] = h[5];
                break;
            case SigInfoLayout.Timer:
            case SigInfoLayout.Queue:
                g[3] = h[4];
                g[4] = h[5];
                g[5] = h[6];
                break;
            case SigInfoLayout.Poll:
                g[3] = h[4];
                g[4] = h[6];
                break;
            case SigInfoLayout.Fault:
                g[3] = h[4];
                break;
            case SigInfoLayout.FaultMachineCheck:
                g[3] = h[4];
                *(ushort*)&g[4] = (ushort)h[6];
                break;
            case SigInfoLayout.FaultBounds:
                g[3] = h[4];
                g[5] = h[8];
                g[6] = h[10];
                break;
            case SigInfoLayout.FaultKey:
                g[3] = h[4];
                g[5] = h[8];
                break;
            case SigInfoLayout.FaultPerf:
                g[3] = h[4];
                g[4] = h[6];
                g[5] = h[8];
                g[6] = h[9];
                break;
            case SigInfoLayout.Child:
                g[3] = h[4];
                g[4] = h[5];
                g[5] = h[6];
                g[6] = h[8];
                g[7] = h[10];
                break;
            case SigInfoLayout.SystemCall:
                g[3] = h[4];
                g[4] = h[6];
                g[5] = h[7];
                break;
        }
    }

    /// <summary>Converts what the guest passes to rt_sigqueueinfo and its like.</summary>
    /// <param name="host">128 bytes, written in full (zero-padded).</param>
    /// <param name="guest">128 bytes as the guest wrote them.</param>
    /// <param name="signal">Number that the layout is chosen by: the call's argument replaces si_signo.</param>
    public static void ToHost(byte* host, byte* guest, int signal)
    {
        uint* g = (uint*)guest;
        uint* h = (uint*)host;
        for (int i = 0; i < Sig.InfoSize / 4; i++)
        {
            h[i] = 0;
        }

        h[0] = (uint)signal;
        h[1] = g[1];
        h[2] = g[2];
        switch (Layout(signal, (int)g[2]))
        {
            case SigInfoLayout.Kill:
                h[4] = g[3];
                h[5] = g[4];
                break;
            case SigInfoLayout.Timer:
            case SigInfoLayout.Queue:
                h[4] = g[3];
                h[5] = g[4];
                h[6] = g[5];
                break;
            case SigInfoLayout.Poll:
                h[4] = g[3];
                h[5] = (uint)((int)g[3] >> 31);
                h[6] = g[4];
                break;
            case SigInfoLayout.Fault:
                h[4] = g[3];
                break;
            case SigInfoLayout.FaultMachineCheck:
                h[4] = g[3];
                h[6] = (ushort)g[4];
                break;
            case SigInfoLayout.FaultBounds:
                h[4] = g[3];
                h[8] = g[5];
                h[10] = g[6];
                break;
            case SigInfoLayout.FaultKey:
                h[4] = g[3];
                h[8] = g[5];
                break;
            case SigInfoLayout.FaultPerf:
                h[4] = g[3];
                h[6] = g[4];
                h[8] = g[5];
                h[9] = g[6];
                break;
            case SigInfoLayout.Child:
                h[4] = g[3];
                h[5] = g[4];
                h[6] = g[5];
                h[8] = g[6];
                h[10] = g[7];
                break;
            case SigInfoLayout.SystemCall:
                h[4] = g[3];
                h[6] = g[4];
                h[7] = g[5];
                break;
        }
    }
}
