namespace Lodge.Protocol;

/// <summary>
/// Patterns over paths: * and ? stand for characters other than /, ** for any, [a-z] and [!a-z] for one of a set, \ takes the next character
/// as it is. The whole text has to match. No recursion; only the last * and the last ** are ever
/// tried again, so that no pattern takes exponential time.
/// </summary>
public static unsafe class Glob
{
    /// <summary>True if the text matches.</summary>
    public static bool Matches(byte* pattern, int patternLength, byte* text, int textLength)
    {
        int p = 0;
        int t = 0;

        // Where to go on after a mismatch: behind the last *, and behind the last **, with the text each has eaten so far.
        int starP = -1, starT = 0, deepP = -1, deepT = 0;
        while (true)
        {
            if (p < patternLength && pattern[p] == '*')
            {
                if (p + 1 < patternLength && pattern[p + 1] == '*')
                {
                    p += 2;
                    deepP = p;
                    deepT = t;
                    starP = -1;
                }
                else
                {
                    p++;
                    starP = p;
                    starT = t;
                }

                continue;
            }

            if (p == patternLength && t == textLength)
            {
                return true;
            }

            if (t < textLength && p < patternLength && MatchesOne(pattern, patternLength, p, text, textLength, t, out int nextP, out int nextT))
            {
                p = nextP;
                t = nextT;
            }
            else if (starP >= 0 && starT < textLength && text[starT] != '/')
            {
                p = starP;
                t = starT = Next(text, textLength, starT);
            }
            else if (deepP >= 0 && deepT < textLength)
            {
                p = deepP;
                t = deepT = Next(text, textLength, deepT);
                starP = -1;
            }
            else
            {
                return false;
            }
        }
    }

    /// <summary>True if the text has characters that make it a pattern.</summary>
    public static bool IsPattern(byte* text, int length)
    {
        for (int i = 0; i < length; i++)
        {
            if (text[i] is (byte)'*' or (byte)'?' or (byte)'[' or (byte)'\\')
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Place of the next character of UTF-8; a byte that belongs to none counts as one.</summary>
    private static int Next(byte* text, int length, int at)
    {
        at++;
        while (at < length && (text[at] & 0xC0) == 0x80)
        {
            at++;
        }

        return at;
    }

    /// <summary>The bytes of one character as a number, which orders characters as their code points do.</summary>
    private static ulong Character(byte* text, int length, int at, out int next)
    {
        next = Next(text, length, at);
        ulong value = 0;
        for (int i = at; i < next; i++)
        {
            value = (value << 8) | text[i];
        }

        return value;
    }

    private static bool MatchesOne(byte* pattern, int length, int p, byte* text, int textLength, int t, out int nextP, out int nextT)
    {
        nextP = p + 1;
        nextT = t + 1;
        switch (pattern[p])
        {
            case (byte)'?':
                nextT = Next(text, textLength, t);
                return text[t] != '/';
            case (byte)'[':
                return MatchesSet(pattern, length, p + 1, text, textLength, t, out nextP, out nextT);
            case (byte)'\\':
                if (nextP < length)
                {
                    return pattern[nextP++] == text[t];
                }

                return text[t] == '\\';
            default:
                return pattern[p] == text[t];
        }
    }

    // A set without its end is the character [.
    private static bool MatchesSet(byte* pattern, int length, int p, byte* text, int textLength, int t, out int nextP, out int nextT)
    {
        int first = p;
        bool negated = p < length && pattern[p] == '!';
        p += negated ? 1 : 0;
        ulong c = Character(text, textLength, t, out nextT);
        bool found = false;
        for (int at = p; at < length;)
        {
            if (pattern[at] == ']' && at > p)
            {
                nextP = at + 1;
                return found != negated && c != '/';
            }

            ulong low = Character(pattern, length, at, out at);
            ulong high = low;
            if (at + 1 < length && pattern[at] == '-' && pattern[at + 1] != ']')
            {
                high = Character(pattern, length, at + 1, out at);
            }

            found |= c >= low && c <= high;
        }

        nextP = first;
        nextT = t + 1;
        return text[t] == '[';
    }
}
