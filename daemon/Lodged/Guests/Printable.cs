using System;
using System.Text;

namespace Lodge.Service;

/// <summary>Bytes from guests as text that a terminal or a log can be shown.</summary>
internal static class Printable
{
    /// <summary>UTF-8, with control characters and what is not UTF-8 replaced.</summary>
    public static string Text(ReadOnlySpan<byte> bytes)
    {
        string text = Encoding.UTF8.GetString(bytes);
        if (!NeedsWork(text))
        {
            return text;
        }

        return string.Create(text.Length, text, static (to, from) =>
        {
            for (int i = 0; i < to.Length; i++)
            {
                to[i] = IsPlain(from[i]) ? from[i] : '\uFFFD';
            }
        });
    }

    private static bool NeedsWork(string text)
    {
        foreach (char c in text)
        {
            if (!IsPlain(c))
            {
                return true;
            }
        }

        return false;
    }

    // Line and paragraph separators and the bidirectional overrides could make a line look like another.
    private static bool IsPlain(char c) =>
        !char.IsControl(c) && c is not (>= '\u2028' and <= '\u202E') and not (>= '\u2066' and <= '\u2069');
}
