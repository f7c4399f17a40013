using System.Runtime;

namespace Lodge.Shim;

/// <summary>The entry point: <c>_start</c> of the linker script passes the initial stack pointer.</summary>
public static unsafe class ShimMain
{
    /// <summary>Runs the shim. The process ends by exit_group inside.</summary>
    [RuntimeExport("shim_main")]
    public static void Main(ulong* stack)
    {
        Out.Write(1, "hello\n"u8);
        Host.ExitGroup(0);
    }
}
