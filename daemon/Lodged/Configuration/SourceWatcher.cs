using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Threading;
using Serilog;

namespace Lodge.Service;

/// <summary>
/// Watches files and directories that need not exist: of each, the nearest directory that does. Tells of changes after a short quiet, so
/// that an editor's several steps count once. <see cref="Renew"/> looks again at what exists by now.
/// </summary>
internal sealed class SourceWatcher : IDisposable
{
    private const int QuietMilliseconds = 200;

    private readonly IReadOnlyList<string> _sources;
    private readonly ILogger _log;
    private readonly Timer _quiet;
    private readonly Lock _lock = new();
    private Dictionary<string, FileSystemWatcher> _watchers = [];
    private bool _disposed;

    public SourceWatcher(IReadOnlyList<string> sources, Action changed, ILogger log)
    {
        _sources = sources;
        _log = log;
        _quiet = new Timer(_ => changed());
        Renew();
    }

    /// <summary>Watches what exists now. Any thread.</summary>
    public void Renew()
    {
        lock (_lock)
        {
            if (_disposed)
            {
                return;
            }

            Dictionary<string, FileSystemWatcher> now = [];
            foreach (string directory in _sources.Select(Nearest).Distinct())
            {
                if (_watchers.Remove(directory, out FileSystemWatcher? kept))
                {
                    now[directory] = kept;
                }
                else if (Watch(directory) is { } watcher)
                {
                    now[directory] = watcher;
                }
            }

            foreach (FileSystemWatcher old in _watchers.Values)
            {
                old.Dispose();
            }

            _watchers = now;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_lock)
        {
            _disposed = true;
            foreach (FileSystemWatcher watcher in _watchers.Values)
            {
                watcher.Dispose();
            }

            _watchers.Clear();
            _quiet.Dispose();
        }
    }

    private static string Nearest(string source)
    {
        string? directory = source;
        while (directory != null && !Directory.Exists(directory))
        {
            directory = Path.GetDirectoryName(directory);
        }

        return directory ?? "/";
    }

    private FileSystemWatcher? Watch(string directory)
    {
        try
        {
            FileSystemWatcher watcher = new(directory)
            {
                NotifyFilter = NotifyFilters.FileName | NotifyFilters.DirectoryName | NotifyFilters.LastWrite | NotifyFilters.Size,
            };
            watcher.Changed += OnChange;
            watcher.Created += OnChange;
            watcher.Deleted += OnChange;
            watcher.Renamed += (_, e) =>
            {
                Note(e.OldFullPath);
                Note(e.FullPath);
            };
            watcher.EnableRaisingEvents = true;
            return watcher;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            _log.Warning("{Directory} cannot be watched for changes: {Reason}. SIGHUP reads the configuration all the same", directory, e.Message);
            return null;
        }
    }

    private void OnChange(object sender, FileSystemEventArgs e) => Note(e.FullPath);

    // A source itself, something in a source that is a directory, or a directory on the way to a source that did not exist.
    private void Note(string path)
    {
        if (_sources.Any(s => path == s || path.StartsWith(s + "/", StringComparison.Ordinal) || s.StartsWith(path + "/", StringComparison.Ordinal)))
        {
            lock (_lock)
            {
                if (!_disposed)
                {
                    _quiet.Change(QuietMilliseconds, Timeout.Infinite);
                }
            }
        }
    }
}
