using System.Collections.Generic;
using System.Globalization;
using Serilog.Core;
using Serilog.Events;

namespace Lodge.DaemonTests;

/// <summary>Keeps the lines of a log.</summary>
internal sealed class ListSink(List<string> lines) : ILogEventSink
{
    public void Emit(LogEvent logEvent) => lines.Add(logEvent.RenderMessage(CultureInfo.InvariantCulture));
}
