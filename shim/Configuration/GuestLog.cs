using System;
using Lodge.Protocol;

namespace Lodge.Shim;

/// <summary>
/// What the shim says about the program it runs: one line each, to the descriptor of traces, or standard error. Not from signal handlers.
/// </summary>
public static unsafe class GuestLog
{
    private const int MaxLine = 700;

    /// <summary>True if lines of this level are written.</summary>
    public static bool Says(GuestThread* t, LogLevel level) => level <= t->Group->Settings.LogLevel;

    /// <summary>Writes a line, if its level is asked for. What is too long is cut off.</summary>
    public static void Write(GuestThread* t, LogLevel level, ReadOnlySpan<byte> text)
    {
        if (!Says(t, level))
        {
            return;
        }

        Line line = new(stackalloc byte[MaxLine]);
        line.Add("lodge-shim: "u8);
        line.Add(text.Length > MaxLine - 20 ? text.Slice(0, MaxLine - 20) : text);
        line.Add("\n"u8);
        line.Flush(Strace.Descriptor(t->Files));
    }
}
