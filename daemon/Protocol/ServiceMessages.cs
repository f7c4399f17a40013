using System;
using System.Runtime.InteropServices;

namespace Lodge.Protocol;

/// <summary>The head alone: <see cref="MessageType.QueryStatus"/>, Reload, Shutdown, OpenConfiguration.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 4, Size = Size)]
public struct PlainMessage
{
    /// <summary>Bytes of this structure.</summary>
    public const int Size = MessageHeader.Size;

    /// <summary>Head.</summary>
    public MessageHeader Header;
}

/// <summary>Facts about a running service.</summary>
[Flags]
public enum ServiceFlags : uint
{
    /// <summary>Nothing of note.</summary>
    None = 0,
    /// <summary>System-wide, for all users.</summary>
    System = 1,
    /// <summary>Its socket was passed to it (socket activation).</summary>
    Activated = 2,
    /// <summary>The last configuration that was read had errors; an older one is in force.</summary>
    ConfigurationStale = 4,
    /// <summary>There is a compiled configuration.</summary>
    ConfigurationPresent = 8,
    /// <summary>The table of guests cannot be saved at the moment (full disk).</summary>
    StateNotSaved = 16,
    /// <summary>Some guests are watched by polling, because descriptors ran out.</summary>
    Polling = 32,
}

/// <summary><see cref="MessageType.Status"/>: 152 bytes. Totals count since the service's start.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 4, Size = Size)]
public struct StatusMessage
{
    /// <summary>Bytes of this structure.</summary>
    public const int Size = 152;

    /// <summary>Head.</summary>
    public MessageHeader Header;
    /// <summary>Facts.</summary>
    public ServiceFlags Flags;
    /// <summary>Process id of the service.</summary>
    public int Pid;
    /// <summary>User of the service.</summary>
    public uint Uid;
    /// <summary>Version: major &lt;&lt; 16 | minor.</summary>
    public uint ServiceVersion;
    /// <summary>When it started: microseconds since 1970, UTC.</summary>
    public ulong StartedMicroseconds;
    /// <summary>Guests alive, of all users.</summary>
    public uint Guests;
    /// <summary>Connections open, this one included.</summary>
    public uint Connections;
    /// <summary>Registrations taken.</summary>
    public ulong Registrations;
    /// <summary>Registrations refused (rate, table full).</summary>
    public ulong Refused;
    /// <summary>Guests whose end was seen.</summary>
    public ulong Exits;
    /// <summary>Log lines taken.</summary>
    public ulong LogLines;
    /// <summary>Log lines dropped.</summary>
    public ulong LogLinesDropped;
    /// <summary>Connections closed for what they sent.</summary>
    public ulong ProtocolErrors;
    /// <summary>Sum of <see cref="CountersMessage.Units"/>.</summary>
    public ulong Units;
    /// <summary>Sum of <see cref="CountersMessage.Instructions"/>.</summary>
    public ulong Instructions;
    /// <summary>Sum of <see cref="CountersMessage.HostCodeBytes"/>.</summary>
    public ulong HostCodeBytes;
    /// <summary>Generation of the configuration: counts successful compilations since the start.</summary>
    public uint ConfigurationGeneration;
    /// <summary>Zero.</summary>
    public uint Reserved0;
    /// <summary>When the configuration in force was compiled: microseconds since 1970, UTC; 0 = never.</summary>
    public ulong ConfiguredMicroseconds;
    /// <summary>Guests alive of the user who asks.</summary>
    public uint OwnGuests;
    /// <summary>Zero.</summary>
    public uint Reserved1;
}

/// <summary>Which guests are asked for.</summary>
[Flags]
public enum GuestQuery : uint
{
    /// <summary>The living.</summary>
    Live = 1,
    /// <summary>Those that ended lately, as far as the service remembers them.</summary>
    Ended = 2,
}

/// <summary><see cref="MessageType.QueryGuests"/>: 40 bytes. Users get their own guests, root and the service's own user all.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 4, Size = Size)]
public struct QueryGuestsMessage
{
    /// <summary>Bytes of this structure.</summary>
    public const int Size = 40;

    /// <summary>Head.</summary>
    public MessageHeader Header;
    /// <summary>Guests with greater ids only; 0 for the first page, then <see cref="GuestsMessage.NextAfter"/>.</summary>
    public ulong AfterId;
    /// <summary>Which.</summary>
    public GuestQuery Which;
    /// <summary>Zero.</summary>
    public uint Reserved0;
}

/// <summary><see cref="MessageType.Guests"/>: 48 bytes, then <see cref="Count"/> entries (<see cref="GuestEntry"/>), by id.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 4, Size = Size)]
public struct GuestsMessage
{
    /// <summary>Bytes of this structure.</summary>
    public const int Size = 48;

    /// <summary>Head.</summary>
    public MessageHeader Header;
    /// <summary>Entries in this message.</summary>
    public uint Count;
    /// <summary>1 when there are more: ask again with <see cref="NextAfter"/>.</summary>
    public uint More;
    /// <summary>Id of the last entry; the question's AfterId when there is none.</summary>
    public ulong NextAfter;
    /// <summary>The service's clock: microseconds since 1970, UTC.</summary>
    public ulong NowMicroseconds;
}

/// <summary>One guest: 72 bytes, then its program's path, then zero bytes up to a multiple of 8.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 4, Size = Size)]
public struct GuestEntry
{
    /// <summary>Bytes of this structure.</summary>
    public const int Size = 72;

