using System;
using System.Collections.Generic;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Lodge.Interop;
using Lodge.Protocol;
using Mono.Unix.Native;
using Serilog;
using Serilog.Events;

namespace Lodge.Service;

/// <summary>What the messages mean. Everything comes from strangers: each field is looked at before it is used. For the loop's thread.</summary>
internal sealed class MessageHandler
{
    private const int OffencesLoggedPerMinute = 30;

    private readonly ServiceState _state;
    private readonly HashSet<ClientConnection> _connections = [];
    private readonly List<ClientConnection> _subscribers = [];
    private readonly UserQuotas _quotas = new();
    private TokenBucket _offences = new(OffencesLoggedPerMinute / 60.0, OffencesLoggedPerMinute);

    public MessageHandler(ServiceState state)
    {
        _state = state;
        state.Guests.Started = OnStarted;
        state.Guests.HasEnded = OnEnded;
    }

    /// <summary>Receives packets.</summary>
    public PacketSocket Socket { get; } = new();

    /// <summary>Connections open.</summary>
    public int ConnectionCount => _connections.Count;

    /// <summary>When a connection or a guest was here last, on the loop's clock.</summary>
    public long LastActivity { get; private set; } = EventLoop.Now;

    private ILogger Log => _state.Log;

    private Counters Counters => _state.Counters;

    /// <summary>Takes a connection; refuses it when its user has too many, or may not talk to this service at all.</summary>
    public void Accept(int fd)
    {
        LastActivity = EventLoop.Now;
        int most = _state.Options.System ? Math.Max(4, _state.MaxConnections / 4) : _state.MaxConnections;
        if (LinuxCalls.GetPeerCredentials(fd, out PeerCredentials peer) < 0
            || (!_state.Options.System && peer.Uid != _state.Uid)
            || _connections.Count >= _state.MaxConnections
            || !_quotas.Enter(peer.Uid, peer.Uid == 0 ? _state.MaxConnections : most))
        {
            Counters.ConnectionsRefused++;
            _ = Syscall.close(fd);
            return;
        }

        Counters.Connections++;
        ClientConnection connection = new(_state.Loop, fd, peer, this);
        _connections.Add(connection);
        connection.Begin();
    }

    /// <summary>A connection has ended.</summary>
    public void Closed(ClientConnection connection)
    {
        LastActivity = EventLoop.Now;
        _connections.Remove(connection);
        _subscribers.Remove(connection);
        _quotas.Leave(connection.Peer.Uid);
    }

    /// <summary>Ends a connection that does what it must not.</summary>
    public void Offence(ClientConnection connection, string what)
    {
        Counters.ProtocolErrors++;
        if (_offences.Take(EventLoop.Now))
        {
            Log.Warning("Connection of process {Pid}, user {Uid}, closed: {What}", connection.Peer.Pid, connection.Peer.Uid, what);
        }

        connection.Close();
    }

    /// <summary>Ends a connection whose message brought out a fault of the service.</summary>
    public void Broken(ClientConnection connection, Exception fault)
    {
        Counters.Faults++;
        Log.Error(fault, "A message of process {Pid}, user {Uid}, cannot be dealt with", connection.Peer.Pid, connection.Peer.Uid);
        connection.Close();
    }

    /// <summary>Ends connections that have been silent for too long.</summary>
    public void Tick()
    {
        long now = EventLoop.Now;
        List<ClientConnection>? silent = null;
        foreach (ClientConnection connection in _connections)
        {
            if (now >= connection.Deadline)
            {
                (silent ??= []).Add(connection);
            }
        }

        foreach (ClientConnection connection in silent ?? [])
        {
            Counters.TimedOut++;
            connection.Close();
        }
    }

    /// <summary>Deals with one packet.</summary>
    public void Handle(ClientConnection from, ReadOnlySpan<byte> packet)
    {
        MessageHeader header = packet.Length >= MessageHeader.Size ? MemoryMarshal.Read<MessageHeader>(packet) : default;
        if (!header.IsSound(packet.Length))
        {
            Offence(from, "not a message of this protocol");
            return;
        }

        if (header.Version != MessageHeader.CurrentVersion)
        {
            Answer(from, header, (int)Errno.EPROTONOSUPPORT, $"this service speaks version {MessageHeader.CurrentVersion}");
            Offence(from, $"version {header.Version} of the protocol");
            return;
        }

        switch (header.Type)
        {
            case MessageType.Register when Take(packet, out RegisterMessage message):
                Register(from, message, packet[RegisterMessage.Size..]);
                break;
            case MessageType.Log when Take(packet, out LogMessage message):
                LogLine(from, message, packet[LogMessage.Size..]);
                break;
            case MessageType.Counters when packet.Length == CountersMessage.Size && Take(packet, out CountersMessage message):
                Report(from, message);
                break;
            case MessageType.QueryStatus when packet.Length == PlainMessage.Size:
                from.Send(Packets.Whole(_state.Status(header.Sequence, ConnectionCount, from.Peer.Uid)));
                break;
            case MessageType.QueryGuests when packet.Length == QueryGuestsMessage.Size && Take(packet, out QueryGuestsMessage message)
                && message.Reserved0 == 0:
                from.Send(GuestPages.Make(_state.Guests, message, SeesAll(from) ? null : from.Peer.Uid));
                break;
            case MessageType.Subscribe when packet.Length == SubscribeMessage.Size && Take(packet, out SubscribeMessage message)
                && message is { Reserved0: 0, Reserved1: 0 }:
                Subscribe(from, message);
                break;
            case MessageType.Reload or MessageType.Shutdown when packet.Length == PlainMessage.Size:
                Order(from, header);
                break;
            case MessageType.OpenConfiguration when packet.Length == PlainMessage.Size:
                OpenConfiguration(from, header);
                break;
            default:
                Offence(from, $"message of type {(int)header.Type} with {packet.Length} bytes");
                break;
        }
    }

