using System;

namespace Lodge.Protocol;

/// <summary>One option: everything there is to know about it. Texts are ASCII.</summary>
public readonly ref struct OptionRow
{
    /// <summary>Name in files; --name on the command line; LODGE_NAME, in capitals with underscores, in the environment.</summary>
    public readonly ReadOnlySpan<byte> Name;
    /// <summary>How values are written.</summary>
    public readonly OptionType Type;
    /// <summary>Where it may be set.</summary>
    public readonly OptionScope Scope;
    /// <summary>Values of a <see cref="OptionType.Token"/>, separated by blanks.</summary>
    public readonly ReadOnlySpan<byte> Tokens;
    /// <summary>What holds when nothing is set, as JSON, or as a remark in parentheses.</summary>
    public readonly ReadOnlySpan<byte> Default;
    /// <summary>An example value, as JSON.</summary>
    public readonly ReadOnlySpan<byte> Example;
    /// <summary>What the option does.</summary>
    public readonly ReadOnlySpan<byte> Doc;
    /// <summary>Bits of the personality word that a Boolean option sets (or, for <see cref="OptionId.Randomize"/>, clears); 0 for others.</summary>
    public readonly uint PersonalityBits;

    /// <summary>A row.</summary>
    public OptionRow(
        ReadOnlySpan<byte> name, OptionType type, OptionScope scope, ReadOnlySpan<byte> tokens, ReadOnlySpan<byte> defaultValue,
        ReadOnlySpan<byte> example, ReadOnlySpan<byte> doc, uint personalityBits = 0)
    {
        Name = name;
        Type = type;
        Scope = scope;
        Tokens = tokens;
        Default = defaultValue;
        Example = example;
        Doc = doc;
        PersonalityBits = personalityBits;
    }
}

/// <summary>
/// All options. From this table come the JSON Schema, the default configuration file, the list in docs/configuration.md, the LODGE_*
/// variables, the options of `lodge run`, and the compiled file.
/// </summary>
public static class OptionTable
{
    /// <summary>Number of options.</summary>
    public const int Count = (int)OptionId.CodeCache + 1;

