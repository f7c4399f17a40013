using System;
using System.Threading;

namespace Lodge.Shim;

/// <summary>
/// Emptying a full cache while other threads run. A thread uses the cache without the lock only while <see cref="ExecState.InCache"/> is
/// set: from its look at the target table until it has come back and taken what it needs from the records. Everywhere else it holds
/// nothing but return addresses, on a stack that the thread that empties the cache resets for it. docs/code-cache.md has the protocol.
/// </summary>
public unsafe partial struct CodeCache
{
    /// <summary>Looks at a thread that does not come out before it is asked whether it still exists.</summary>
    private const int RoundsBeforeDoubt = 256;

    private const long RestNanoseconds = 50_000;

    /// <summary>
    /// Empties the cache. Under the lock, by a thread that holds no reference. Other threads of the memory, those of other processes
    /// included, are brought out of translated code first; one that is in a system call stays there.
    /// </summary>
    private void Flush(GuestThread* t)
    {
        const int MadvDontNeed = 4;
        bool shared = Volatile.Read(ref t->Mm->Users) != 1;
        if (shared)
        {
            StopOthers(t);
        }

        Host.Syscall(Nr.madvise, (long)_tables, (long)_tablesSize, MadvDontNeed);
        if (_far != null)
        {
            Host.Syscall(Nr.madvise, (long)_far, (long)_farSize, MadvDontNeed);
        }

        Host.Syscall(Nr.madvise, (long)Targets, (long)TargetTables.Bytes(Sizes.TargetNodes), MadvDontNeed);
        Host.Syscall(Nr.madvise, (long)(Base + StubSize), Sizes.Code - StubSize, MadvDontNeed);
        if (SegmentedTargets != null)
        {
            Host.Syscall(Nr.madvise, (long)SegmentedTargets, (long)TargetTables.Bytes(Sizes.TargetNodes), MadvDontNeed);
        }

        new Span<byte>(_watched, 1 << (Sizes.PageBits - 3)).Clear();
        _entries.Clear();
        _segmentedEntries.Clear();
        _pages.Clear();
        _lastPage = null;
        _codeReady = StubSize;
        _recordsReady = 0;
        _recordsSkipped = 0;
        _recordsEnd = new TablePlaces(Sizes).RecordBytes;
        _used = StubSize;
        _coldUsed = 0;
        _coldEnd = 0;
        _jumpTableCount = 0;
        _shadowUsed = 0;
        _shadowEnd = 0;
        _recordsUsed = FirstRecord;
        _unitCount = 0;
        _sourcesUsed = 0;
        _targetNodes = 1;
        _segmentedNodes = 1;
        _generation++;
        Dispatcher.ResetReturnStack(t);
        if (shared)
        {
            for (ThreadBlock* block = t->Mm->ThreadBlocks; block != null; block = block->Next)
            {
                if (block->Use != 0 && &block->Thread != t)
                {
                    Dispatcher.ResetReturnStack(&block->Thread, Stubs.Sentinel);
                }
            }

            Volatile.Write(ref _stopping, 0);
        }
    }

    /// <summary>
    /// Waits until no other thread uses the cache, and keeps it so until <see cref="_stopping"/> is cleared: the pending flag, which every
    /// entry to translated code looks at, sends each to <see cref="Pause"/>.
    /// </summary>
    private void StopOthers(GuestThread* t)
    {
        Volatile.Write(ref _stopping, 1);
        for (ThreadBlock* block = t->Mm->ThreadBlocks; block != null; block = block->Next)
        {
            if (block->Use != 0 && &block->Thread != t)
            {
                Volatile.Write(ref block->Thread.SignalPending, 1);
            }
        }

        // Behind this every thread has either shown that it is inside, or sees the flag before it goes in.
        BarrierForAll();
        for (ThreadBlock* block = t->Mm->ThreadBlocks; block != null; block = block->Next)
        {
            if (&block->Thread != t)
            {
                WaitUntilOut(t, block);
            }
        }
    }

    private static void WaitUntilOut(GuestThread* t, ThreadBlock* block)
    {
        long* rest = stackalloc long[2];
        rest[0] = 0;
        rest[1] = RestNanoseconds;
        GuestThread* other = &block->Thread;
        for (int rounds = 1; Volatile.Read(ref block->Use) != 0 && Volatile.Read(ref other->Exec.InCache) != 0; rounds++)
        {
            Signals.Kick(other);
            if (rounds % RoundsBeforeDoubt == 0 && Signals.IsGone(other))
            {
                // Killed inside: a process of its own that shared the memory, or a thread whose process executes another program.
                Volatile.Write(ref other->Exec.InCache, 0);
                break;
            }

            Host.Syscall(Nr.nanosleep, (long)rest, 0);
        }
    }

    /// <summary>A full memory barrier in every thread of the memory.</summary>
    private void BarrierForAll()
    {
        const int PrivateExpedited = 8, RegisterPrivateExpedited = 16;
        Host.Syscall(Nr.membarrier, RegisterPrivateExpedited, 0);
        if (Host.Syscall(Nr.membarrier, PrivateExpedited, 0) != 0)
        {
            // Before Linux 4.14: taking a permission away interrupts every CPU that runs this memory.
            byte* page = (byte*)_index;
            *page |= 0;
            Host.Syscall(Nr.mprotect, (long)page, 4096, HostMemory.ProtRead);
            Host.Syscall(Nr.mprotect, (long)page, 4096, HostMemory.ProtRead | HostMemory.ProtWrite);
        }
    }

    /// <summary>
    /// Called by a thread that holds no reference to the cache, on its way back to the guest, after it has cleared its pending flag with a
    /// full barrier: waits while another thread empties the cache, and until a signal sent for that has come (it must not disturb a system call later).
    /// </summary>
    public void Pause(GuestThread* t)
    {
        if (Volatile.Read(ref _stopping) != 0)
        {
            Lock.Acquire(t);
            Lock.Release(t);
        }

        while (Volatile.Read(ref t->Exec.Kick) != 0)
        {
            Host.Syscall(Nr.sched_yield);
        }
    }
}
