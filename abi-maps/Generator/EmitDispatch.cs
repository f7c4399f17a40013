using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text;

namespace Lodge.AbiMaps;

/// <summary>A guest call with everything the dispatch and the coverage report need.</summary>
/// <param name="Row">Table row.</param>
/// <param name="Kind">Disposition as emitted (Todo when the method is missing).</param>
/// <param name="Hand">Hand row; null when the kernel implements nothing.</param>
/// <param name="Host">Host call of a passed call.</param>
/// <param name="Method">Method name: hand/methods.tsv, else sys_CALL.</param>
public sealed record PlannedCall(SyscallRow Row, Disposition Kind, DispositionRow? Hand, HostCall? Host, string Method);

/// <summary>Decides per call, and writes SyscallDispatch.GUEST.g.cs.</summary>
public static class EmitDispatch
{
    /// <summary>
    /// Joins a table with the hand rows and with the methods that exist: a thunk without a method is left to do, and a method beats a
    /// "pass" row (the row is then reported as stale).
    /// </summary>
    public static IReadOnlyList<PlannedCall> Plan(string guest, IReadOnlyList<SyscallRow> rows, Dispositions dispositions, HostCalls hosts,
        IReadOnlyDictionary<string, string> methodNames, IReadOnlySet<string> methods, OpenQuestions questions, ICollection<string> notes)
    {
        ArgumentNullException.ThrowIfNull(rows);
        ArgumentNullException.ThrowIfNull(dispositions);
        ArgumentNullException.ThrowIfNull(hosts);
        ArgumentNullException.ThrowIfNull(methods);
        ArgumentNullException.ThrowIfNull(methodNames);
        ArgumentNullException.ThrowIfNull(notes);
        ArgumentNullException.ThrowIfNull(questions);
        var plan = new List<PlannedCall>();
        foreach (SyscallRow row in rows)
        {
            DispositionRow? hand = row.IsImplemented ? dispositions.Find(guest, row.Name!) : null;
            if (hand is null)
            {
                plan.Add(new PlannedCall(row, Disposition.Refused, null, null, ""));
                continue;
            }
            string method = methodNames.GetValueOrDefault(row.Name!, "sys_" + row.Name);
            switch (hand.Kind)
            {
                case Disposition.Thunk:
                    plan.Add(new PlannedCall(row, methods.Contains(method) ? Disposition.Thunk : Disposition.Todo, hand, null, method));
                    break;
                case Disposition.Pass when methods.Contains(method):
                    notes.Add($"{guest} {row.Name}: the row says pass, but {method} exists and is used: make the row a thunk with the reason");
                    plan.Add(new PlannedCall(row, Disposition.Thunk, hand, hosts.Find(guest, row, questions), method));
                    break;
                case Disposition.Pass:
                    // A compat entry of its own is the kernel's word that the call is not the same for a 32-bit caller.
                    if (row.Compat is not null && row.Compat != row.Entry && !hand.Reason.Contains(row.Compat, StringComparison.Ordinal))
                    {
                        questions.Add($"{guest} {row.Name}: passed although the kernel has {row.Compat}: name it in the reason, with why it does not matter (hand/dispositions.tsv)");
                    }
                    plan.Add(new PlannedCall(row, Disposition.Pass, hand, hosts.Find(guest, row, questions), method));
                    break;
                default:
                    if (methods.Contains(method))
                    {
                        notes.Add($"{guest} {row.Name}: the row says refused, but {method} exists and is used: make the row a thunk with the reason");
                        plan.Add(new PlannedCall(row, Disposition.Thunk, hand, null, method));
                        break;
                    }
                    plan.Add(new PlannedCall(row, Disposition.Refused, hand, null, method));
                    break;
            }
        }
        return plan;
    }

