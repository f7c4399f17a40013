using System;
using System.Collections.Generic;
using Lodge.Interop;
using Lodge.Protocol;

namespace Lodge.Service;

/// <summary>
/// One connection. A guest's brings one message and is closed; a command's brings questions, and its answers queue here when it does not read.
/// Whatever is wrong with it ends it, and nothing else.
/// </summary>
internal sealed class ClientConnection : IReadiness
{
    private const long FirstMessageMilliseconds = 2000, IdleMilliseconds = 30_000;
    private const int PerRound = 16;
    private const int MaxQueuedReplies = 4, MaxQueuedEvents = 1024;

    private readonly EventLoop _loop;
    private readonly int _fd;
    private readonly MessageHandler _handler;
    private readonly Queue<(byte[] Packet, int Descriptor, bool IsEvent)> _queue = new();
    private int _queuedEvents;
    private bool _waitsToWrite;

    public ClientConnection(EventLoop loop, int fd, in PeerCredentials peer, MessageHandler handler)
    {
        _loop = loop;
        _fd = fd;
        _handler = handler;
        Peer = peer;
        Deadline = EventLoop.Now + FirstMessageMilliseconds;
    }

    /// <summary>Who connected, from the kernel.</summary>
    public PeerCredentials Peer { get; }

    /// <summary>The socket.</summary>
    public int Descriptor => _fd;

    /// <summary>When silence ends the connection.</summary>
    public long Deadline { get; private set; }

    /// <summary>Closed.</summary>
    public bool IsClosed { get; private set; }

    /// <summary>What this subscriber wants; 0 = no subscriber.</summary>
    public EventMask Mask { get; set; }

    /// <summary>Least weight of log lines wanted.</summary>
    public GuestLogLevel MinimumLevel { get; set; }

    /// <summary>Sequence of the subscription.</summary>
    public ulong SubscriptionSequence { get; set; }

    /// <summary>Events lost since the last one that was queued.</summary>
    public uint Lost { get; set; }

    /// <summary>Room for one more event?</summary>
    public bool HasRoomForEvent => _queuedEvents < MaxQueuedEvents;

    /// <summary>Deals with what is there already; watches the socket if more is to come.</summary>
    public void Begin()
    {
        Read();
        if (!IsClosed && _loop.Add(_fd, _waitsToWrite ? EpollBits.Readable | EpollBits.Writable : EpollBits.Readable, this) < 0)
        {
            Close();
        }
    }

    /// <inheritdoc/>
    public void OnReady(EpollBits bits)
    {
        if ((bits & EpollBits.Writable) != 0)
        {
            Drain();
        }

        if (!IsClosed && (bits & ~EpollBits.Writable) != 0)
        {
            Read();
        }
    }

    /// <summary>Sends an answer or an event, now or when the socket has room. Takes the descriptor over.</summary>
    public void Send(byte[] packet, int descriptor = -1, bool isEvent = false)
    {
        if (IsClosed)
        {
            CloseDescriptor(descriptor);
            return;
        }

        if (_queue.Count == 0 && PacketSocket.Send(_fd, packet, descriptor))
        {
            CloseDescriptor(descriptor);
            return;
        }

        if (!isEvent && _queue.Count - _queuedEvents >= MaxQueuedReplies)
        {
            // It asks and asks, and reads nothing.
            CloseDescriptor(descriptor);
            _handler.Offence(this, "asks without reading the answers");
            return;
        }

        _queue.Enqueue((packet, descriptor, isEvent));
        _queuedEvents += isEvent ? 1 : 0;
        Watch(true);
    }

    /// <summary>Ends the connection.</summary>
    public void Close()
    {
        if (IsClosed)
        {
            return;
        }

        IsClosed = true;
        _loop.Close(_fd);
        foreach ((byte[] _, int descriptor, bool _) in _queue)
        {
            CloseDescriptor(descriptor);
        }

        _queue.Clear();
        _handler.Closed(this);
    }

    private void Read()
    {
        for (int i = 0; i < PerRound && !IsClosed; i++)
        {
            switch (_handler.Socket.Receive(_fd, out ReadOnlySpan<byte> packet))
            {
                case Received.Packet:
                    Deadline = EventLoop.Now + IdleMilliseconds;
                    HandleOne(packet);
                    if (Mask != 0)
                    {
                        Deadline = long.MaxValue;
                    }

                    break;
                case Received.Nothing:
                    return;
                case Received.End:
                    Close();
                    return;
                default:
                    _handler.Offence(this, "a packet that is too long, or brings descriptors");
                    return;
            }
        }
    }

    private void HandleOne(ReadOnlySpan<byte> packet)
    {
        try
        {
            _handler.Handle(this, packet);
        }
#pragma warning disable CA1031 // A fault of ours that a message brings out ends its connection, not the service.
        catch (Exception e)
#pragma warning restore CA1031
        {
            _handler.Broken(this, e);
        }
    }

    private void Drain()
    {
        while (_queue.TryPeek(out (byte[] Packet, int Descriptor, bool IsEvent) next))
        {
            if (!PacketSocket.Send(_fd, next.Packet, next.Descriptor))
            {
                return;
            }

            _queue.Dequeue();
            _queuedEvents -= next.IsEvent ? 1 : 0;
            CloseDescriptor(next.Descriptor);
        }

        Watch(false);
    }

    private void Watch(bool write)
    {
        if (_waitsToWrite != write)
        {
            _waitsToWrite = write;
            _loop.Modify(_fd, write ? EpollBits.Readable | EpollBits.Writable : EpollBits.Readable);
        }
    }

    private static void CloseDescriptor(int descriptor)
    {
        if (descriptor >= 0)
        {
            _ = Mono.Unix.Native.Syscall.close(descriptor);
        }
    }
}
