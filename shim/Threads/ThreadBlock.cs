using System.Runtime.InteropServices;
using System.Threading;

namespace Lodge.Shim;

/// <summary>Address space record: the thread blocks made in this memory.</summary>
public unsafe partial struct Mm
{
    /// <summary>All thread blocks, newest first; never unlinked while the memory lives, so the list is walked without a lock.</summary>
    public ThreadBlock* ThreadBlocks;
    /// <summary>Last number given to a user of a block.</summary>
    public long BlockUse;
}

/// <summary>
/// Everything that one guest thread needs on the host, in one mapping that is used again when the thread is gone:
/// <code>
/// low   guard | signal stack | guard | C# stack | guard | return stack | this structure   high
/// </code>
/// A block is free when no thread uses it (<see cref="Use"/> = 0).
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct ThreadBlock
{
    /// <summary>Next block of the memory.</summary>
    public ThreadBlock* Next;
    /// <summary>Number of the use (unique in the memory), 0 = no thread. The exit stub clears it when nothing is needed any more.</summary>
    public long Use;
    /// <summary>Process that the thread belongs to; 0 until it runs. A process that shares memory with others may die unseen.</summary>
    public int Process;
    /// <summary>Start of the mapping.</summary>
    public ulong Base;
    /// <summary>Bytes of the mapping.</summary>
    public ulong Size;
    /// <summary>Scratch mapping of an execve in progress (left behind by one that succeeded in memory that others share).</summary>
    public ulong ScratchBase;
    /// <summary>Bytes of it.</summary>
    public ulong ScratchSize;
    /// <summary>The thread.</summary>
    public GuestThread Thread;

    /// <summary>Bytes of the stack that C# runs on.</summary>
    public const ulong HostStackSize = 256 * 1024;
    /// <summary>Bytes of the return stack: twice the guest's 8 MiB of stack, since a return address takes 8 bytes here and 4 there.</summary>
    public const ulong ReturnStackSize = 16 * 1024 * 1024;
    /// <summary>The same where a limit counts it. A return stack that is full begins afresh, and returns find their way by address.</summary>
    public const ulong TightReturnStackSize = 512 * 1024;
    /// <summary>Bytes of each guard.</summary>
    public const ulong GuardSize = 64 * 1024;

    private const int ProtNone = 0;
    private const int ProtReadWrite = 3;
    private const int MapFlags = 0x2 | 0x20 | 0x4000 | 0x20000; // PRIVATE, ANONYMOUS, NORESERVE, STACK
    private const int MadvNoHugePage = 15;

    /// <summary>Bytes of a block's last page in front of this structure: the top of the return stack, so that both are one page to a fork.</summary>
    private const ulong SharedBytes = 1024;

    /// <summary>Bytes from the record's page on.</summary>
    public static ulong RecordBytes => (SharedBytes + (ulong)sizeof(ThreadBlock) + 4095) & ~4095UL;

    /// <summary>Bytes of guards and stacks in front of the record's page.</summary>
    /// <param name="isTight">A limit counts them (<see cref="Mm.IsTight"/>).</param>
    /// <param name="signalStackSize">Bytes of the host signal stack, whole pages.</param>
    public static ulong StackBytes(bool isTight, ulong signalStackSize) =>
        GuardSize + signalStackSize + GuardSize + HostStackSize + GuardSize + (isTight ? TightReturnStackSize : ReturnStackSize);

    /// <summary>Maps a block. The record's links to its stacks are set; everything else is zero.</summary>
    /// <param name="mm">The memory to enter it in.</param>
    /// <param name="signalStackSize">Bytes of the host signal stack, whole pages.</param>
    /// <param name="use">Value for <see cref="Use"/>.</param>
    /// <returns>The block, or null when there is no memory.</returns>
    public static ThreadBlock* Map(Mm* mm, ulong signalStackSize, long use)
    {
        ulong stacks = StackBytes(mm->IsTight, signalStackSize);
        ulong size = stacks + RecordBytes;
        long mapped = Host.Syscall(Nr.mmap, 0, (long)size, ProtReadWrite, MapFlags, -1, 0);
        if (Host.IsError(mapped))
        {
            return null;
        }

        // Stacks that are touched here and there must not turn into huge pages.
        Host.Syscall(Nr.madvise, mapped, (long)size, MadvNoHugePage);
        return Place(mm, (byte*)mapped + stacks, signalStackSize, use);
    }

    /// <summary>Makes a block of mapped memory: <see cref="StackBytes"/> below <paramref name="recordPage"/> and <see cref="RecordBytes"/> there.</summary>
    /// <inheritdoc cref="Map"/>
    public static ThreadBlock* Place(Mm* mm, byte* recordPage, ulong signalStackSize, long use)
    {
        ulong stacks = StackBytes(mm->IsTight, signalStackSize);
        ulong low = (ulong)recordPage - stacks;
        ulong signalStack = low + GuardSize;
        ulong hostStack = signalStack + signalStackSize + GuardSize;
        ulong returnStack = hostStack + HostStackSize + GuardSize;
        Host.Syscall(Nr.mprotect, (long)low, (long)GuardSize, ProtNone);
        Host.Syscall(Nr.mprotect, (long)(hostStack - GuardSize), (long)GuardSize, ProtNone);
        Host.Syscall(Nr.mprotect, (long)(returnStack - GuardSize), (long)GuardSize, ProtNone);
        if (use == 1)
        {
            // The first thread is the one that forks, mostly.
            Mm.LeaveToParent(low, GuardSize);
            Mm.LeaveToParent(hostStack - GuardSize, GuardSize);
            Mm.LeaveToParent(returnStack - GuardSize, GuardSize);
        }

        ThreadBlock* block = (ThreadBlock*)(recordPage + SharedBytes);
        block->Base = low;
        block->Size = stacks + RecordBytes;
        block->Use = use;
        GuestThread* t = &block->Thread;
        SetLinks(block, t);
        t->Links.SignalStack = signalStack;
        t->Links.HostStackTop = hostStack + HostStackSize;
        t->Links.ReturnStackLow = returnStack;
        t->Links.ReturnStackTop = (ulong)block;
        Enter(mm, block);
        return block;
    }

    /// <summary>Puts a new block into the memory's list.</summary>
    public static void Enter(Mm* mm, ThreadBlock* block)
    {
        nint head;
        do
        {
            head = (nint)mm->ThreadBlocks;
            block->Next = (ThreadBlock*)head;
        }
        while (Interlocked.CompareExchange(ref *(nint*)&mm->ThreadBlocks, (nint)block, head) != head);
    }

    /// <summary>Takes a free block of the creator's memory, or maps one. The caller fills the thread's record.</summary>
    /// <returns>The block with its record's stack links set, or null when there is no memory.</returns>
    public static ThreadBlock* Take(GuestThread* creator)
    {
        Mm* mm = creator->Mm;
        long use = Interlocked.Increment(ref mm->BlockUse);
        for (ThreadBlock* block = mm->ThreadBlocks; block != null; block = block->Next)
        {
            int process = block->Process;
            if (process != 0 && process != creator->Links.Tgid && block->Use != 0 && Host.Syscall(Nr.kill, process, 0) == -Errno.ESRCH)
            {
                // A process in our memory that was killed: nothing of it is left.
                Free(block, block->Use);
            }

            if (block->Use == 0 && Interlocked.CompareExchange(ref block->Use, use, 0) == 0)
            {
                if (block->ScratchSize != 0)
                {
                    Host.Syscall(Nr.munmap, (long)block->ScratchBase, (long)block->ScratchSize);
                    block->ScratchSize = 0;
                }

                return block;
            }
        }

        return Map(mm, creator->Group->HostSignalStackSize, use);
    }

    /// <summary>
    /// Gives a block back on behalf of its thread: one that was never started, or that has left this memory
    /// (a vfork child after execve or death).
    /// </summary>
    /// <param name="block">The block.</param>
    /// <param name="use">Its number when it was taken: another thread may have it by now.</param>
    public static void Free(ThreadBlock* block, long use)
    {
        block->Process = 0;
        Interlocked.CompareExchange(ref block->Use, 0, use);
    }

    /// <summary>After fork, in the child: every block but the caller's is free, whoever had it in the parent.</summary>
    public static void KeepOnly(GuestThread* t)
    {
        for (ThreadBlock* block = t->Mm->ThreadBlocks; block != null; block = block->Next)
        {
            if (block == t->Links.Block)
            {
                continue;
            }

            if (block->Use != 0)
            {
                block->Use = 0;
                block->Process = 0;
            }
        }
    }

    private static void SetLinks(ThreadBlock* block, GuestThread* t)
    {
        t->Self = t;
        t->Links.Block = block;
    }
}
