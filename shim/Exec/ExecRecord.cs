namespace Lodge.Shim;

/// <summary>
/// How execve hands a program on to the next shim image: four words in front of the guest's arguments,
/// <c>lodge-shim --exec-record PROGRAM,IMAGE,FLAGS,TRACE,SYSTEM,USER[,AS,DATA][;CPUID…] EXECFN ARGV0 ARGV1 …</c> with open descriptors, what else is to be
/// known, and the name the guest used. The guest's own arguments follow untouched.
/// </summary>
public unsafe struct ExecRecord
{
    /// <summary>Words in front of the guest's arguments.</summary>
    public const int Words = 4;
    /// <summary>Room for the record.</summary>
    public const int MaxLength = 120 + CpuidAnswers.MaxText;

    /// <summary>Descriptor of the program; -1 = there is no record.</summary>
    public int Program;
    /// <summary>Descriptor of the shim's image.</summary>
    public int Image;
    /// <summary>Calls are traced.</summary>
    public bool Trace;
    /// <summary>Traces say how long each call took.</summary>
    public bool TraceTimes;
    /// <summary>Where traces go, when <see cref="Trace"/> is set.</summary>
    public int TraceFd;
    /// <summary>Translation is timed.</summary>
    public bool Statistics;
    /// <summary>binfmt_misc started the guest, or the one that it descends from.</summary>
    public bool Binfmt;
    /// <summary>The guest named the file by descriptor: the thread is called after the file.</summary>
    public bool NameFromFile;

    /// <summary>The root directory was changed on the way here: the configuration's is not entered again.</summary>
    public bool HasRoot;
    /// <summary>The guest named a script: the program is its interpreter, whose name is the first argument.</summary>
    public bool IsScript;
    /// <summary>Descriptors of the compiled configuration, the system's and the user's; -1 = none.</summary>
    public int SystemConfiguration, UserConfiguration;
    /// <summary>
    /// The guest's hard limits of address space and data, which the host does not have (docs/compat-kernel.md); all ones for none.
    /// </summary>
    public ulong AddressSpaceMax, DataMax;
    /// <summary>What <see cref="CpuidAnswers.Write"/> wrote; inside the record's text.</summary>
    public byte* Answers;

    /// <summary>Writes a record, zero-terminated.</summary>
    public static void Write(byte* to, in ExecRecord record, in CpuidAnswers answers)
    {
        to = ExecTarget.Decimal(to, record.Program);
        *to++ = (byte)',';
        to = ExecTarget.Decimal(to, record.Image);
        *to++ = (byte)',';
        to = ExecTarget.Decimal(to, (record.Trace ? 1 : 0) | (record.NameFromFile ? 2 : 0) | (record.Statistics ? 4 : 0) | (record.TraceTimes ? 8 : 0)
            | (record.HasRoot ? 16 : 0) | (record.IsScript ? 32 : 0) | (record.Binfmt ? 64 : 0));
        *to++ = (byte)',';
        to = ExecTarget.Decimal(to, record.Trace ? record.TraceFd : 0);
        *to++ = (byte)',';
        to = ExecTarget.Decimal(to, record.SystemConfiguration + 1);
        *to++ = (byte)',';
        to = ExecTarget.Decimal(to, record.UserConfiguration + 1);
        if ((record.AddressSpaceMax & record.DataMax) != ulong.MaxValue)
        {
            // One more than each: 0 stands for none.
            *to++ = (byte)',';
            to = ExecTarget.Decimal(to, record.AddressSpaceMax + 1);
            *to++ = (byte)',';
            to = ExecTarget.Decimal(to, record.DataMax + 1);
        }

        to = answers.Write(to);
        *to = 0;
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
        if (*text++ != ',')
        {
            return false;
        }

        record.TraceFd = Number(ref text);
        if (*text++ != ',')
        {
            return false;
        }

        record.SystemConfiguration = Number(ref text) - 1;
        if (*text++ != ',')
        {
            return false;
        }

        record.UserConfiguration = Number(ref text) - 1;
        record.AddressSpaceMax = ulong.MaxValue;
        record.DataMax = ulong.MaxValue;
        if (*text == ',')
        {
            text++;
            record.AddressSpaceMax = LongNumber(ref text) - 1;
            if (*text++ != ',')
            {
                return false;
            }

            record.DataMax = LongNumber(ref text) - 1;
        }

        record.Trace = (flags & 1) != 0;
        record.NameFromFile = (flags & 2) != 0;
        record.Statistics = (flags & 4) != 0;
        record.TraceTimes = (flags & 8) != 0;
        record.Binfmt = (flags & 64) != 0;
        record.HasRoot = (flags & 16) != 0;
        record.IsScript = (flags & 32) != 0;
        record.Answers = text;
        return *text is 0 or (byte)';';
    }

    private static int Number(ref byte* text) => (int)LongNumber(ref text);

    private static ulong LongNumber(ref byte* text)
    {
        ulong value = 0;
        for (; *text is >= (byte)'0' and <= (byte)'9'; text++)
        {
            value = (value * 10) + (uint)(*text - '0');
        }

        return value;
    }
}
