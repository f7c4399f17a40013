using System;
using System.IO;
using System.Text;
using Lodge.Protocol;

namespace Lodge.Client;

/// <summary>Paths of the services' sockets.</summary>
public static class ServiceAddress
{
    /// <summary>/run/lodge/lodged.sock.</summary>
    public static string System => Encoding.ASCII.GetString(ServicePaths.SystemSocket);

    /// <summary>$XDG_RUNTIME_DIR/lodge/lodged.sock; null without an absolute $XDG_RUNTIME_DIR.</summary>
    public static string? User
    {
        get
        {
            string? directory = Environment.GetEnvironmentVariable(Encoding.ASCII.GetString(ServicePaths.RuntimeDirectoryVariable));
            return directory != null && Path.IsPathRooted(directory)
                ? directory.TrimEnd('/') + Encoding.ASCII.GetString(ServicePaths.UserSocketSuffix)
                : null;
        }
    }

    /// <summary>What to try, in the order in which guests try: the user's, then the system's.</summary>
    public static string[] Candidates => User is { } user ? [user, System] : [System];
}
