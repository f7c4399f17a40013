using System.Collections.Generic;

namespace Lodge.Cli;

/// <summary>Exit statuses of <c>lodge</c>, the same for every command (docs/lodge.md lists them). <c>run</c> and <c>trace</c> end with the program's
/// own.</summary>
internal static class ExitCode
{
    /// <summary>Done.</summary>
    public const int Success = 0;
    /// <summary>The command worked, and its answer is no: a check failed, an entry is not registered, a configuration is wrong.</summary>
    public const int Negative = 1;
    /// <summary>The command line is wrong.</summary>
    public const int Usage = 2;
    /// <summary>The command could not do its work: a file is missing, the kernel refused.</summary>
    public const int Failure = 3;
    /// <summary>The service does not run, and the command needs it.</summary>
    public const int NoService = 4;
    /// <summary>More privilege is needed.</summary>
    public const int NotPermitted = 5;
    /// <summary>A fault of lodge itself (EX_SOFTWARE of sysexits.h).</summary>
    public const int Internal = 70;
    /// <summary><c>run</c>, <c>trace</c>: the program or the shim was found but cannot be executed.</summary>
    public const int CannotExecute = 126;
    /// <summary><c>run</c>, <c>trace</c>: the program or the shim was not found.</summary>
    public const int NotFound = 127;

    /// <summary>All of them with what they mean, for the manual pages.</summary>
    public static readonly IReadOnlyList<(int Status, string Meaning)> Meanings =
    [
        (Success, "Done."),
        (Negative, "The command worked, and its answer is no: a check failed, an entry is not registered, a configuration is wrong."),
        (Usage, "The command line is wrong."),
        (Failure, "The command could not do its work: a file is missing, the kernel refused."),
        (NoService, "No service runs, and the command needs one."),
        (NotPermitted, "More privilege is needed."),
        (Internal, "A fault of Lodge itself."),
        (CannotExecute, "run, trace: the program or the shim cannot be executed. Otherwise these two end with the program's own status, 128 + N in trace when signal N ended it."),
        (NotFound, "run, trace: the program or the shim was not found."),
    ];
}
