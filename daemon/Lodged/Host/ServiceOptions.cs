using System;
using System.Collections.Generic;
using Serilog.Events;

namespace Lodge.Service;

/// <summary>How the service is started.</summary>
internal sealed record ServiceOptions
{
    /// <summary>For all users.</summary>
    public bool System { get; init; }

    /// <summary>Socket to listen on, unless one is passed.</summary>
    public required string Socket { get; init; }

    /// <summary>Where the table of guests and the compiled configuration are kept.</summary>
    public required string StateDirectory { get; init; }

    /// <summary>Ends after so many seconds without guest and connection; 0 = never.</summary>
    public int IdleSeconds { get; init; }

    /// <summary>console, journal, file:PATH or auto.</summary>
    public string LogTarget { get; init; } = "auto";

    /// <summary>Least weight of what is logged.</summary>
    public LogEventLevel LogLevel { get; init; } = LogEventLevel.Information;

    /// <summary>unix:PATH, ADDRESS:PORT of the loopback, or none.</summary>
    public string Metrics { get; init; } = "none";

    /// <summary>User to become once the directories stand (system, started by root without systemd); null = stay.</summary>
    public string? RunAs { get; init; }

    /// <summary>Most guests.</summary>
    public int MaxGuests { get; init; } = 65_536;

    /// <summary>Watch the configuration's sources.</summary>
    public bool Watch { get; init; } = true;

    /// <summary>The table of guests.</summary>
    public string StatePath => StateDirectory + "/guests.state";

    /// <summary>The compiled configuration.</summary>
    public string ConfigurationPath => StateDirectory + "/config.bin";

    /// <summary>Held by the running service.</summary>
    public string LockPath => StateDirectory + "/lodged.lock";
}

/// <summary>The service cannot start, and why.</summary>
internal sealed class StartException(int status, string message) : Exception(message)
{
    /// <summary>Exit status of the program.</summary>
    public int Status { get; } = status;
}

/// <summary>Exit statuses of lodged.</summary>
internal static class ExitStatus
{
    /// <summary>Ended in order.</summary>
    public const int Success = 0;
    /// <summary>Could not start, or broke.</summary>
    public const int Failure = 1;
    /// <summary>Wrong command line.</summary>
    public const int Usage = 2;
    /// <summary>Another one runs with the same state.</summary>
    public const int AlreadyRunning = 3;

    /// <summary>All of them with what they mean, for the manual page.</summary>
    public static readonly IReadOnlyList<(int Status, string Meaning)> Meanings =
    [
        (Success, "Ended in order."),
        (Failure, "Could not start, or broke."),
        (Usage, "The command line is wrong."),
        (AlreadyRunning, "Another one runs with the same state."),
    ];
}
