namespace Lodge.Shim;

/// <summary>The first line of an interpreter script, taken apart as fs/binfmt_script.c does it.</summary>
public unsafe struct Script
{
    /// <summary>What of the file is looked at (BINPRM_BUF_SIZE).</summary>
    public const int HeadSize = 256;
    /// <summary>How many interpreters may follow each other.</summary>
    public const int MaxDepth = 5;

    /// <summary>Path of the interpreter, zero-terminated, inside the head.</summary>
    public byte* Interpreter;
    /// <summary>The one argument (everything up to the end of the line), or null.</summary>
    public byte* Argument;

    /// <summary>
    /// Takes a head apart; zero bytes are written into it.
    /// </summary>
    /// <param name="head">256 bytes, zero-padded where the file is shorter.</param>
    /// <param name="script">The parts.</param>
    /// <returns>False when it is no script, or none with an interpreter: ENOEXEC.</returns>
    public static bool Parse(byte* head, out Script script)
    {
        script = default;
        if (head[0] != '#' || head[1] != '!')
        {
            return false;
        }

        byte* last = head + HeadSize - 1;
        byte* end = head;
        while (end <= last && *end != '\n' && *end != 0)
        {
            end++;
        }

        if (end > last || *end != '\n')
        {
            // No line end: the name must be followed by something, or it may have been cut off.
            end = SkipBlanks(head + 2, last);
            if (end == null || NextTerminator(end, last) == null)
            {
                return false;
            }

            end = last;
        }

        while (IsBlank(end[-1]))
        {
            end--;
        }

        byte* name = SkipBlanks(head + 2, end);
        if (name == null || name == end)
        {
            return false;
        }

        byte* separator = NextTerminator(name, end);
        byte* argument = separator != null && *separator != 0 ? SkipBlanks(separator, end) : null;
        *end = 0;
        if (argument != null && argument != end)
        {
            *separator = 0;
            script.Argument = argument;
        }

        script.Interpreter = name;
        return true;
    }

    private static bool IsBlank(byte c) => c is (byte)' ' or (byte)'\t';

    // The first byte up to and including last that is neither space nor tab; null if there is none.
    private static byte* SkipBlanks(byte* at, byte* last)
    {
        for (; at <= last; at++)
        {
            if (!IsBlank(*at))
            {
                return at;
            }
        }

        return null;
    }

    private static byte* NextTerminator(byte* at, byte* last)
    {
        for (; at <= last; at++)
        {
            if (IsBlank(*at) || *at == 0)
            {
                return at;
            }
        }

        return null;
    }
}
