using System.Diagnostics;
using System.IO;
using Lodge.Client;

namespace Lodge.Cli;

/// <summary>Starting the user's own service.</summary>
internal static class UserService
{
    /// <summary>
    /// Starts a service for this user, in a session of its own, unless one answers (the user's or the system's), none is installed, or there is no
    /// runtime directory for it. Does not wait for it: the program that is about to start does not need it.
    /// </summary>
    public static void EnsureStarted()
    {
        if (ServiceAddress.User is not { } user || !Directory.Exists(Path.GetDirectoryName(Path.GetDirectoryName(user)))
            || Installation.Service() is not { } program || Answers())
        {
            return;
        }

        // A new session, so that the terminal's signals do not reach it; of our descriptors none but /dev/null.
        string[] words = ["--fork", "sh", "-c", "exec \"$0\" \"$@\" </dev/null >/dev/null 2>&1", program, "--user"];
        using Process? started = Process.Start(new ProcessStartInfo("setsid", words) { UseShellExecute = false });
        started?.WaitForExit();
    }

    private static bool Answers()
    {
        try
        {
            foreach (string path in ServiceAddress.Candidates)
            {
                if (File.Exists(path))
                {
                    ServiceConnection.Open(path).Dispose();
                    return true;
                }
            }
        }
        catch (ServiceException)
        {
            // A socket that nobody listens on any more.
        }

        return false;
    }
}
