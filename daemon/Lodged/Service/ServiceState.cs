using System;
using Lodge.Protocol;
using Serilog;

namespace Lodge.Service;

/// <summary>The parts of the running service, and what it says about itself. For the loop's thread.</summary>
internal sealed class ServiceState
{
    /// <summary>Version: major &lt;&lt; 16 | minor.</summary>
    public const uint Version = 1;

    /// <summary>How it was started.</summary>
    public required ServiceOptions Options { get; init; }

    /// <summary>The loop.</summary>
    public required EventLoop Loop { get; init; }

    /// <summary>The log.</summary>
    public required ILogger Log { get; init; }

    /// <summary>The guests.</summary>
    public required GuestTable Guests { get; init; }

    /// <summary>Their file.</summary>
    public required StateFile File { get; init; }

    /// <summary>The configuration; null when nothing is compiled.</summary>
    public required ConfigurationService? Configuration { get; init; }

    /// <summary>Totals.</summary>
    public Counters Counters { get; } = new();

    /// <summary>User of the service.</summary>
    public required uint Uid { get; init; }

    /// <summary>Most connections at a time.</summary>
    public required int MaxConnections { get; init; }

    /// <summary>Sockets were passed to us.</summary>
    public required bool Activated { get; init; }

    /// <summary>When the service started.</summary>
    public ulong StartedMicroseconds { get; } = Clock.Microseconds;

    /// <summary>The compiled configuration, if there is one.</summary>
    public string? ConfigurationImage => Configuration != null && System.IO.File.Exists(Configuration.Path) ? Configuration.Path : null;

    /// <summary>Reads the configuration again.</summary>
    public void Reload(Action<bool, string> done)
    {
        if (Configuration == null)
        {
            done(true, "nothing to read");
        }
        else
        {
            Configuration.Request(done);
        }
    }

    /// <summary>The answer to the question for the state.</summary>
    public StatusMessage Status(ulong sequence, int connections, uint asker) => new()
    {
        Header = new MessageHeader(MessageType.Status, StatusMessage.Size, sequence),
        Flags = Flags,
        Pid = Environment.ProcessId,
        Uid = Uid,
        ServiceVersion = Version,
        StartedMicroseconds = StartedMicroseconds,
        Guests = (uint)Guests.Count,
        Connections = (uint)connections,
        Registrations = Guests.Registrations,
        Refused = Counters.Refused + Counters.ConnectionsRefused,
        Exits = Guests.Exits,
        LogLines = Counters.LogLines,
        LogLinesDropped = Counters.LogLinesDropped,
        ProtocolErrors = Counters.ProtocolErrors,
        Units = Counters.Units,
        Instructions = Counters.Instructions,
        HostCodeBytes = Counters.HostCodeBytes,
        ConfigurationGeneration = Configuration?.Generation ?? 0,
        ConfiguredMicroseconds = Configuration?.CompiledMicroseconds ?? 0,
        OwnGuests = (uint)Guests.CountOf(asker),
    };

    private ServiceFlags Flags =>
        (Options.System ? ServiceFlags.System : 0) | (Activated ? ServiceFlags.Activated : 0)
        | (Configuration is { IsStale: true } ? ServiceFlags.ConfigurationStale : 0)
        | (ConfigurationImage != null ? ServiceFlags.ConfigurationPresent : 0)
        | (File.Failing ? ServiceFlags.StateNotSaved : 0) | (Guests.PolledCount > 0 ? ServiceFlags.Polling : 0);
}