    /// <summary>The row of an option.</summary>
    public static OptionRow Row(OptionId id) => id switch
    {
        OptionId.Environment => new(
            "environment"u8, OptionType.EnvironmentMap, OptionScope.Any, default, "{}"u8, """{ "TZ": "UTC", "LD_PRELOAD": null }"""u8,
            "Variables to set (text) or to drop (null) before the program starts. NAME* drops all that begin so. Later layers win for each "u8
                + "variable."u8),
        OptionId.Root => new(
            "root"u8, OptionType.Path, OptionScope.File | OptionScope.CommandLine, default, "null"u8, "\"/srv/roots/i386\""u8,
            "Directory that becomes the program's root (chroot; in a user namespace where that needs no privilege). Set in a file, the "u8
                + "program itself is found outside it, everything the program opens comes from inside; on the command line, the program is inside, "u8
                + "too. Programs started by the program stay inside."u8),
        OptionId.CpuLevel => new(
            "cpu-level"u8, OptionType.Token, OptionScope.Any, CpuFeatures.Levels, "\"host\""u8, "\"x86-64-v2\""u8,
            "Newest CPU generation that the program sees: in CPUID, AT_HWCAP, XGETBV and /proc/cpuinfo. Instructions of hidden features raise "u8
                + "SIGILL, as on such a CPU. host: all that the host has and the translator knows."u8),
        OptionId.Cpu => new(
            "cpu"u8, OptionType.FeatureMap, OptionScope.Any, default, "{}"u8, """{ "avx": false }"""u8,
            "Single CPU features, by their names in /proc/cpuinfo, shown (true) or hidden (false) whatever cpu-level says. What builds on a "u8
                + "hidden feature is hidden with it. true cannot show what the host lacks."u8),
        OptionId.Linux32 => new(
            "linux32"u8, OptionType.Boolean, OptionScope.Any, default, "(as started)"u8, "true"u8,
            "PER_LINUX32: uname -m says i686, as setarch linux32 does."u8, 0x0008),
        OptionId.Uname26 => new(
            "uname26"u8, OptionType.Boolean, OptionScope.Any, default, "(as started)"u8, "true"u8,
            "UNAME26: uname -r begins with 2.6, for programs that cannot read a newer version."u8, 0x0020000),
        OptionId.ReadImpliesExec => new(
            "read-implies-exec"u8, OptionType.Boolean, OptionScope.Any, default, "(as started)"u8, "true"u8,
            "READ_IMPLIES_EXEC: readable memory is executable. Programs without a PT_GNU_STACK header have it anyway."u8, 0x0400000),
        OptionId.AddrCompatLayout => new(
            "addr-compat-layout"u8, OptionType.Boolean, OptionScope.Any, default, "(as started)"u8, "true"u8,
            "ADDR_COMPAT_LAYOUT: mappings are placed bottom-up from a third of the address space, as kernels before 2.6.7 did it."u8, 0x0200000),
        OptionId.AddrLimit3Gb => new(
            "addr-limit-3gb"u8, OptionType.Boolean, OptionScope.Any, default, "(as started)"u8, "true"u8,
            "ADDR_LIMIT_3GB: the address space ends at 3 GiB, for programs that take addresses for signed numbers or use their top bits."u8, 0x8000000),
        OptionId.MmapPageZero => new(
            "mmap-page-zero"u8, OptionType.Boolean, OptionScope.Any, default, "(as started)"u8, "true"u8,
            "MMAP_PAGE_ZERO: page 0 is mapped and reads as zeros, where vm.mmap_min_addr lets it be."u8, 0x0100000),
        OptionId.Randomize => new(
            "randomize"u8, OptionType.Boolean, OptionScope.Any, default, "(as started)"u8, "false"u8,
            "Random addresses of stack, heap, mappings and vDSO, where kernel.randomize_va_space allows them. false: the same addresses in "u8
                + "every run (ADDR_NO_RANDOMIZE)."u8, 0x0040000),
        OptionId.Ioctl => new(
            "ioctl"u8, OptionType.IoctlMap, OptionScope.Any, default, "{}"u8, """{ "0x5413": "refuse", "unknown": "log" }"""u8,
            "What happens to single ioctl requests, by number, and to all that Lodge does not know (unknown). refuse: ENOTTY, quietly. pass: "u8
                + "given to the host's kernel as it is, right only where the argument is the same for 32 and 64 bits. log: as without this entry, "u8
                + "and a warning."u8),
        OptionId.Strace => new(
            "strace"u8, OptionType.Boolean, OptionScope.Any, default, "false"u8, "true"u8,
            "Write the program's system calls to standard error."u8),
        OptionId.LogLevel => new(
            "log-level"u8, OptionType.Token, OptionScope.Any, LogLevels, "\"warning\""u8, "\"info\""u8,
            "What Lodge itself says about the program: info adds ioctl requests that it does not know, once each; debug adds the "u8
                + "configuration in force at start, and every repetition."u8),
        OptionId.Workarounds => new(
            "workarounds"u8, OptionType.WorkaroundMap, OptionScope.Any, default, "{}"u8, """{ "single-cpu": "its threads do not lock" }"""u8,
            "Work-arounds, each with the reason why this program needs it; null takes one back."u8),
        _ => new(
            "code-cache"u8, OptionType.Size, OptionScope.Any, default, "\"256M\""u8, "\"64M\""u8,
            "Memory for translated code, 1M to 1G, used as it is needed; what is in it is thrown away and translated again when it is full."u8),
    };

    /// <summary>Tokens of <see cref="OptionId.LogLevel"/>, in the order of <see cref="LogLevel"/>.</summary>
    public static ReadOnlySpan<byte> LogLevels => "error warning info debug"u8;

    /// <summary>Finds an option by its name; false if there is none.</summary>
    public static bool TryFind(ReadOnlySpan<byte> name, out OptionId id)
    {
        for (int i = 0; i < Count; i++)
        {
            if (Row((OptionId)i).Name.SequenceEqual(name))
            {
                id = (OptionId)i;
                return true;
            }
        }

        id = default;
        return false;
    }
}

/// <summary>How much is said.</summary>
public enum LogLevel : byte
{
    /// <summary>What keeps the program from running right.</summary>
    Error,
    /// <summary>What somebody should look at.</summary>
    Warning,
    /// <summary>What may explain a program's behaviour.</summary>
    Info,
    /// <summary>Everything.</summary>
    Debug,
}
