using System;

namespace Lodge.Shim;

public unsafe partial struct ThreadGroup
{
    /// <summary>Non-zero when the process is to write a perf map at its end (LODGE_PERF_MAP in its environment).</summary>
    public int PerfMap;
}

/// <summary>
/// /tmp/perf-PID.map, which <c>perf report</c> reads to name samples in generated code: one line a unit, named by its guest address.
/// Written when the process ends by exit or exit_group, in the root that it has by then.
/// </summary>
public static unsafe class PerfMap
{
    private const int AT_FDCWD = -100, O_WRONLY = 1, O_CREAT = 0x40, O_TRUNC = 0x200, O_NOFOLLOW = 0x20000, O_CLOEXEC = 0x80000;

    /// <summary>Takes the value of LODGE_PERF_MAP, null without one: anything but 0 or nothing turns the map on.</summary>
    public static void Setup(ThreadGroup* group, byte* value)
        => group->PerfMap = value != null && *value != 0 && *value != '0' ? 1 : 0;

    /// <summary>Writes the map; a file that cannot be made is left out. The caller is about to end the process.</summary>
    public static void Write(GuestThread* t)
    {
        if (t->Group->PerfMap == 0 || t->Mm->Code == null)
        {
            return;
        }

        Span<byte> path = stackalloc byte[64];
        path.Clear();
        var name = new Line(path.Slice(0, 63));
        name.Add("/tmp/perf-"u8);
        name.Dec(t->Links.Tgid);
        name.Add(".map"u8);
        fixed (byte* p = path)
        {
            int fd = (int)Host.Syscall(Nr.openat, AT_FDCWD, (long)p, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0x180);
            if (fd >= 0)
            {
                t->Mm->Code->WriteMap(fd);
                Host.Syscall(Nr.close, fd);
            }
        }
    }
}

public unsafe partial struct CodeCache
{
    /// <summary>One line a unit: host start, length, guest address; dead units are marked. Without the lock: a snapshot is enough.</summary>
    internal readonly void WriteMap(int fd)
    {
        var lines = new Line(stackalloc byte[3072]);
        lines.PlainHex((ulong)Base);
        lines.Byte((byte)' ');
        lines.PlainHex(StubSize);
        lines.Add(" lodge stubs\n"u8);
        for (int i = 0; i < _unitCount; i++)
        {
            ref Unit u = ref UnitRef(*IndexSlot(i));
            lines.PlainHex((ulong)Base + u.HostStart);
            lines.Byte((byte)' ');
            lines.PlainHex(u.HostLength);
            lines.Add(" i386:"u8);
            lines.PlainHex(u.Pc);
            lines.Byte((byte)'+');
            lines.PlainHex(u.Length);
            lines.Add(u.Dead != 0 ? " dead\n"u8 : "\n"u8);
            if (lines.Text.Length > 2900)
            {
                lines.Flush(fd);
            }
        }

        lines.Flush(fd);
    }
}
