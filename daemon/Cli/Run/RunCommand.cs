using System;
using System.Collections.Generic;
using System.CommandLine;
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
        command.SetAction(parsed => Run(command, parsed));
        return command;
    }

    private static int Run(ProgramCommand command, ParseResult parsed)
    {
        string[] words = parsed.GetRequiredValue(command.Words);
        string shim = Installation.Shim();
        string? root = parsed.GetValue(command.Root);
        if (!parsed.GetValue(s_noService))
        {
            UserService.EnsureStarted();
        }

        List<byte[]> arguments = [ProcessStart.Bytes("lodge-shim")];
        if (parsed.GetValue(s_strace))
        {
            arguments.Add(ProcessStart.Bytes("--strace"));
        }

        if (root != null)
        {
            arguments.Add(ProcessStart.Bytes("--root=" + root));
        }

        byte[][] given = ProcessStart.LastArguments(words.Length);
        string path = ProgramPath.Resolve(words[0], root);
        if (path != words[0])
        {
            given[0] = ProcessStart.Bytes(path);
        }

        arguments.Add(ProcessStart.Bytes("--"));
        arguments.AddRange(given);
        Console.Out.Flush();
        ProcessStart.RestoreDescriptorLimit();
        int error = LinuxCalls.Execute(shim, [.. arguments], ProcessStart.Environment());
        const int ENOENT = 2;
        throw new CommandException(error == -ENOENT ? ExitCode.NotFound : ExitCode.CannotExecute, $"{shim}: cannot be executed, errno {-error}");
    }
}
