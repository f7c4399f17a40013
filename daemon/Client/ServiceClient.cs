using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using Lodge.Protocol;
using Mono.Unix.Native;

namespace Lodge.Client;

/// <summary>A guest as the service knows it.</summary>
/// <param name="Entry">The numbers.</param>
/// <param name="Program">The path, made printable; its end only when <see cref="GuestFlags.ProgramTruncated"/> is set.</param>
public sealed record Guest(GuestEntry Entry, string Program)
{
    /// <summary>When it registered.</summary>
    public DateTimeOffset Started => DateTimeOffset.UnixEpoch.AddMicroseconds(Entry.StartedMicroseconds);

    /// <summary>When it ended; null while it lives.</summary>
    public DateTimeOffset? Ended => Entry.EndedMicroseconds == 0 ? null : DateTimeOffset.UnixEpoch.AddMicroseconds(Entry.EndedMicroseconds);
}

/// <summary>An event of a subscription.</summary>
/// <param name="Message">The numbers.</param>
/// <param name="Text">Program or line, made printable.</param>
public sealed record ServiceEvent(EventMessage Message, string Text);

/// <summary>The service's questions and orders, one method each. All throw <see cref="ServiceException"/>. For one thread at a time.</summary>
public sealed class ServiceClient : IDisposable
{
    private readonly ServiceConnection _connection;

    /// <summary>Asks over <paramref name="connection"/>, and owns it.</summary>
    public ServiceClient(ServiceConnection connection) => _connection = connection;

    /// <summary>Connects to the user's service, or else the system's.</summary>
    public ServiceClient()
        : this(ServiceConnection.Open())
    {
    }

    /// <summary>Connects to the service at a path, which may be served by <paramref name="trusted"/> besides root and ourselves.</summary>
    public ServiceClient(string path, uint? trusted = null)
        : this(ServiceConnection.Open(path, trusted))
    {
    }

    /// <summary>The connection.</summary>
    public ServiceConnection Connection => _connection;

    /// <summary>State of the service.</summary>
    public StatusMessage Status()
    {
        _connection.Send(MessageType.QueryStatus, default(PlainMessage));
        return _connection.Fixed<StatusMessage>(_connection.Reply(MessageType.Status));
    }

    /// <summary>All guests that the caller may see, by id. Asks page by page: what starts meanwhile is included, what ends may be.</summary>
    public List<Guest> Guests(GuestQuery which = GuestQuery.Live)
    {
        List<Guest> guests = [];
        QueryGuestsMessage query = new() { Which = which };
        for (;;)
        {
            _connection.Send(MessageType.QueryGuests, query);
            ReadOnlySpan<byte> message = _connection.Reply(MessageType.Guests);
            GuestsMessage page = _connection.Fixed<GuestsMessage>(message);
            ReadOnlySpan<byte> rest = message[GuestsMessage.Size..];
            for (uint i = 0; i < page.Count; i++)
            {
                GuestEntry entry = rest.Length >= GuestEntry.Size ? MemoryMarshal.Read<GuestEntry>(rest) : throw Nonsense();
                int total = GuestEntry.TotalSize(entry.ProgramLength);
                if (rest.Length < total)
                {
                    throw Nonsense();
                }

                guests.Add(new Guest(entry, ServiceConnection.Text(rest, GuestEntry.Size, entry.ProgramLength)));
                rest = rest[total..];
            }

            if (page.More == 0)
            {
                return guests;
            }

            if (page.NextAfter <= query.AfterId)
            {
                throw Nonsense();
            }

            query.AfterId = page.NextAfter;
        }
    }

    /// <summary>Starts a subscription; then call <see cref="NextEvent"/>.</summary>
    public void Subscribe(EventMask mask, GuestLogLevel minimum = GuestLogLevel.Debug)
    {
        _connection.Send(MessageType.Subscribe, new SubscribeMessage { Mask = mask, MinimumLevel = minimum });
        _ = _connection.Reply(MessageType.Result);
    }

    /// <summary>Waits for the next event; ETIMEDOUT after the connection's timeout, EPIPE when the service has ended.</summary>
    public ServiceEvent NextEvent()
    {
        ReadOnlySpan<byte> message = _connection.Receive(out MessageHeader header);
        if (header.Type != MessageType.Event)
        {
            throw Nonsense();
        }

        EventMessage e = _connection.Fixed<EventMessage>(message);
        return new ServiceEvent(e, ServiceConnection.Text(message, EventMessage.Size, e.TextLength));
    }

    /// <summary>Has the configuration read again; the answer comes when that is done. Returns what the service says.</summary>
    public string Reload() => Order(MessageType.Reload);

    /// <summary>Ends the service. Guests run on.</summary>
    public string Shutdown() => Order(MessageType.Shutdown);

    /// <summary>A read-only descriptor of the compiled configuration in force; the caller closes it. ENOENT when there is none.</summary>
    public int OpenConfiguration()
    {
        _connection.Send(MessageType.OpenConfiguration, default(PlainMessage));
        _ = _connection.Reply(MessageType.Result, out int descriptor);
        return descriptor >= 0 ? descriptor : throw Nonsense();
    }

    /// <inheritdoc/>
    public void Dispose() => _connection.Dispose();

    private string Order(MessageType type)
    {
        _connection.Send(type, default(PlainMessage));
        ReadOnlySpan<byte> message = _connection.Reply(MessageType.Result);
        return ServiceConnection.Text(message, ResultMessage.Size, _connection.Fixed<ResultMessage>(message).TextLength);
    }

    private ServiceException Nonsense() => new(Errno.EPROTO, $"{_connection.Path}: a message makes no sense");
}
