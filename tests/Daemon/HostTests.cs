using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using Lodge.Client;
using Lodge.Protocol;
using Mono.Unix.Native;
using Xunit;

namespace Lodge.DaemonTests;

/// <summary>What systemd and Prometheus see.</summary>
public partial class HostTests
{
    private static readonly string s_passSockets = Repository.File("tests/tools/pass-sockets");

    [Fact]
    public void TellsReadinessLifeReloadAndEnd()
    {
        string path = Path.Combine(Directory.CreateTempSubdirectory("notify-").FullName, "n");
        using Socket listener = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.ReceiveTimeout = 60_000;
        Stopwatch time = Stopwatch.StartNew();
        using ServiceProcess service = new(environment: new Dictionary<string, string> { ["NOTIFY_SOCKET"] = path, ["WATCHDOG_USEC"] = "400000" });
        List<string> said = [];
        int alive = 0;
        void Until(string text)
        {
            // Signs of life come in any case: waiting for something else ends by its own time.
            for (Stopwatch wait = Stopwatch.StartNew(); !said.Any(s => s.Contains(text, StringComparison.Ordinal));)
            {
                Assert.True(wait.Elapsed < TimeSpan.FromSeconds(60), $"waited in vain for {text}; log:\n{service.Log}");
                byte[] buffer = new byte[512];
                said.Add(Encoding.UTF8.GetString(buffer, 0, listener.Receive(buffer)));
                alive += said[^1] == "WATCHDOG=1" ? 1 : 0;
            }
        }

        Until("READY=1");
        Assert.StartsWith("READY=1\nSTATUS=0 guests", said[0], StringComparison.Ordinal);
        Until("WATCHDOG=1");
        while (listener.Poll(0, SelectMode.SelectRead))
        {
            // The socket holds few messages, and what finds no room is lost.
            said.Clear();
            Until("WATCHDOG=1");
        }

        said.Clear();
        _ = Syscall.kill(service.Process.Id, Signum.SIGHUP);
        Until("RELOADING=1");
        Assert.Matches(@"MONOTONIC_USEC=\d+", said.Last());
        Until("READY=1");
        while (alive < 6)
        {
            said.Clear();
            Until("WATCHDOG=1");
        }

        // Twice as often as asked for, not in a busy loop: what waited in the socket was not sent before the service began.
        Assert.InRange(time.ElapsedMilliseconds, (alive - 1) * 200 * 0.9, 120_000);
        Assert.Equal(0, service.Stop());
        Until("STOPPING=1");
        Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
    }

    [Fact]
    public void TakesPassedSocketsAndLeavesThem()
    {
        using ServiceProcess service = new();
        service.Stop();
        string socket = Path.Combine(service.Directory, "passed.sock"), metrics = Path.Combine(service.Directory, "m.sock"), useless = Path.Combine(service.Directory, "d.sock");
        string state = Path.Combine(service.Directory, "state");
        Process passed = service.Launch(s_passSockets,
        [
            $"lodged=seqpacket:{socket}", $"other=dgram:{useless}", $"metrics=stream:{metrics}", "--", Repository.Lodged, "--user", "--log", "console", "--socket",
            Path.Combine(service.Directory, "not-this-one"), "--state-dir", state, "--config-dir", service.ConfigurationDirectory, "--idle-exit", "2",
        ]);

        // Whoever connects before the service runs waits in the queue.
        ServiceClient? first = null;
        service.WaitFor(() => (first = TryConnect(socket)) != null, "the passed socket");
        using (ServiceClient client = first!)
        {
            client.Connection.Timeout = TimeSpan.FromSeconds(60);
            StatusMessage status = client.Status();
            Assert.Equal((passed.Id, ServiceFlags.Activated), (status.Pid, status.Flags & ServiceFlags.Activated));

            // While somebody is connected: an idle one ends.
            Assert.Contains("lodged_guests 0\n", Scrape(new UnixDomainSocketEndPoint(metrics)), StringComparison.Ordinal);
        }

        service.WaitForLog("descriptor 4 (other) is no listening");
        Assert.Equal(0, ServiceProcess.WaitForExit(passed));
        Assert.True(File.Exists(socket));
        Assert.False(File.Exists(Path.Combine(service.Directory, "not-this-one")));
    }

