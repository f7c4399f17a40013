using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Text;
using Lodge.Config;
using Xunit;

[assembly: System.Runtime.Versioning.SupportedOSPlatform("linux")]

namespace Lodge.ConfigTests;

/// <summary>A directory of its own for each test, and the programs under test.</summary>
public class Scratch : IDisposable
{
    /// <summary>Longest run of a program.</summary>
    private const int Milliseconds = 120_000;

    protected Scratch()
    {
        Folder = Directory.CreateTempSubdirectory("lodge-config-").FullName;
        File.SetUnixFileMode(Folder, (UnixFileMode)0b111_101_101);
    }

    /// <summary>The directory.</summary>
    protected string Folder { get; }

    /// <summary>The folder that holds Lodge.slnx.</summary>
    internal static string Root { get; } = FindRoot();

    /// <inheritdoc/>
    public void Dispose()
    {
        Directory.Delete(Folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>A file of the build.</summary>
    protected static string Built(string path)
    {
        string full = Path.Combine(Root, "out", path);
        Assert.True(File.Exists(full), $"{path} is missing: make all guests");
        return full;
    }

    /// <summary>Writes a file below the directory.</summary>
    protected string Write(string name, string text)
    {
        string path = Path.Combine(Folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
        return path;
    }

    /// <summary>
    /// Makes an executable file below the directory. Another process writes it: were it open for writing here, a program that another test
    /// starts at that moment would hold the descriptor until its own execve, and ours would fail with ETXTBSY.
    /// </summary>
    protected string Executable(string name, string text)
    {
        string path = Path.Combine(Folder, name);
        Assert.Equal(0, Run(["/bin/sh", "-c", "printf %s \"$1\" > \"$0\" && chmod 755 \"$0\"", path, text]).Status);
        return path;
    }

    /// <summary>Copies a program of the build below the directory, likewise.</summary>
    protected string Copy(string program, string name)
    {
        string path = Path.Combine(Folder, name);
        Assert.Equal(0, Run(["/bin/cp", program, path]).Status);
        return path;
    }

    /// <summary>Reads and checks a text as a file called test.jsonc.</summary>
    internal static (IReadOnlyList<EntryTexts> Entries, string[] Problems) Parse(string text)
    {
        List<Diagnostic> diagnostics = [];
        using SchemaValidator validator = SchemaValidator.ForConfiguration();
        IReadOnlyList<EntryTexts> entries = ConfigurationFile.Parse("test.jsonc", Encoding.UTF8.GetBytes(text), validator, diagnostics);
        return (entries, [.. diagnostics.Select(d => d.ToString())]);
    }

    /// <summary>What a program did.</summary>
    internal sealed record Outcome(int Status, string Output, string Error)
    {
        /// <summary>Lines of standard output.</summary>
        internal string[] Lines => Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    /// <summary>Runs a program with nothing of Lodge in its environment but what is given.</summary>
    internal static Outcome Run(IReadOnlyList<string> command, IReadOnlyDictionary<string, string>? environment = null, string? directory = null)
    {
        ProcessStartInfo start = new(command[0])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = directory ?? "/",
        };
        foreach (string argument in command.Skip(1))
        {
            start.ArgumentList.Add(argument);
        }

        start.Environment.Clear();
        start.Environment["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin";
        start.Environment["HOME"] = "/nonexistent";
        start.Environment["DOTNET_ROOT"] = Environment.GetEnvironmentVariable("DOTNET_ROOT") ?? Path.GetDirectoryName(Environment.ProcessPath)!;
        foreach ((string name, string value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        using Process process = Process.Start(start)!;
        process.StandardInput.Close();
        System.Threading.Tasks.Task<string> output = process.StandardOutput.ReadToEndAsync();
        System.Threading.Tasks.Task<string> error = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(Milliseconds))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail(string.Join(' ', command) + ": still running");
        }

        return new Outcome(process.ExitCode, output.GetAwaiter().GetResult(), error.GetAwaiter().GetResult());
    }

    private static string FindRoot()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder != null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Lodge.slnx")))
            {
                return folder.FullName;
            }
        }

        throw new DirectoryNotFoundException("no Lodge.slnx above " + AppContext.BaseDirectory);
    }
}
