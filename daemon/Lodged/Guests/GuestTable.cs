using System;
using System.Collections.Generic;
using Lodge.Interop;
using Lodge.Protocol;
using Mono.Unix.Native;

namespace Lodge.Service;

/// <summary>What became of a registration.</summary>
internal enum RegistrationOutcome
{
    /// <summary>Entered.</summary>
    Taken,
    /// <summary>The process had ended before; it counts as started and ended.</summary>
    Gone,
    /// <summary>Its process has no number here (a foreign pid namespace), or the table is full.</summary>
    Refused,
}

/// <summary>
/// The guests: those alive, by process, each with one pidfd; and the last ones that ended. When descriptors run out, further guests are
/// looked at once a second instead. For the loop's thread.
/// </summary>
internal sealed class GuestTable
{
    /// <summary>Ended guests that are remembered.</summary>
    public const int EndedKept = 1024;

    private const int ESRCH = 3, EINVAL = 22, ENOPROTOOPT = 92;

    private readonly EventLoop _loop;
    private readonly StateFile _state;
    private readonly int _descriptors;
    private readonly int _capacity;
    private readonly Dictionary<int, GuestRecord> _byPid = [];
    private readonly Dictionary<uint, int> _perUser = [];
    private readonly HashSet<GuestRecord> _polled = [];
    private readonly Queue<GuestRecord> _ended = new();

    // In the order of ids. Those that left are null until there are too many of them.
    private readonly List<(ulong Id, GuestRecord? Guest)> _order = [];
    private int _holes;
    private int _watched;
    private ulong _nextId = 1;

    public GuestTable(EventLoop loop, StateFile state, int descriptors, int capacity)
    {
        _loop = loop;
        _state = state;
        _descriptors = descriptors;
        _capacity = capacity;
    }

    /// <summary>A guest started, or is another program now.</summary>
    public Action<GuestRecord> Started { get; set; } = static _ => { };

    /// <summary>A guest ended.</summary>
    public Action<GuestRecord> HasEnded { get; set; } = static _ => { };

    /// <summary>Guests alive.</summary>
    public int Count => _byPid.Count;

    /// <summary>Guests that are polled, for want of descriptors.</summary>
    public int PolledCount => _polled.Count;

    /// <summary>Registrations taken, ends seen.</summary>
    public ulong Registrations { get; private set; }

    /// <summary>Ends seen.</summary>
    public ulong Exits { get; private set; }

    /// <summary>Guests alive, in the order of their ids.</summary>
    public IEnumerable<GuestRecord> Live
    {
        get
        {
            foreach ((ulong _, GuestRecord? guest) in _order)
            {
                if (guest != null)
                {
                    yield return guest;
                }
            }
        }
    }

    /// <summary>Guests that ended lately, in the order of their ends.</summary>
    public IEnumerable<GuestRecord> Past => _ended;

    /// <summary>Number of a user's guests alive.</summary>
    public int CountOf(uint uid) => _perUser.GetValueOrDefault(uid);

    /// <summary>The guest alive with this pid, or null.</summary>
    public GuestRecord? Find(int pid) => _byPid.GetValueOrDefault(pid);

    /// <summary>Live guests with ids above <paramref name="after"/>, by id.</summary>
    public IEnumerable<GuestRecord> LiveAfter(ulong after)
    {
        int low = 0, high = _order.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (_order[middle].Id <= after)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        for (; low < _order.Count; low++)
        {
            if (_order[low].Guest is { } guest)
            {
                yield return guest;
            }
        }
    }

