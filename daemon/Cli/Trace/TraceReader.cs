using System.Collections.Generic;
using System.IO;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Lodge.Cli.Trace;

/// <summary>Reads the shim's lines until no traced process is left, and writes those that are asked for.</summary>
internal sealed class TraceReader(TraceFilter filter, TraceSummary? summary, TextWriter? lines, bool json, bool times)
{
    private static readonly JsonSerializerOptions s_json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    // Calls written before they were made, by thread: shown once it is known that they did not fail.
    private readonly Dictionary<int, (TraceLine Line, string Text)> _pending = [];

    /// <summary>Reads to the end.</summary>
    public void Run(TextReader reader)
    {
        while (reader.ReadLine() is { } text)
        {
            if (TraceLine.Parse(text) is not { } line)
            {
                lines?.WriteLine(text);
                continue;
            }

            if (_pending.Remove(line.Tid, out (TraceLine Line, string Text) before) && (before.Line.Call != line.Call || line.Pending))
            {
                Take(before.Line, before.Text);
            }

            if (line.Pending && line.Call.StartsWith("execve", System.StringComparison.Ordinal))
            {
                _pending[line.Tid] = (line, text);
                continue;
            }

            Take(line, text);
        }

        foreach ((TraceLine line, string text) in _pending.Values)
        {
            Take(line, text);
        }
    }

    private void Take(TraceLine line, string text)
    {
        if (!filter.Shows(line.Call))
        {
            return;
        }

        summary?.Add(line);
        if (lines == null)
        {
            return;
        }

        if (!json)
        {
            lines.WriteLine(times || line.Seconds == null ? text : text[..text.LastIndexOf(" <", System.StringComparison.Ordinal)]);
            return;
        }

        JsonObject value = new()
        {
            ["tid"] = line.Tid,
            ["call"] = line.Call,
            ["arguments"] = line.Arguments,
            ["result"] = line.Pending ? null : line.Result,
            ["error"] = line.Error,
            ["seconds"] = line.Seconds,
        };
        lines.WriteLine(value.ToJsonString(s_json));
    }
}
