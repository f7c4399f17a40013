using System;
using System.Collections.Generic;
using System.CommandLine;
using System.IO;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Spectre.Console;

namespace Lodge.Cli;

/// <summary>
/// Standard output of a command: tables by Spectre.Console on a terminal, aligned columns when piped, or one JSON value. A command
/// puts its answer together once, as rows or as JSON, and leaves the form to this class.
/// </summary>
internal sealed class Output
{
    private static readonly JsonSerializerOptions s_json = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private Output(bool json, bool plain)
    {
        Json = json;
        Plain = plain;
    }

    /// <summary>True when the answer is to be JSON.</summary>
    public bool Json { get; }

    /// <summary>True when the answer is to be text without colours and lines.</summary>
    public bool Plain { get; }

    /// <summary>Where text goes.</summary>
    public TextWriter Writer { get; } = Console.Out;

    /// <summary>What the common options and the terminal ask for.</summary>
    public static Output For(ParseResult parsed)
        => new(parsed.GetValue(CommonOptions.Json),
            parsed.GetValue(CommonOptions.Plain) || Console.IsOutputRedirected
                || !string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR")));

    /// <summary>One JSON value and a line feed.</summary>
    public void Write(JsonNode value) => Writer.WriteLine(value.ToJsonString(s_json));

    /// <summary>One line of text.</summary>
    public void Line(string text) => Writer.WriteLine(text);

    /// <summary>A table in the form that fits the terminal.</summary>
    public void Write(TextTable table)
    {
        if (Plain)
        {
            table.WritePlain(Writer);
        }
        else
        {
            AnsiConsole.Write(table.ToSpectre());
        }
    }

    /// <summary>One line on standard error, in front of it the command's name.</summary>
    public static void Complain(string message) => Console.Error.WriteLine("lodge: " + message);
}

/// <summary>Rows of text below headings. Numbers are aligned to the right.</summary>
internal sealed class TextTable
{
    private readonly string[] _headings;
    private readonly bool[] _right;
    private readonly List<string[]> _rows = [];

    /// <summary>Headings; one that begins with '&gt;' makes its column a column of numbers.</summary>
    public TextTable(params string[] headings)
    {
        _right = Array.ConvertAll(headings, heading => heading.StartsWith('>'));
        _headings = Array.ConvertAll(headings, heading => heading.TrimStart('>'));
    }

    /// <summary>Adds a row: as many cells as there are headings.</summary>
    public void Add(params string[] cells) => _rows.Add(cells);

    /// <summary>Number of rows.</summary>
    public int Count => _rows.Count;

    /// <summary>Aligned columns, two spaces between them, nothing cut off, no trailing blanks.</summary>
    public void WritePlain(TextWriter writer)
    {
        int[] widths = Array.ConvertAll(_headings, heading => heading.Length);
        foreach (string[] row in _rows)
        {
            for (int i = 0; i < widths.Length; i++)
            {
                widths[i] = Math.Max(widths[i], row[i].Length);
            }
        }

        WriteRow(writer, _headings, widths);
        foreach (string[] row in _rows)
        {
            WriteRow(writer, row, widths);
        }
    }

    /// <summary>The table for a terminal.</summary>
    public Table ToSpectre()
    {
        Table table = new() { Border = TableBorder.Simple };
        for (int i = 0; i < _headings.Length; i++)
        {
            TableColumn column = new(new Text(_headings[i], new Style(decoration: Decoration.Bold)));
            table.AddColumn(_right[i] ? column.RightAligned() : column);
        }

        foreach (string[] row in _rows)
        {
            table.AddRow(Array.ConvertAll(row, cell => new Text(cell)));
        }

        return table;
    }

    private void WriteRow(TextWriter writer, string[] cells, int[] widths)
    {
        string[] padded = new string[cells.Length];
        for (int i = 0; i < cells.Length; i++)
        {
            padded[i] = _right[i] ? cells[i].PadLeft(widths[i]) : cells[i].PadRight(widths[i]);
        }

        writer.WriteLine(string.Join("  ", padded).TrimEnd());
    }
}
