using System;
using System.Threading;

namespace Lodge.Shim;

public unsafe partial struct ThreadGroup
{
    /// <summary>Bit n: call number n was already reported as not implemented (set by any thread, never cleared).</summary>
    public fixed int UnimplementedReported[32];
}

/// <summary>
/// The answer to calls that a method is still missing for (docs/syscall-coverage-*.md lists them as "to do"): ENOSYS, and one line on
/// standard error per process and call, so that a program that needs the call is easy to recognise.
/// </summary>
public static unsafe class Unimplemented
{
    /// <summary>Reports the call once and returns -ENOSYS. Any thread; not async-signal-safe callers do not exist (dispatcher only).</summary>
    public static int Report(GuestThread* t, bool i386, int nr)
    {
        if (t->Group != null && First(t->Group, (uint)nr % 1024))
        {
            Span<byte> buffer = stackalloc byte[128];
            var line = new Line(buffer);
            line.Add("lodge: system call "u8);
            line.Dec(nr);
            line.Add(" ("u8);
            line.Add(SyscallTables.Name(i386, (uint)nr));
            line.Add(") is not implemented yet: ENOSYS\n"u8);
            Out.Write(2, line.Text);
        }
        return -Errno.ENOSYS;
    }

    private static bool First(ThreadGroup* group, uint nr)
    {
        ref int word = ref group->UnimplementedReported[nr / 32];
        int bit = 1 << (int)(nr % 32);
        for (;;)
        {
            int seen = Volatile.Read(ref word);
            if ((seen & bit) != 0)
            {
                return false;
            }
            if (Interlocked.CompareExchange(ref word, seen | bit, seen) == seen)
            {
                return true;
            }
        }
    }
}