    /// <summary>Tells subscribers about the service itself.</summary>
    public void Tell(EventKind kind, string text) => Tell(kind, null, System.Text.Encoding.UTF8.GetBytes(text));

    /// <summary>Ends all connections.</summary>
    public void CloseAll()
    {
        foreach (ClientConnection connection in new List<ClientConnection>(_connections))
        {
            connection.Close();
        }
    }

    /// <summary>Answers with a result.</summary>
    public static void Answer(ClientConnection to, in MessageHeader request, int error, string text, int descriptor = -1) =>
        to.Send(Packets.Result(request.Sequence, error, text), descriptor);

    private void Register(ClientConnection from, in RegisterMessage message, ReadOnlySpan<byte> program)
    {
        if (program.Length != message.ProgramLength || program.Length is 0 or > RegisterMessage.MaxProgram || program.Contains((byte)0)
            || message.Abi > GuestAbi.Arm || message.Host > HostArchitecture.Arm64 || (ushort)message.Flags >= 2 * (ushort)GuestFlags.Rooted
            || message.Reserved0 != 0 || message.Reserved1 != 0)
        {
            Offence(from, "a registration that makes no sense");
            return;
        }

        RegistrationOutcome outcome = _state.Guests.Register(from.Descriptor, from.Peer, message, program);
        if (outcome == RegistrationOutcome.Refused)
        {
            Counters.Refused++;
            if (_offences.Take(EventLoop.Now))
            {
                Log.Warning("Process {Pid} of user {Uid} not registered: the table is full, or it is in a foreign pid namespace",
                    from.Peer.Pid, from.Peer.Uid);
            }
        }

        from.Close();
    }

    private void LogLine(ClientConnection from, in LogMessage message, ReadOnlySpan<byte> text)
    {
        if (text.Length != message.TextLength || text.Length is 0 or > LogMessage.MaxText || message.Level > GuestLogLevel.Error
            || message.Truncated > 1 || message.Reserved0 != 0)
        {
            Offence(from, "a log line that makes no sense");
            return;
        }

        if (!_quotas.TakeLine(from.Peer.Uid))
        {
            Counters.LogLinesDropped++;
        }
        else
        {
            Counters.LogLines++;
            GuestRecord? guest = _state.Guests.Find(from.Peer.Pid);
            if (guest != null)
            {
                guest.Entry.LogLines++;
            }

            Log.Write(Weights.Of(message.Level), "Guest {Pid} of user {Uid}, {Program}: {Line}",
                from.Peer.Pid, from.Peer.Uid, guest?.ProgramText ?? "?", Printable.Text(text));
            Tell(EventKind.Log, guest, text, message.Level, from.Peer);
        }

        from.Close();
    }

    private void Report(ClientConnection from, in CountersMessage message)
    {
        // Anybody can tell anything here; the sums are for people, and cannot overflow into something else.
        Counters.Reports++;
        unchecked
        {
            Counters.Units += message.Units;
            Counters.Instructions += message.Instructions;
            Counters.GuestCodeBytes += message.GuestCodeBytes;
            Counters.HostCodeBytes += message.HostCodeBytes;
            Counters.UserMicroseconds += message.UserMicroseconds;
            Counters.SystemMicroseconds += message.SystemMicroseconds;
            Counters.PageFaults += message.PageFaults;
            Counters.LogLinesDropped += message.LinesSuppressed;
        }

        if (Log.IsEnabled(LogEventLevel.Debug))
        {
            Log.Debug("Guest {Pid} ends with status {Status}: {Units} units, {CodeBytes} bytes of code, {User} us + {System} us, {Memory} KiB",
                from.Peer.Pid, message.ExitStatus, message.Units, message.HostCodeBytes, message.UserMicroseconds, message.SystemMicroseconds,
                message.MaxResidentKiB);
        }

        from.Close();
    }

