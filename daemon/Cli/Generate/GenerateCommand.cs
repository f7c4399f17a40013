using System;
using System.Collections.Generic;
using System.CommandLine;
using System.Diagnostics;
using System.IO;
using System.Linq;
using Lodge.Cli.Binfmt;

namespace Lodge.Cli.Generate;

/// <summary>
/// <c>lodge generate</c>, hidden: files below packaging that follow from the program itself. With --check nothing is written; status 1 and
/// the names of those that are out of date.
/// </summary>
internal static class GenerateCommand
{
    /// <summary>The command.</summary>
    public static Command Create(Func<RootCommand> root)
    {
        Argument<DirectoryInfo> directory = new("dir") { Description = "Where the files belong: the repository's packaging folder." };
        Option<bool> check = new("--check") { Description = "Compare, write nothing." };
        Command command = new("generate", "Write man pages, shell completion and binfmt.d files.") { directory, check };
        command.Hidden = true;
        command.SetAction(parsed => Run(Files(root()), parsed.GetRequiredValue(directory).FullName, parsed.GetValue(check)));
        return command;
    }

    /// <summary>All generated files: paths below the folder, and texts.</summary>
    public static IEnumerable<(string Path, string Text)> Files(RootCommand root)
    {
        CommandModel model = CommandModel.Of(root, "lodge");
        return ManPage.All(model, ExitCode.Meanings).Select(page => ("man/" + page.File, page.Text))
            .Append(("man/lodged.8", ServicePage()))
            .Append(("completion/lodge.bash", BashCompletion.Text(model)))
            .Append(("completion/_lodge", ZshCompletion.Text(model)))
            .Append(("completion/lodge.fish", FishCompletion.Text(model)))
            .Concat(BinfmtFiles.All());
    }

    // The service knows its own command line, and nobody else does.
    private static string ServicePage()
    {
        string program = Installation.Service() ?? throw new CommandException(ExitCode.NotFound, "lodged is not there to write its page");
        using Process? service = Process.Start(new ProcessStartInfo(program, ["--man-page"]) { RedirectStandardOutput = true });
        string page = service?.StandardOutput.ReadToEnd() ?? "";
        service?.WaitForExit();
        return service?.ExitCode == 0 ? page : throw new CommandException(ExitCode.Failure, $"{program}: has no page");
    }

    private static int Run(IEnumerable<(string Path, string Text)> files, string directory, bool check)
    {
        int status = ExitCode.Success;
        foreach ((string name, string text) in files)
        {
            string path = Path.Combine(directory, name);
            if (check && (!File.Exists(path) || File.ReadAllText(path) != text))
            {
                Output.Complain($"{path} is out of date: make packaging");
                status = ExitCode.Negative;
            }
            else if (!check)
            {
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                File.WriteAllText(path, text);
            }
        }

        return status;
    }
}
