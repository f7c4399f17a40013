namespace Lodge.Shim;

/// <summary>One header line of the host's /proc/PID/maps or smaps: where it is and which parts of it are of use.</summary>
internal unsafe struct HostMapsLine
{
    /// <summary>The mapping's bounds.</summary>
    public ulong Start, End;
    /// <summary>File offset, bytes.</summary>
    public ulong Offset;
    /// <summary>Whether an inode stands behind it.</summary>
    public bool HasInode;
    /// <summary>"dev:dev inode", as text.</summary>
    public byte* Identity;
    /// <summary>Its length.</summary>
    public int IdentityLength;
    /// <summary>The name, up to the end of the line; may be empty.</summary>
    public byte* Name;
    /// <summary>Its length.</summary>
    public int NameLength;
    /// <summary>What follows the line.</summary>
    public byte* Rest;

    /// <summary>
    /// Reads the header line at <paramref name="at"/>, skipping smaps' detail lines.
    /// </summary>
    /// <returns>False at the end of the text.</returns>
    public static bool Next(byte* at, byte* end, out HostMapsLine line)
    {
        line = default;
        while (at < end)
        {
            byte* next = at;
            while (next < end && *next != '\n')
            {
                next++;
            }

            byte* stop = next;
            next = next < end ? next + 1 : next;
            if (line.Parse(at, stop))
            {
                line.Rest = next;
                return true;
            }

            at = next;
        }

        return false;
    }

    private bool Parse(byte* at, byte* stop)
    {
        Start = Hex(ref at, stop);
        if (at >= stop || *at != '-')
        {
            return false;
        }

        at++;
        End = Hex(ref at, stop);
        at += 6; // " rwxp "
        if (at >= stop)
        {
            return false;
        }

        Offset = Hex(ref at, stop);
        at++;
        Identity = at;
        while (at < stop && *at != ' ')
        {
            at++;
        }

        at++;
        byte* inode = at;
        while (at < stop && *at != ' ')
        {
            at++;
        }

        IdentityLength = (int)(at - Identity);
        HasInode = at - inode != 1 || *inode != '0';
        while (at < stop && *at == ' ')
        {
            at++;
        }

        Name = at;
        NameLength = at < stop ? (int)(stop - at) : 0;
        return true;
    }

    private static ulong Hex(ref byte* at, byte* stop)
    {
        ulong value = 0;
        for (; at < stop; at++)
        {
            int digit = *at is >= (byte)'0' and <= (byte)'9' ? *at - '0' : *at is >= (byte)'a' and <= (byte)'f' ? *at - 'a' + 10 : -1;
            if (digit < 0)
            {
                break;
            }

            value = (value << 4) | (uint)digit;
        }

        return value;
    }
}
