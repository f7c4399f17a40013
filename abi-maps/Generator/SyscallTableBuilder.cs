using System;
using System.Collections.Generic;
using System.Linq;

namespace Lodge.AbiMaps;

/// <summary>Joins table lines with definitions and hand answers.</summary>
public sealed class SyscallTableBuilder
{
    private readonly string _abi;
    private readonly ILookup<string, Definition> _native;
    private readonly ILookup<string, Definition> _compat;
    private readonly HandArguments _hand;
    private readonly OpenQuestions _questions;

    /// <summary>A builder for one ABI.</summary>
    /// <param name="abi">Table to build.</param>
    /// <param name="native">Definitions seen by the ABI's own architecture.</param>
    /// <param name="compat">Definitions seen by the 64-bit architecture that runs the guest; the same list for hosts.</param>
    /// <param name="hand">Hand answers.</param>
    /// <param name="questions">Receives what stays open.</param>
    public SyscallTableBuilder(string abi, IEnumerable<Definition> native, IEnumerable<Definition> compat, HandArguments hand, OpenQuestions questions)
    {
        _abi = abi;
        _native = native.ToLookup(d => d.Entry);
        _compat = compat.ToLookup(d => d.Entry);
        _hand = hand;
        _questions = questions;
    }

    /// <summary>Builds the table; numbers between the first and the last that have no line become holes (private calls far above excepted).</summary>
    public IReadOnlyList<SyscallRow> Build(IReadOnlyList<TableLine> lines)
    {
        ArgumentNullException.ThrowIfNull(lines);
        var rows = new List<SyscallRow>();
        foreach (TableLine line in lines)
        {
            int next = rows.Count == 0 ? 0 : rows[^1].Number + 1;
            if (line.Number - next < 256)
            {
                for (; next < line.Number; next++)
                {
                    rows.Add(new SyscallRow(next, null, null, null, null));
                }
            }
            rows.Add(Row(line));
        }
        return rows;
    }

    private SyscallRow Row(TableLine line)
    {
        string? entry = Implemented(line.Entry);
        string? compat = line.Compat;
        if (entry is null)
        {
            return new SyscallRow(line.Number, line.Name, null, null, null);
        }
        IReadOnlyList<Argument>? arguments = Arguments(entry, _native);
        if (Abi.IsGuest(_abi) && compat is not null && Implemented(compat) is not null && arguments is not null)
        {
            IReadOnlyList<Argument>? other = Arguments(compat, _compat);
            if (other is not null && other.Count != arguments.Count)
            {
                _questions.Add($"{_abi} {line.Name}: {entry} takes {arguments.Count} registers, {compat} {other.Count}: which is right? (hand/arguments.tsv)");
            }
        }
        return new SyscallRow(line.Number, line.Name, entry, compat, arguments);
    }

    private static string? Implemented(string? entry) => entry is null or "sys_ni_syscall" ? null : entry;

    private IReadOnlyList<Argument>? Arguments(string entry, ILookup<string, Definition> known)
    {
        IReadOnlyList<Argument>? answer = _hand.Find(_abi, entry);
        if (answer is not null)
        {
            return answer;
        }
        List<Definition> all = [.. known[entry]];
        List<Definition> bodies = all.Where(d => !d.IsPrototype).ToList();
        List<Definition> own = bodies.Where(d => d.Source.StartsWith("arch/", StringComparison.Ordinal)).ToList();
        List<Definition> candidates = own.Count > 0 ? own : bodies.Count > 0 ? bodies : all;
        if (candidates.Count == 0)
        {
            _questions.Add($"{_abi} {entry}: no definition and no prototype found: which arguments? (hand/arguments.tsv)");
            return null;
        }
        var lists = new List<IReadOnlyList<Argument>>();
        foreach (Definition definition in candidates)
        {
            if (definition.Parameters is null)
            {
                _questions.Add($"{_abi} {entry}: the macro in {definition.Source} could not be taken apart: which arguments? (hand/arguments.tsv)");
                return null;
            }
            IReadOnlyList<Argument>? registers = ArgumentRules.Registers(_abi, definition.Parameters, out string unknown);
            if (registers is null)
            {
                _questions.Add($"{_abi} {entry}: parameter type '{unknown}' in {definition.Source} is not known: which arguments? (hand/arguments.tsv)");
                return null;
            }
            if (!lists.Any(l => l.Select(a => a.Kind).SequenceEqual(registers.Select(a => a.Kind))))
            {
                lists.Add(registers);
            }
        }
        if (lists.Count > 1)
        {
            _questions.Add($"{_abi} {entry}: {string.Join(" or ", lists.Select(l => "(" + SyscallTableFile.FormatArguments(l) + ")"))}: which one? (hand/arguments.tsv)");
            return null;
        }
        List<int> declared = all.Where(d => d.IsPrototype && d.Parameters is not null).Select(d => d.Parameters!.Count).Distinct().ToList();
        int count = candidates[0].Parameters!.Count;
        if (declared.Count > 0 && !declared.Contains(count))
        {
            _questions.Add($"{_abi} {entry}: defined with {count} parameters, declared with {string.Join(" or ", declared)}: which is right? (hand/arguments.tsv)");
            return null;
        }
        return lists[0];
    }
}
