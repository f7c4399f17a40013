using System.CommandLine;

namespace Lodge.Cli.Run;

/// <summary>A command that starts a guest program: options, then the program, then whatever the program takes.</summary>
internal sealed class ProgramCommand : Command, Passthrough.IProgramCommand
{
    public ProgramCommand(string name, string description)
        : base(name, description)
    {
        Options.Add(Root);
        Arguments.Add(Words);
    }

    /// <summary>Directory to run in.</summary>
    public Option<string?> Root { get; } = new("--root")
    {
        Description = "Use DIR as the program's root directory.",
        HelpName = "DIR",
    };

    /// <summary>The program and its arguments.</summary>
    public Argument<string[]> Words { get; } = new("program")
    {
        Description = "The program, found as the shell finds it, and its arguments. Options in front of it are lodge's, all others its own.",
        Arity = ArgumentArity.OneOrMore,
    };
}
