using System;

namespace Lodge.Shim;

/// <summary>The end after a broken invariant: one line on standard error, exit status 70 (EX_SOFTWARE of sysexits.h).</summary>
public static class Fatal
{
    /// <summary>Stops the process. Async-signal-safe; does not return.</summary>
    public static void Stop(ReadOnlySpan<byte> why)
    {
        Out.Write(2, "lodge-shim: internal error: "u8);
        Out.Write(2, why);
        Out.Write(2, "\n"u8);
        Host.ExitGroup(70);
    }
}
