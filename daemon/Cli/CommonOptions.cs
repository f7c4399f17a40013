using System.CommandLine;

namespace Lodge.Cli;

/// <summary>Options that every command takes.</summary>
internal static class CommonOptions
{
    /// <summary>Machine-readable output.</summary>
    public static readonly Option<bool> Json = new("--json")
    {
        Description = "Print JSON instead of tables.",
        Recursive = true,
    };

    /// <summary>No colours, lines or live updates, on a terminal, too.</summary>
    public static readonly Option<bool> Plain = new("--plain", "--no-color")
    {
        Description = "Print plain text, on a terminal, too. The default where standard output is no terminal or NO_COLOR is set.",
        Recursive = true,
    };
}
