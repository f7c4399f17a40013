using System;
using System.Collections.Generic;
using System.IO;

namespace Lodge.Differential;

/// <summary>
/// <c>lodge-differential --shim PATH [--seed N] [--cases N] [--directory DIR] [--show N]</c>: runs random cases natively and under the
/// shim. Last line: "N passed, N failed". Exit status 0 when nothing failed.
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
        return run.Execute(shim);
    }
}
