using System;
using System.Collections.Generic;
using System.Linq;
using System.Runtime.InteropServices;
using Lodge.Interop;
using Lodge.Protocol;
using Mono.Unix.Native;
using Serilog.Core;

namespace Lodge.Service;

/// <summary>Puts the service together, runs it, takes it apart.</summary>
internal sealed class Daemon : IDisposable
{
    // What .NET and the service itself have open; a quarter of the rest is for connections, up to a number that nobody needs; all else for pidfds.
    private const int OwnDescriptors = 128, LeastConnections = 8, MostConnections = 384;
    private const long PollMilliseconds = 1000;

    private readonly ServiceOptions _options;
    private readonly IConfigurationCompiler? _compiler;
    private readonly EventLoop _loop = new();
    private readonly List<Listener> _listeners = [];
    private readonly List<string> _ownPaths = [];
    private Listener? _own;
    private long _lastPoll;

    /// <summary>A service that compiles with <paramref name="compiler"/>, or (null) compiles nothing.</summary>
    public Daemon(ServiceOptions options, IConfigurationCompiler? compiler)
    {
        _options = options;
        _compiler = compiler;
    }

    /// <summary>Runs until told to end. Throws <see cref="StartException"/> when it cannot begin.</summary>
    public void Run()
    {
        using Supervisor supervisor = new();
        List<string> refused = [];
        List<(int Descriptor, Activation.Purpose Purpose)> passed = Activation.Take(refused);
        PrepareDirectories(passed.Count > 0);
        using InstanceLock held = new(_options.LockPath);
        using Logger log = LogSetup.Create(_options.LogTarget, _options.LogLevel);
        refused.ForEach(r => log.Warning("Socket activation: {Refused}", r));

        long limit = LinuxCalls.RaiseDescriptorLimit();
        limit = limit > 0 ? limit : DescriptorLimit.FromProc();
        int connections = (int)Math.Clamp((limit - OwnDescriptors) / 4, LeastConnections, MostConnections);
        using StateFile file = new(_options.StatePath, log);
        GuestTable guests = new(_loop, file, (int)Math.Max(0, limit - OwnDescriptors - connections), _options.MaxGuests);
        file.Snapshot = () => (guests.Live, guests.NextId);
        (List<(GuestEntry, byte[])> saved, ulong nextId) = file.Load();
        int alive = guests.Recover(saved, nextId);
        file.Rewrite();

        using ConfigurationService? configuration = _compiler == null ? null : new(_loop, log, _compiler, _options.ConfigurationPath, _options.Watch);
        ServiceState state = new()
        {
            Options = _options,
            Loop = _loop,
            Log = log,
            Guests = guests,
            File = file,
            Configuration = configuration,
            Uid = Syscall.geteuid(),
            MaxConnections = connections,
            Activated = passed.Count > 0,
        };
        MessageHandler handler = new(state);
        MetricsServer metrics = new(_loop, () => MetricsText.Make(state, handler.ConnectionCount));
        Listen(passed, handler, metrics, log);

        _loop.NeedsTicks = () =>
            handler.ConnectionCount > 0 || metrics.Count > 0 || guests.PolledCount > 0 || file.Failing || _listeners.Any(l => l.IsPaused);
        _loop.NextDeadline = () => Earliest(supervisor.NextDeadline, IdleDeadline(guests, handler));
        _loop.RoundEnd = file.Flush;
        _loop.Tick = () => Tick(supervisor, guests, handler, metrics, log);
        if (configuration != null)
        {
            configuration.Busy = busy =>
            {
                if (busy)
                {
                    supervisor.Reloading();
                }
                else
                {
                    supervisor.Ready(Describe(guests));
                }
            };
            configuration.Finished = (_, text) => handler.Tell(EventKind.Configuration, text);
        }

        using PosixSignalRegistration hangUp = On(PosixSignal.SIGHUP, () => _loop.Post(() => state.Reload((_, _) => { })));
        using PosixSignalRegistration terminate = On(PosixSignal.SIGTERM, _loop.Stop);
        using PosixSignalRegistration interrupt = On(PosixSignal.SIGINT, _loop.Stop);
        log.Information(
            "lodged serves {Who} on {Where}: process {Pid}, user {Uid}, {Alive} of {Saved} guests of a former run alive, {Limit} descriptors",
            _options.System ? "all users" : "its user", passed.Count > 0 ? "passed sockets" : _options.Socket,
            Environment.ProcessId, state.Uid, alive, saved.Count, limit);
        if (_options.System && state.Uid == 0)
        {
            log.Warning("lodged runs as root; --run-as or its systemd unit gives it a user of its own");
        }

        supervisor.Ready(Describe(guests));
        configuration?.Request(null);
        try
        {
            _loop.Run();
        }
        catch (Exception e)
        {
            log.Fatal(e, "lodged breaks; guests run on");
            throw;
        }

        supervisor.Stopping();
        handler.Tell(EventKind.Ending, "the service ends");
        log.Information("lodged ends; {Count} guests run on", guests.Count);
        foreach (Listener listener in _listeners)
        {
            listener.Close();
        }

        _ownPaths.ForEach(path => _ = Syscall.unlink(path));
        handler.CloseAll();
    }

