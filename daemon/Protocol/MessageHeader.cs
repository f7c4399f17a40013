using System.Runtime.InteropServices;

namespace Lodge.Protocol;

/// <summary>Types of messages. Numbers are never reused; see docs/protocol.md.</summary>
public enum MessageType : ushort
{
    /// <summary>Guest: a program has been started in the sending process. No reply.</summary>
    Register = 1,
    /// <summary>Guest: a line for the log. No reply.</summary>
    Log = 2,
    /// <summary>Guest: what it did, told at its end. No reply.</summary>
    Counters = 3,

    /// <summary>Question: state of the service. Reply: <see cref="Status"/>.</summary>
    QueryStatus = 16,
    /// <summary>Reply: <see cref="StatusMessage"/>.</summary>
    Status = 17,
    /// <summary>Question: a page of the table of guests. Reply: <see cref="Guests"/>.</summary>
    QueryGuests = 18,
    /// <summary>Reply: <see cref="GuestsMessage"/> and its entries.</summary>
    Guests = 19,
    /// <summary>Question: events from now on. Reply: <see cref="Result"/>, then any number of <see cref="Event"/>.</summary>
    Subscribe = 20,
    /// <summary>Event: <see cref="EventMessage"/> and its text.</summary>
    Event = 21,
    /// <summary>Order: read the configuration again. Reply: <see cref="Result"/>. Root and the service's own user only.</summary>
    Reload = 22,
    /// <summary>Order: end the service. Reply: <see cref="Result"/>. Root and the service's own user only.</summary>
    Shutdown = 23,
    /// <summary>Question: the compiled configuration. Reply: <see cref="Result"/> with a read-only descriptor.</summary>
    OpenConfiguration = 24,

    /// <summary>Reply: <see cref="ResultMessage"/> and its text.</summary>
    Result = 31,
}

/// <summary>
/// Head of every message, 24 bytes. All numbers are little-endian, which is the byte order of both hosts. One message is one packet of
/// an AF_UNIX SOCK_SEQPACKET socket; <see cref="Length"/> must be the packet's length.
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 4, Size = Size)]
public struct MessageHeader
{
    /// <summary>Bytes of this structure.</summary>
    public const int Size = 24;

    /// <summary>"LODG".</summary>
    public const uint MagicValue = 0x47444F4C;

    /// <summary>The version that these sources speak. A receiver answers other versions with EPROTONOSUPPORT, or not at all.</summary>
    public const ushort CurrentVersion = 1;

    /// <summary>Longest message to the service.</summary>
    public const int MaxRequest = 4096;

    /// <summary>Longest message from the service.</summary>
    public const int MaxReply = 32768;

    /// <summary><see cref="MagicValue"/>.</summary>
    public uint Magic;
    /// <summary><see cref="CurrentVersion"/>.</summary>
    public ushort Version;
    /// <summary>What the message is.</summary>
    public MessageType Type;
    /// <summary>Bytes of the whole message, this head included.</summary>
    public uint Length;
    /// <summary>Zero; a receiver refuses other values.</summary>
    public uint Reserved;
    /// <summary>Chosen by whoever asks, repeated in the reply; 0 in messages that nobody asked for.</summary>
    public ulong Sequence;

    /// <summary>A head.</summary>
    public MessageHeader(MessageType type, int length, ulong sequence)
    {
        Magic = MagicValue;
        Version = CurrentVersion;
        Type = type;
        Length = (uint)length;
        Reserved = 0;
        Sequence = sequence;
    }

    /// <summary>True for a head of this protocol, whatever its version, in a packet of <paramref name="packet"/> bytes.</summary>
    public readonly bool IsSound(int packet) => packet >= Size && Magic == MagicValue && Length == (uint)packet && Reserved == 0;
}
