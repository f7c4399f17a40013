using System.Threading;

namespace Lodge.Shim;

/// <summary>
/// 32-bit stand-ins for directory positions that do not fit 31 bits, for file systems without a rule of their own (NFS, FUSE, 9p, ...).
/// Append-only: a cookie given out stays good for every descriptor of the process, for duplicates, rewinds and forked children. One table
/// per process, in memory of its own; entries are published after they are complete, so readers need no lock.
/// </summary>
public unsafe struct DirectoryCookies
{
    /// <summary>First cookie; smaller positions stand for themselves.</summary>
    public const uint First = 0x40000000;

    /// <summary>Most cookies of one process.</summary>
    public const uint Capacity = 1 << 20;

    private const uint Buckets = 4096;

    private struct Entry
    {
        public long Position;
        public uint Next;
    }

    private int owner;
    private uint count;
    private fixed uint heads[(int)Buckets];

    private static Entry* Entries(DirectoryCookies* table) => (Entry*)(table + 1);

    /// <summary>Makes an empty table; null when there is no memory.</summary>
    public static DirectoryCookies* Create()
    {
        long memory = Host.Syscall(Nr.mmap, 0, (long)Size, 3, 0x4022, -1, 0);
        return Host.IsError(memory) ? null : (DirectoryCookies*)memory;
    }

    /// <summary>Frees a table that nobody has seen yet.</summary>
    public static void Destroy(DirectoryCookies* table) => _ = Host.Syscall(Nr.munmap, (long)table, (long)Size);

    private static ulong Size => (ulong)sizeof(DirectoryCookies) + (Capacity * (ulong)sizeof(Entry));

    /// <summary>The cookie of a position; 0 when the table is full.</summary>
    public static uint Enter(DirectoryCookies* table, long position)
    {
        uint bucket = (uint)(((ulong)position * 0x9e3779b97f4a7c15UL) >> 52) % Buckets;
        uint found = Find(table, bucket, position);
        if (found != 0)
        {
            return found;
        }

        Lock(table);
        found = Find(table, bucket, position);
        if (found == 0 && table->count < Capacity)
        {
            uint index = table->count;
            Entry* entry = Entries(table) + index;
            entry->Position = position;
            entry->Next = table->heads[bucket];
            Volatile.Write(ref table->count, index + 1);
            Volatile.Write(ref table->heads[bucket], index + 1);
            found = First + index;
        }

        Volatile.Write(ref table->owner, 0);
        return found;
    }

    /// <summary>The position behind a cookie; false when it was never given out.</summary>
    public static bool TryDecode(DirectoryCookies* table, uint cookie, out long position)
    {
        uint index = cookie - First;
        bool known = cookie >= First && index < Volatile.Read(ref table->count);
        position = known ? Entries(table)[index].Position : 0;
        return known;
    }

    private static uint Find(DirectoryCookies* table, uint bucket, long position)
    {
        uint link = Volatile.Read(ref table->heads[bucket]);
        while (link != 0)
        {
            Entry* entry = Entries(table) + (link - 1);
            if (entry->Position == position)
            {
                return First + link - 1;
            }

            link = entry->Next;
        }

        return 0;
    }

    // The owner's thread id is the lock. In a child of fork the owner may be a thread that exists only in the parent: it is looked up in
    // this process, and a dead owner's lock is taken over (every state in between is consistent).
    private static void Lock(DirectoryCookies* table)
    {
        int self = (int)Host.Syscall(Nr.gettid);
        while (true)
        {
            int seen = Interlocked.CompareExchange(ref table->owner, self, 0);
            if (seen == 0)
            {
                return;
            }

            if (Host.Syscall(Nr.tgkill, Host.Syscall(Nr.getpid), seen, 0) == -Errno.ESRCH
                && Interlocked.CompareExchange(ref table->owner, self, seen) == seen)
            {
                return;
            }

            _ = Host.Syscall(Nr.sched_yield);
        }
    }
}
