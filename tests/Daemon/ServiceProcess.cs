using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Text;
using System.Threading;
using Lodge.Client;
using Lodge.Protocol;
using Mono.Unix.Native;

namespace Lodge.DaemonTests;

/// <summary>A real lodged in a directory of its own, which is gone afterwards, and so is everything that was started through it.</summary>
internal sealed class ServiceProcess : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    private readonly StringBuilder _log = new();
    private readonly List<Process> _others = [];

    /// <summary>Starts one, and waits until it serves.</summary>
    public ServiceProcess(string? options = null, IReadOnlyDictionary<string, string>? environment = null)
    {
        Directory = System.IO.Directory.CreateTempSubdirectory("lodged-test-").FullName;
        System.IO.Directory.CreateDirectory(ConfigurationDirectory);
        Start(options, environment);
    }

    /// <summary>XDG_RUNTIME_DIR of the test.</summary>
    public string Directory { get; }

    /// <summary>Directory of lodge.jsonc.</summary>
    public string ConfigurationDirectory => Path.Combine(Directory, "etc");

    /// <summary>Its socket.</summary>
    public string Socket => Path.Combine(Directory, "lodge/lodged.sock");

    /// <summary>Its file of guests.</summary>
    public string StateFile => Path.Combine(Directory, "lodge/guests.state");

    /// <summary>The process that runs now.</summary>
    public Process Process { get; private set; } = null!;

    /// <summary>What it has logged so far, of all runs.</summary>
    public string Log
    {
        get
        {
            lock (_log)
            {
                return _log.ToString();
            }
        }
    }

    /// <summary>Starts it (again), and waits until it serves.</summary>
    public void Start(string? options = null, IReadOnlyDictionary<string, string>? environment = null)
    {
        List<string> arguments = ["--user", "--log", "console", "--config-dir", ConfigurationDirectory];
        arguments.AddRange(options?.Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? []);
        if (!arguments.Contains("--log-level"))
        {
            arguments.AddRange(["--log-level", "Debug"]);
        }

        Process = Launch(Repository.Lodged, arguments, environment);
        WaitForService(Process);
    }

    /// <summary>Runs a program with the test's XDG_RUNTIME_DIR, its standard error into the log. It ends with the test.</summary>
    public Process Launch(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        ProcessStartInfo info = new(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true, RedirectStandardInput = true, UseShellExecute = false };
        info.Environment["XDG_RUNTIME_DIR"] = Directory;

        // Whoever is killed would leave the pipes of its diagnostics behind.
        info.Environment["DOTNET_EnableDiagnostics"] = "0";
        foreach ((string name, string value) in environment ?? new Dictionary<string, string>())
        {
            info.Environment[name] = value;
        }

        Process process = Process.Start(info)!;
        process.ErrorDataReceived += (_, e) =>
        {
            lock (_log)
            {
                _log.AppendLine(e.Data);
            }
        };
        process.BeginErrorReadLine();
        _others.Add(process);
        return process;
    }

    /// <summary>Starts a guest that waits for the end of its input, and waits until it runs.</summary>
    public Process StartGuest(params string[] arguments)
    {
        Process guest = Launch(Repository.Shim, [Repository.Hold, .. arguments]);
        string? line;
        do
        {
            line = guest.StandardOutput.ReadLine();
        }
        while (line is not (null or "ready"));
        Xunit.Assert.Equal("ready", line);
        return guest;
    }

    /// <summary>
    /// Copies a program below the directory. Another process writes it: were it open for writing here, a program that another test starts at
    /// that moment would hold the descriptor until its own execve, and the copy's would fail with ETXTBSY.
    /// </summary>
    public void Copy(string from, string to) => Xunit.Assert.Equal(0, WaitForExit(Launch("/bin/cp", ["-RL", from, Path.Combine(Directory, to)])));

    /// <summary>A client of the command's side.</summary>
    public ServiceClient Client() => Patient(new ServiceClient(Socket));

    /// <summary>A client that waits for its answers as long as tests wait for anything.</summary>
    public static ServiceClient Patient(ServiceClient client)
    {
        client.Connection.Timeout = s_patience;
        return client;
    }

    /// <summary>The guests it knows, once <paramref name="enough"/> says so.</summary>
    public List<Guest> Guests(Predicate<List<Guest>> enough, GuestQuery which = GuestQuery.Live)
    {
        using ServiceClient client = Client();
        List<Guest> guests = [];
        WaitFor(() => enough(guests = client.Guests(which)), "the expected guests", () => string.Join(", ", guests.Select(g => $"{g.Entry.Pid} {g.Program}")));
        return guests;
    }

    /// <summary>Its state, once <paramref name="enough"/> says so.</summary>
    public StatusMessage Status(Predicate<StatusMessage> enough)
    {
        using ServiceClient client = Client();
        StatusMessage status = default;
        WaitFor(() => enough(status = client.Status()), "the expected state");
        return status;
    }

    /// <summary>Waits until the log has a line with this text.</summary>
    public void WaitForLog(string text) => WaitFor(() => Log.Contains(text, StringComparison.Ordinal), $"\"{text}\" in the log");

    /// <summary>Ends it with a signal; returns its exit status.</summary>
    public int Stop(Signum signal = Signum.SIGTERM)
    {
        _ = Syscall.kill(Process.Id, signal);
        return WaitForExit(Process);
    }

    /// <summary>Waits for the end of a process; returns its exit status.</summary>
    public static int WaitForExit(Process process)
    {
        if (!process.WaitForExit((int)s_patience.TotalMilliseconds))
        {
            process.Kill();
            Xunit.Assert.Fail($"process {process.Id} does not end");
        }

        return process.ExitCode;
    }

    /// <summary>Waits, with patience for busy machines.</summary>
    public void WaitFor(Func<bool> condition, string what, Func<string>? seen = null)
    {
        long deadline = Environment.TickCount64 + (long)s_patience.TotalMilliseconds;
        while (!condition())
        {
            if (Environment.TickCount64 > deadline)
            {
                Xunit.Assert.Fail($"waited in vain for {what}; seen: {seen?.Invoke()}; log:\n{Log}");
            }

            Thread.Sleep(10);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Process process in _others)
        {
            if (!process.HasExited)
            {
                process.Kill();
            }

            process.WaitForExit();
            process.Dispose();
        }

        System.IO.Directory.Delete(Directory, recursive: true);
    }

    /// <summary>Waits until a process serves on the socket.</summary>
    public void WaitForService(Process process) => WaitFor(() => File.Exists(Socket) && TryStatus(process), "the service serves");

    private bool TryStatus(Process process)
    {
        if (process.HasExited)
        {
            Xunit.Assert.Fail($"the service ended with {process.ExitCode}; log:\n{Log}");
        }

        try
        {
            using ServiceClient client = Client();
            return client.Status().Pid == process.Id;
        }
        catch (ServiceException)
        {
            return false;
        }
    }
}
