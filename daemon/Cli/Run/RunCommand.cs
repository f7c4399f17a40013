using System.CommandLine;
using Lodge.Cli.Configuration;
using Lodge.Interop;

namespace Lodge.Cli.Run;

/// <summary><c>lodge run</c>: this process becomes the program, so that its exit status, signals, pid and descriptors are the program's.</summary>
internal static class RunCommand
{
    private static readonly Option<bool> s_strace = new("--strace")
    {
        Description = "Write the program's system calls to standard error (lodge trace can do more).",
    };

    private static readonly Option<bool> s_noService = new("--no-service")
    {
        Description = "Do not start the user's service where no service runs.",
    };

    /// <summary>The command.</summary>
    public static Command Create()
    {
        ProgramCommand command = new("run", "Run a 32-bit program.") { s_strace, s_noService };
        RunOptions options = new(command);
        command.SetAction(parsed => Run(command, options, parsed));
        return command;
    }

    private static int Run(ProgramCommand command, RunOptions options, ParseResult parsed)
    {
        byte[][] environment = options.Apply(parsed, ProcessStart.Environment());
        string[] words = parsed.GetRequiredValue(command.Words);
        string shim = Installation.Shim();
        if (!parsed.GetValue(s_noService))
        {
            UserService.EnsureStarted();
        }

        byte[][] arguments = ShimArguments.Build(words, parsed.GetValue(command.Root), parsed.GetValue(s_strace) ? ["--strace"] : []);
        ProcessStart.RestoreDescriptorLimit();
        int error = LinuxCalls.Execute(shim, arguments, environment);
        const int ENOENT = 2;
        throw new CommandException(error == -ENOENT ? ExitCode.NotFound : ExitCode.CannotExecute, $"{shim}: cannot be executed, errno {-error}");
    }
}