    /// <inheritdoc/>
    public void Dispose() => _loop.Dispose();

    private static long Earliest(long a, long b) => a < 0 ? b : b < 0 ? a : Math.Min(a, b);

    private static PosixSignalRegistration On(PosixSignal signal, Action action) => PosixSignalRegistration.Create(signal, context =>
    {
        context.Cancel = true;
        action();
    });

    private static string Describe(GuestTable guests) => $"{guests.Count} guests";

    private void PrepareDirectories(bool activated)
    {
        Sockets.MakeDirectory(_options.StateDirectory, _options.System);
        string directory = System.IO.Path.GetDirectoryName(_options.Socket) ?? "/";
        if (!activated && directory != _options.StateDirectory)
        {
            Sockets.MakeDirectory(directory, _options.System);
        }

        if (_options.RunAs != null)
        {
            Identity.Become(_options.RunAs, activated ? [_options.StateDirectory] : [_options.StateDirectory, directory]);
        }
    }

    private void Listen(List<(int Descriptor, Activation.Purpose Purpose)> passed, MessageHandler handler, MetricsServer metrics, Logger log)
    {
        foreach ((int fd, Activation.Purpose purpose) in passed)
        {
            _listeners.Add(new Listener(_loop, fd, purpose == Activation.Purpose.Service ? handler.Accept : metrics.Accept, log));
        }

        if (!passed.Exists(p => p.Purpose == Activation.Purpose.Service))
        {
            ListenOnOwn(handler, log);
        }

        if (_options.Metrics != "none" && !passed.Exists(p => p.Purpose == Activation.Purpose.Metrics))
        {
            _listeners.Add(new Listener(_loop, Sockets.ListenMetrics(_options.Metrics, _options.System), metrics.Accept, log));
            if (_options.Metrics.StartsWith("unix:", StringComparison.Ordinal))
            {
                _ownPaths.Add(_options.Metrics["unix:".Length..]);
            }
        }
    }

    private void ListenOnOwn(MessageHandler handler, Logger log)
    {
        _own = new Listener(_loop, Sockets.ListenPackets(_options.Socket, _options.System), handler.Accept, log);
        _listeners.Add(_own);
        _ownPaths.Add(_options.Socket);
    }

    private void Tick(Supervisor supervisor, GuestTable guests, MessageHandler handler, MetricsServer metrics, Logger log)
    {
        supervisor.Tick();
        handler.Tick();
        metrics.Tick();
        _listeners.ForEach(l => l.Tick());
        if (EventLoop.Now - _lastPoll >= PollMilliseconds)
        {
            _lastPoll = EventLoop.Now;
            guests.Poll();
        }

        if (IdleDeadline(guests, handler) == 0)
        {
            Retire(handler, log);
        }
    }

    private long IdleDeadline(GuestTable guests, MessageHandler handler) =>
        _options.IdleSeconds == 0 || guests.Count > 0 || handler.ConnectionCount > 0 ? -1
        : Math.Max(0, handler.LastActivity + (_options.IdleSeconds * 1000L) - EventLoop.Now);

    // Nobody may be lost on the way out: our own socket loses its name first, then whoever is in the queue is still served. A passed socket
    // stays with whoever passed it, and wakes the next one of us.
    private void Retire(MessageHandler handler, Logger log)
    {
        if (_own != null)
        {
            _ = Syscall.unlink(_options.Socket);
            _ownPaths.Remove(_options.Socket);
            _listeners.Remove(_own);
            bool somebodyCame = false;
            while (!_own.TryRetire())
            {
                somebodyCame = true;
            }

            if (somebodyCame)
            {
                ListenOnOwn(handler, log);
                return;
            }
        }

        log.Information("Nothing to do for {Seconds} seconds", _options.IdleSeconds);
        _loop.Stop();
    }
}