    /// <summary>Enters a program that registered over <paramref name="socket"/>.</summary>
    public RegistrationOutcome Register(int socket, in PeerCredentials peer, in RegisterMessage message, ReadOnlySpan<byte> program)
    {
        if (peer.Pid <= 0 || (_byPid.Count >= _capacity && !_byPid.ContainsKey(peer.Pid)))
        {
            return RegistrationOutcome.Refused;
        }

        GuestRecord guest = new(this, new GuestEntry
        {
            Pid = peer.Pid,
            Uid = peer.Uid,
            Gid = peer.Gid,
            Abi = message.Abi,
            Host = message.Host,
            Flags = message.Flags,
            StartedMicroseconds = Clock.Microseconds,
            ShimVersion = message.ShimVersion,
            WaitStatus = GuestEntry.UnknownStatus,
            Programs = 1,
            ProgramLength = (ushort)program.Length,
        }, program.ToArray());
        guest.Entry.Id = _nextId++;
        Registrations++;

        // A process that is in the table with a living pidfd is that very process: its number cannot have been given away.
        GuestRecord? before = Find(peer.Pid);
        if (before != null && IsAlive(before))
        {
            guest.Entry.ProcessStartTicks = before.Entry.ProcessStartTicks;
            guest.Entry.Programs = before.Entry.Programs + 1;
            guest.Entry.LogLines = before.Entry.LogLines;
            TakeOver(before, guest);
            return RegistrationOutcome.Taken;
        }

        if (before != null)
        {
            Ended(before);
        }

        int pidfd = Watched(peer.Uid) ? LinuxCalls.GetPeerPidfd(socket) : -ENOPROTOOPT;
        if (pidfd == -ENOPROTOOPT && Watched(peer.Uid))
        {
            pidfd = LinuxCalls.pidfd_open(peer.Pid, 0);
        }

        guest.Pidfd = Math.Max(pidfd, -1);
        guest.Entry.ProcessStartTicks = ProcessStart.Of(peer.Pid);

        // Without a start time (a /proc that hides other users' processes) the descriptor alone says that it lives; a restart forgets it then.
        if (pidfd is -ESRCH or -EINVAL || !IsAlive(guest))
        {
            Started(guest);
            Note(guest);
            return RegistrationOutcome.Gone;
        }

        Enter(guest);
        _state.Start(guest);
        _state.Flush();
        Started(guest);
        return RegistrationOutcome.Taken;
    }

    /// <summary>Enters what a former run of the service knew, as far as it still lives. Returns how many do.</summary>
    public int Recover(IReadOnlyList<(GuestEntry Entry, byte[] Program)> saved, ulong nextId)
    {
        _nextId = Math.Max(_nextId, nextId);
        foreach ((GuestEntry entry, byte[] program) in saved)
        {
            GuestRecord guest = new(this, entry, program);
            _nextId = Math.Max(_nextId, entry.Id + 1);
            if (entry.ProcessStartTicks == 0 || _byPid.ContainsKey(entry.Pid))
            {
                continue;
            }

            guest.Pidfd = Watched(entry.Uid) ? Math.Max(-1, LinuxCalls.pidfd_open(entry.Pid, 0)) : -1;

            // The descriptor first, then the start time: if that is the saved one and the descriptor's process lives, it is our guest.
            if (ProcessStart.Of(entry.Pid) == entry.ProcessStartTicks && IsAlive(guest))
            {
                Enter(guest);
            }
            else if (guest.Pidfd >= 0)
            {
                _ = Syscall.close(guest.Pidfd);
            }
        }

        return Count;
    }

    /// <summary>Next id, for the state file.</summary>
    public ulong NextId => _nextId;

    /// <summary>The process of a guest has ended.</summary>
    public void Ended(GuestRecord guest)
    {
        if (_byPid.GetValueOrDefault(guest.Entry.Pid) != guest)
        {
            return;
        }

        Leave(guest);
        _byPid.Remove(guest.Entry.Pid);
        _state.End(guest);
        Note(guest);
    }

    /// <summary>Looks at the guests that have no descriptor.</summary>
    public void Poll()
    {
        if (_polled.Count == 0)
        {
            return;
        }

        List<GuestRecord> ended = [];
        foreach (GuestRecord guest in _polled)
        {
            if (!IsAlive(guest))
            {
                ended.Add(guest);
            }
        }

        ended.ForEach(Ended);
    }

