using System.Threading;

namespace Lodge.Shim;

/// <summary>
/// The shim's own signal to a thread: come out of translated code. It is one of the signals that are never blocked on the host while guest
/// code runs, and carries a value that no 32-bit sender can give. A standard signal of the guest's that waits for the same thread at that
/// very moment is joined with it, as the kernel joins two of the same number.
/// </summary>
public static unsafe partial class Signals
{
    /// <summary>The signal: the one of the five that programs send each other least.</summary>
    private const int KickSignal = Sig.SIGFPE;

    private const int SI_QUEUE = -1;

    /// <summary>Sends the signal, unless one is on its way.</summary>
    /// <param name="other">A thread whose block is in use.</param>
    public static void Kick(GuestThread* other)
    {
        if (Interlocked.CompareExchange(ref other->Exec.Kick, 1, 0) != 0)
        {
            return;
        }

        ulong* info = stackalloc ulong[Sig.InfoSize / 8];
        for (int i = 0; i < Sig.InfoSize / 8; i++)
        {
            info[i] = 0;
        }

        *(int*)info = KickSignal;
        *((int*)info + 2) = SI_QUEUE;
        info[3] = (ulong)other->Mm;
        if (Host.Syscall(Nr.rt_tgsigqueueinfo, other->Links.Tgid, other->Tid, KickSignal, (long)info) != 0)
        {
            Volatile.Write(ref other->Exec.Kick, 0);
        }
    }

    /// <summary>True when the thread has ended, though perhaps nobody has waited for its process yet: it has no memory any more.</summary>
    public static bool IsGone(GuestThread* other)
    {
        byte value;
        ulong* here = stackalloc ulong[2];
        ulong* there = stackalloc ulong[2];
        here[0] = (ulong)&value;
        there[0] = (ulong)other;
        here[1] = there[1] = 1;
        return Host.Syscall(Nr.process_vm_readv, other->Tid, (long)here, 1, (long)there, 1, 0) == -Errno.ESRCH;
    }

    private static bool IsKick(GuestThread* t, int signal, byte* info) =>
        signal == KickSignal && *(int*)(info + 8) == SI_QUEUE && *(ulong*)(info + 24) == (ulong)t->Mm;
}
