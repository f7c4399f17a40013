using System;
using System.Buffers.Binary;
using System.Globalization;
using System.IO;
using System.Net.Sockets;
using System.Text;
using Serilog.Core;
using Serilog.Events;

namespace Lodge.Service;

/// <summary>
/// The journal's native protocol: one datagram per entry, lines of NAME=value, or NAME, a length and the value where it has line breaks
/// (systemd.io/JOURNAL_NATIVE_PROTOCOL). Properties of an event become fields, so that `journalctl LODGE_PID=123` works.
/// </summary>
internal sealed class JournalSink : ILogEventSink, IDisposable
{
    /// <summary>Where the journal listens.</summary>
    public const string SocketPath = "/run/systemd/journal/socket";

    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
    private readonly UnixDomainSocketEndPoint _address;

    public JournalSink(string path) => _address = new UnixDomainSocketEndPoint(path);

    /// <inheritdoc/>
    public void Emit(LogEvent logEvent) => _socket.SendTo(Compose(logEvent), _address);

    /// <inheritdoc/>
    public void Dispose() => _socket.Dispose();

    /// <summary>The datagram of an event.</summary>
    public static byte[] Compose(LogEvent logEvent)
    {
        using MemoryStream entry = new();
        Add(entry, "MESSAGE", Message(logEvent));
        Add(entry, "PRIORITY", Priority.Of(logEvent.Level).ToString(CultureInfo.InvariantCulture));
        Add(entry, "SYSLOG_IDENTIFIER", "lodged");
        foreach ((string name, LogEventPropertyValue value) in logEvent.Properties)
        {
            Add(entry, "LODGE_" + name.ToUpperInvariant(), Text(value));
        }

        return entry.ToArray();
    }

    /// <summary>An event's text, with its exception.</summary>
    public static string Message(LogEvent logEvent)
    {
        using StringWriter text = new(CultureInfo.InvariantCulture);
        new Serilog.Formatting.Display.MessageTemplateTextFormatter("{Message:l}", CultureInfo.InvariantCulture).Format(logEvent, text);
        return logEvent.Exception == null ? text.ToString() : text + "\n" + logEvent.Exception;
    }

    // A text as it is; anything else as Serilog writes it.
    private static string Text(LogEventPropertyValue value) =>
        value is ScalarValue { Value: string text } ? text : value.ToString(null, CultureInfo.InvariantCulture);

    private static void Add(MemoryStream entry, string name, string value)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(value);
        entry.Write(Encoding.ASCII.GetBytes(name));
        if (value.Contains('\n', StringComparison.Ordinal))
        {
            Span<byte> length = stackalloc byte[sizeof(ulong)];
            BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)bytes.Length);
            entry.WriteByte((byte)'\n');
            entry.Write(length);
        }
        else
        {
            entry.WriteByte((byte)'=');
        }

        entry.Write(bytes);
        entry.WriteByte((byte)'\n');
    }
}
