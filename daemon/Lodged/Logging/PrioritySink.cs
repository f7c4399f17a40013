using System;
using System.Globalization;
using System.IO;
using System.Text;
using Serilog.Core;
using Serilog.Events;

namespace Lodge.Service;

/// <summary>syslog's priorities.</summary>
internal static class Priority
{
    /// <summary>LOG_CRIT (2) to LOG_DEBUG (7).</summary>
    public static int Of(LogEventLevel level) => level switch
    {
        LogEventLevel.Fatal => 2,
        LogEventLevel.Error => 3,
        LogEventLevel.Warning => 4,
        LogEventLevel.Information => 6,
        _ => 7,
    };
}

/// <summary>Lines that begin with <c>&lt;N&gt;</c>, their priority, as systemd reads them from a service's output (sd-daemon(3)).</summary>
internal sealed class PrioritySink(Stream stream) : ILogEventSink, IDisposable
{
    /// <inheritdoc/>
    public void Emit(LogEvent logEvent)
    {
        string prefix = string.Create(CultureInfo.InvariantCulture, $"<{Priority.Of(logEvent.Level)}>");
        string text = prefix + JournalSink.Message(logEvent).ReplaceLineEndings("\n").Replace("\n", "\n" + prefix, StringComparison.Ordinal) + "\n";
        stream.Write(Encoding.UTF8.GetBytes(text));
        stream.Flush();
    }

    /// <inheritdoc/>
    public void Dispose() => stream.Dispose();
}
