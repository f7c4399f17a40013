using System.CommandLine;
using Lodge.Client;
using Mono.Unix.Native;

namespace Lodge.Cli.Guests;

/// <summary>Reaching the service from a command.</summary>
internal static class ServiceOptions
{
    /// <summary>Which service is asked.</summary>
    public static Option<string?> Socket() => new("--socket")
    {
        Description = "Ask the service at this socket. Default: the user's, else the system's.",
        HelpName = "PATH",
    };

    /// <summary>Connects; the command ends with a message when nobody answers.</summary>
    public static ServiceClient Connect(string? socket)
    {
        try
        {
            return socket == null ? new ServiceClient() : new ServiceClient(socket);
        }
        catch (ServiceException refused)
        {
            throw Failure(refused);
        }
    }

    /// <summary>The end of a command for which the service had no answer.</summary>
    public static CommandException Failure(ServiceException refused)
        => refused.NotRunning ? new CommandException(ExitCode.NoService,
            "no service runs; guests run without one, but nobody keeps a list of them (lodge doctor says how to start one)")
            : new CommandException(refused.Errno == Errno.EPERM ? ExitCode.NotPermitted : ExitCode.Failure, refused.Message);
}
