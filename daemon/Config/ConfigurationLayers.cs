using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;

namespace Lodge.Config;

/// <summary>
/// The files that make up one compiled file: lodge.jsonc and apps.d/*.jsonc of one directory. The system's and the user's are compiled
/// separately; the shim applies the user's on top of the system's.
/// </summary>
public sealed class ConfigurationLayers
{
    /// <summary>Where the system's configuration is compiled to.</summary>
    public const string SystemTarget = "/var/lib/lodge/config.bin";

    /// <summary>Where the system's files are.</summary>
    public const string SystemDirectory = "/etc/lodge";

    private ConfigurationLayers(string directory)
    {
        Directory = directory;
    }

    /// <summary>The directory with lodge.jsonc and apps.d.</summary>
    public string Directory { get; }

    /// <summary>Directories whose changes matter; they need not exist.</summary>
    public IReadOnlyList<string> Watched => [Directory, Path.Combine(Directory, "apps.d")];

    /// <summary>The system's files.</summary>
    public static ConfigurationLayers System(string directory = SystemDirectory) => new(directory);

    /// <summary>A user's files: $XDG_CONFIG_HOME/lodge, or ~/.config/lodge. Null where there is neither.</summary>
    public static ConfigurationLayers? User()
    {
        string? home = Environment.GetEnvironmentVariable("XDG_CONFIG_HOME");
        if (string.IsNullOrEmpty(home) || home[0] != '/')
        {
            string? own = Environment.GetEnvironmentVariable("HOME");
            home = string.IsNullOrEmpty(own) ? null : Path.Combine(own, ".config");
        }

        return home == null ? null : new ConfigurationLayers(Path.Combine(home, "lodge"));
    }

    /// <summary>Where a user's configuration is compiled to: $XDG_RUNTIME_DIR/lodge/config.bin. Null without that variable.</summary>
    public static string? UserTarget()
    {
        string? runtime = Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR");
        return string.IsNullOrEmpty(runtime) || runtime[0] != '/' ? null : Path.Combine(runtime, "lodge", "config.bin");
    }

    /// <summary>The files that exist, in the order in which they apply: lodge.jsonc, then apps.d by name (bytewise).</summary>
    /// <param name="diagnostics">A directory that cannot be read is reported here.</param>
    public IReadOnlyList<string> Files(ICollection<Diagnostic> diagnostics)
    {
        ArgumentNullException.ThrowIfNull(diagnostics);
        List<string> files = [];
        string main = Path.Combine(Directory, "lodge.jsonc");
        if (File.Exists(main))
        {
            files.Add(main);
        }

        string apps = Path.Combine(Directory, "apps.d");
        try
        {
            files.AddRange(global::System.IO.Directory.EnumerateFiles(apps, "*.jsonc")
                .Where(f => !Path.GetFileName(f).StartsWith('.'))
                .Order(StringComparer.Ordinal));
        }
        catch (DirectoryNotFoundException)
        {
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            diagnostics.Add(new Diagnostic(apps, default, Severity.Error, "cannot be read: " + unreadable.Message));
        }

        return files;
    }
}
