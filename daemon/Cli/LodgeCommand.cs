using System.CommandLine;
using Lodge.Cli.Binfmt;
using Lodge.Cli.Configuration;
using Lodge.Cli.Disasm;
using Lodge.Cli.Doctor;
using Lodge.Cli.Generate;
using Lodge.Cli.Guests;
using Lodge.Cli.Run;
using Lodge.Cli.Trace;

namespace Lodge.Cli;

/// <summary>The tree of commands. --help, the man pages and the shell completion are all made from it.</summary>
internal static class LodgeCommand
{
    /// <summary>Builds the tree anew.</summary>
    public static RootCommand Create()
        => new("Run 32-bit Linux programs on a 64-bit host, and look after what runs.")
        {
            CommonOptions.Json,
            CommonOptions.Plain,
            RunCommand.Create(),
            BinfmtCommand.Create(),
            PsCommand.Create(),
            TopCommand.Create(),
            TraceCommand.Create(),
            DisasmCommand.Create(),
            DoctorCommand.Create(),
            ConfigCommand.Create(),
            GenerateCommand.Create(Create),
        };
}
