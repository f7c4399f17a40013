using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text.Json.Nodes;

namespace Lodge.Cli.Trace;

/// <summary>Counts, errors and times by call.</summary>
internal sealed class TraceSummary
{
    private readonly Dictionary<string, Row> _rows = [];

    private sealed class Row
    {
        public long Calls;
        public long Errors;
        public double Seconds;
    }

    /// <summary>Takes a call in.</summary>
    public void Add(TraceLine line)
    {
        if (!_rows.TryGetValue(line.Call, out Row? row))
        {
            _rows.Add(line.Call, row = new Row());
        }

        row.Calls++;
        row.Errors += line.Error != null ? 1 : 0;
        row.Seconds += line.Seconds ?? 0;
    }

    /// <summary>The table, longest time first, then most calls.</summary>
    public TextTable ToTable()
    {
        TextTable table = new(">% TIME", ">SECONDS", ">US/CALL", ">CALLS", ">ERRORS", "SYSCALL");
        double total = Math.Max(_rows.Values.Sum(row => row.Seconds), 1e-9);
        foreach ((string call, Row row) in Sorted())
        {
            table.Add(Text(row.Seconds * 100 / total, "F2"), Text(row.Seconds, "F6"), Text(row.Seconds * 1e6 / row.Calls, "F0"), Text(row.Calls, "D"),
                row.Errors == 0 ? "" : Text(row.Errors, "D"), call);
        }

        table.Add("100.00", Text(_rows.Values.Sum(row => row.Seconds), "F6"), "", Text(_rows.Values.Sum(row => row.Calls), "D"),
            Text(_rows.Values.Sum(row => row.Errors), "D"), "total");
        return table;
    }

    /// <summary>The same as JSON.</summary>
    public JsonArray ToJson()
        => [.. Sorted().Select(row => (JsonNode)new JsonObject
        {
            ["call"] = row.Key,
            ["calls"] = row.Value.Calls,
            ["errors"] = row.Value.Errors,
            ["seconds"] = Math.Round(row.Value.Seconds, 6),
        })];

    private static string Text(IFormattable value, string format) => value.ToString(format, CultureInfo.InvariantCulture);

    private IEnumerable<KeyValuePair<string, Row>> Sorted()
        => _rows.OrderByDescending(row => row.Value.Seconds).ThenByDescending(row => row.Value.Calls).ThenBy(row => row.Key, StringComparer.Ordinal);
}
