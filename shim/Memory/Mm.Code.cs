using System.Numerics;
using System.Threading;

namespace Lodge.Shim;

/// <summary>
/// What the translator, the fault handler and the system calls ask of guest memory. Static methods take <see cref="Lock"/> themselves and
/// must be called without it; the code cache's lock may be held.
/// </summary>
public unsafe partial struct Mm
{
    /// <summary>
    /// Where instructions may be fetched from <paramref name="pc"/> on.
    /// </summary>
    /// <param name="mm">The address space of the calling thread.</param>
    /// <param name="pc">Guest address of the first instruction byte.</param>
    /// <param name="end">First address that is not executable, or is otherwise writable, behind it.</param>
    /// <param name="writable">True when stores can change the bytes (also through another shared mapping): protect the page first.</param>
    /// <returns>False when <paramref name="pc"/> is not executable: the guest gets SIGSEGV.</returns>
    public static bool FetchRange(Mm* mm, uint pc, out ulong end, out bool writable)
    {
        GuestThread* t = Host.Thread;
        mm->Lock.Acquire(t);
        bool found = mm->FetchRangeLocked(pc, out end, out writable);
        mm->Lock.Release(t);
        return found;
    }

    private readonly bool FetchRangeLocked(uint pc, out ulong end, out bool writable)
    {
        GuestMapping* node = Map.Find(pc);
        if (node == null || (node->Flags & MappingFlags.Exec) == 0)
        {
            end = pc;
            writable = false;
            return false;
        }

        const MappingFlags Kind = MappingFlags.Exec | MappingFlags.Write | MappingFlags.Shared;
        MappingFlags kind = node->Flags & Kind;
        writable = (kind & (MappingFlags.Write | MappingFlags.Shared)) != 0;
        end = node->End;
        // Instructions may straddle two mappings; units do not reach further than the next one.
        GuestMapping* next = Map.Find(node->End);
        if (next != null && (next->Flags & Kind) == kind)
        {
            end = next->End;
        }

        return true;
    }

    /// <summary>True when the guest may execute the byte at <paramref name="address"/>.</summary>
    public static bool IsExecutable(GuestThread* t, uint address) => Find(t, address, out GuestMapping mapping) && (mapping.Flags & MappingFlags.Exec) != 0;

    /// <summary>Copies the record of the mapping that contains <paramref name="address"/>. False when nothing is mapped there.</summary>
    public static bool Find(GuestThread* t, uint address, out GuestMapping mapping)
    {
        Mm* mm = t->Mm;
        mm->Lock.Acquire(t);
        GuestMapping* node = mm->Map.Find(address);
        if (node == null && mm->StackRoom != 0 && address >= mm->StackRoom && address < mm->StackEnd)
        {
            mm->SyncStack();
            node = mm->Map.Find(address);
        }

        mapping = node != null ? *node : default;
        mm->Lock.Release(t);
        return node != null;
    }

    /// <summary>
    /// Write-protects the page at <paramref name="address"/> because translated code stands for it: to be called before its bytes are read.
    /// A store of the guest then faults and comes to <see cref="OnWriteFault"/>. The page's other shared mappings are protected, too.
    /// </summary>
    public static void ProtectCode(GuestThread* t, uint address)
    {
        Mm* mm = t->Mm;
        uint page = address / GuestMap.PageSize;
        // Mostly the page is known already; the bit is set last, under the lock.
        if ((Volatile.Read(ref mm->CodePages[page >> 6]) >> (int)(page & 63) & 1) != 0)
        {
            return;
        }

        mm->Lock.Acquire(t);
        GuestMapping* node = mm->Map.Find(address);
        if (node != null)
        {
            mm->Guard(page, *node);
            if ((node->Flags & MappingFlags.Shared) != 0)
            {
                mm->GuardAliases(*node, address);
            }

            Volatile.Write(ref mm->CodePages[page >> 6], mm->CodePages[page >> 6] | (1ul << (int)(page & 63)));
        }

        mm->Lock.Release(t);
    }

    /// <summary>
    /// To be called before the host kernel, or our own copy routines, write into guest memory: pages of the range that are protected for
    /// translated code become writable and lose their translations, and a growing stack reaches the range.
    /// </summary>
    /// <param name="t">The calling thread.</param>
    /// <param name="address">Start of the range; need not be valid.</param>
    /// <param name="length">Bytes that may be written.</param>
    public static void PrepareWrite(GuestThread* t, uint address, nuint length)
    {
        if (Volatile.Read(ref t->Mm->GuardedCount) != 0 && length != 0)
        {
            PrepareGuarded(t, address, length);
        }
    }

