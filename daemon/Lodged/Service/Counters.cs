namespace Lodge.Service;

/// <summary>Totals since the service's start. For the loop's thread.</summary>
internal sealed class Counters
{
    /// <summary>Registrations refused.</summary>
    public ulong Refused { get; set; }

    /// <summary>Connections refused, by quota.</summary>
    public ulong ConnectionsRefused { get; set; }

    /// <summary>Connections taken.</summary>
    public ulong Connections { get; set; }

    /// <summary>Connections ended for what they sent.</summary>
    public ulong ProtocolErrors { get; set; }

    /// <summary>Messages that brought out a fault of the service.</summary>
    public ulong Faults { get; set; }

    /// <summary>Connections ended for silence.</summary>
    public ulong TimedOut { get; set; }

    /// <summary>Log lines taken.</summary>
    public ulong LogLines { get; set; }

    /// <summary>Log lines dropped, here or in the guest.</summary>
    public ulong LogLinesDropped { get; set; }

    /// <summary>Events that subscribers lost.</summary>
    public ulong EventsLost { get; set; }

    /// <summary>Guests that told their counters.</summary>
    public ulong Reports { get; set; }

    /// <summary>Units translated.</summary>
    public ulong Units { get; set; }

    /// <summary>Guest instructions translated.</summary>
    public ulong Instructions { get; set; }

    /// <summary>Guest code translated.</summary>
    public ulong GuestCodeBytes { get; set; }

    /// <summary>Host code made.</summary>
    public ulong HostCodeBytes { get; set; }

    /// <summary>Processor time, user mode.</summary>
    public ulong UserMicroseconds { get; set; }

    /// <summary>Processor time, kernel.</summary>
    public ulong SystemMicroseconds { get; set; }

    /// <summary>Page faults.</summary>
    public ulong PageFaults { get; set; }
}
