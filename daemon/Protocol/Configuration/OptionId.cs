using System;

namespace Lodge.Protocol;

/// <summary>The options of a program. The numbers are part of the compiled file's format: new ones are added at the end.</summary>
public enum OptionId : byte
{
    /// <summary>Environment variables to set or drop.</summary>
    Environment,
    /// <summary>Root directory of the program.</summary>
    Root,
    /// <summary>CPU generation shown at most.</summary>
    CpuLevel,
    /// <summary>CPU features shown or hidden one by one.</summary>
    Cpu,
    /// <summary>Personality PER_LINUX32.</summary>
    Linux32,
    /// <summary>Personality flag UNAME26.</summary>
    Uname26,
    /// <summary>Personality flag READ_IMPLIES_EXEC.</summary>
    ReadImpliesExec,
    /// <summary>Personality flag ADDR_COMPAT_LAYOUT.</summary>
    AddrCompatLayout,
    /// <summary>Personality flag ADDR_LIMIT_3GB.</summary>
    AddrLimit3Gb,
    /// <summary>Personality flag MMAP_PAGE_ZERO.</summary>
    MmapPageZero,
    /// <summary>Address randomisation: personality flag ADDR_NO_RANDOMIZE, the other way round.</summary>
    Randomize,
    /// <summary>What happens to single ioctl requests.</summary>
    Ioctl,
    /// <summary>Trace of system calls.</summary>
    Strace,
    /// <summary>How much the shim says.</summary>
    LogLevel,
    /// <summary>Work-arounds in force.</summary>
    Workarounds,
    /// <summary>Memory for translated code.</summary>
    CodeCache,
}

/// <summary>How the value of an option is written and stored.</summary>
public enum OptionType : byte
{
    /// <summary>true or false.</summary>
    Boolean,
    /// <summary>One of the row's tokens; stored as its index.</summary>
    Token,
    /// <summary>An absolute path, or null for none.</summary>
    Path,
    /// <summary>Variable name, or a name's beginning and a star, to text; null drops it.</summary>
    EnvironmentMap,
    /// <summary>Feature name of <see cref="CpuFeatures"/> to true (shown) or false (hidden).</summary>
    FeatureMap,
    /// <summary>Request number, or "unknown", to a token of <see cref="IoctlPolicies"/>.</summary>
    IoctlMap,
    /// <summary>Name of a work-around of <see cref="WorkaroundTable"/> to the reason for it; null takes it back.</summary>
    WorkaroundMap,
    /// <summary>A number with K, M or G behind it (powers of 1024); stored in KiB.</summary>
    Size,
}

/// <summary>Where an option may be set.</summary>
[Flags]
public enum OptionScope : byte
{
    /// <summary>Configuration files, for all programs or for one application.</summary>
    File = 1,
    /// <summary>An environment variable LODGE_NAME.</summary>
    Environment = 2,
    /// <summary>lodge run --name.</summary>
    CommandLine = 4,
    /// <summary>Everywhere.</summary>
    Any = 7,
}