    private void Note(GuestRecord guest)
    {
        Exits++;
        guest.Entry.EndedMicroseconds = Clock.Microseconds;
        if (guest.Pidfd >= 0)
        {
            guest.Entry.WaitStatus = LinuxCalls.TryGetExitStatus(guest.Pidfd, out int status) ? status : GuestEntry.UnknownStatus;
            _loop.Close(guest.Pidfd);
            guest.Pidfd = -1;
        }

        if (_ended.Count >= EndedKept)
        {
            _ended.Dequeue();
        }

        _ended.Enqueue(guest);
        HasEnded(guest);
    }

    // execve: the process is the same, and so is its descriptor.
    private void TakeOver(GuestRecord before, GuestRecord guest)
    {
        Remove(before);
        guest.Pidfd = before.Pidfd;
        before.Pidfd = -1;
        Index(guest);
        if (guest.Pidfd >= 0)
        {
            _loop.Rebind(guest.Pidfd, guest);
        }
        else
        {
            _polled.Add(guest);
        }

        _state.End(before);
        _state.Start(guest);
        _state.Flush();
        Started(guest);
    }

    private void Enter(GuestRecord guest)
    {
        Index(guest);
        if (guest.Pidfd >= 0)
        {
            _watched++;
            if (_loop.Add(guest.Pidfd, EpollBits.Readable, guest) >= 0)
            {
                return;
            }

            // fs.epoll.max_user_watches.
            _watched--;
            _ = Syscall.close(guest.Pidfd);
            guest.Pidfd = -1;
        }

        _polled.Add(guest);
    }

    private void Index(GuestRecord guest)
    {
        _byPid[guest.Entry.Pid] = guest;
        _perUser[guest.Entry.Uid] = CountOf(guest.Entry.Uid) + 1;
        _order.Add((guest.Entry.Id, guest));
    }

    // Takes a guest out of everything but its pid, and leaves its descriptor open.
    private void Leave(GuestRecord guest)
    {
        if (guest.Pidfd >= 0)
        {
            _watched--;
        }

        Remove(guest);
    }

    private void Remove(GuestRecord guest)
    {
        _polled.Remove(guest);
        int left = CountOf(guest.Entry.Uid) - 1;
        if (left > 0)
        {
            _perUser[guest.Entry.Uid] = left;
        }
        else
        {
            _perUser.Remove(guest.Entry.Uid);
        }

        int index = _order.BinarySearch((guest.Entry.Id, null), ById.Instance);
        if (index >= 0)
        {
            _order[index] = (guest.Entry.Id, null);
            if (++_holes > 64 && _holes > _order.Count / 2)
            {
                _order.RemoveAll(static e => e.Guest == null);
                _holes = 0;
            }
        }
    }

    // No user but root takes more than three quarters of the descriptors; what comes on top is polled.
    private bool Watched(uint uid) => _watched < (uid == 0 ? _descriptors : _descriptors - (_descriptors / 4));

    private static bool IsAlive(GuestRecord guest)
    {
        if (guest.Pidfd < 0)
        {
            return guest.Entry.ProcessStartTicks != 0 && ProcessStart.Of(guest.Entry.Pid) == guest.Entry.ProcessStartTicks;
        }

        // A pidfd is readable once the process is a zombie.
        return !IsReadable(guest.Pidfd);
    }

    private static bool IsReadable(int fd)
    {
        Pollfd[] one = [new Pollfd { fd = fd, events = PollEvents.POLLIN }];
        return Syscall.poll(one, 1, 0) > 0;
    }

    private sealed class ById : IComparer<(ulong Id, GuestRecord? Guest)>
    {
        public static readonly ById Instance = new();

        public int Compare((ulong Id, GuestRecord? Guest) x, (ulong Id, GuestRecord? Guest) y) => x.Id.CompareTo(y.Id);
    }
}
