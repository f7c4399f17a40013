using System;
using System.IO;

namespace Lodge.TranslatorTests;

/// <summary>Finds files of the source tree and of the build from wherever the tests run.</summary>
internal static class Repository
{
    /// <summary>The folder that holds Lodge.slnx.</summary>
    internal static string Root { get; } = FindRoot();

    /// <summary>A path below the root; the file must exist.</summary>
    internal static string File(string path)
    {
        string full = Path.Combine(Root, path);
        return System.IO.File.Exists(full) ? full : throw new FileNotFoundException($"{path} is missing: run make guests", full);
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