    /// <summary>
    /// The switch of one guest, and the class of the calls that need no method. Both sets of methods are imported with "using static";
    /// those of Syscalls&lt;TAbi&gt; win over those generated here because the latter have an optional parameter. So a new method takes its
    /// call over without anything being generated anew.
    /// </summary>
    /// <param name="guest">i386 or arm.</param>
    /// <param name="plan">Planned calls.</param>
    /// <param name="prepareWrites">False leaves out the preparation of written memory (a shim without translated-page protection).</param>
    public static string Dispatch(string guest, IReadOnlyList<PlannedCall> plan, bool prepareWrites)
    {
        ArgumentNullException.ThrowIfNull(plan);
        string name = guest == Abi.I386 ? "I386" : "Arm";
        var text = new StringBuilder(EmitTables.Header);
        text.Append(CultureInfo.InvariantCulture, $$"""
            using static Lodge.Shim.{{name}}Fallback;
            using static Lodge.Shim.Syscalls<Lodge.Shim.{{name}}Abi>;

            namespace Lodge.Shim;

            /// <summary>System calls of {{guest}} guests by number (abi-maps/tables/{{guest}}.tsv).</summary>
            public static unsafe class {{name}}Dispatch
            {
                /// <summary>Makes one call; arguments come from the register frame, the result goes back to the caller of this method.</summary>
                /// <returns>The guest's result, -errno on error; -512 (ERESTARTSYS) when a caught signal came first.</returns>
                public static int Call(GuestThread* t, uint nr) => nr switch
                {

            """);
        foreach (PlannedCall call in plan.Where(c => c.Row.IsImplemented))
        {
            text.Append(CultureInfo.InvariantCulture, $"        {call.Row.Number} => {call.Method}(t),{(call.Method == "sys_" + call.Row.Name ? "" : $" // {call.Row.Name}")}\n");
        }
        text.Append(CultureInfo.InvariantCulture, $$"""
                    _ => -Lodge.Abi.Errno.ENOSYS, // holes, and calls that the kernel does not implement either
                };
            }

            /// <summary>
            /// Calls of {{guest}} guests without a method in Syscalls&lt;TAbi&gt; (abi-maps/hand/dispositions.tsv): passed on, refused, or to do. The
            /// second parameter is never given: it makes a method of Syscalls&lt;TAbi&gt; the better choice of the compiler.
            /// </summary>
            public static unsafe class {{name}}Fallback
            {

            """);
        foreach (PlannedCall call in plan.Where(c => c.Row.IsImplemented))
        {
            Fallback(text, name, call, prepareWrites);
        }
        text.Append("}\n");
        return text.ToString();
    }

    private static void Fallback(StringBuilder text, string name, PlannedCall call, bool prepareWrites)
    {
        string head = $"    public static int {call.Method}(GuestThread* t, int nr = {call.Row.Number})";
        DispositionRow hand = call.Hand!;
        if (hand.Kind == Disposition.Thunk)
        {
            text.Append(CultureInfo.InvariantCulture, $"{head} => Unimplemented.Report(t, {(name == "I386" ? "true" : "false")}, nr);\n");
            return;
        }
        if (hand.Kind == Disposition.Refused)
        {
            text.Append(CultureInfo.InvariantCulture, $"{head} => -Lodge.Abi.Errno.{hand.Error};\n");
            return;
        }
        HostCall? host = call.Host;
        if (host is null)
        {
            return;
        }
        IReadOnlyList<Argument> arguments = call.Row.Arguments!;
        IEnumerable<string> values = host.Arguments.Select(a => a.Guest < 0 ? a.Constant : Extended(name, arguments[a.Guest].Kind, a.Guest));
        string function = hand.Blocks ? "BlockingCall(t, " : "Syscall(";
        string made = $"(int)Host.{function}{string.Join(", ", values.Prepend($"Lodge.Abi.Nr.{host.Name}"))});\n";
        foreach (string missing in host.MissingOn)
        {
            text.Append(CultureInfo.InvariantCulture, $"#if {(missing == Abi.Arm64 ? "ARM64" : "!ARM64")}\n{head} => -Lodge.Abi.Errno.ENOSYS;\n#else\n");
        }
        if (!prepareWrites || hand.Writes.Count == 0)
        {
            text.Append(CultureInfo.InvariantCulture, $"{head} => {made}");
        }
        else
        {
            text.Append(CultureInfo.InvariantCulture, $"{head}\n    {{\n");
            foreach (WrittenMemory written in hand.Writes)
            {
                string length = written.LengthArgument < 0
                    ? written.Bytes.ToString(CultureInfo.InvariantCulture)
                    : $"{name}Abi.Arg(t, {written.LengthArgument})" + (written.Bytes == 1 ? "" : $" * {written.Bytes}");
                text.Append(CultureInfo.InvariantCulture, $"        Mm.PrepareWrite(t, {name}Abi.Arg(t, {written.Argument}), {length});\n");
            }
            text.Append(CultureInfo.InvariantCulture, $"        return {made}    }}\n");
        }
        foreach (string _ in host.MissingOn)
        {
            text.Append("#endif\n");
        }
    }

    private static string Extended(string name, ArgumentKind kind, int index) =>
        kind is ArgumentKind.Int or ArgumentKind.Fd or ArgumentKind.Long ? $"(int){name}Abi.Arg(t, {index})" : $"{name}Abi.Arg(t, {index})";
}
