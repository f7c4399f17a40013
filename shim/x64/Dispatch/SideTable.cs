using System.Runtime.CompilerServices;
using Lodge.Translator.X64;

namespace Lodge.Shim;

/// <summary>
/// Side tables as they are kept: most entries are two bytes, the distances from the entry before in host and guest code, and a third
/// where ESP's delta changes. They are read from the beginning, which only signals, faults and new entries do.
/// <code>
/// hhhhhhh0                            h: host bytes since the last entry
/// ggggggg e                           g: guest bytes; e: a byte with the change of the delta follows
/// 00000001 and eight bytes            an entry of another kind, or with a longer distance, as it is
/// </code>
/// </summary>
public unsafe struct SideTable
{
    private const byte Whole = 1;

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
    public readonly uint NextHostOffset => _next >= _end ? uint.MaxValue
        : *_next == Whole ? Unsafe.ReadUnaligned<Boundary>(_next + 1).HostOffset
        : (uint)(Current.HostOffset + (*_next >> 1));

    /// <summary>Goes to the next entry; false at the end.</summary>
    public bool Next()
    {
        if (_next >= _end)
        {
            return false;
        }

        if (*_next == Whole)
        {
            Current = Unsafe.ReadUnaligned<Boundary>(_next + 1);
            _next += 1 + sizeof(Boundary);
            return true;
        }

        Current.HostOffset += (ushort)(_next[0] >> 1);
        Current.GuestOffset += (ushort)(_next[1] >> 1);
        Current.Kind = BoundaryKind.Normal;
        Current.Register = 0;
        Current.EspDelta += (_next[1] & 1) != 0 ? (sbyte)_next[2] : (short)0;
        _next += 2 + (_next[1] & 1);
        return true;
    }

    /// <summary>Writes a table. Needs at most nine bytes for each entry.</summary>
    /// <returns>Its size in bytes.</returns>
    public static int Write(byte* to, Boundary* from, int count)
    {
        byte* p = to;
        Boundary last = default;
        for (int i = 0; i < count; i++)
        {
            Boundary b = from[i];
            uint host = (uint)(b.HostOffset - last.HostOffset);
            uint guest = (uint)(b.GuestOffset - last.GuestOffset);
            int delta = b.EspDelta - last.EspDelta;
            if ((host | guest) < 128 && delta is >= -128 and <= 127 && b.Kind == BoundaryKind.Normal && b.Register == 0)
            {
                p[0] = (byte)(host << 1);
                p[1] = (byte)((guest << 1) | (delta != 0 ? 1u : 0));
                p[2] = (byte)delta;
                p += delta != 0 ? 3 : 2;
            }
            else
            {
                *p = Whole;
                Unsafe.WriteUnaligned(p + 1, b);
                p += 1 + sizeof(Boundary);
            }

            last = b;
        }

        return (int)(p - to);
    }
}
