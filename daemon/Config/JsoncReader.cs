using System;
using System.Collections.Generic;
using System.Text;
using System.Text.Json;

namespace Lodge.Config;

/// <summary>
/// Reads JSON with comments and trailing commas into nodes that know their positions. UTF-8, with or without a byte order mark. The first
/// error of the syntax ends the reading; names that occur twice in an object are reported, and the first of them counts.
/// </summary>
public sealed class JsoncReader
{
    private const int MaxDepth = 16;

    private static readonly byte[] s_byteOrderMark = [0xEF, 0xBB, 0xBF];
    private static readonly UTF8Encoding s_strict = new(false, throwOnInvalidBytes: true);

    private readonly string _file;
    // As the file has it, for columns; and with blanks for comments, for the tokenizer.
    private readonly byte[] _source;
    private readonly byte[] _text;
    private readonly int[] _lineStarts;
    private readonly ICollection<Diagnostic> _diagnostics;

    // Where At stopped counting: places are asked for from front to back, and a line may be as long as the file.
    private int _countedLine;
    private int _countedTo;
    private int _countedColumn = 1;

    private JsoncReader(string file, byte[] text, ICollection<Diagnostic> diagnostics)
    {
        _file = file;
        _source = text;
        _text = [.. text];
        _diagnostics = diagnostics;
        List<int> starts = [0];
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] == '\n')
            {
                starts.Add(i + 1);
            }
        }

        _lineStarts = starts.ToArray();
    }

    /// <summary>Reads a file's content.</summary>
    /// <param name="file">What the file is called in diagnostics.</param>
    /// <param name="content">Its bytes.</param>
    /// <param name="diagnostics">What is wrong with it is added here.</param>
    /// <returns>The value, or null if it cannot be read.</returns>
    public static JsoncNode? Read(string file, ReadOnlySpan<byte> content, ICollection<Diagnostic> diagnostics)
    {
        ArgumentNullException.ThrowIfNull(diagnostics);
        if (content.StartsWith(s_byteOrderMark))
        {
            content = content[s_byteOrderMark.Length..];
        }

        JsoncReader reader = new(file, content.ToArray(), diagnostics);
        return reader.ReadAll();
    }

    private JsoncNode? ReadAll()
    {
        // Comments are checked, too, although nobody reads them.
        try
        {
            _ = s_strict.GetCharCount(_text);
        }
        catch (DecoderFallbackException wrong)
        {
            Report(At(Math.Clamp(wrong.Index, 0, _text.Length)), "expected UTF-8, found a byte that is none");
            return null;
        }

        if (!BlankComments())
        {
            return null;
        }

        if (_text.AsSpan().IndexOfAnyExcept(" \t\r\n"u8) < 0)
        {
            Report(At(_text.Length), "expected an object, found the end of the file");
            return null;
        }

        Utf8JsonReader reader = new(_text, new JsonReaderOptions { AllowTrailingCommas = true, MaxDepth = MaxDepth });
        try
        {
            reader.Read();
            JsoncNode node = ReadValue(ref reader);
            _ = reader.Read();
            return node;
        }
        catch (JsonException wrong)
        {
            int line = (int)(wrong.LineNumber ?? 0);
            int offset = Math.Min(_lineStarts[Math.Min(line, _lineStarts.Length - 1)] + (int)(wrong.BytePositionInLine ?? 0), _text.Length);
            Report(At(offset), Explain(wrong, offset));
            return null;
        }
        catch (InvalidOperationException)
        {
            // A string with an escape that stands for half a character.
            Report(At((int)reader.TokenStartIndex), "expected a string of whole characters, found half a surrogate pair");
            return null;
        }
    }

    /// <summary>
    /// Puts blanks in the place of comments. The tokenizer could pass over them, but not everywhere; and so all places stay what they are.
    /// </summary>
    private bool BlankComments()
    {
        bool inText = false;
        for (int i = 0; i < _text.Length; i++)
        {
            if (_text[i] == '"')
            {
                inText = !inText;
            }
            else if (inText)
            {
                // A text ends at the line's end at the latest: then it is a mistake that the tokenizer finds.
                i += _text[i] == '\\' ? 1 : 0;
                inText = i < _text.Length && _text[i] != '\n';
            }
            else if (_text[i] == '/' && i + 1 < _text.Length && _text[i + 1] is (byte)'/' or (byte)'*')
            {
                bool block = _text[i + 1] == '*';
                int end = block ? _text.AsSpan(i + 2).IndexOf("*/"u8) : _text.AsSpan(i).IndexOf((byte)'\n');
                if (block && end < 0)
                {
                    Report(At(i), "expected the comment's end, found the end of the file");
                    return false;
                }

                end = end < 0 ? _text.Length : block ? i + 2 + end + 2 : i + end;
                for (; i < end; i++)
                {
                    _text[i] = _text[i] == '\n' ? (byte)'\n' : (byte)' ';
                }

                i--;
            }
        }

        return true;
    }

    private JsoncNode ReadValue(ref Utf8JsonReader reader)
    {
        Position position = At((int)reader.TokenStartIndex);
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject:
                return ReadObject(ref reader, position);
            case JsonTokenType.StartArray:
                List<JsoncNode> items = [];
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                {
                    items.Add(ReadValue(ref reader));
                }

                return new JsoncNode(JsoncKind.Array, position) { Items = items };
            case JsonTokenType.String:
                return new JsoncNode(JsoncKind.String, position) { Text = reader.GetString()! };
            case JsonTokenType.Number:
                return new JsoncNode(JsoncKind.Number, position) { Text = Encoding.ASCII.GetString(reader.ValueSpan) };
            case JsonTokenType.True:
            case JsonTokenType.False:
                return new JsoncNode(JsoncKind.Boolean, position) { Flag = reader.TokenType == JsonTokenType.True };
            default:
                return new JsoncNode(JsoncKind.Null, position);
        }
    }

    private JsoncNode ReadObject(ref Utf8JsonReader reader, Position position)
    {
        List<JsoncMember> members = [];
        Dictionary<string, Position> seen = [];
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            Position at = At((int)reader.TokenStartIndex);
            string name = reader.GetString()!;
            reader.Read();
            JsoncNode value = ReadValue(ref reader);
            if (seen.TryGetValue(name, out Position first))
            {
                Report(at, $"expected \"{name}\" once, found it again; it stands in line {first.Line}, column {first.Column}, too");
                continue;
            }

            seen.Add(name, at);
            members.Add(new JsoncMember(name, at, value));
        }

        return new JsoncNode(JsoncKind.Object, position) { Members = members };
    }

    private Position At(int offset)
    {
        int line = Array.BinarySearch(_lineStarts, offset);
        line = line < 0 ? ~line - 1 : line;
        if (line != _countedLine || offset < _countedTo)
        {
            _countedLine = line;
            _countedTo = _lineStarts[line];
            _countedColumn = 1;
        }

        for (; _countedTo < offset; _countedTo++)
        {
            _countedColumn += (_source[_countedTo] & 0xC0) != 0x80 ? 1 : 0;
        }

        return new Position(line + 1, _countedColumn);
    }

    /// <summary>What the tokenizer expected, in our words: its own texts name byte positions.</summary>
    private string Explain(JsonException wrong, int offset)
    {
        string message = wrong.Message;
        int end = message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        message = end > 0 ? message[..end] : message;
        string found = offset >= _text.Length ? "the end of the file" : _text[offset] switch
        {
            (byte)'\n' or (byte)'\r' => "the end of the line",
            >= 0x20 and < 0x7F => $"'{(char)_text[offset]}'",
            _ => $"byte 0x{_text[offset]:x2}",
        };
        return message.Contains("depth", StringComparison.OrdinalIgnoreCase)
            ? $"expected at most {MaxDepth} levels of nesting"
            : $"expected valid JSON, found {found}: {message}";
    }

    private void Report(Position position, string message)
        => _diagnostics.Add(new Diagnostic(_file, position, Severity.Error, message));
}
