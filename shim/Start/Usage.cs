using System;

namespace Lodge.Shim;

/// <summary>Texts of the command line.</summary>
public static unsafe class Usage
{
    /// <summary>Exit status for a wrong command line.</summary>
    public const int ExitStatus = 2;

#if ARM64
    private static ReadOnlySpan<byte> VersionText => "lodge-shim 0.1 (arm64)\n"u8;
#else
    private static ReadOnlySpan<byte> VersionText => "lodge-shim 0.1 (x86-64)\n"u8;
#endif

    private static ReadOnlySpan<byte> HelpText =>
        """
        Usage: lodge-shim [OPTION]... PROGRAM [ARGUMENT]...
        Runs a 32-bit Linux program in this process.

          --strace         write the program's system calls to standard error
          --strace-fd=FD   write them to an open descriptor, which the program does not see
          --strace-times   say how long each call took, in seconds
          --stats          say at the program's end what its translation cost
          --root DIR       use DIR as the program's root directory
          --argv0=NAME     what the program sees as its own name, instead of PROGRAM
          --self-test      check that this host does what the shim relies on
          --version        print the version
          --help           print this text

        LODGE_CODE_CACHE=SIZE in the environment (1M to 1G, 256M without it): memory for translated code, which
        is thrown away and translated again when it is full.
        LODGE_PERF_MAP=1: /tmp/perf-PID.map at the program's end, with which perf report names translated code.

        """u8;

    /// <summary>--help.</summary>
    public static void Help() => Out.Write(1, HelpText);

    /// <summary>--version.</summary>
    public static void Version() => Out.Write(1, VersionText);

    /// <summary>Says on standard error what is wrong with the command line.</summary>
    public static void Complain(in Options options)
    {
        Line line = new(stackalloc byte[512]);
        line.Add("lodge-shim: "u8);
        switch (options.Error)
        {
            case OptionError.Unknown:
                line.Add("unknown option '"u8);
                line.Add(options.Offender);
                line.Add("'"u8);
                break;
            case OptionError.MissingValue:
                line.Add("option '"u8);
                line.Add(options.Offender);
                line.Add("' needs a value"u8);
                break;
            case OptionError.BadNumber:
                line.Add("option '"u8);
                line.Add(options.Offender);
                line.Add("' needs a descriptor"u8);
                break;
            default:
                line.Add("no program given"u8);
                break;
        }

        line.Add("; try --help\n"u8);
        line.Flush(2);
    }
}
