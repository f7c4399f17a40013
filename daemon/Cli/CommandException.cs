using System;

namespace Lodge.Cli;

/// <summary>A command ends with one line on standard error and an exit status.</summary>
internal sealed class CommandException : Exception
{
    public CommandException(int status, string message)
        : base(message) => Status = status;

    /// <summary>One of <see cref="ExitCode"/>.</summary>
    public int Status { get; }
}
