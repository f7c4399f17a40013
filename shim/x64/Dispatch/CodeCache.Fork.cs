namespace Lodge.Shim;

/// <summary>What a process learns from its forked children (<see cref="ForkHints"/>).</summary>
public unsafe partial struct CodeCache
{
    private ForkHints* _hints;
    private uint _recordsAtFork;

    /// <summary>
    /// Called before a fork, without locks: translates and links what earlier children needed, so that the next one finds it. Hints about
    /// writable pages are left alone: protecting those would cost the parent faults.
    /// </summary>
    public void LearnFromChildren(GuestThread* t)
    {
        // Mostly there is nothing to learn, and a page that is not written, be it by taking the lock, is not copied. What another thread
        // translates meanwhile is learnt at the next fork.
        if (_hints != null && _hints->Owner == t->Links.Tgid && _hints->IsEmpty && _hints->Generation == _generation && _recordsAtFork == _recordsUsed)
        {
            return;
        }

        Lock.Acquire(t);
        if (_hints == null || _hints->Owner != t->Links.Tgid)
        {
            _hints = ForkHints.Create(t->Links.Tgid, _hints);
        }

        if (_hints != null)
        {
            if (_hints->Generation != _generation)
            {
                _hints->Restart(_generation);
            }

            // The last one first: each is linked to what is there.
            while (_hints->Generation == _generation && _hints->Take(out uint what, out uint pc))
            {
                Learn(t, what, pc);
            }

            _recordsAtFork = _recordsUsed;
        }

        Lock.Release(t);
    }

    private void Learn(GuestThread* t, uint what, uint pc)
    {
        bool isExit = what > ForkHints.LookedUp;
        if (isExit && (what >= _recordsAtFork || LinkRef(what).Target != pc))
        {
            return;
        }

        bool segmented = isExit ? UnitRef(OwnerOf(what)).Segmented != 0 : t->Exec.Segmented != 0;
        uint offset = Lookup(pc, segmented, out uint unit);
        if (offset == 0)
        {
            if (!Mm.FetchRange(t->Mm, pc, out _, out bool writable) || writable)
            {
                return;
            }

            offset = Translate(t, pc, segmented, out unit);
        }

        if (offset == 0 || _hints->Generation != _generation || UnitRef(unit).Checked != 0)
        {
            return;
        }

        if (isExit)
        {
            ConnectIfFree(what, unit, offset);
        }
        else if (what == ForkHints.LookedUp && !segmented)
        {
            Remember(pc, offset, indirect: false);
        }
    }

    /// <summary>In a forked child: tells the parent what it could have done. Under the lock.</summary>
    private readonly void Tell(GuestThread* t, uint what, uint pc)
    {
        if (_hints != null && _hints->Owner != t->Links.Tgid && _hints->Generation == _generation)
        {
            _hints->Add(what < _recordsAtFork ? what : ForkHints.Translated, pc);
        }
    }
}
