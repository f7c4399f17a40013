using System;
using System.CommandLine;
using System.IO;

[assembly: System.Runtime.Versioning.SupportedOSPlatform("linux")]

namespace Lodge.Cli;

/// <summary>
/// The entry point. Everything runs synchronously on the first thread: `run` executes another program from it, which inherits that
/// thread's signal mask.
/// </summary>
internal static class Program
{
    private static int Main(string[] args)
    {
        RootCommand root = LodgeCommand.Create();
        ParseResult parsed = root.Parse(Passthrough.Separate(root, args), new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.Errors.Count > 0)
        {
            foreach (System.CommandLine.Parsing.ParseError error in parsed.Errors)
            {
                Output.Complain(error.Message);
            }

            Output.Complain("try --help");
            return ExitCode.Usage;
        }

        try
        {
            return parsed.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
        }
        catch (CommandException failure)
        {
            Output.Complain(failure.Message);
            return failure.Status;
        }
        catch (Exception failure) when (failure is UnauthorizedAccessException)
        {
            Output.Complain(failure.Message);
            return ExitCode.NotPermitted;
        }
        catch (Exception failure) when (failure is IOException)
        {
            Output.Complain(failure.Message);
            return ExitCode.Failure;
        }
    }
}
