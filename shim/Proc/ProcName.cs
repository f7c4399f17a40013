namespace Lodge.Shim;

/// <summary>A file of procfs whose answer for the guest is not the host's.</summary>
public enum ProcFile : byte
{
    /// <summary>Nothing of ours.</summary>
    None,
    /// <summary>exe: the guest program instead of the shim.</summary>
    Exe,
    /// <summary>maps: guest mappings only.</summary>
    Maps,
    /// <summary>smaps.</summary>
    Smaps,
    /// <summary>stat: virtual size.</summary>
    Stat,
    /// <summary>statm: virtual size.</summary>
    Statm,
    /// <summary>status: VmPeak, VmSize.</summary>
    Status,
    /// <summary>mem: guest mappings only, and code that is written is translated again.</summary>
    Mem,
    /// <summary>/proc/cpuinfo: the features that translated code has.</summary>
    CpuInfo,
    /// <summary>An entry of fd/ or fdinfo/ that is one of the shim's own descriptors.</summary>
    HiddenDescriptor,
}

/// <summary>
/// Takes apart an absolute path below /proc. Names are compared, links are not followed: /proc/self, /proc/thread-self, /proc/N and
/// /proc/N/task/M are understood, where N and M are numbers of this thread group.
/// </summary>
public unsafe ref struct ProcName
{
    private const int MaxNumber = 1 << 30;

    /// <summary>Which file; <see cref="ProcFile.None"/> for everything that the host may answer.</summary>
    public ProcFile File;

    /// <summary>Descriptor of an fd/ or fdinfo/ entry.</summary>
    public int Descriptor;

    /// <summary>
    /// Parses <paramref name="path"/> (zero-terminated). False for anything that is none of ours; whether <see cref="Number"/> and
    /// <see cref="TaskNumber"/> are this process's is for the caller to find out.
    /// </summary>
    public bool Parse(byte* path)
    {
        File = ProcFile.None;
        Descriptor = -1;
        Number = 0;
        TaskNumber = 0;
        int at = 0;
        if (!Take(path, ref at, out int start, out int length) || !Is(path + start, length, "proc"u8) || !Take(path, ref at, out start, out length))
        {
            return false;
        }

        if (Is(path + start, length, "cpuinfo"u8))
        {
            File = ProcFile.CpuInfo;
            return AtEnd(path, at);
        }

        if (!Is(path + start, length, "self"u8) && !Is(path + start, length, "thread-self"u8))
        {
            Number = ParseNumber(path + start, length);
            if (Number <= 0)
            {
                return false;
            }
        }

        if (!Take(path, ref at, out start, out length))
        {
            return false;
        }

        if (Is(path + start, length, "task"u8))
        {
            if (!Take(path, ref at, out start, out length))
            {
                return false;
            }

            TaskNumber = ParseNumber(path + start, length);
            if (TaskNumber <= 0 || !Take(path, ref at, out start, out length))
            {
                return false;
            }
        }

        if (Is(path + start, length, "fd"u8) || Is(path + start, length, "fdinfo"u8))
        {
            if (!Take(path, ref at, out start, out length))
            {
                return false;
            }

            Descriptor = ParseNumber(path + start, length);
            File = ProcFile.HiddenDescriptor;
            return Descriptor >= 0;
        }

        File = Leaf(path + start, length);
        return File != ProcFile.None && AtEnd(path, at);
    }

    /// <summary>Process number in the path; 0 for self and thread-self.</summary>
    public int Number { get; private set; }

    /// <summary>Number behind task/; 0 if there is none.</summary>
    public int TaskNumber { get; private set; }

    /// <summary>The file that a last component names below a process directory.</summary>
    public static ProcFile Leaf(byte* name, int length)
        => Is(name, length, "exe"u8) ? ProcFile.Exe
            : Is(name, length, "mem"u8) ? ProcFile.Mem
            : Is(name, length, "maps"u8) ? ProcFile.Maps
            : Is(name, length, "smaps"u8) ? ProcFile.Smaps
            : Is(name, length, "stat"u8) ? ProcFile.Stat
            : Is(name, length, "statm"u8) ? ProcFile.Statm
            : Is(name, length, "status"u8) ? ProcFile.Status
            : ProcFile.None;

    /// <summary>True if the name is a file that this class knows, in any directory.</summary>
    public static bool IsKnownLeaf(byte* name, int length)
        => Leaf(name, length) != ProcFile.None || Is(name, length, "cpuinfo"u8);

    /// <summary>A decimal number without sign or leading zero; -1 for anything else.</summary>
    public static int ParseNumber(byte* text, int length)
    {
        if (length is 0 or > 10 || (length > 1 && text[0] == '0'))
        {
            return -1;
        }

        int value = 0;
        for (int i = 0; i < length; i++)
        {
            int digit = text[i] - '0';
            if ((uint)digit > 9 || value > MaxNumber / 10)
            {
                return -1;
            }

            value = (value * 10) + digit;
        }

        return value;
    }

    private static bool Take(byte* path, ref int at, out int start, out int length)
    {
        while (true)
        {
            while (path[at] == '/')
            {
                at++;
            }

            start = at;
            while (path[at] != 0 && path[at] != '/')
            {
                at++;
            }

            length = at - start;
            if (length != 1 || path[start] != '.')
            {
                return length != 0;
            }
        }
    }

    private static bool AtEnd(byte* path, int at) => path[at] == 0;

    private static bool Is(byte* text, int length, System.ReadOnlySpan<byte> name)
    {
        if (length != name.Length)
        {
            return false;
        }

        for (int i = 0; i < length; i++)
        {
            if (text[i] != name[i])
            {
                return false;
            }
        }

        return true;
    }
}