    [Fact]
    public void SocketsForAnotherProcessAreNotTaken()
    {
        using ServiceProcess service = new();
        service.Stop();
        string socket = Path.Combine(service.Directory, "passed.sock");
        Process passed = service.Launch(s_passSockets,
            ["--wrong-pid", $"lodged=seqpacket:{socket}", "--", Repository.Lodged, "--user", "--log", "console", "--config-dir", service.ConfigurationDirectory]);
        service.WaitForService(passed);
        Assert.Equal((ServiceFlags)0, service.Status(s => s.Pid == passed.Id).Flags & ServiceFlags.Activated);
    }

    [Theory]
    [InlineData("unix")]
    [InlineData("port")]
    public void MetricsAreInPrometheusForm(string where)
    {
        string path = Path.Combine(Path.GetTempPath(), $"lodged-metrics-{Environment.ProcessId}");
        using Socket reserved = FreePort(out int port);
        using ServiceProcess service = new(where == "unix" ? $"--metrics unix:{path}" : $"--metrics 127.0.0.1:{port}");
        _ = service.StartGuest();
        _ = service.Guests(g => g.Count == 1);
        string answer = Scrape(where == "unix" ? new UnixDomainSocketEndPoint(path) : new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, port));
        string[] parts = answer.Split("\r\n\r\n", 2);
        Assert.StartsWith("HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4", parts[0], StringComparison.Ordinal);

        // HELP, TYPE, sample; counters end in _total; no name twice.
        string[] lines = parts[1].TrimEnd('\n').Split('\n');
        HashSet<string> names = [];
        for (int i = 0; i < lines.Length; i += 3)
        {
            Match type = TypeLine().Match(lines[i + 1]);
            Assert.True(type.Success, lines[i + 1]);
            string name = type.Groups[1].Value;
            Assert.StartsWith($"# HELP {name} ", lines[i], StringComparison.Ordinal);
            Match sample = SampleLine().Match(lines[i + 2]);
            Assert.True(sample.Success && sample.Groups[1].Value == name, lines[i + 2]);
            Assert.Equal(type.Groups[2].Value == "counter", name.EndsWith("_total", StringComparison.Ordinal));
            Assert.True(names.Add(name));
        }

