using System.Runtime.CompilerServices;
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
/// The first thread's, in one mapping with the records of the address space, lies differently (<see cref="PlaceFirst"/>).
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
    /// <summary>Bytes of the first thread's guards. Frames of several pages touch each page, so any guard stops them.</summary>
    public const ulong FirstGuardSize = 16 * 1024;

    private const int ProtNone = 0;
    private const int ProtReadWrite = 3;
    private const int MapFlags = 0x2 | 0x20 | 0x4000 | 0x20000; // PRIVATE, ANONYMOUS, NORESERVE, STACK
    private const int MadvNoHugePage = 15;

    /// <summary>Bytes of a block's last page in front of this structure: the top of the return stack, so that both are one page to a fork.</summary>
    private const ulong SharedBytes = 1024;

    /// <summary>Bytes from the record's page to the record's end.</summary>
    public static ulong RecordBytes => SharedBytes + (ulong)sizeof(ThreadBlock);

    /// <summary>Bytes of a return stack.</summary>
    /// <param name="isTight">A limit counts them (<see cref="Mm.IsTight"/>).</param>
    public static ulong ReturnStackBytes(bool isTight) => isTight ? TightReturnStackSize : ReturnStackSize;

    /// <summary>Bytes of the first thread's other stacks with their guards.</summary>
    /// <param name="signalStackSize">Bytes of the host signal stack, whole pages.</param>
    public static ulong FirstStackBytes(ulong signalStackSize) => FirstGuardSize + signalStackSize + FirstGuardSize + HostStackSize;

    /// <summary>Maps a block. The record's links to its stacks are set; everything else is zero.</summary>
    /// <param name="mm">The memory to enter it in.</param>
    /// <param name="signalStackSize">Bytes of the host signal stack, whole pages.</param>
    /// <param name="use">Value for <see cref="Use"/>.</param>
    /// <returns>The block, or null when there is no memory.</returns>
    public static ThreadBlock* Map(Mm* mm, ulong signalStackSize, long use)
    {
        ulong stacks = GuardSize + signalStackSize + GuardSize + HostStackSize + GuardSize + ReturnStackBytes(mm->IsTight);
        ulong size = (stacks + RecordBytes + 4095) & ~4095UL;
        long mapped = Host.Syscall(Nr.mmap, 0, (long)size, ProtReadWrite, MapFlags, -1, 0);
        if (Host.IsError(mapped))
        {
            return null;
        }

        // Stacks that are touched here and there must not turn into huge pages.
        Host.Syscall(Nr.madvise, mapped, (long)size, MadvNoHugePage);
        ulong signalStack = (ulong)mapped + GuardSize;
        ulong hostStack = signalStack + signalStackSize + GuardSize;
        ulong returnStack = hostStack + HostStackSize + GuardSize;
        Host.Syscall(Nr.mprotect, mapped, (long)GuardSize, ProtNone);
        Host.Syscall(Nr.mprotect, (long)(hostStack - GuardSize), (long)GuardSize, ProtNone);
        Host.Syscall(Nr.mprotect, (long)(returnStack - GuardSize), (long)GuardSize, ProtNone);
        ThreadBlock* block = (ThreadBlock*)(mapped + (long)stacks + (long)SharedBytes);
        block->Base = (ulong)mapped;
        block->Size = size;
        block->Begin(mm, signalStack, hostStack, returnStack, use);
        return block;
    }

    /// <summary>
    /// Makes the first thread's block, of memory that is mapped and stays. Below its return stack nothing is mapped: no guard is needed there,
    /// which would have page tables of its own.
    /// </summary>
    /// <param name="mm">The memory to enter it in.</param>
    /// <param name="returnStack">Low end of <see cref="ReturnStackBytes"/> and <see cref="RecordBytes"/>.</param>
    /// <param name="stacks">Low end of <see cref="FirstStackBytes"/>.</param>
    /// <param name="signalStackSize">Bytes of the host signal stack, whole pages.</param>
    public static ThreadBlock* PlaceFirst(Mm* mm, byte* returnStack, byte* stacks, ulong signalStackSize)
    {
        byte* signalStack = stacks + FirstGuardSize;
        byte* guard = signalStack + signalStackSize;
        HostMemory.Guard(stacks, FirstGuardSize);
        HostMemory.Guard(guard, FirstGuardSize);
        ThreadBlock* block = (ThreadBlock*)(returnStack + ReturnStackBytes(mm->IsTight) + SharedBytes);
        block->Begin(mm, (ulong)signalStack, (ulong)guard + FirstGuardSize, (ulong)returnStack, 1);
        return block;
    }

    private void Begin(Mm* mm, ulong signalStack, ulong hostStack, ulong returnStack, long use)
    {
        ThreadBlock* block = (ThreadBlock*)Unsafe.AsPointer(ref this);
        Use = use;
        GuestThread* t = &block->Thread;
        SetLinks(block, t);
        t->Links.SignalStack = signalStack;
        t->Links.HostStackTop = hostStack + HostStackSize;
        t->Links.ReturnStackLow = returnStack;
        t->Links.ReturnStackTop = (ulong)block;
        Enter(mm, block);
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
