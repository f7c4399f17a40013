using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Runtime.InteropServices;
using Lodge.Differential.Generation;

namespace Lodge.Differential;

/// <summary>One run: generate, execute twice, compare, explain.</summary>
internal sealed class DifferentialRun(string directory, ulong seed, int count, int show)
{
    private const int MaxSequence = 1024;

    private readonly CaseRecord[] cases = new CaseRecord[count];
    private readonly ushort[] forced = new ushort[count];
    private byte[] code = [];

    /// <summary>Mnemonics of the instructions at which differences start; empty for one that is not known.</summary>
    public List<string> Culprits { get; } = [];

    /// <summary>True when this machine cannot run the cases.</summary>
    public bool IsSkipped { get; private set; }

    public int Execute(string shim)
    {
        var watch = Stopwatch.StartNew();
        string caseFile = Path.Combine(directory, "cases.bin"), runner = Path.Combine(directory, "runner");
        if (!BuildRunner(runner))
        {
            IsSkipped = true;
            Console.WriteLine("skip: no i686-linux-gnu-gcc");
            Console.WriteLine("0 passed, 0 failed, 1 skipped");
            return 0;
        }
        int[] hits = Generate(caseFile, out int rows);
        Console.WriteLine($"seed {seed}, {count} cases, {code.Length / Math.Max(count, 1)} bytes each on average, generated in {watch.Elapsed.TotalSeconds:F1} s");
        string native = Path.Combine(directory, "native.bin"), translated = Path.Combine(directory, "translated.bin");
        watch.Restart();
        File.Delete(native);
        File.Delete(translated);
        if (!Start(runner, [caseFile, native]))
        {
            if (File.Exists(native))
            {
                Console.WriteLine("the native run ended early");
                Console.WriteLine("0 passed, 1 failed");
                return 1;
            }
            IsSkipped = true;
            Console.WriteLine("skip: this machine does not run i386 programs natively");
            Console.WriteLine("0 passed, 0 failed, 1 skipped");
            return 0;
        }
        TimeSpan nativeTime = watch.Elapsed;
        watch.Restart();
        bool finished = Start(shim, [runner, caseFile, translated]);
        Console.WriteLine($"native {nativeTime.TotalSeconds:F1} s, translated {watch.Elapsed.TotalSeconds:F1} s{(finished ? "" : ", which ended early")}");
        ResultRecord[] expected = Read(native), actual = File.Exists(translated) ? Read(translated) : [];
        var bad = new List<int>();
        int open = 0;
        for (int i = 0; i < count; i++)
        {
            if (i < actual.Length && (NearStack(expected[i]) != NearStack(actual[i])))
            {
                open++;
            }
            else if (i >= actual.Length || !Same(expected[i], actual[i]))
            {
                bad.Add(i);
            }
        }
        if (bad.Count <= 50)
        {
            // Random addresses may hit the heap or the vDSO, whose places change from run to run: what agrees in runs of its own is set aside.
            open += bad.RemoveAll(i => i < actual.Length && AgreesAlone(runner, shim, caseFile, i));
        }
        Report(bad, expected, actual, runner, shim, caseFile);
        int faults = expected.Count(e => e.Signal != 0);
        Console.WriteLine($"rows hit: {hits.Skip(1).Count(h => h > 0)} of {rows} (least often {hits.Where((_, r) => r > 0 && !SequenceGenerator.IsExcluded((ushort)r)).Min()} times), "
            + $"{I386Random.Rows.Count - 1 - rows} excluded; cases that end in a fault: {100.0 * faults / count:F0} %");
        if (open > 0)
        {
            Console.WriteLine($"skip: {open} cases reach mappings of the process whose place differs");
        }
        Console.WriteLine($"{count - bad.Count - open} passed, {bad.Count} failed, {open} skipped");
        return bad.Count == 0 && finished ? 0 : 1;
    }

    private int[] Generate(string path, out int rows)
    {
        var generator = new SequenceGenerator();
        rows = generator.Forced.Count;
        var hits = new int[I386Random.Rows.Count];
        var all = new MemoryStream();
        Span<byte> one = new byte[MaxSequence];
        uint start = CaseFile.Code + (uint)CaseFile.CodeOffset(count);
        for (int i = 0; i < count; i++)
        {
            var rng = CaseRng(i);
            forced[i] = generator.Forced[i % generator.Forced.Count];
            int length = generator.Generate(ref rng, forced[i], start + (uint)all.Length, one, out cases[i], hits);
            all.Write(one[..length]);
        }
        code = all.ToArray();
        var images = new Rng(seed);
        CaseFile.Write(path, cases, code, ref images);
        return hits;
    }

