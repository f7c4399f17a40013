using System.Runtime;

namespace Lodge.Shim;

/// <summary>The entry point: <c>_start</c> of the linker script passes the initial stack pointer.</summary>
public static unsafe class ShimMain
{
    /// <summary>Does what the command line asks for. Ends the process.</summary>
    [RuntimeExport("shim_main")]
    public static void Main(ulong* stack)
    {
        StartInfo start = new(stack);
        Options options = Options.Parse(start);
        switch (options.Mode)
        {
            case StartMode.Help:
                Usage.Help();
                break;
            case StartMode.Version:
                Usage.Version();
                break;
            case StartMode.SelfTest:
                Host.ExitGroup(SelfTest.Run(start));
                break;
            case StartMode.Invalid:
                Usage.Complain(options);
                Host.ExitGroup(Usage.ExitStatus);
                break;
            default:
                Launch.Run(start, options);
                break;
        }

        Host.ExitGroup(0);
    }
}
