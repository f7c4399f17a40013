using System;
using System.Threading;
using System.Threading.Channels;
using Serilog.Core;
using Serilog.Events;
using Serilog.Parsing;

namespace Lodge.Service;

/// <summary>
/// Hands events to another sink on a thread of its own: a terminal that is stopped or a slow disk must not hold the service up. What does not
/// fit the queue is dropped, and the number told.
/// </summary>
internal sealed class BackgroundSink : ILogEventSink, IDisposable
{
    private const int Capacity = 8192;
    private static readonly MessageTemplate s_loss = new MessageTemplateParser().Parse("{Dropped} log events dropped: the log was too slow");
    private static readonly TimeSpan s_lastWords = TimeSpan.FromSeconds(2);

    private readonly ILogEventSink _inner;
    private readonly Channel<LogEvent> _queue = Channel.CreateBounded<LogEvent>(new BoundedChannelOptions(Capacity) { SingleReader = true });
    private readonly Thread _writer;
    private long _dropped;

    public BackgroundSink(ILogEventSink inner)
    {
        _inner = inner;
        _writer = new Thread(Write) { IsBackground = true, Name = "log" };
        _writer.Start();
    }

    /// <inheritdoc/>
    public void Emit(LogEvent logEvent)
    {
        if (!_queue.Writer.TryWrite(logEvent))
        {
            Interlocked.Increment(ref _dropped);
        }
    }

    /// <summary>Waits a little for what is queued.</summary>
    public void Dispose()
    {
        _queue.Writer.TryComplete();
        if (_writer.Join(s_lastWords))
        {
            (_inner as IDisposable)?.Dispose();
        }
    }

    private void Write()
    {
        while (_queue.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
        {
            while (_queue.Reader.TryRead(out LogEvent? next))
            {
                Pass(next);
                long dropped = Interlocked.Exchange(ref _dropped, 0);
                if (dropped > 0)
                {
                    Pass(new LogEvent(next.Timestamp, LogEventLevel.Warning, null, s_loss, [new LogEventProperty("Dropped", new ScalarValue(dropped))]));
                }
            }
        }
    }

    private void Pass(LogEvent logEvent)
    {
        try
        {
            _inner.Emit(logEvent);
        }
#pragma warning disable CA1031 // A log that cannot be written is no reason to end.
        catch (Exception)
#pragma warning restore CA1031
        {
            Interlocked.Increment(ref _dropped);
        }
    }
}