    private static void PrepareGuarded(GuestThread* t, uint address, nuint length)
    {
        Mm* mm = t->Mm;
        ulong end = (ulong)address + length;
        uint last = end > uint.MaxValue ? uint.MaxValue / GuestMap.PageSize : (uint)((end - 1) / GuestMap.PageSize);
        StaleRange stale = default;
        mm->Lock.Acquire(t);
        for (uint page = address / GuestMap.PageSize; page <= last && mm->GuardedCount != 0; page++)
        {
            ulong rest = mm->GuardedPages[page >> 6] >> (int)(page & 63);
            if (rest == 0)
            {
                page |= 63;
                continue;
            }

            page += (uint)BitOperations.TrailingZeroCount(rest);
            if (page <= last)
            {
                mm->Unguard(page, ref stale);
            }
        }

        mm->Lock.Release(t);
        stale.Invalidate(mm);
    }

    /// <summary>
    /// Resolves a fault of a guest store: on a page that is protected for translated code, or below a growing mapping.
    /// </summary>
    /// <returns>True when the store can be tried again; false when it is the guest's own fault.</returns>
    public static bool OnWriteFault(GuestThread* t, uint address)
    {
        Mm* mm = t->Mm;
        uint page = address / GuestMap.PageSize;
        StaleRange stale = default;
        bool retry;
        mm->Lock.Acquire(t);
        if ((mm->GuardedPages[page >> 6] >> (int)(page & 63) & 1) != 0)
        {
            mm->Unguard(page, ref stale);
            retry = true;
        }
        else
        {
            GuestMapping* node = mm->Map.Find(address);
            retry = node != null ? (node->Flags & MappingFlags.Write) != 0 && mm->IsWorthARetry(page) : mm->Grow(t, address);
        }

        mm->Lock.Release(t);
        stale.Invalidate(mm);
        return retry;
    }

    /// <summary>
    /// A store to memory that the guest may write has faulted: another thread has mostly resolved the same fault a moment ago. A page that
    /// keeps faulting has another reason (the file has been truncated behind a mapping that the host reports as SIGSEGV).
    /// </summary>
    private bool IsWorthARetry(uint page)
    {
        _retryCount = page == _retryPage ? _retryCount + 1 : 0;
        _retryPage = page;
        return _retryCount < 16;
    }

    /// <summary>The page last tried again without a change, and how often.</summary>
    private uint _retryPage, _retryCount;

    /// <summary>Resolves a fault of a guest load: below a growing mapping. False: the guest's own fault.</summary>
    public static bool OnReadFault(GuestThread* t, uint address)
    {
        Mm* mm = t->Mm;
        mm->Lock.Acquire(t);
        bool grown = mm->Map.Find(address) == null && mm->Grow(t, address);
        mm->Lock.Release(t);
        return grown;
    }

    /// <summary>Guest access of a page that is guest-writable taken away on the host.</summary>
    private void Guard(uint page, in GuestMapping mapping)
    {
        ulong bit = 1ul << (int)(page & 63);
        if ((mapping.Flags & MappingFlags.Write) != 0 && (GuardedPages[page >> 6] & bit) == 0)
        {
            GuardedPages[page >> 6] |= bit;
            Volatile.Write(ref GuardedCount, GuardedCount + 1);
            Host.Syscall(Nr.mprotect, page * GuestMap.PageSize, GuestMap.PageSize, HostMemory.ProtRead);
        }
    }

    private void Unguard(uint page, ref StaleRange stale)
    {
        ulong bit = 1ul << (int)(page & 63);
        uint address = page * GuestMap.PageSize;
        GuardedPages[page >> 6] &= ~bit;
        CodePages[page >> 6] &= ~bit;
        Volatile.Write(ref GuardedCount, GuardedCount - 1);
        stale.Add(address, address + GuestMap.PageSize);
        GuestMapping* node = Map.Find(address);
        if (node == null)
        {
            return;
        }

        Host.Syscall(Nr.mprotect, address, GuestMap.PageSize, HostProtection(node->Flags));
        if ((node->Flags & MappingFlags.Shared) != 0)
        {
            StaleAliases(*node, address, ref stale);
        }
    }

