using System;
using System.IO;

namespace Lodge.DaemonTests;

/// <summary>Finds files of the source tree and of the build from wherever the tests run.</summary>
internal static class Repository
{
    /// <summary>The folder that holds Lodge.slnx.</summary>
    internal static string Root { get; } = FindRoot();

    /// <summary>The service.</summary>
    internal static string Lodged => File("out/bin/lodged");

    /// <summary>The shim.</summary>
    internal static string Shim => File("out/bin/lodge-shim");

    /// <summary>A guest that waits for the end of its input.</summary>
    internal static string Hold => File("out/guest/i386/bench/hold");

    /// <summary>A path below the root; the file must exist.</summary>
    internal static string File(string path)
    {
        string full = Path.Combine(Root, path);
        return System.IO.File.Exists(full) ? full : throw new FileNotFoundException($"{path} is missing: run make and make guests", full);
    }

    private static string FindRoot()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder != null; folder = folder.Parent)
        {
            if (System.IO.File.Exists(Path.Combine(folder.FullName, "Lodge.slnx")))
            {
                return folder.FullName;
            }
        }

        throw new DirectoryNotFoundException("no Lodge.slnx above " + AppContext.BaseDirectory);
    }
}