    private static bool BuildRunner(string program)
    {
        string source = Path.Combine(AppContext.BaseDirectory, "runner.c");
        return Start("i686-linux-gnu-gcc", ["-O1", "-static", "-fno-pie", "-no-pie", "-fno-stack-protector", "-o", program, source]);
    }

    private static bool Start(string program, string[] arguments)
    {
        try
        {
            // Without randomisation the process mappings that a random address may hit lie at the same places in both runs.
            using Process p = Process.Start("setarch", ["--addr-no-randomize", program, .. arguments]);
            if (!p.WaitForExit(120_000))
            {
                p.Kill();
                Console.WriteLine($"{program}: stopped after 120 s");
                return false;
            }
            if (p.ExitCode != 0)
            {
                Console.WriteLine($"{program}: exit status {p.ExitCode}");
            }
            return p.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            Console.WriteLine($"{program}: {e.Message}");
            return false;
        }
    }

    private static ResultRecord[] Read(string path) => MemoryMarshal.Cast<byte, ResultRecord>(File.ReadAllBytes(path)).ToArray();

    /// <summary>The same but for what the kernel leaves open: null selectors come back as any of 0 to 3.</summary>
    private static bool Same(ResultRecord a, ResultRecord b)
    {
        Normalise(ref a);
        Normalise(ref b);
        if (a.Signal == 11 && b.Signal == 11 && a.Address == b.Address && a.Address >= CaseFile.Code + 0x10000000)
        {
            // Other mappings of the process (vDSO, heap) are not everywhere the same: mapped or not is their affair.
            a.Code = b.Code;
        }
        if (a.Signal is 4 or 7 or 8 or 11)
        {
            // Arithmetic flags that a following instruction overwrites unseen are not kept for the frame of a fault before it.
            Mask(ref a);
            Mask(ref b);
        }
        return Equal(a, b);
    }

    /// <summary>Did the case fault in the highest part of the address space, where the stack is, in different places?</summary>
    private static bool NearStack(in ResultRecord r) => r.Signal == 11 && r.Code is 1 or 2 && r.Address is >= 0xF0000000 and < 0xFFFFF000;

    private static unsafe void Mask(ref ResultRecord r) => r.FlagsAndSegments[0] &= ~(uint)Lodge.Translator.I386.I386Flags.Arith;

    private static unsafe void Normalise(ref ResultRecord r)
    {
        for (int i = 1; i < 5; i++)
        {
            r.FlagsAndSegments[i] = r.FlagsAndSegments[i] < 4 ? 0 : r.FlagsAndSegments[i];
        }
    }

    private static bool Equal(in ResultRecord a, in ResultRecord b) =>
        MemoryMarshal.AsBytes(new ReadOnlySpan<ResultRecord>(in a)).SequenceEqual(MemoryMarshal.AsBytes(new ReadOnlySpan<ResultRecord>(in b)));

    /// <summary>What differs, by the instruction that starts it, then one case of each in full.</summary>
    private void Report(List<int> bad, ResultRecord[] expected, ResultRecord[] actual, string runner, string shim, string caseFile)
    {
        if (bad.Count == 0)
        {
            return;
        }
        if (actual.Length < count)
        {
            int end = WhereItEnds(actual.Length, runner, shim, caseFile);
            Console.WriteLine($"results end before case {end}:");
            CaseReport.Print(end, cases[end], Code(end), null, null);
            bad = [.. bad.Where(i => i < actual.Length)];
        }
        var culprits = FindCulprits([.. bad.Take(500)], runner, shim).GroupBy(c => c.Row).OrderByDescending(g => g.Count()).ToList();
        Culprits.AddRange(culprits.SelectMany(g => g.Select(_ => g.Key == 0 ? "" : I386Random.Rows[g.Key]!.Mnemonic)));
        Console.WriteLine($"of the first {Math.Min(bad.Count, 500)}, the difference starts at:");
        foreach (IGrouping<ushort, Culprit> g in culprits)
        {
            Console.WriteLine($"  {g.Count(),5} × {(g.Key == 0 ? "(not found)" : I386Random.Rows[g.Key]!.Text)}   (case {string.Join(' ', g.Take(3).Select(c => c.Case))})");
        }
        foreach (IGrouping<ushort, Culprit> g in culprits.Take(show))
        {
            int i = g.First().Case;
            if (Detail(runner, null, caseFile, i) is { } a && Detail(runner, shim, caseFile, i) is { } b)
            {
                Console.WriteLine($"--- {(g.Key == 0 ? "" : I386Random.Rows[g.Key]!.Text)}");
                CaseReport.Print(i, cases[i], Code(i), a, b);
                Console.WriteLine(g.Key == 0 ? "  among the others:" : "  right behind that instruction:");
                CaseReport.Differences(g.Key == 0 ? expected[i] : g.First().Expected, g.Key == 0 ? actual[i] : g.First().Actual);
            }
        }
    }

