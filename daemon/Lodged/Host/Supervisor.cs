using System;
using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Lodge.Service;

/// <summary>Tells systemd how we are (sd_notify(3)). Without NOTIFY_SOCKET nothing happens.</summary>
internal sealed class Supervisor : IDisposable
{
    private readonly Socket? _socket;
    private readonly UnixDomainSocketEndPoint? _address;
    private long _lastWatchdog;

    /// <summary>Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID.</summary>
    public Supervisor()
    {
        string? path = Environment.GetEnvironmentVariable("NOTIFY_SOCKET");
        if (path is { Length: > 1 } && path[0] is '/' or '@')
        {
            _socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { Blocking = false };
            _address = new UnixDomainSocketEndPoint(path[0] == '@' ? '\0' + path[1..] : path);
        }

        string? pid = Environment.GetEnvironmentVariable("WATCHDOG_PID");
        if (long.TryParse(Environment.GetEnvironmentVariable("WATCHDOG_USEC"), NumberStyles.None, CultureInfo.InvariantCulture, out long microseconds)
            && (pid == null || pid == Environment.ProcessId.ToString(CultureInfo.InvariantCulture)))
        {
            // Half of what is allowed, as sd_watchdog_enabled(3) advises.
            WatchdogMilliseconds = Math.Max(1, microseconds / 2000);
        }

        foreach (string variable in (string[])["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"])
        {
            Environment.SetEnvironmentVariable(variable, null);
        }
    }

    /// <summary>Milliseconds between signs of life; 0 = none wanted.</summary>
    public long WatchdogMilliseconds { get; }

    /// <summary>Serving.</summary>
    public void Ready(string status) => Send($"READY=1\nSTATUS={status}");

    /// <summary>Reading the configuration; <see cref="Ready"/> ends that.</summary>
    public void Reloading()
    {
        long microseconds = Stopwatch.GetTimestamp() / (Stopwatch.Frequency / 1_000_000);
        Send(string.Create(CultureInfo.InvariantCulture, $"RELOADING=1\nMONOTONIC_USEC={microseconds}"));
    }

    /// <summary>Ending.</summary>
    public void Stopping() => Send("STOPPING=1");

    /// <summary>A sign of life, when it is time for one.</summary>
    public void Tick()
    {
        if (WatchdogMilliseconds != 0 && EventLoop.Now - _lastWatchdog >= WatchdogMilliseconds)
        {
            _lastWatchdog = EventLoop.Now;
            Send("WATCHDOG=1");
        }
    }

    /// <summary>Milliseconds until the next sign of life, or -1.</summary>
    public long NextDeadline => WatchdogMilliseconds == 0 ? -1 : Math.Max(0, _lastWatchdog + WatchdogMilliseconds - EventLoop.Now);

    /// <inheritdoc/>
    public void Dispose() => _socket?.Dispose();

    private void Send(string text)
    {
        try
        {
            _socket?.SendTo(Encoding.UTF8.GetBytes(text), _address!);
        }
        catch (SocketException)
        {
            // Nobody listens any more, or nobody reads: not worth waiting for.
        }
    }
}
