using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;

namespace Lodge.AbiMaps;

/// <summary>The emit step: generated C# and reports from committed tables and hand files only.</summary>
public static class Emitter
{
    /// <summary>Builds every output, keyed by path below the repository root.</summary>
    /// <param name="root">Repository.</param>
    /// <param name="questions">Receives what the hand files leave open.</param>
    /// <param name="notes">Receives remarks that do not stop the step.</param>
    public static IReadOnlyDictionary<string, string> Build(string root, OpenQuestions questions, ICollection<string> notes)
    {
        ArgumentNullException.ThrowIfNull(questions);
        ArgumentNullException.ThrowIfNull(notes);
        string maps = Path.Combine(root, "abi-maps");
        string shim = Path.Combine(root, "shim");
        Dictionary<string, IReadOnlyList<SyscallRow>> tables = Abi.All.ToDictionary(a => a, a => SyscallTableFile.Parse(File.ReadAllText(Path.Combine(maps, "tables", a + ".tsv"))));
        Dictionary<string, IReadOnlyList<SyscallRow>> guests = tables.Where(t => Abi.IsGuest(t.Key)).ToDictionary(t => t.Key, t => t.Value);
        Dispositions dispositions = Dispositions.Parse(File.ReadAllText(Path.Combine(maps, "hand/dispositions.tsv")));
        var hosts = new HostCalls(tables, File.ReadAllText(Path.Combine(maps, "hand/host-calls.tsv")));
        Dictionary<string, string> methodNames = Tsv.Read(Path.Combine(maps, "hand/methods.tsv")).ToDictionary(f => f[0], f => f[1]);
        HashSet<string> methods = HandlerMethods.Find(shim);
        foreach (string mismatch in dispositions.Mismatches(guests))
        {
            questions.Add(mismatch);
        }

        var outputs = new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            ["abi-maps/generated/Nr.g.cs"] = EmitTables.Numbers(tables[Abi.X64], tables[Abi.Arm64]),
            ["abi-maps/generated/SyscallTables.g.cs"] = EmitTables.Names(guests),
            ["abi-maps/generated/Errno.g.cs"] = ErrnoTable.Emit(Tsv.Read(Path.Combine(maps, "tables/errno.tsv"))),
            ["abi-maps/generated/Constants.g.cs"] = ConstantTable.Emit(Tsv.Read(Path.Combine(maps, "tables/constants.tsv"))),
            ["abi-maps/generated/Usings.g.cs"] = EmitTables.Header + "global using Lodge.Abi;\n",
        };
        outputs["tests/guest/lib/syscalls_i386.h"] = EmitTables.GuestHeader(tables[Abi.I386]);
        foreach ((string name, string text) in EmitLayouts.Files(LayoutTable.Parse(File.ReadAllText(Path.Combine(maps, "tables/layouts.tsv")))))
        {
            outputs["abi-maps/generated/" + name] = text;
        }
        bool prepareWrites = HandlerMethods.Mentions(shim, "static void PrepareWrite(");
        if (!prepareWrites)
        {
            notes.Add("no Mm.PrepareWrite under shim/: passed calls do not prepare the memory that the host kernel writes");
        }
        foreach ((string guest, IReadOnlyList<SyscallRow> rows) in guests)
        {
            IReadOnlyList<PlannedCall> plan = EmitDispatch.Plan(guest, rows, dispositions, hosts, methodNames, methods, questions, notes);
            if (questions.All.Count > 0)
            {
                continue;
            }
            string name = guest == Abi.I386 ? "I386" : "Arm";
            outputs[$"abi-maps/generated/SyscallDispatch.{name}.g.cs"] = EmitDispatch.Dispatch(guest, plan, prepareWrites);
            outputs[$"docs/syscall-coverage-{guest}.md"] = EmitCoverage.Report(guest, plan);
            List<string> todo = plan.Where(c => c.Kind == Disposition.Todo).Select(c => c.Method).ToList();
            notes.Add($"{guest}: {plan.Count(c => c.Kind == Disposition.Pass)} pass, {plan.Count(c => c.Kind == Disposition.Thunk)} thunk, "
                + $"{plan.Count(c => c.Kind == Disposition.Refused && c.Hand is not null)} refused, {todo.Count} to do" + (todo.Count > 0 ? ": " + string.Join(' ', todo) : ""));
        }
        string[] wanted = guests.Values.SelectMany(r => r).Where(r => r.IsImplemented)
            .Select(r => methodNames.GetValueOrDefault(r.Name!, "sys_" + r.Name)).ToArray();
        foreach (string extra in methods.Where(m => !wanted.Contains(m)).Order(StringComparer.Ordinal))
        {
            notes.Add($"{extra} is the method of no call: misspelt? (abi-maps/hand/methods.tsv gives other names)");
        }
        return outputs;
    }
}
