using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;

namespace Lodge.AbiMaps;

/// <summary>Command line: <c>abi-maps generate --kernel DIR | layouts --kernel DIR | emit [--root DIR]</c>.</summary>
public static class Program
{
    private const string Usage = """
        usage: abi-maps COMMAND [options]
          generate --kernel DIR   read a kernel tree, write tables/*.tsv (stops on open questions, listing every one)
          layouts --kernel DIR    compile hand/layouts.c for four ABIs (clang, llvm-dwarfdump, make, rsync), write tables/layouts.tsv
          emit                    write generated/*.g.cs and docs/syscall-coverage-*.md from the committed tables
        options:
          --check                 emit: write nothing, fail when a committed file is stale
          --root DIR              repository (default: the folder above abi-maps that holds this generator's tables)
          --headers DIR           layouts: where exported headers are kept (default: headers beside the kernel tree)
          --output DIR            where tables are written (default: ROOT/abi-maps/tables)
        """;

    /// <summary>Runs one command; 0 success, 1 open questions or a failed step, 2 usage.</summary>
    public static int Main(string[] args)
    {
        ArgumentNullException.ThrowIfNull(args);
        if (args.Length == 0)
        {
            Console.Error.WriteLine(Usage);
            return 2;
        }
        string root = Path.GetFullPath(Option(args, "--root") ?? FindRoot());
        string output = Option(args, "--output") ?? Path.Combine(root, "abi-maps/tables");
        string? kernel = Option(args, "--kernel");
        try
        {
            switch (args[0])
            {
                case "generate" when kernel is not null:
                    return Generate(root, kernel, output);
                case "layouts" when kernel is not null:
                    return Layouts(root, kernel, Option(args, "--headers") ?? Path.Combine(Path.GetDirectoryName(Path.GetFullPath(kernel).TrimEnd('/'))!, "headers"), output);
                case "emit":
                    return Emit(root, args.Contains("--check"));
                default:
                    Console.Error.WriteLine(Usage);
                    return 2;
            }
        }
        catch (Exception e) when (e is IOException or FormatException)
        {
            Console.Error.WriteLine($"abi-maps: {e.Message}");
            return 1;
        }
    }

    private static int Generate(string root, string kernel, string output)
    {
        var questions = new OpenQuestions();
        HandArguments hand = HandArguments.Parse(File.ReadAllText(Path.Combine(root, "abi-maps/hand/arguments.tsv")));
        var scans = new Dictionary<string, IReadOnlyList<Definition>>();
        foreach (string arch in new[] { "x86", "arm", "arm64" })
        {
            scans[arch] = DefinitionScanner.ScanTree(kernel, arch);
        }
        var files = new List<(string Name, string Text)>();
        foreach (string abi in Abi.All)
        {
            (string native, string compat) = abi switch
            {
                Abi.Arm => ("arm", "arm64"),
                Abi.Arm64 => ("arm64", "arm64"),
                _ => ("x86", "x86"),
            };
            var builder = new SyscallTableBuilder(abi, scans[native], scans[compat], hand, questions);
            IReadOnlyList<SyscallRow> rows = builder.Build(KernelTable.Read(kernel, abi));
            files.Add(($"{abi}.tsv", SyscallTableFile.Format(abi, rows)));
            Console.WriteLine($"{abi}: {rows.Count(r => r.IsImplemented)} calls, {rows.Count(r => !r.IsImplemented && !r.IsHole)} not implemented, {rows.Count(r => r.IsHole)} holes");
        }
        files.Add(("errno.tsv", ErrnoTable.Format(ErrnoTable.Read(kernel))));
        foreach (string unused in hand.Unused())
        {
            questions.Add(unused);
        }
        return Finish(questions, output, files);
    }

    private static int Layouts(string root, string kernel, string headers, string output)
    {
        var probe = new LayoutProbe(root, kernel, headers);
        IReadOnlyList<Layout> layouts = probe.Layouts();
        foreach (string abi in Abi.All)
        {
            Console.WriteLine($"{abi}: {layouts.Count(l => l.Abi == abi)} structures");
        }
        return Finish(new OpenQuestions(), output, [("layouts.tsv", LayoutTable.Format(layouts)), ("constants.tsv", ConstantTable.Format(probe.Constants()))]);
    }

    private static int Emit(string root, bool check)
    {
        var questions = new OpenQuestions();
        var notes = new List<string>();
        IReadOnlyDictionary<string, string> outputs = Emitter.Build(root, questions, notes);
        foreach (string note in notes)
        {
            Console.WriteLine(note);
        }
        if (!check || questions.All.Count > 0)
        {
            return Finish(questions, root, outputs.Select(o => (o.Key, o.Value)).ToList());
        }
        List<string> stale = outputs.Where(o => !File.Exists(Path.Combine(root, o.Key)) || File.ReadAllText(Path.Combine(root, o.Key)) != o.Value).Select(o => o.Key).ToList();
        foreach (string path in stale)
        {
            Console.Error.WriteLine($"abi-maps: {path} is not what the tables give: run make abi-emit");
        }
        return stale.Count > 0 ? 1 : 0;
    }

    private static int Finish(OpenQuestions questions, string output, List<(string Name, string Text)> files)
    {
        if (questions.All.Count > 0)
        {
            Console.Error.WriteLine($"abi-maps: {questions.All.Count} open questions, nothing written:");
            foreach (string question in questions.All)
            {
                Console.Error.WriteLine("  " + question);
            }
            return 1;
        }
        foreach ((string name, string text) in files)
        {
            if (Tsv.WriteIfChanged(Path.Combine(output, name), text))
            {
                Console.WriteLine($"wrote {Path.Combine(output, name)}");
            }
        }
        return 0;
    }

    private static string? Option(string[] args, string name)
    {
        int index = Array.IndexOf(args, name);
        return index > 0 && index + 1 < args.Length ? args[index + 1] : null;
    }

    private static string FindRoot()
    {
        for (DirectoryInfo? folder = new(Directory.GetCurrentDirectory()); folder is not null; folder = folder.Parent)
        {
            if (Directory.Exists(Path.Combine(folder.FullName, "abi-maps/hand")))
            {
                return folder.FullName;
            }
        }
        throw new IOException("no abi-maps/hand folder above the current one; use --root");
    }
}
