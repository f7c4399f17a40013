namespace Lodge.Shim;

/// <summary>The guest's signal sets for /proc/self/status; bit n-1 stands for signal n.</summary>
public struct SignalFigures
{
    /// <summary>Signals whose action the guest has set or seen: the host's bits count for the others.</summary>
    public ulong Known;
    /// <summary>Of the known ones, ignored.</summary>
    public ulong Ignored;
    /// <summary>Of the known ones, with a handler.</summary>
    public ulong Caught;
    /// <summary>Blocked by the thread.</summary>
    public ulong Blocked;
    /// <summary>False if the thread was not found: the host's mask is shown.</summary>
    public bool HasBlocked;

    /// <summary>Collects the sets of thread <paramref name="tid"/> (0: the group's leader) of the caller's group.</summary>
    public static unsafe void Collect(GuestThread* t, int tid, out SignalFigures figures)
    {
        const uint SIG_IGN = 1;
        figures = default;
        figures.Known = t->Sighand->Known;
        for (int signal = 1; signal <= 64; signal++)
        {
            uint handler = Sighand.Action(t->Sighand, signal)->Handler;
            ulong bit = 1UL << (signal - 1);
            figures.Ignored |= handler == SIG_IGN ? bit : 0;
            figures.Caught |= handler > SIG_IGN ? bit : 0;
        }

        int wanted = tid != 0 ? tid : (int)Host.Syscall(Nr.getpid);
        t->Group->ThreadsLock.Acquire(t);
        for (GuestThread* other = t->Group->Threads; other != null; other = other->Links.Next)
        {
            if (other->Tid == wanted)
            {
                figures.Blocked = other->Signals.Blocked;
                figures.HasBlocked = true;
            }
        }

        t->Group->ThreadsLock.Release(t);
    }
}
