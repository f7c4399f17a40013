using Lodge.Protocol;
using Serilog.Events;

namespace Lodge.Service;

/// <summary>Weights of guests' log lines in the service's log.</summary>
internal static class Weights
{
    /// <summary>The log's word for a guest's.</summary>
    public static LogEventLevel Of(GuestLogLevel level) => level switch
    {
        GuestLogLevel.Debug => LogEventLevel.Debug,
        GuestLogLevel.Information => LogEventLevel.Information,
        GuestLogLevel.Warning => LogEventLevel.Warning,
        _ => LogEventLevel.Error,
    };
}
