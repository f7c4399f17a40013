using System;
using System.CommandLine;
using System.Globalization;
using System.IO;
using System.IO.Pipes;
using System.Runtime.InteropServices;
using Lodge.Cli.Run;
using Lodge.Interop;

namespace Lodge.Cli.Trace;

/// <summary>
/// <c>lodge trace</c>: the shim's --strace with filters, a summary, JSON. The program is a child; it and what it starts write their traces into a
/// pipe.
/// Calls are decoded inside the traced processes, so that one that runs already cannot be traced.
/// </summary>
internal static class TraceCommand
{
    private static readonly Option<string[]> s_expressions = new("-e", "--trace")
    {
        Description = "Calls to show: [trace=][!]LIST of names, %classes (%file %desc %process %network %signal %memory %ipc %clock) and /regular expressions.",
        HelpName = "EXPRESSION",
        Arity = ArgumentArity.OneOrMore,
        AllowMultipleArgumentsPerToken = false,
    };

    private static readonly Option<bool> s_summary = new("-c", "--summary-only")
    {
        Description = "Print counts, errors and times by call at the end, and no lines.",
    };

    private static readonly Option<bool> s_both = new("-C", "--summary")
    {
        Description = "Print lines, and counts at the end.",
    };

    private static readonly Option<string?> s_output = new("-o", "--output")
    {
        Description = "Write to FILE instead of standard error.",
        HelpName = "FILE",
    };

    private static readonly Option<bool> s_times = new("-T", "--times")
    {
        Description = "End each line with the time that the call took, in seconds.",
    };

    private static readonly Option<bool> s_follow = new("-f", "--follow-forks")
    {
        Description = "Accepted for habit's sake: children and executed programs are always traced.",
    };

    /// <summary>The command.</summary>
    public static Command Create()
    {
        ProgramCommand command = new("trace", "Run a 32-bit program and show its system calls.") { s_expressions, s_summary, s_both, s_output,
            s_times, s_follow };
        command.SetAction(parsed => Run(command, parsed));
        return command;
    }

    private static int Run(ProgramCommand command, ParseResult parsed)
    {
        string[] words = parsed.GetRequiredValue(command.Words);
        string shim = Installation.Shim();
        TraceFilter filter = new(parsed.GetValue(s_expressions) ?? []);
        bool json = parsed.GetValue(CommonOptions.Json), only = parsed.GetValue(s_summary);
        TraceSummary? summary = only || parsed.GetValue(s_both) ? new TraceSummary() : null;
        string? file = parsed.GetValue(s_output);
        using StreamWriter writer = new(file == null ? Console.OpenStandardError() : new FileStream(file, FileMode.Create, FileAccess.Write,
            FileShare.Read));
        using AnonymousPipeServerStream pipe = new(PipeDirection.In, HandleInheritability.Inheritable);
        byte[][] arguments = ShimArguments.Build(words, parsed.GetValue(command.Root),
            ["--strace-fd=" + pipe.ClientSafePipeHandle.DangerousGetHandle().ToString(CultureInfo.InvariantCulture), "--strace-times"]);
        ProcessStart.RestoreDescriptorLimit();
        int child = LinuxCalls.Spawn(shim, arguments, ProcessStart.Environment());
        if (child < 0)
        {
            throw new CommandException(ExitCode.CannotExecute, $"{shim}: cannot be executed, errno {-child}");
        }

        pipe.DisposeLocalCopyOfClientHandle();

        // The terminal's signals reach the program, too; it decides. Others are passed on.
        using PosixSignalRegistration interrupt = Keep(PosixSignal.SIGINT, 0, 0), quit = Keep(PosixSignal.SIGQUIT, 0, 0);
        using PosixSignalRegistration terminate = Keep(PosixSignal.SIGTERM, child, 15), hangup = Keep(PosixSignal.SIGHUP, child, 1);
        using StreamReader reader = new(pipe, new System.Text.UTF8Encoding(false));
        new TraceReader(filter, summary, only ? null : writer, json, parsed.GetValue(s_times)).Run(reader);
        _ = LinuxCalls.WaitForChild(child, out int status);
        if (summary != null && json)
        {
            writer.WriteLine(summary.ToJson().ToJsonString());
        }
        else
        {
            summary?.ToTable().WritePlain(writer);
        }

        return (status & 0x7f) == 0 ? status >> 8 & 0xff : 128 + (status & 0x7f);
    }

    private static PosixSignalRegistration Keep(PosixSignal signal, int pid, int number)
        => PosixSignalRegistration.Create(signal, context =>
        {
            context.Cancel = true;
            if (pid != 0)
            {
                _ = LinuxCalls.SendSignal(pid, number);
            }
        });
}