        Assert.Contains("lodged_guests 1", lines);
        Assert.Contains("lodged_registrations_total 1", lines);
        Assert.Equal(0, service.Stop());
        Assert.False(File.Exists(path));
    }

    [Fact]
    public void SlowScrapersAreEnded()
    {
        using Socket reserved = FreePort(out int port);
        using ServiceProcess service = new($"--metrics 127.0.0.1:{port}");
        System.Net.IPEndPoint where = new(System.Net.IPAddress.Loopback, port);
        List<Socket> slow = [];
        for (int i = 0; i < 40; i++)
        {
            slow.Add(new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 60_000 });
            slow[i].Connect(where);
            slow[i].Send("GET /met"u8);
        }

        // All are cut off; guests do not notice; the next scraper is served.
        Process guest = service.StartGuest();
        foreach (Socket socket in slow)
        {
            int received = 0;
            try
            {
                received = socket.Receive(new byte[100]);
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
            {
            }

            Assert.Equal(0, received);
            socket.Dispose();
        }

        Assert.Contains("lodged_guests 1\n", Scrape(where), StringComparison.Ordinal);
        Assert.False(guest.HasExited);
    }

    [Theory]
    [InlineData("--metrics 0.0.0.0:9321", 2)]
    [InlineData("--metrics 10.1.2.3:9321", 2)]
    [InlineData("--idle-exit -1", 2)]
    [InlineData("--log file:relative", 2)]
    [InlineData("--run-as nobody", 2)]
    [InlineData("--no-such-option", 2)]
    [InlineData("--socket /nonexistent/x/lodged.sock --state-dir /proc/lodge", 1)]
    public void WrongCommandLinesAreRefused(string arguments, int status)
    {
        using ServiceProcess service = new();
        service.Stop();
        ArgumentNullException.ThrowIfNull(arguments);
        Process refused = service.Launch(Repository.Lodged, ["--user", .. arguments.Split(' ')]);
        Assert.Equal(status, ServiceProcess.WaitForExit(refused));
    }

    [SystemdFact]
    public void RunsUnderTheFilterOfItsUnit()
    {
        using ServiceProcess service = new();
        service.Stop();
        Process filtered = service.Launch(Repository.File("tests/tools/under-unit"),
            [Repository.File("packaging/systemd/lodged.service"), Repository.Lodged, "--user", "--log", "console", "--config-dir", service.ConfigurationDirectory, "--idle-exit", "3"]);
        service.WaitForService(filtered);
        using ServiceClient present = service.Client();
        Process guest = service.StartGuest();
        _ = service.Guests(g => g.Count == 1);
        _ = service.Status(s => s.ConfigurationGeneration == 1);
        Assert.Contains("Seccomp:\t2", File.ReadAllText($"/proc/{filtered.Id}/status"), StringComparison.Ordinal);
        present.Dispose();
        guest.StandardInput.Close();
        Assert.Equal(0, ServiceProcess.WaitForExit(filtered));
        Assert.DoesNotContain("EROR", service.Log, StringComparison.Ordinal);
    }

    [Fact]
    public void LogsToAFileAndWithPriorities()
    {
        using ServiceProcess service = new();
        service.Stop();
        string log = Path.Combine(service.Directory, "lodged.log");
        Process toFile = service.Launch(Repository.Lodged, ["--user", "--log", "file:" + log]);
        service.WaitForService(toFile);
        _ = Syscall.kill(toFile.Id, Signum.SIGTERM);
        Assert.Equal(0, ServiceProcess.WaitForExit(toFile));
        Assert.Contains("lodged serves its user", File.ReadAllText(log), StringComparison.Ordinal);

        Process withPriorities = service.Launch(Repository.Lodged, ["--user", "--log", "journal"]);
        service.WaitForService(withPriorities);
        if (!File.Exists("/run/systemd/journal/socket"))
        {
            service.WaitForLog("<6>lodged serves its user");
        }
    }

    private static ServiceClient? TryConnect(string path)
    {
        try
        {
            return new ServiceClient(path);
        }
        catch (ServiceException e) when (e.NotRunning)
        {
            return null;
        }
    }

    private static string Scrape(System.Net.EndPoint where)
    {
        using Socket socket = new(where.AddressFamily, SocketType.Stream, ProtocolType.Unspecified);
        socket.ReceiveTimeout = 60_000;
        socket.Connect(where);
        socket.Send(Encoding.ASCII.GetBytes("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        using MemoryStream all = new();
        byte[] buffer = new byte[65536];
        for (int n; (n = socket.Receive(buffer)) > 0;)
        {
            all.Write(buffer, 0, n);
        }

        return Encoding.UTF8.GetString(all.ToArray());
    }

    // Nobody else is given the port as long as the socket that is bound to it exists; the service, which sets the same option, may listen there.
    private static Socket FreePort(out int port)
    {
        Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        socket.Bind(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 0));
        port = ((System.Net.IPEndPoint)socket.LocalEndPoint!).Port;
        return socket;
    }

    [GeneratedRegex(@"^# TYPE ([a-z_]+) (gauge|counter)$")]
    private static partial Regex TypeLine();

    [GeneratedRegex(@"^([a-z_]+) (-?[0-9]+(\.[0-9]+)?)$")]
    private static partial Regex SampleLine();
}
