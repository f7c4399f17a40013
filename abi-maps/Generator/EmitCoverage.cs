using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text;

namespace Lodge.AbiMaps;

/// <summary>docs/syscall-coverage-GUEST.md.</summary>
public static class EmitCoverage
{
    /// <summary>The report: totals, then every number with what happens to it and why.</summary>
    public static string Report(string guest, IReadOnlyList<PlannedCall> plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        int pass = plan.Count(c => c.Kind == Disposition.Pass);
        int thunk = plan.Count(c => c.Kind == Disposition.Thunk);
        int todo = plan.Count(c => c.Kind == Disposition.Todo);
        int refused = plan.Count(c => c.Kind == Disposition.Refused && c.Hand is not null);
        int none = plan.Count(c => !c.Row.IsImplemented && !c.Row.IsHole);
        int holes = plan.Count(c => c.Row.IsHole);
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $$"""
            # System calls of {{guest}} guests

            Generated from `abi-maps/tables/{{guest}}.tsv` and `abi-maps/hand/dispositions.tsv` by `make abi-emit`; not edited by hand.

            | | calls |
            | --- | ---: |
            | passed to the host kernel as they are | {{pass}} |
            | done by a method of `Syscalls<TAbi>` (thunk) | {{thunk}} |
            | refused with a reason | {{refused}} |
            | to do: answered with ENOSYS and one log line | {{todo}} |
            | not implemented by the kernel either (ENOSYS) | {{none}} |
            | holes in the numbering (ENOSYS) | {{holes}} |


            """);
        if (todo > 0)
        {
            text.Append("To do: ").AppendJoin(", ", plan.Where(c => c.Kind == Disposition.Todo).Select(c => $"`{c.Row.Name}`")).Append(".\n\n");
        }
        text.Append("| number | call | what happens | how, or why |\n| ---: | --- | --- | --- |\n");
        foreach (PlannedCall call in plan)
        {
            (string what, string why) = Describe(call);
            text.Append(CultureInfo.InvariantCulture, $"| {call.Row.Number} | {(call.Row.IsHole ? "" : $"`{call.Row.Name}`")} | {what} | {why} |\n");
        }
        return text.ToString();
    }

    private static (string What, string Why) Describe(PlannedCall call) => call.Kind switch
    {
        _ when call.Row.IsHole => ("hole", "ENOSYS"),
        _ when !call.Row.IsImplemented => ("not in the kernel", "ENOSYS"),
        Disposition.Pass => ("pass", HostText(call.Host!) + call.Hand!.Reason),
        Disposition.Thunk => ("thunk", $"`{call.Method}`" + (call.Hand!.Kind == Disposition.Thunk ? ": " + call.Hand.Reason : "")),
        Disposition.Todo => ("to do", call.Hand!.Reason),
        _ => ($"refused: {call.Hand!.Error}", call.Hand.Reason),
    };

    private static string HostText(HostCall host) =>
        $"`{host.Name}`: " + (host.MissingOn.Count > 0 ? $"(ENOSYS on {string.Join(", ", host.MissingOn)}) " : "");
}
