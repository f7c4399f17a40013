namespace Lodge.Shim;

/// <summary>
/// Robust futexes (kernel/futex/core.c, compat_exit_robust_list). The host cannot walk a list of 32-bit pointers, so the shim
/// does it wherever a thread ends that it can see: exit, exit_group, execve, deaths by fault, and by other signals once the process has
/// shared memory (<see cref="Signals.CatchDeath"/>). Not on SIGKILL.
/// </summary>
public static unsafe class RobustList
{
    /// <summary>sizeof(struct compat_robust_list_head): next, futex_offset, list_op_pending.</summary>
    public const uint HeadSize = 12;

    private const int Limit = 2048;
    private const uint TidMask = 0x3fffffff, OwnerDied = 0x40000000, Waiters = 0x80000000;
    private const int FutexWake = 1;

    /// <summary>The thread ends: marks what it holds as its owner's death. With the whole group, the other threads' lists, too.</summary>
    public static void Exit(GuestThread* t, bool wholeGroup)
    {
        Walk(t, t);
        t->Links.RobustList = 0;
        if (!wholeGroup || t->Group->Users < 2)
        {
            return;
        }

        // The others still run for a moment; each word is changed only if it holds that thread's id.
        t->Group->ThreadsLock.Acquire(t);
        for (GuestThread* other = t->Group->Threads; other != null; other = other->Links.Next)
        {
            if (other != t)
            {
                Walk(t, other);
            }
        }

        t->Group->ThreadsLock.Release(t);
    }

    private static void Walk(GuestThread* t, GuestThread* owner)
    {
        uint head = owner->Links.RobustList;
        if (head == 0 || !User.Get(head, out uint entry) || !User.Get(head + 4, out uint offset) || !User.Get(head + 8, out uint pending))
        {
            return;
        }

        for (int i = 0; i < Limit && (entry & ~1u) != head; i++)
        {
            bool more = User.Get(entry & ~1u, out uint next);
            if ((entry & ~1u) != (pending & ~1u) && !Death(t, owner, (entry & ~1u) + offset, (entry & 1) != 0, false))
            {
                return;
            }

            if (!more)
            {
                return;
            }

            entry = next;
        }

        if (pending != 0)
        {
            Death(t, owner, (pending & ~1u) + offset, (pending & 1) != 0, true);
        }
    }

    /// <summary>handle_futex_death.</summary>
    private static bool Death(GuestThread* t, GuestThread* owner, uint address, bool pi, bool pending)
    {
        if ((address & 3) != 0)
        {
            return false;
        }

        Mm.PrepareWrite(t, address, 4);
        if (!User.Get(address, out uint value))
        {
            return false;
        }

        for (;;)
        {
            if (pending && !pi && value == 0)
            {
                // Unlocked, and died before it could wake the next one.
                Wake(address);
                return true;
            }

            if ((value & TidMask) != (uint)owner->Tid)
            {
                return true;
            }

            if (!User.CompareExchange(address, value, (value & Waiters) | OwnerDied, out uint seen))
            {
                return false;
            }

            if (seen == value)
            {
                break;
            }

            value = seen;
        }

        if (!pi && (value & Waiters) != 0)
        {
            Wake(address);
        }

        return true;
    }

    private static void Wake(uint address) => Host.Syscall(Nr.futex, address, FutexWake, 1, 0, 0, 0);
}