    /// <summary>Value of <see cref="WaitStatus"/> when it is not known.</summary>
    public const int UnknownStatus = -1;

    /// <summary>Number of the registration, rising; survives a restart of the service.</summary>
    public ulong Id;
    /// <summary>Process id, as the service sees it.</summary>
    public int Pid;
    /// <summary>Effective user at registration.</summary>
    public uint Uid;
    /// <summary>Effective group at registration.</summary>
    public uint Gid;
    /// <summary>Instruction set of the guest.</summary>
    public GuestAbi Abi;
    /// <summary>Instruction set of the host.</summary>
    public HostArchitecture Host;
    /// <summary>How it was started.</summary>
    public GuestFlags Flags;
    /// <summary>When it registered: microseconds since 1970, UTC.</summary>
    public ulong StartedMicroseconds;
    /// <summary>When it ended; 0 = alive.</summary>
    public ulong EndedMicroseconds;
    /// <summary>
    /// Start of the process in clock ticks since boot (field 22 of /proc/PID/stat); with the pid it names a process for good. 0 = unknown.
    /// </summary>
    public ulong ProcessStartTicks;
    /// <summary>Version of the shim.</summary>
    public uint ShimVersion;
    /// <summary>Status as wait(2) gives it, after the end; <see cref="UnknownStatus"/> when the kernel does not tell.</summary>
    public int WaitStatus;
    /// <summary>Programs that this process has been by execve, this one included.</summary>
    public uint Programs;
    /// <summary>Log lines from it.</summary>
    public uint LogLines;
    /// <summary>Bytes of the path.</summary>
    public ushort ProgramLength;
    /// <summary>Zero.</summary>
    public ushort Reserved0;
    /// <summary>Zero.</summary>
    public uint Reserved1;

    /// <summary>Bytes of a whole entry with a path of <paramref name="programLength"/> bytes.</summary>
    public static int TotalSize(int programLength) => (Size + programLength + 7) & ~7;
}

/// <summary>What to tell a subscriber.</summary>
[Flags]
public enum EventMask : uint
{
    /// <summary>Guests that start (or change their program) and end.</summary>
    Guests = 1,
    /// <summary>Log lines of guests.</summary>
    Log = 2,
    /// <summary>The service itself: configuration read, end.</summary>
    Service = 4,
}

/// <summary><see cref="MessageType.Subscribe"/>: 32 bytes.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 4, Size = Size)]
public struct SubscribeMessage
{
    /// <summary>Bytes of this structure.</summary>
    public const int Size = 32;

    /// <summary>Head.</summary>
    public MessageHeader Header;
    /// <summary>What.</summary>
    public EventMask Mask;
    /// <summary>Log lines of this weight and more.</summary>
    public GuestLogLevel MinimumLevel;
    /// <summary>Zero.</summary>
    public byte Reserved0;
    /// <summary>Zero.</summary>
    public ushort Reserved1;
}

/// <summary>What happened.</summary>
public enum EventKind : byte
{
    /// <summary>A guest started; the text is its program.</summary>
    GuestStarted = 1,
    /// <summary>A guest ended; the text is its program.</summary>
    GuestEnded = 2,
    /// <summary>A log line; the text is the line.</summary>
    Log = 3,
    /// <summary>The configuration was read; the text says how it went.</summary>
    Configuration = 4,
    /// <summary>The service ends.</summary>
    Ending = 5,
}

/// <summary><see cref="MessageType.Event"/>: 72 bytes, then <see cref="TextLength"/> bytes of text.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 4, Size = Size)]
public struct EventMessage
{
    /// <summary>Bytes of this structure.</summary>
    public const int Size = 72;

    /// <summary>Head; its sequence is that of the subscription.</summary>
    public MessageHeader Header;
    /// <summary>What.</summary>
    public EventKind Kind;
    /// <summary>Weight of a log line.</summary>
    public GuestLogLevel Level;
    /// <summary>Instruction set of the guest.</summary>
    public GuestAbi Abi;
    /// <summary>Zero.</summary>
    public byte Reserved0;
    /// <summary>Process id, or 0.</summary>
    public int Pid;
    /// <summary>Number of the registration, or 0.</summary>
    public ulong Id;
    /// <summary>User of the guest.</summary>
    public uint Uid;
    /// <summary>Status as wait(2) gives it, for an end; <see cref="GuestEntry.UnknownStatus"/> when not known.</summary>
    public int WaitStatus;
    /// <summary>When: microseconds since 1970, UTC.</summary>
    public ulong TimeMicroseconds;
    /// <summary>Events that this subscriber lost since the last one, because it did not read.</summary>
    public uint Lost;
    /// <summary>Bytes of text.</summary>
    public ushort TextLength;
    /// <summary>Zero.</summary>
    public ushort Reserved1;
    /// <summary>Zero.</summary>
    public ulong Reserved2;
}

/// <summary><see cref="MessageType.Result"/>: 32 bytes, then <see cref="TextLength"/> bytes of text for people.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 4, Size = Size)]
public struct ResultMessage
{
    /// <summary>Bytes of this structure.</summary>
    public const int Size = 32;

    /// <summary>Head; its sequence is the request's.</summary>
    public MessageHeader Header;
    /// <summary>0, or an errno (EPERM, EPROTONOSUPPORT, EINVAL, EAGAIN, ENOENT).</summary>
    public int Error;
    /// <summary>Bytes of text.</summary>
    public ushort TextLength;
    /// <summary>Zero.</summary>
    public ushort Reserved0;
}
