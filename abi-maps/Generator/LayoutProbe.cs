using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;

namespace Lodge.AbiMaps;

/// <summary>Compiles hand/layouts.c for the four ABIs against a kernel's exported headers.</summary>
public sealed partial class LayoutProbe
{
    private static readonly (string Abi, string Target, string Arch)[] s_targets =
    [
        (Abi.I386, "i386-linux-gnu", "x86"),
        (Abi.Arm, "armv7-linux-gnueabihf", "arm"),
        (Abi.X64, "x86_64-linux-gnu", "x86"),
        (Abi.Arm64, "aarch64-linux-gnu", "arm64"),
    ];

    private readonly string _hand;
    private readonly string _headers;

    /// <summary>Uses the headers below <paramref name="headers"/>/ARCH, made from the kernel tree where they are missing.</summary>
    /// <param name="root">Repository.</param>
    /// <param name="kernel">Kernel tree; it is not written to.</param>
    /// <param name="headers">Folder for exported headers and scratch files.</param>
    public LayoutProbe(string root, string kernel, string headers)
    {
        _hand = Path.Combine(root, "abi-maps/hand");
        _headers = headers;
        foreach (string arch in s_targets.Select(t => t.Arch).Distinct())
        {
            string target = Path.Combine(headers, arch);
            if (!Directory.Exists(Path.Combine(target, "include/linux")))
            {
                string objects = Path.Combine(headers, "obj-" + arch);
                Directory.CreateDirectory(objects);
                Run("make", ["-s", "-C", kernel, $"ARCH={arch}", $"O={objects}", $"INSTALL_HDR_PATH={target}", "headers_install"]);
            }
        }
    }

    /// <summary>Layouts of all four ABIs.</summary>
    public IReadOnlyList<Layout> Layouts() => s_targets.SelectMany(t => LayoutTable.Read(Debug(t.Target, t.Arch, Path.Combine(_hand, "layouts.c")), t.Abi)).ToList();

    /// <summary>Values of every integer macro that hand/constants.c sees, by ABI.</summary>
    public IReadOnlyDictionary<string, IReadOnlyDictionary<string, Int128>> Constants() => s_targets.ToDictionary(t => t.Abi, t => Constants(t.Target, t.Arch));

    private IReadOnlyDictionary<string, Int128> Constants(string target, string arch)
    {
        string source = Path.Combine(_hand, "constants.c");
        string empty = Path.Combine(_headers, "empty.c");
        File.WriteAllText(empty, "");
        IReadOnlyList<string> names = ConstantTable.Names(
            Run("clang", [.. Flags(target, arch), "-E", "-dM", source]), Run("clang", [.. Flags(target, arch), "-E", "-dM", empty]));
        string probe = Path.Combine(_headers, $"constants-{arch}.c");
        File.WriteAllText(probe, ConstantTable.Probe(source, names));
        // Macros that are no integer constants are those whose lines the compiler refuses.
        string refused = Run("clang", [.. Flags(target, arch), "-ferror-limit=0", "-fsyntax-only", "-w", "-fno-caret-diagnostics", "-fno-diagnostics-show-note-include-stack", probe], mayFail: true);
        HashSet<int> bad = RefusedLine().Matches(refused).Select(m => int.Parse(m.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture)).ToHashSet();
        File.WriteAllText(probe, ConstantTable.Probe(source, names.Where((_, i) => !bad.Contains(i + 2))));
        return ConstantTable.Values(Debug(target, arch, probe));
    }

    private DwarfText Debug(string target, string arch, string source)
    {
        string output = Path.Combine(_headers, $"{Path.GetFileNameWithoutExtension(source)}-{target}.o");
        Run("clang", [.. Flags(target, arch), "-w", "-g", "-gdwarf-4", "-O0", "-c", "-o", output, source]);
        return DwarfText.Parse(Run("llvm-dwarfdump", ["--debug-info", output]));
    }

    private IEnumerable<string> Flags(string target, string arch) =>
    [
        "-target", target, "-nostdinc", "-ffreestanding", "-isystem", Path.Combine(_headers, arch, "include"), "-I", Path.Combine(_hand, "include"),
        "-Wno-gnu-variable-sized-type-not-at-end",
    ];

    private static string Run(string program, IEnumerable<string> arguments, bool mayFail = false)
    {
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }
        using Process process = Process.Start(start) ?? throw new IOException($"{program} does not start");
        System.Threading.Tasks.Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return mayFail ? errors.Result : process.ExitCode == 0 ? output : throw new IOException($"{program} {string.Join(' ', start.ArgumentList)}:\n{errors.Result}");
    }

    [GeneratedRegex(@"constants-\w+\.c:(\d+):\d+: error")]
    private static partial Regex RefusedLine();
}
