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

            if (t < textLength && p < patternLength && MatchesOne(pattern, patternLength, p, text[t], out int next))
            {
                p = next;
                t++;
            }
            else if (starP >= 0 && starT < textLength && text[starT] != '/')
            {
                p = starP;
                t = ++starT;
            }
            else if (deepP >= 0 && deepT < textLength)
            {
                p = deepP;
                t = ++deepT;
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

    private static bool MatchesOne(byte* pattern, int length, int p, byte c, out int next)
    {
        next = p + 1;
        switch (pattern[p])
        {
            case (byte)'?':
                return c != '/';
            case (byte)'[':
                return MatchesSet(pattern, length, p + 1, c, out next);
            case (byte)'\\':
                if (next < length)
                {
                    return pattern[next++] == c;
                }

                return c == '\\';
            default:
                return pattern[p] == c;
        }
    }

    // A set without its end is the character [.
    private static bool MatchesSet(byte* pattern, int length, int p, byte c, out int next)
    {
        int first = p;
        bool negated = p < length && pattern[p] == '!';
        p += negated ? 1 : 0;
        bool found = false;
        for (int at = p; at < length; at++)
        {
            if (pattern[at] == ']' && at > p)
            {
                next = at + 1;
                return found != negated && c != '/';
            }

            byte low = pattern[at];
            byte high = low;
            if (at + 2 < length && pattern[at + 1] == '-' && pattern[at + 2] != ']')
            {
                high = pattern[at + 2];
                at += 2;
            }

            found |= c >= low && c <= high;
        }

        next = first;
        return c == '[';
    }
}
