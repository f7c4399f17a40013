using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;

namespace Lodge.Differential;

/// <summary>
/// <c>lodge-differential --shim PATH [--seed N] [--cases N] [--directory DIR] [--show N] [--seeded NAME]</c>: runs random cases natively and
/// under the shim. Last line: "N passed, N failed". Exit status 0 when nothing failed. With --seeded the shim is one with a fault in
/// instructions of that mnemonic: the run passes when they, and nothing else, are named as where differences start.
/// </summary>
internal static class Program
{
    private static int Main(string[] args)
    {
        var options = new Dictionary<string, string>(StringComparer.Ordinal);
        for (int i = 0; i + 1 < args.Length; i += 2)
        {
            options[args[i]] = args[i + 1];
        }
        string shim = options.GetValueOrDefault("--shim", "out/bin/lodge-shim");
        ulong seed = ulong.Parse(options.GetValueOrDefault("--seed", "1"), System.Globalization.CultureInfo.InvariantCulture);
        int cases = int.Parse(options.GetValueOrDefault("--cases", "200000"), System.Globalization.CultureInfo.InvariantCulture);
        int show = int.Parse(options.GetValueOrDefault("--show", "10"), System.Globalization.CultureInfo.InvariantCulture);
        string directory = options.GetValueOrDefault("--directory", Path.Combine("out", "differential"));
        Directory.CreateDirectory(directory);
        var run = new DifferentialRun(directory, seed, cases, show);
        int status = run.Execute(shim);
        if (run.IsSkipped || !options.TryGetValue("--seeded", out string? mnemonic))
        {
            return status;
        }
        int found = run.Culprits.Count(row => row == mnemonic), other = run.Culprits.Count - found;
        Console.WriteLine($"seeded fault in {mnemonic}: {found} differences start there, {other} elsewhere");
        bool caught = found > 0 && other == 0;
        Console.WriteLine(caught ? "1 passed, 0 failed" : "0 passed, 1 failed");
        return caught ? 0 : 1;
    }
}
