using System;
using System.Runtime.InteropServices;

namespace Lodge.Shim;

/// <summary>What the command line asks for.</summary>
public enum StartMode
{
    /// <summary>Run a program.</summary>
    Run,
    /// <summary>Print usage.</summary>
    Help,
    /// <summary>Print the version.</summary>
    Version,
    /// <summary>Check that this host does what the shim relies on.</summary>
    SelfTest,
    /// <summary>The command line is wrong; see <see cref="Options.Error"/> and <see cref="Options.Offender"/>.</summary>
    Invalid,
}

/// <summary>Why a command line was refused.</summary>
public enum OptionError
{
    /// <summary>It was not.</summary>
    None,
    /// <summary>No such option.</summary>
    Unknown,
    /// <summary>The option needs a value and none follows.</summary>
    MissingValue,
    /// <summary>No program is named.</summary>
    NoProgram,
    /// <summary>The option's value is not a number, or too large.</summary>
    BadNumber,
}

/// <summary>
/// The shim's command line: <c>lodge-shim [OPTION]... PROGRAM [ARGUMENT]...</c>. Options end at the program or at <c>--</c>. Started by
/// binfmt_misc there are no options: the kernel's own order of arguments is taken.
/// </summary>
public unsafe struct Options
{
    /// <summary>What to do.</summary>
    public StartMode Mode;
    /// <summary>Write each system call of the guest to <see cref="StraceFd"/>.</summary>
    public bool Strace;
    /// <summary>Say how long each call took.</summary>
    public bool StraceTimes;
    /// <summary>Where traces go: standard error, unless told otherwise.</summary>
    public int StraceFd;
    /// <summary>Say at the end what translation cost.</summary>
    public bool Statistics;
    /// <summary>Directory to use as the guest's root, or null.</summary>
    public byte* Root;
    /// <summary>Path of the program.</summary>
    public byte* Program;
    /// <summary>The guest's argument vector, null-terminated: its first entry is what the guest sees as argv[0].</summary>
    public byte** Arguments;
    /// <summary>True when another shim's execve started us; then <see cref="Record"/> says with what.</summary>
    public bool HasRecord;
    /// <summary>What execve handed over.</summary>
    public ExecRecord Record;
    /// <summary>Why <see cref="Mode"/> is Invalid.</summary>
    public OptionError Error;
    /// <summary>The argument that was refused, or null.</summary>
    public byte* Offender;

    /// <summary>Reads the command line. Never fails: a wrong one gives mode Invalid.</summary>
    public static Options Parse(in StartInfo start)
    {
        Options options = default;
        if (start.FromBinfmt && start.Argc >= 3)
        {
            options.Program = start.Argv[1];
            options.Arguments = start.Argv + 2;
            return options;
        }

        if (start.Argc > ExecRecord.Words - 1 && MemoryMarshal.CreateReadOnlySpanFromNullTerminated(start.Argv[1]).SequenceEqual("--exec-record"u8)
            && ExecRecord.Parse(start.Argv[2], out options.Record))
        {
            options.HasRecord = true;
            options.Strace = options.Record.Trace;
            options.StraceTimes = options.Record.TraceTimes;
            options.StraceFd = options.Record.TraceFd;
            options.Statistics = options.Record.Statistics;
            options.Program = start.Argv[3];
            options.Arguments = start.Argv + ExecRecord.Words;
            return options;
        }

        int next = 1;
        byte* argv0 = null;
        while (next < start.Argc && start.Argv[next][0] == '-' && start.Argv[next][1] != 0)
        {
            byte* argument = start.Argv[next++];
            ReadOnlySpan<byte> name = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(argument);
            if (name.SequenceEqual("--"u8))
            {
                break;
            }

            if (name.SequenceEqual("--strace"u8))
            {
                options.Strace = true;
                options.StraceFd = 2;
            }
            else if (name.SequenceEqual("--strace-times"u8))
            {
                options.StraceTimes = true;
            }
            else if (name.StartsWith("--strace-fd="u8))
            {
                options.Strace = true;
                if (!Decimal(name.Slice("--strace-fd="u8.Length), out options.StraceFd))
                {
                    return Refuse(OptionError.BadNumber, argument);
                }
            }
            else if (name.SequenceEqual("--stats"u8))
            {
                options.Statistics = true;
            }
            else if (name.SequenceEqual("--root"u8))
            {
                if (next == start.Argc)
                {
                    return Refuse(OptionError.MissingValue, argument);
                }

                options.Root = start.Argv[next++];
            }
            else if (name.StartsWith("--root="u8))
            {
                options.Root = argument + "--root="u8.Length;
            }
            else if (name.StartsWith("--argv0="u8))
            {
                argv0 = argument + "--argv0="u8.Length;
            }
            else if (name.SequenceEqual("--self-test"u8))
            {
                options.Mode = StartMode.SelfTest;
                return options;
            }
            else if (name.SequenceEqual("--version"u8))
            {
                options.Mode = StartMode.Version;
                return options;
            }
            else if (name.SequenceEqual("--help"u8) || name.SequenceEqual("-h"u8))
            {
                options.Mode = StartMode.Help;
                return options;
            }
            else
            {
                return Refuse(OptionError.Unknown, argument);
            }
        }

        if (next >= start.Argc)
        {
            return Refuse(OptionError.NoProgram, null);
        }

        options.Program = start.Argv[next];
        options.Arguments = start.Argv + next;
        if (argv0 != null)
        {
            options.Arguments[0] = argv0;
        }

        return options;
    }

    // At most nine digits: a descriptor.
    private static bool Decimal(ReadOnlySpan<byte> text, out int value)
    {
        value = 0;
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] is < (byte)'0' or > (byte)'9')
            {
                return false;
            }

            value = (value * 10) + (text[i] - '0');
        }

        return text.Length is > 0 and < 10;
    }

    private static Options Refuse(OptionError error, byte* offender)
    {
        Options options = default;
        options.Mode = StartMode.Invalid;
        options.Error = error;
        options.Offender = offender;
        return options;
    }
}
