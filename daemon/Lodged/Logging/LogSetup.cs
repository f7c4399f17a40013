using System;
using System.Globalization;
using System.IO;
using Serilog;
using Serilog.Core;
using Serilog.Events;

namespace Lodge.Service;

/// <summary>Makes the log: console, file or journal, written by a thread of its own.</summary>
internal static class LogSetup
{
    private const string LineFormat = "{Timestamp:yyyy-MM-dd HH:mm:ss.fff} {Level:u4} {Message:l}{NewLine}{Exception}";
    private const int FilesKept = 5;
    private const long FileSize = 16L * 1024 * 1024;

    /// <summary>
    /// The log that <paramref name="target"/> names: <c>console</c>, <c>journal</c>, <c>file:PATH</c>, or <c>auto</c> (journal under systemd, else
    /// console).
    /// The caller disposes it, which writes out what is left.
    /// </summary>
    public static Logger Create(string target, LogEventLevel level)
    {
        ILogEventSink sink = Sink(target);
        return new LoggerConfiguration().MinimumLevel.Is(level).WriteTo.Sink(new BackgroundSink(sink)).CreateLogger();
    }

    private static ILogEventSink Sink(string target)
    {
        if (target == "auto")
        {
            target = Environment.GetEnvironmentVariable("JOURNAL_STREAM") is { Length: > 0 } ? "journal" : "console";
        }

        if (target == "journal")
        {
            return File.Exists(JournalSink.SocketPath) ? new JournalSink(JournalSink.SocketPath) : new PrioritySink(Console.OpenStandardError());
        }

        const string FilePrefix = "file:";
        if (target.StartsWith(FilePrefix, StringComparison.Ordinal))
        {
            return new LoggerConfiguration().MinimumLevel.Verbose()
                .WriteTo.File(target[FilePrefix.Length..], outputTemplate: LineFormat, formatProvider: CultureInfo.InvariantCulture,
                    fileSizeLimitBytes: FileSize, rollOnFileSizeLimit: true, retainedFileCountLimit: FilesKept, shared: false)
                .CreateLogger();
        }

        return new LoggerConfiguration().MinimumLevel.Verbose()
            .WriteTo.Console(outputTemplate: LineFormat, formatProvider: CultureInfo.InvariantCulture, standardErrorFromLevel: LogEventLevel.Verbose)
            .CreateLogger();
    }
}
