namespace Lodge.Shim;

/// <summary>
/// How execve hands a program on to the next shim image: four words in front of the guest's arguments,
/// <c>lodge-shim --exec-record PROGRAM,IMAGE,FLAGS EXECFN ARGV0 ARGV1 …</c> with two open descriptors, what else is to be
/// known, and the name the guest used. The guest's own arguments follow untouched.
/// </summary>
public unsafe struct ExecRecord
{
    /// <summary>Words in front of the guest's arguments.</summary>
    public const int Words = 4;
    /// <summary>Room for the record.</summary>
    public const int MaxLength = 40;

    /// <summary>Descriptor of the program; -1 = there is no record.</summary>
    public int Program;
    /// <summary>Descriptor of the shim's image.</summary>
    public int Image;
    /// <summary>Calls are traced.</summary>
    public bool Trace;
    /// <summary>The guest named the file by descriptor: the thread is called after the file.</summary>
    public bool NameFromFile;

    /// <summary>Writes a record, zero-terminated.</summary>
    public static void Write(byte* to, int program, int image, bool trace, bool nameFromFile)
    {
        to = ExecTarget.Decimal(to, program);
        *to++ = (byte)',';
        to = ExecTarget.Decimal(to, image);
        *to++ = (byte)',';
        ExecTarget.Decimal(to, (trace ? 1 : 0) | (nameFromFile ? 2 : 0));
    }

    /// <summary>Reads a record. False when it is none.</summary>
    public static bool Parse(byte* text, out ExecRecord record)
    {
        record = default;
        record.Program = Number(ref text);
        if (*text++ != ',')
        {
            return false;
        }

        record.Image = Number(ref text);
        if (*text++ != ',')
        {
            return false;
        }

        int flags = Number(ref text);
        record.Trace = (flags & 1) != 0;
        record.NameFromFile = (flags & 2) != 0;
        return *text == 0;
    }

    private static int Number(ref byte* text)
    {
        int value = 0;
        for (; *text is >= (byte)'0' and <= (byte)'9'; text++)
        {
            value = (value * 10) + (*text - '0');
        }

        return value;
    }
}
