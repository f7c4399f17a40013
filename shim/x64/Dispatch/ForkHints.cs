using System.Threading;

namespace Lodge.Shim;

/// <summary>
/// What forked children had to translate, told to the process that forked them: a page that they share. Every child of a loop goes the same
/// way, which its parent never goes; without this each would translate it anew and copy every page that translation writes to.
/// Only hints: what is in it need not be true, the parent looks at its own memory. Children write at any time, without a lock.
/// </summary>
public unsafe struct ForkHints
{
    /// <summary>Hint for an address that the dispatcher looked up, and for a translation alone; higher numbers are exits.</summary>
    public const uint LookedUp = 1, Translated = 0;

    private const int Capacity = 256;

    /// <summary>Process whose children write.</summary>
    public int Owner;
    /// <summary><see cref="CodeCache.Generation"/> that exits belong to.</summary>
    public uint Generation;
    /// <summary>Hints written; may go beyond what there is room for.</summary>
    private int _count;
    private fixed ulong _hints[Capacity];

    /// <summary>True when no child has written anything.</summary>
    public readonly bool IsEmpty => Volatile.Read(in _count) == 0;

    /// <summary>A page for the caller's children, or null.</summary>
    /// <param name="owner">The caller's process.</param>
    /// <param name="old">The page that the caller itself was to write to, which is replaced; or null.</param>
    public static ForkHints* Create(int owner, ForkHints* old)
    {
        const int Flags = HostMemory.MapShared | HostMemory.MapAnonymous;
        const int ProtReadWrite = HostMemory.ProtRead | HostMemory.ProtWrite;
        long at = old != null
            ? Host.Syscall(Nr.mmap, (long)old, sizeof(ForkHints), ProtReadWrite, Flags | HostMemory.MapFixed, -1, 0)
            : Host.Syscall(Nr.mmap, (long)Home.Hints, sizeof(ForkHints), ProtReadWrite, Flags, -1, 0);
        if (Host.IsError(at))
        {
            return null;
        }

        ForkHints* hints = (ForkHints*)at;
        hints->Owner = owner;
        return hints;
    }

    /// <summary>In a child: a hint for the parent's next fork. Nothing happens when the page is full.</summary>
    public void Add(uint what, uint pc)
    {
        if (Volatile.Read(ref _count) < Capacity)
        {
            int at = Interlocked.Increment(ref _count) - 1;
            if (at < Capacity)
            {
                Volatile.Write(ref _hints[at], ((ulong)what << 32) | pc);
            }
        }
    }

    /// <summary>In the owner: takes the last hint out; false when there is none.</summary>
    public bool Take(out uint what, out uint pc)
    {
        int count = Volatile.Read(ref _count);
        count = count < Capacity ? count : Capacity;
        what = 0;
        pc = 0;
        if (count == 0)
        {
            return false;
        }

        ulong hint = _hints[count - 1];
        _hints[count - 1] = 0;
        Volatile.Write(ref _count, count - 1);
        what = (uint)(hint >> 32);
        pc = (uint)hint;
        return true;
    }

    /// <summary>In the owner: empties the page for a cache that has been emptied.</summary>
    public void Restart(uint generation)
    {
        _count = 0;
        Generation = generation;
    }
}
