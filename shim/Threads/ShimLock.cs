using System.Threading;

namespace Lodge.Shim;

/// <summary>
/// The shim's lock: one futex word that holds the owner's thread id, as the kernel's priority-inheriting futexes want it.
/// Uncontended it costs one atomic exchange each way. Contended it is FUTEX_LOCK_PI, so a lock whose owner died (SIGKILL in
/// a process that only shares the memory) is handed on or found ownerless by the kernel. Not recursive: taking it twice
/// in one thread is a bug and ends the process. Zero-initialised is free.
/// Never held while guest code runs, over a blocking call, or in the host signal handler; <see cref="ForkLocks"/> lists the order.
/// </summary>
public unsafe struct ShimLock
{
    private const int FutexLockPiPrivate = 6 | 128;
    private const int FutexUnlockPiPrivate = 7 | 128;
    private const int TidMask = 0x3fffffff;

    private int _word;

    /// <summary>Thread id of the owner; 0 = free. For checks: it may change at any time unless the caller owns the lock.</summary>
    public readonly int Owner => _word & TidMask;

    /// <summary>Takes the lock, waiting for it. Signals that arrive meanwhile are only noted (see <c>Signals</c>).</summary>
    /// <param name="t">The calling thread.</param>
    public void Acquire(GuestThread* t)
    {
        if (Interlocked.CompareExchange(ref _word, t->Tid, 0) != 0)
        {
            AcquireContended(t);
        }
    }

    /// <summary>Takes the lock when it is free.</summary>
    /// <param name="t">The calling thread.</param>
    /// <returns>True when the lock was taken.</returns>
    public bool TryAcquire(GuestThread* t) => Interlocked.CompareExchange(ref _word, t->Tid, 0) == 0;

    /// <summary>Gives the lock back.</summary>
    /// <param name="t">The calling thread, which owns it.</param>
    public void Release(GuestThread* t)
    {
        if (Interlocked.CompareExchange(ref _word, 0, t->Tid) != t->Tid)
        {
            ReleaseContended(t);
        }
    }

    /// <summary>Makes the lock free, whoever held it: in the child of a fork, where no other thread exists.</summary>
    public void Reset() => _word = 0;

    private void AcquireContended(GuestThread* t)
    {
        fixed (int* address = &_word)
        {
            for (;;)
            {
                int seen = Volatile.Read(ref _word);
                if (seen == 0)
                {
                    if (Interlocked.CompareExchange(ref _word, t->Tid, 0) == 0)
                    {
                        return;
                    }

                    continue;
                }

                long result = Host.Syscall(Nr.futex, (long)address, FutexLockPiPrivate, 0, 0, 0, 0);
                if (result == 0)
                {
                    return;
                }

                if (result == -Errno.ESRCH || (result == -Errno.ENOSYS && IsDead(seen & TidMask)))
                {
                    // The owner is gone: take over what it left. Waiters that slept are woken by the kernel and come here, too.
                    if (Interlocked.CompareExchange(ref _word, t->Tid, seen) == seen)
                    {
                        return;
                    }
                }
                else if (result == -Errno.EDEADLK)
                {
                    Fatal.Stop("a lock is taken twice"u8);
                }
                else if (result == -Errno.ENOSYS)
                {
                    Host.Syscall(Nr.sched_yield);
                }
            }
        }
    }

    private void ReleaseContended(GuestThread* t)
    {
        fixed (int* address = &_word)
        {
            long result = Host.Syscall(Nr.futex, (long)address, FutexUnlockPiPrivate, 0, 0, 0, 0);
            if (result < 0)
            {
                Interlocked.CompareExchange(ref _word, 0, t->Tid);
            }
        }
    }

    private static bool IsDead(int tid) => Host.Syscall(Nr.tkill, tid, 0) == -Errno.ESRCH;
}
