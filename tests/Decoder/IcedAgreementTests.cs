using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using Xunit;
using Xunit.Abstractions;

namespace Lodge.DecoderTests;

/// <summary>The decoder and Iced agree on everything but what expected-deviations.txt explains.</summary>
public class IcedAgreementTests(ITestOutputHelper output)
{
    [Fact]
    public void Every_opcode_form_and_every_row()
    {
        IcedComparer comparer = Run(c =>
        {
            OpcodeSweeps.Legacy(c);
            OpcodeSweeps.Vex(c);
        });
        List<string> missed = [.. InstructionTable.Rows.Skip(1).Where(r => !comparer.RowsHit[r!.Index]).Select(r => r!.Text)];
        output.WriteLine($"{InstructionTable.Rows.Count - 1 - missed.Count} of {InstructionTable.Rows.Count - 1} table rows reached");
        Assert.Empty(missed);
    }

    [Fact]
    public void Prefix_strings_and_lengths() => Run(OpcodeSweeps.Lengths);

    [Fact]
    public void Random_operands() => Run(c => OpcodeSweeps.Random(c, 20260101, 1_000_000));

    private IcedComparer Run(Action<IcedComparer> sweep)
    {
        var watch = Stopwatch.StartNew();
        var comparer = new IcedComparer();
        sweep(comparer);
        List<string> unexplained = [.. comparer.Deviations
            .Where(d => !ExpectedDeviations.Iced.Explains(d.Key))
            .Select(d => $"{d.Key}   [{d.Value.Count}×, {d.Value.Example}]")
            .Order(StringComparer.Ordinal)];
        output.WriteLine($"{comparer.Compared} encodings in {watch.Elapsed.TotalSeconds:F1} s, {comparer.RowsHit.Count(h => h)} rows, {comparer.Deviations.Count} kinds of deviation");
        foreach (string line in unexplained)
        {
            output.WriteLine(line);
        }
        Assert.Empty(unexplained);
        return comparer;
    }
}