    private void Subscribe(ClientConnection from, in SubscribeMessage message)
    {
        if (message.Mask == 0 || ((uint)message.Mask & ~7u) != 0 || message.MinimumLevel > GuestLogLevel.Error)
        {
            Answer(from, message.Header, (int)Errno.EINVAL, "no such events");
            return;
        }

        from.Mask = message.Mask;
        from.MinimumLevel = message.MinimumLevel;
        from.SubscriptionSequence = message.Header.Sequence;
        if (!_subscribers.Contains(from))
        {
            _subscribers.Add(from);
        }

        Answer(from, message.Header, 0, "subscribed");
    }

    private void Order(ClientConnection from, in MessageHeader header)
    {
        if (!SeesAll(from))
        {
            Answer(from, header, (int)Errno.EPERM, "only root and the service's own user may do that");
            return;
        }

        if (header.Type == MessageType.Shutdown)
        {
            Log.Information("Process {Pid} of user {Uid} ends the service", from.Peer.Pid, from.Peer.Uid);
            Answer(from, header, 0, "the service ends; guests run on");
            _state.Loop.Stop();
            return;
        }

        MessageHeader request = header;
        _state.Reload((ok, text) => Answer(from, request, ok ? 0 : (int)Errno.EINVAL, text));
    }

    private void OpenConfiguration(ClientConnection from, in MessageHeader header)
    {
        string? path = _state.ConfigurationImage;
        int fd = path == null ? -1 : Syscall.open(path, OpenFlags.O_RDONLY | OpenFlags.O_CLOEXEC | OpenFlags.O_NOFOLLOW);
        Answer(from, header, fd < 0 ? (int)Errno.ENOENT : 0, fd < 0 ? "there is no compiled configuration" : path!, fd);
    }

    private void OnStarted(GuestRecord guest)
    {
        if (Log.IsEnabled(LogEventLevel.Debug))
        {
            Log.Debug("Guest {Pid} of user {Uid}: {Program} ({Abi}, {Flags})",
                guest.Entry.Pid, guest.Entry.Uid, guest.ProgramText, guest.Entry.Abi, guest.Entry.Flags);
        }

        Tell(EventKind.GuestStarted, guest, guest.Program);
    }

    private void OnEnded(GuestRecord guest)
    {
        LastActivity = EventLoop.Now;
        if (Log.IsEnabled(LogEventLevel.Debug))
        {
            Log.Debug("Guest {Pid} ended, wait status {Status}: {Program}", guest.Entry.Pid, guest.Entry.WaitStatus, guest.ProgramText);
        }

        Tell(EventKind.GuestEnded, guest, guest.Program);
    }

    private bool SeesAll(ClientConnection connection) => connection.Peer.Uid == 0 || connection.Peer.Uid == _state.Uid;

    private void Tell(EventKind kind, GuestRecord? guest, ReadOnlySpan<byte> text, GuestLogLevel level = default, PeerCredentials peer = default)
    {
        if (_subscribers.Count == 0)
        {
            return;
        }

        EventMask wanted = kind switch
        {
            EventKind.GuestStarted or EventKind.GuestEnded => EventMask.Guests,
            EventKind.Log => EventMask.Log,
            _ => EventMask.Service,
        };
        uint uid = guest?.Entry.Uid ?? peer.Uid;
        EventMessage message = new()
        {
            Kind = kind,
            Level = level,
            Abi = guest?.Entry.Abi ?? GuestAbi.Unknown,
            Pid = guest?.Entry.Pid ?? peer.Pid,
            Id = guest?.Entry.Id ?? 0,
            Uid = uid,
            WaitStatus = guest?.Entry.WaitStatus ?? GuestEntry.UnknownStatus,
            TimeMicroseconds = Clock.Microseconds,
        };

        // A send can end a connection, which takes it off the list.
        for (int i = _subscribers.Count - 1; i >= 0; i--)
        {
            ClientConnection to = _subscribers[i];
            if ((to.Mask & wanted) == 0 || (wanted == EventMask.Log && level < to.MinimumLevel)
                || (wanted != EventMask.Service && !SeesAll(to) && to.Peer.Uid != uid))
            {
                continue;
            }

            if (!to.HasRoomForEvent)
            {
                to.Lost++;
                Counters.EventsLost++;
                continue;
            }

            message.Lost = to.Lost;
            to.Lost = 0;
            to.Send(Packets.Event(to.SubscriptionSequence, message, text), isEvent: true);
        }
    }

    private static bool Take<T>(ReadOnlySpan<byte> packet, out T message)
        where T : unmanaged
    {
        bool whole = packet.Length >= Unsafe.SizeOf<T>();
        message = whole ? MemoryMarshal.Read<T>(packet) : default;
        return whole;
    }
}
