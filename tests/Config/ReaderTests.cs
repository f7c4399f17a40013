using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using Lodge.Config;
using Xunit;

namespace Lodge.ConfigTests;

/// <summary>JSON with comments: values, positions, errors.</summary>
public sealed class ReaderTests
{
    [Fact]
    public void Positions_count_lines_and_characters_from_one()
    {
        JsoncNode root = Good("// ä comment\r\n{\r\n\t\"ä\": [ true, /* €\n */ null ],\n  \"b\": \"ü\", \"c\": 1, }\n");
        Assert.Equal(new Position(2, 1), root.Position);
        Assert.Equal(new Position(3, 2), root.Members[0].Position);
        Assert.Equal(new Position(3, 7), root.Members[0].Value.Position);
        Assert.Equal(new Position(3, 9), root.Members[0].Value.Items[0].Position);
        Assert.Equal(new Position(4, 5), root.Members[0].Value.Items[1].Position);
        Assert.Equal(new Position(5, 8), root.Find("b")!.Position);
        Assert.Equal(new Position(5, 13), root.Members[2].Position);
        Assert.Equal(new Position(5, 18), root.Find("c")!.Position);
        Assert.Equal("ü", root.Find("b")!.Text);
    }

    [Fact]
    public void A_byte_order_mark_is_no_character()
    {
        List<Diagnostic> diagnostics = [];
        JsoncNode? root = JsoncReader.Read("f", [0xEF, 0xBB, 0xBF, .. "{ }"u8], diagnostics);
        Assert.Equal(new Position(1, 1), root!.Position);
        Assert.Empty(diagnostics);
    }

    [Theory]
    [InlineData("", "f:1:1: error: expected an object, found the end of the file")]
    [InlineData("// nothing\n", "f:2:1: error: expected an object, found the end of the file")]
    [InlineData("{\n  \"a\": tru\n}", "f:2:11: error: expected valid JSON, found the end of the line")]
    [InlineData("{\n  \"a\" 1\n}", "f:2:7: error: expected valid JSON, found '1'")]
    [InlineData("{ \"ä\": ? }", "f:1:8: error: expected valid JSON, found '?'")]
    [InlineData("{ \"a\": \"open\n", "f:1:13: error: expected valid JSON, found the end of the line")]
    [InlineData("{ /* x\n", "f:1:3: error: expected the comment's end, found the end of the file")]
    [InlineData("{ \"a\": \"// no comment\", /", "f:1:25: error: expected valid JSON")]
    [InlineData("{ } { }", "f:1:5: error: expected")]
    [InlineData("{ \"a\": 1,\n \"a\": 2 }", "f:2:2: error: expected \"a\" once, found it again; it stands in line 1, column 3, too")]
    [InlineData("[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]", "f:1:17: error: expected at most 16 levels of nesting")]
    [InlineData("{ \"a\": \"\\ud800\" }", "f:1:8: error: expected a string of whole characters")]
    public void Errors_say_where(string text, string expected)
    {
        List<Diagnostic> diagnostics = [];
        JsoncReader.Read("f", Encoding.UTF8.GetBytes(text), diagnostics);
        Assert.StartsWith(expected, Assert.Single(diagnostics).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Bytes_that_are_no_utf8_are_found_even_in_comments()
    {
        List<Diagnostic> diagnostics = [];
        Assert.Null(JsoncReader.Read("f", [.. "{\n // "u8, 0xFF, .. "\n}"u8], diagnostics));
        Assert.Equal("f:2:5: error: expected UTF-8, found a byte that is none", Assert.Single(diagnostics).ToString());
    }

    /// <summary>Random documents in random layout: every node is where its text was put.</summary>
    [Fact]
    public void Every_node_is_where_it_was_written()
    {
        for (int seed = 0; seed < 400; seed++)
        {
            Layout layout = new(new Random(seed));
            layout.Value(0);
            List<Diagnostic> diagnostics = [];
            JsoncNode? root = JsoncReader.Read("f", Encoding.UTF8.GetBytes(layout.Text.ToString()), diagnostics);
            Assert.Empty(diagnostics);
            List<(Position, JsoncKind)> found = [];
            Walk(root!, found);
            Assert.Equal(layout.Expected, found);
        }
    }

    private static JsoncNode Good(string text)
    {
        List<Diagnostic> diagnostics = [];
        JsoncNode? root = JsoncReader.Read("f", Encoding.UTF8.GetBytes(text), diagnostics);
        Assert.Empty(diagnostics);
        return root!;
    }

    private static void Walk(JsoncNode node, List<(Position, JsoncKind)> found)
    {
        found.Add((node.Position, node.Kind));
        foreach (JsoncNode child in node.Items.Concat(node.Members.Select(m => m.Value)))
        {
            Walk(child, found);
        }
    }

    /// <summary>Writes random values with random blanks and comments between the tokens, and keeps the place of each.</summary>
    private sealed class Layout(Random random)
    {
        private static readonly string[] s_gaps = [" ", "\n", "\r\n", "\t", "// ä\n", "/* € \n x */", ""];
        private int _line = 1;
        private int _column = 1;

        internal StringBuilder Text { get; } = new();

        internal List<(Position Position, JsoncKind Kind)> Expected { get; } = [];

        internal void Value(int depth)
        {
            Gap();
            int kind = random.Next(depth > 4 ? 4 : 6);
            Expected.Add((new Position(_line, _column), (JsoncKind)kind));
            switch ((JsoncKind)kind)
            {
                case JsoncKind.Null:
                    Put("null");
                    break;
                case JsoncKind.Boolean:
                    Put("false");
                    break;
                case JsoncKind.Number:
                    Put("-1.5e3");
                    break;
                case JsoncKind.String:
                    Put("\"a😀\\n\"");
                    break;
                case JsoncKind.Array:
                    Sequence('[', ']', depth, _ => { });
                    break;
                default:
                    Sequence('{', '}', depth, i =>
                    {
                        Put($"\"ü{i}\"");
                        Gap();
                        Put(":");
                    });
                    break;
            }

            Gap();
        }

        private void Sequence(char open, char close, int depth, Action<int> name)
        {
            Put(open.ToString());
            int count = random.Next(4);
            for (int i = 0; i < count; i++)
            {
                Gap();
                name(i);
                Value(depth + 1);
                Put(i + 1 < count || random.Next(2) == 0 ? "," : "");
            }

            Gap();
            Put(close.ToString());
        }

        private void Gap() => Put(s_gaps[random.Next(s_gaps.Length)]);

        private void Put(string text)
        {
            Text.Append(text);
            foreach (Rune rune in text.EnumerateRunes())
            {
                _column++;
                if (rune.Value == '\n')
                {
                    _line++;
                    _column = 1;
                }
            }
        }
    }
}
