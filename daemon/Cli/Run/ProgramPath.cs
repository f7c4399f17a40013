using System;
using System.IO;

namespace Lodge.Cli.Run;

/// <summary>Finds programs as execvp(3) does.</summary>
internal static class ProgramPath
{
    private const string StandardPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    /// <summary>
    /// The path for a program's name, seen from inside <paramref name="root"/>. A name with a slash stays as it is. A name that is nowhere
    /// stays, too: the shim says that it is not found.
    /// </summary>
    public static string Resolve(string name, string? root)
    {
        if (name.Contains('/', StringComparison.Ordinal))
        {
            return name;
        }

        foreach (string directory in (Environment.GetEnvironmentVariable("PATH") ?? StandardPath).Split(':'))
        {
            string inside = Path.Combine(directory.Length == 0 ? "." : directory, name);
            string outside = root == null ? inside : Path.Join(root, inside);
            if (File.Exists(outside)
                && (File.GetUnixFileMode(outside) & (UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute)) != 0)
            {
                return inside;
            }
        }

        return name;
    }
}
