using System.Threading;
using Lodge.Translator.X64;

namespace Lodge.Shim;

/// <summary>How a thread comes from a guest address to its unit, and how exits are linked.</summary>
public unsafe partial struct CodeCache
{
    /// <summary>
    /// Code cache offset at which guest code for <paramref name="pc"/> can be entered, translating it when needed and entering it into the
    /// thread's target table. 0 when the guest may not fetch there: the caller raises SIGSEGV; otherwise the thread counts as inside.
    /// </summary>
    public uint Find(GuestThread* t, uint pc)
    {
        bool segmented = t->Exec.Segmented != 0;
        uint offset, unit;
        if (t->Exec.FreeMisses != 0 && !segmented && Volatile.Read(ref t->Mm->Users) == 1)
        {
            // A young child, alone in its memory: what is there already is found without writing to any page, the lock's among them.
            offset = Lookup(pc, false, out unit);
            if (offset != 0 && UnitRef(unit).Checked == 0)
            {
                Tell(t, ForkHints.LookedUp, pc);
                t->Exec.FreeMisses--;
                t->Exec.InCache = 1;
                return offset;
            }
        }

        Lock.Acquire(t);
        offset = Lookup(pc, segmented, out unit);
        bool isChecked = false;
        bool translated = false;
        if (offset != 0)
        {
            isChecked = UnitRef(unit).Checked != 0;
            if (isChecked && !SourceMatches(unit))
            {
                Kill(unit);
                offset = 0;
            }
        }

        if (offset == 0)
        {
            offset = Translate(t, pc, segmented, out unit);
            isChecked = offset != 0 && UnitRef(unit).Checked != 0;
            translated = true;
        }

        if (offset != 0 && !isChecked)
        {
            if (segmented)
            {
                SetTarget(pc, offset, segmented);
            }
            else
            {
                bool indirect = t->Exec.Reason == (uint)ExitReason.Miss;
                if (translated || !indirect)
                {
                    Tell(t, indirect ? ForkHints.Translated : ForkHints.LookedUp, pc);
                }

                Remember(pc, offset, indirect);
            }
        }

        return LeaveWith(t, offset);
    }

    /// <summary>
    /// Makes the offset be found sooner. Targets of indirect branches get into the target table where such are met several times within a
    /// KiB: most are met once or twice, and each KiB takes a page of the table.
    /// </summary>
    private void Remember(uint pc, uint offset, bool indirect)
    {
        if (indirect && IsMetOften(pc))
        {
            SetTarget(pc, offset, segmented: false);
            return;
        }

        ulong* pair = RecentPair(pc);
        ulong entry = ((ulong)offset << 32) | pc;
        ulong* known = (uint)pair[0] == pc ? pair : (uint)pair[1] == pc ? pair + 1 : null;
        ulong* place = known != null ? known : pair[0] == 0 ? pair : pair[1] == 0 ? pair + 1 : null;
        if (place == null)
        {
            if (indirect)
            {
                // Where the dispatcher itself goes in is met more often.
                return;
            }

            Volatile.Write(ref pair[1], pair[0]);
            place = pair;
        }

        if (*place != entry)
        {
            Volatile.Write(ref *place, entry);
        }
    }

    /// <summary>Releases the lock for a thread that will enter the cache at the offset: it is inside before anybody can empty the cache.</summary>
    private uint LeaveWith(GuestThread* t, uint offset)
    {
        t->Exec.InCache = offset != 0 ? 1 : 0;
        Lock.Release(t);
        return offset;
    }

    /// <summary>
    /// Links the exit to its target, translating that when needed. Returns the target's offset, or 0 when it cannot be fetched; as
    /// <see cref="Find"/>.
    /// </summary>
    /// <param name="t">The calling thread.</param>
    /// <param name="exitId">The exit.</param>
    /// <param name="generation"><see cref="Generation"/> when the exit was taken.</param>
    /// <param name="target">The exit's target.</param>
    public uint Link(GuestThread* t, uint exitId, uint generation, uint target)
    {
        Lock.Acquire(t);
        if (generation != _generation)
        {
            Lock.Release(t);
            return Find(t, target);
        }

        bool segmented = UnitRef(OwnerOf(exitId)).Segmented != 0;
        uint offset = Lookup(target, segmented, out uint unit);
        if (offset == 0)
        {
            offset = Translate(t, target, segmented, out unit);
        }

        if (offset != 0 && UnitRef(unit).Checked != 0)
        {
            Lock.Release(t);
            return Find(t, target);
        }

        if (offset != 0 && generation == _generation)
        {
            Tell(t, exitId, target);
            ConnectIfFree(exitId, unit, offset);
        }

        return LeaveWith(t, offset);
    }

    private readonly void ConnectIfFree(uint exitId, uint unit, uint offset)
    {
        ref LinkRecord link = ref LinkRef(exitId);
        ref Unit owner = ref UnitRef(OwnerOf(exitId));
        if (owner.Dead == 0 && owner.Checked == 0 && link.NextIncoming == LinkRecord.NotLinked)
        {
            Connect(exitId, ref link, unit, offset);
        }
    }

    private readonly void Connect(uint exitId, ref LinkRecord link, uint unit, uint offset)
    {
        ref Unit entered = ref UnitRef(unit);
        link.NextIncoming = entered.Incoming;
        entered.Incoming = exitId;
        uint at = PatchOf(exitId);
        *(int*)(Base + at) = (int)offset - (int)(at + 4);
    }

    /// <summary>The unit that an exit belongs to.</summary>
    private readonly uint OwnerOf(uint exitId) => exitId - ((((LinkRef(exitId).Place & 15u) * (uint)sizeof(LinkRecord)) + (uint)sizeof(Unit)) / 4);

    /// <summary>Code cache offset of an exit's rel32.</summary>
    public readonly uint PatchOf(uint exitId) => UnitRef(OwnerOf(exitId)).HostStart + LinkRef(exitId).Patch;

    /// <summary>Code cache offset of an exit's stub.</summary>
    public readonly uint StubOf(uint exitId) => UnitRef(OwnerOf(exitId)).FirstStub + ((uint)LinkRef(exitId).Place >> 4);

    /// <summary>Goes up when the cache is emptied: exits and offsets from before mean nothing then. Stable while the thread is inside.</summary>
    public readonly uint Generation => _generation;

    /// <summary>Guest target of an exit.</summary>
    public readonly uint TargetOf(uint exitId) => LinkRef(exitId).Target;
}
