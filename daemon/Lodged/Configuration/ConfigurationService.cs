using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Threading.Tasks;
using Lodge.Config;
using Serilog;

namespace Lodge.Service;

/// <summary>
/// Keeps the compiled configuration up to date: at the start, on request, and when a source changes. Bad sources, or a full disk, leave the
/// last good file where it is. Compiling runs in the background, one at a time; everything else belongs to the loop's thread.
/// </summary>
internal sealed class ConfigurationService : IDisposable
{
    private const int ProblemsLogged = 20;

    private readonly EventLoop _loop;
    private readonly ILogger _log;
    private readonly IConfigurationCompiler _compiler;
    private readonly SourceWatcher? _watcher;
    private List<Action<bool, string>> _waiting = [];
    private bool _running;
    private bool _again;

    /// <summary>Compiles to <paramref name="path"/>. Nothing happens before <see cref="Request"/>.</summary>
    public ConfigurationService(EventLoop loop, ILogger log, IConfigurationCompiler compiler, string path, bool watch)
    {
        _loop = loop;
        _log = log;
        _compiler = compiler;
        Path = path;
        _watcher = watch ? new SourceWatcher(compiler.Sources, () => loop.Post(() => Request(null)), log) : null;
    }

    /// <summary>The compiled file.</summary>
    public string Path { get; }

    /// <summary>Compilations that worked since the start.</summary>
    public uint Generation { get; private set; }

    /// <summary>Compilations that failed since the start.</summary>
    public ulong Failures { get; private set; }

    /// <summary>The last sources were bad.</summary>
    public bool IsStale { get; private set; }

    /// <summary>When the file in force was compiled: microseconds since 1970; 0 = not by this run.</summary>
    public ulong CompiledMicroseconds { get; private set; }

    /// <summary>Called before and after a compilation (true, false).</summary>
    public Action<bool> Busy { get; set; } = static _ => { };

    /// <summary>Called with the outcome of each.</summary>
    public Action<bool, string> Finished { get; set; } = static (_, _) => { };

    /// <summary>Compiles soon; <paramref name="done"/> hears how it went. A request during a compilation starts another one after it.</summary>
    public void Request(Action<bool, string>? done)
    {
        if (done != null)
        {
            _waiting.Add(done);
        }

        if (_running)
        {
            _again = true;
            return;
        }

        _running = true;
        Busy(true);
        List<Action<bool, string>> served = _waiting;
        _waiting = [];
        _ = Task.Run(() =>
        {
            (bool ok, string text, IReadOnlyList<string> problems) = CompileAndWrite();
            _loop.Post(() => End(ok, text, problems, served));
        });
    }

    /// <inheritdoc/>
    public void Dispose() => _watcher?.Dispose();

    private void End(bool ok, string text, IReadOnlyList<string> problems, List<Action<bool, string>> served)
    {
        _running = false;
        IsStale = !ok;
        if (ok)
        {
            Generation++;
            CompiledMicroseconds = Clock.Microseconds;
            _log.Information("Configuration: {Outcome}", text);
        }
        else
        {
            Failures++;
            _log.Error("Configuration: {Outcome}", text);
        }

        foreach (string problem in problems.Take(ProblemsLogged))
        {
            _log.Warning("Configuration: {Problem}", problem);
        }

        Busy(false);
        Finished(ok, text);
        served.ForEach(done => done(ok, text));
        _watcher?.Renew();
        if (_again)
        {
            _again = false;
            Request(null);
        }
    }

    private (bool Ok, string Text, IReadOnlyList<string> Problems) CompileAndWrite()
    {
        CompilationOutcome outcome;
        try
        {
            outcome = _compiler.Compile();
        }
#pragma warning disable CA1031 // A compiler that breaks must not end the service.
        catch (Exception e)
#pragma warning restore CA1031
        {
            return (false, "the compiler failed: " + e.Message, []);
        }

        if (outcome.Image == null)
        {
            string kept = File.Exists(Path) ? "the last good one stays" : "built-in defaults stay";
            string number = outcome.Problems.Count == 1 ? "one problem" : string.Create(CultureInfo.InvariantCulture, $"{outcome.Problems.Count} problems");
            return (false, $"{number}, {kept}", outcome.Problems);
        }

        PublishResult published = CompiledFile.Publish(Path, outcome.Image);
        string asBefore = published.Status == PublishStatus.Unchanged ? ", as before" : "";
        return published.Status == PublishStatus.Failed
            ? (false, "cannot be saved: " + published.Error, outcome.Problems)
            : (true, string.Create(CultureInfo.InvariantCulture, $"{outcome.Image.Length} bytes in {Path}{asBefore}"), outcome.Problems);
    }
}
