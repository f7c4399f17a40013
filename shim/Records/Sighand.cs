using System.Runtime.InteropServices;

namespace Lodge.Shim;

/// <summary>One signal's action as the guest set it (struct k_sigaction). Pointers are guest addresses.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct SigAction
{
    /// <summary>Handler address, or SIG_DFL (0), or SIG_IGN (1).</summary>
    public uint Handler;
    /// <summary>SA_* flags, unknown bits removed as the kernel removes them.</summary>
    public uint Flags;
    /// <summary>sa_restorer; used when SA_RESTORER is set.</summary>
    public uint Restorer;
    /// <summary>Keeps <see cref="Mask"/> aligned.</summary>
    public uint Reserved;
    /// <summary>sa_mask without SIGKILL and SIGSTOP.</summary>
    public ulong Mask;
}

/// <summary>
/// Signal actions (sighand_struct), shared under CLONE_SIGHAND. Under <see cref="Lock"/>, except that delivery in the
/// own thread may test <see cref="Users"/>. The host's actions mirror these (see <c>Signals.HostAction</c>).
/// </summary>
public unsafe partial struct Sighand
{
    /// <summary>Users of the record.</summary>
    public int Users;
    /// <summary>Guards the actions and the host's copy of them.</summary>
    public ShimLock Lock;
    /// <summary>
    /// Signals whose action is known, bit n-1 for signal n. For the others the host's action (SIG_DFL or SIG_IGN, inherited
    /// over execve) is the truth and is read when first needed.
    /// </summary>
    public ulong Known;
    /// <summary>Non-zero when the host catches signals that end the process by default, too (see <c>Signals.CatchDeath</c>).</summary>
    public int CatchesDeath;
    /// <summary>64 times <see cref="SigAction"/>, index n-1.</summary>
    private fixed ulong _actions[64 * 3];

    /// <summary>The action of <paramref name="signal"/> (1 to 64).</summary>
    public static SigAction* Action(Sighand* sighand, int signal) => (SigAction*)&sighand->_actions[(signal - 1) * 3];
}
