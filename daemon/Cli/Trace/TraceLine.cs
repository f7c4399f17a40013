using System;
using System.Globalization;

namespace Lodge.Cli.Trace;

/// <summary>
/// One line of the shim's trace: <c>TID name(arguments) = result &lt;seconds&gt;</c>. The result is a number, <c>-1 ERRNO</c>, or <c>?</c> for a
/// call that is written before it is made because it may not come back.
/// </summary>
internal sealed record TraceLine(int Tid, string Call, string Arguments, string Result, string? Error, double? Seconds)
{
    /// <summary>True for a line written before its call.</summary>
    public bool Pending => Result == "?";

    /// <summary>Reads a line; null when it is something else (a message of the shim).</summary>
    public static TraceLine? Parse(string line)
    {
        int blank = line.IndexOf(' ', StringComparison.Ordinal), open = line.IndexOf('(', StringComparison.Ordinal);
        if (blank <= 0 || open <= blank + 1 || !int.TryParse(line.AsSpan(0, blank), NumberStyles.None, CultureInfo.InvariantCulture, out int tid)
            || line.AsSpan(blank + 1, open - blank - 1).Contains(' '))
        {
            return null;
        }

        // The last one: arguments may hold anything.
        int equals = line.LastIndexOf(" = ", StringComparison.Ordinal);
        if (equals < open)
        {
            return null;
        }

        string result = line[(equals + 3)..];
        double? seconds = null;
        if (result.EndsWith('>') && result.LastIndexOf(" <", StringComparison.Ordinal) is int time and >= 0)
        {
            if (double.TryParse(result.AsSpan(time + 2, result.Length - time - 3), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture,
                out double value))
            {
                seconds = value;
            }

            result = result[..time];
        }

        // A line that was too long has lost the end of its arguments, and the parenthesis.
        string arguments = line[(open + 1)..equals];
        arguments = arguments.EndsWith(')') ? arguments[..^1] : arguments + "...";
        string? error = result.StartsWith("-1 ", StringComparison.Ordinal) ? result[3..] : null;
        return new TraceLine(tid, line[(blank + 1)..open], arguments, error == null ? result : "-1", error, seconds);
    }
}