    /// <summary>Results are written in blocks; one by one they show the case that ended the run.</summary>
    private int WhereItEnds(int first, string runner, string shim, string caseFile)
    {
        string path = Path.Combine(directory, "detail.bin");
        File.Delete(path);
        Start(shim, [runner, caseFile, path, Text(first), Text(Math.Min(4096, count - first))]);
        long done = File.Exists(path) ? new FileInfo(path).Length / (Marshal.SizeOf<ResultRecord>() + CaseFile.ImageSize + CaseFile.DataSize) : 0;
        return Math.Min(first + (int)done, count - 1);
    }

    private static string Text(int n) => n.ToString(System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>The row at which a case begins to differ, and the states right behind it.</summary>
    private readonly record struct Culprit(int Case, ushort Row, ResultRecord Expected, ResultRecord Actual);

    /// <summary>Runs each case cut off behind its first, second, … instruction: the first length that differs names the culprit.</summary>
    private List<Culprit> FindCulprits(List<int> bad, string runner, string shim)
    {
        string file = Path.Combine(directory, "cut.bin"), native = Path.Combine(directory, "cut-native.bin"), translated = Path.Combine(directory, "cut-translated.bin");
        var generator = new SequenceGenerator();
        var hits = new int[I386Random.Rows.Count];
        var cut = new List<(int Case, ushort Row)>();
        foreach (int i in bad)
        {
            var rng = CaseRng(i);
            generator.Generate(ref rng, forced[i], 0, new byte[MaxSequence], out _, hits);
            cut.AddRange(generator.Items.Skip(1).Select((_, k) => (i, generator.Items[k].Row)));
        }
        var records = new CaseRecord[cut.Count];
        var all = new MemoryStream();
        uint start = CaseFile.Code + (uint)CaseFile.CodeOffset(cut.Count);
        Span<byte> one = new byte[MaxSequence];
        int n = 0;
        foreach (int i in bad)
        {
            for (int k = 1; n < cut.Count && cut[n].Case == i; k++, n++)
            {
                var rng = CaseRng(i);
                int length = generator.Generate(ref rng, forced[i], start + (uint)all.Length, one, out records[n], hits);
                // INT3 everywhere behind the cut: branches cannot get around it.
                one[generator.Items[k].Offset..length].Fill(0xCC);
                all.Write(one[..length]);
            }
        }
        var images = new Rng(seed);
        CaseFile.Write(file, records, all.ToArray(), ref images);
        Start(runner, [file, native]);
        Start(shim, [runner, file, translated]);
        ResultRecord[] expected = Read(native), actual = Read(translated);
        var found = new List<Culprit>();
        foreach (int i in bad)
        {
            int at = cut.FindIndex(c => c.Case == i);
            while (at < actual.Length && cut[at].Case == i && Same(expected[at], actual[at]))
            {
                at++;
            }
            bool there = at < actual.Length && cut[at].Case == i;
            found.Add(there ? new Culprit(i, cut[at].Row, expected[at], actual[at]) : new Culprit(i, 0, default, default));
        }
        return found;
    }

    /// <summary>Every case has its own generator: it stays the same when others change.</summary>
    private Rng CaseRng(int i) => new(seed ^ ((ulong)(i + 1) * 0xD1342543DE82EF95));

    private ReadOnlySpan<byte> Code(int i)
    {
        int at = (int)(cases[i].Entry - cases[0].Entry), end = i + 1 < count ? (int)(cases[i + 1].Entry - cases[0].Entry) : code.Length;
        return code.AsSpan(at, end - at);
    }

    private bool AgreesAlone(string runner, string shim, string caseFile, int i) =>
        Detail(runner, null, caseFile, i) is { } a && Detail(runner, shim, caseFile, i) is { } b
        && Same(MemoryMarshal.Read<ResultRecord>(a), MemoryMarshal.Read<ResultRecord>(b));

    private byte[]? Detail(string runner, string? shim, string caseFile, int i)
    {
        string path = Path.Combine(directory, "detail.bin");
        string[] arguments = [caseFile, path, Text(i), "1"];
        bool done = shim is null ? Start(runner, arguments) : Start(shim, [runner, .. arguments]);
        return done ? File.ReadAllBytes(path) : null;
    }
}