    /// <summary>Whether some page of [start, end) is guarded.</summary>
    private readonly bool HasGuards(uint start, uint end)
    {
        if (GuardedCount == 0)
        {
            return false;
        }

        for (uint page = start / GuestMap.PageSize; page < end / GuestMap.PageSize; page++)
        {
            if ((GuardedPages[page >> 6] >> (int)(page & 63) & 1) != 0)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Protects again what a wider mprotect has just made writable.</summary>
    private readonly void RenewGuards(uint start, uint end)
    {
        for (uint page = start / GuestMap.PageSize; GuardedCount != 0 && page < end / GuestMap.PageSize; page++)
        {
            if ((GuardedPages[page >> 6] >> (int)(page & 63) & 1) != 0)
            {
                Host.Syscall(Nr.mprotect, page * GuestMap.PageSize, GuestMap.PageSize, HostMemory.ProtRead);
            }
        }
    }

    /// <summary>Forgets guards and code marks: the range is no longer writable, or no longer there.</summary>
    private void DropGuards(uint start, uint end)
    {
        uint firstWord = start / GuestMap.PageSize >> 6, lastWord = ((end - 1) / GuestMap.PageSize) >> 6;
        for (uint word = firstWord; word <= lastWord; word++)
        {
            ulong mask = ulong.MaxValue;
            if (word == firstWord)
            {
                mask &= ulong.MaxValue << (int)(start / GuestMap.PageSize & 63);
            }

            if (word == lastWord)
            {
                mask &= ulong.MaxValue >> (63 - (int)((end - 1) / GuestMap.PageSize & 63));
            }

            ulong guarded = GuardedPages[word] & mask;
            if (guarded != 0)
            {
                Volatile.Write(ref GuardedCount, GuardedCount - BitOperations.PopCount(guarded));
                GuardedPages[word] &= ~mask;
            }

            if ((CodePages[word] & mask) != 0)
            {
                CodePages[word] &= ~mask;
            }
        }
    }

    /// <summary>[start, end) is being replaced or taken away: its executable parts and what code depends on become stale, its marks go.</summary>
    private void ForgetPages(uint start, uint end, ref StaleRange stale)
    {
        for (GuestMapping* piece = Map.FindOverlap(start, end); piece != null && piece->Start < end; piece = Map.Next(piece))
        {
            uint from = piece->Start > start ? piece->Start : start;
            uint to = piece->End < end ? piece->End : end;
            if ((piece->Flags & MappingFlags.Exec) != 0)
            {
                stale.Add(from, to);
                DropGuards(from, to);
            }
            else
            {
                if (CodeInvalidation.UsesData(this, from, to))
                {
                    stale.Add(from, to);
                }

                if (GuardedCount != 0)
                {
                    // A writable alias of shared code.
                    DropGuards(from, to);
                }
            }
        }
    }

    /// <summary>Adds the executable parts of [start, end), and data that code depends on, to what is stale: their contents have changed, they stay mapped.</summary>
    internal readonly void MarkExecutable(uint start, uint end, ref StaleRange stale)
    {
        for (GuestMapping* piece = Map.FindOverlap(start, end); piece != null && piece->Start < end; piece = Map.Next(piece))
        {
            if ((piece->Flags & MappingFlags.Exec) != 0 || CodeInvalidation.UsesData(this, piece->Start, piece->End))
            {
                stale.Add(piece->Start > start ? piece->Start : start, piece->End < end ? piece->End : end);
            }
        }
    }

    /// <summary>Guards every other writable mapping of the file page behind <paramref name="address"/>.</summary>
    private void GuardAliases(in GuestMapping mapping, uint address)
    {
        ulong offset = mapping.Offset + (Placement.PageDown(address) - mapping.Start);
        for (GuestMapping* other = Map.FirstMapping(); other != null; other = Map.Next(other))
        {
            if (IsAlias(*other, mapping, offset))
            {
                Guard((uint)(other->Start + (offset - other->Offset)) / GuestMap.PageSize, *other);
            }
        }
    }

    /// <summary>Marks every executable mapping of the file page behind <paramref name="address"/> as changed.</summary>
    private readonly void StaleAliases(in GuestMapping mapping, uint address, ref StaleRange stale)
    {
        ulong offset = mapping.Offset + (address - mapping.Start);
        for (GuestMapping* other = Map.FirstMapping(); other != null; other = Map.Next(other))
        {
            if (IsAlias(*other, mapping, offset) && (other->Flags & MappingFlags.Exec) != 0)
            {
                uint at = (uint)(other->Start + (offset - other->Offset));
                uint page = at / GuestMap.PageSize;
                CodePages[page >> 6] &= ~(1ul << (int)(page & 63));
                stale.Add(at, at + GuestMap.PageSize);
            }
        }
    }

    private static bool IsAlias(in GuestMapping other, in GuestMapping mapping, ulong offset) =>
        (other.Flags & MappingFlags.Shared) != 0 && other.Device == mapping.Device && other.Inode == mapping.Inode
        && ((other.Flags ^ mapping.Flags) & (MappingFlags.File | MappingFlags.Shm)) == 0
        && other.Offset <= offset && offset < other.Offset + other.Length;
}
