using System.Runtime.CompilerServices;
using Lodge.Translator.X64;

namespace Lodge.Shim;

/// <summary>
/// Side tables as they are kept: most entries are a byte, the distances from the entry before in host and guest code. They are read from
/// the beginning, which only signals, faults and new entries do.
/// <code>
/// hhhhggg0                            h: host bytes since the last entry; g: guest bytes
/// ddddgggg hhhhhh01                   the same with a change of ESP's delta, (d - 8) words; d = 15: that is in a third byte
/// gggggggg hhhhhhhh rrkkk011          another kind (k) and register (r), the delta unchanged
/// 00000111 and eight bytes            an entry as it is
/// </code>
/// </summary>
public unsafe struct SideTable
{
    private const byte Kinds = 3, Whole = 7;

    /// <summary>Unchanged delta, and delta in a byte of its own.</summary>
    private const int NoChange = 8, LargeChange = 15;

    private byte* _next;
    private readonly byte* _end;

    /// <summary>The entry found by <see cref="Next"/>.</summary>
    public Boundary Current;

    /// <summary>Reads a table from its beginning. Async-signal-safe.</summary>
    public SideTable(byte* table, int bytes)
    {
        _next = table;
        _end = table + bytes;
        Current = default;
    }

    /// <summary>Offset of the next entry's code from the unit's first host byte; beyond all code when there is none.</summary>
    public readonly uint NextHostOffset
    {
        get
        {
            if (_next >= _end)
            {
                return uint.MaxValue;
            }

            byte first = *_next;
            return first == Whole ? Unsafe.ReadUnaligned<Boundary>(_next + 1).HostOffset
                : (uint)(Current.HostOffset + ((first & 1) == 0 ? first >> 4 : (first & 2) == 0 ? first >> 2 : _next[1]));
        }
    }

    /// <summary>Goes to the next entry; false at the end.</summary>
    public bool Next()
    {
        if (_next >= _end)
        {
            return false;
        }

        byte first = *_next;
        if (first == Whole)
        {
            Current = Unsafe.ReadUnaligned<Boundary>(_next + 1);
            _next += 1 + sizeof(Boundary);
            return true;
        }

        Current.Kind = BoundaryKind.Normal;
        Current.Register = 0;
        if ((first & 1) == 0)
        {
            Current.HostOffset += (ushort)(first >> 4);
            Current.GuestOffset += (ushort)((first >> 1) & 7);
            _next++;
        }
        else if ((first & 2) == 0)
        {
            int change = _next[1] >> 4;
            Current.HostOffset += (ushort)(first >> 2);
            Current.GuestOffset += (ushort)(_next[1] & 15);
            Current.EspDelta += (short)(4 * (change == LargeChange ? (sbyte)_next[2] : change - NoChange));
            _next += change == LargeChange ? 3 : 2;
        }
        else
        {
            Current.Kind = (BoundaryKind)((first >> 3) & 7);
            Current.Register = (byte)(first >> 6);
            Current.HostOffset += _next[1];
            Current.GuestOffset += _next[2];
            _next += 3;
        }

        return true;
    }

    /// <summary>Writes a table. Needs at most nine bytes for each entry, and may write one byte beyond what it returns.</summary>
    /// <returns>Its size in bytes.</returns>
    public static int Write(byte* to, Boundary* from, int count)
    {
        byte* p = to;
        ulong last = 0;
        for (int i = 0; i < count; i++)
        {
            // Host offset, guest offset, ESP's delta, kind and register from the lowest bits up. Host offsets never go down.
            ulong b = ((ulong*)from)[i];
            uint step = (uint)b - (uint)last;
            int delta = (short)(b >> 32) - (short)(last >> 32);
            uint change = (uint)(delta >> 2) + NoChange;
            last = b;
            if (((step & 0xFFF0FFC0) | (uint)(b >> 48) | ((uint)delta & 3)) == 0 && change < LargeChange)
            {
                // One byte or two: no branch, it would be guessed wrong time and again.
                uint host = (ushort)step;
                uint guest = step >> 16;
                uint more = host >> 4 | guest >> 3 | change ^ NoChange;
                more = (more | (0 - more)) >> 31;
                uint mask = 0 - more;
                uint two = change << 12 | guest << 8 | host << 2 | 1;
                uint one = host << 4 | guest << 1;
                Unsafe.WriteUnaligned(p, (ushort)((two & mask) | (one & ~mask)));
                p += 1 + more;
            }
            else
            {
                p = WriteRare(p, b, step, delta);
            }
        }

        return (int)(p - to);
    }

    private static byte* WriteRare(byte* p, ulong b, uint step, int delta)
    {
        uint host = (ushort)step;
        uint guest = step >> 16;
        uint kind = (byte)(b >> 48), register = (byte)(b >> 56);
        if ((kind | register | ((uint)delta & 3)) == 0 && host < 64 && guest < 16 && delta is >= -512 and < 512)
        {
            Unsafe.WriteUnaligned(p, (ushort)((uint)LargeChange << 12 | guest << 8 | host << 2 | 1));
            p[2] = (byte)(delta >> 2);
            return p + 3;
        }

        if (delta == 0 && (host | guest) < 256 && kind < 8 && register < 4)
        {
            p[0] = (byte)(register << 6 | kind << 3 | Kinds);
            p[1] = (byte)host;
            p[2] = (byte)guest;
            return p + 3;
        }

        *p = Whole;
        Unsafe.WriteUnaligned(p + 1, b);
        return p + 1 + sizeof(Boundary);
    }
}
