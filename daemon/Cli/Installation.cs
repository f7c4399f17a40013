using System;
using System.Collections.Generic;
using System.IO;

namespace Lodge.Cli;

/// <summary>
/// Where the parts of this Lodge are. A built tree and an installed one have the same shape: lib/lodge holds the .NET programs, bin or
/// libexec/lodge the shim.
/// </summary>
internal static class Installation
{
    private static readonly string[] s_places = ["", "../../bin", "../../libexec/lodge", "../bin"];

    /// <summary>The shim: LODGE_SHIM when set, else the one of this installation. Throws when there is none.</summary>
    public static string Shim()
    {
        string? named = Environment.GetEnvironmentVariable("LODGE_SHIM");
        if (!string.IsNullOrEmpty(named))
        {
            return File.Exists(named) ? Path.GetFullPath(named) : throw new CommandException(ExitCode.NotFound, $"LODGE_SHIM: {named}: not found");
        }

        return Find("lodge-shim") ?? throw new CommandException(ExitCode.NotFound,
            $"lodge-shim is not beside {AppContext.BaseDirectory}; set LODGE_SHIM");
    }

    /// <summary>The service's program, or null where it is not installed.</summary>
    public static string? Service() => Find("lodged");

    private static string? Find(string name)
    {
        foreach (string path in Candidates(name))
        {
            if (File.Exists(path))
            {
                return path;
            }
        }

        return null;
    }

    private static IEnumerable<string> Candidates(string name)
    {
        foreach (string place in s_places)
        {
            yield return Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, place, name));
        }
    }
}
