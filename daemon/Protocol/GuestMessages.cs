using System;
using System.Runtime.InteropServices;

namespace Lodge.Protocol;

/// <summary>The guest's instruction set.</summary>
public enum GuestAbi : byte
{
    /// <summary>Not said.</summary>
    Unknown = 0,
    /// <summary>i386.</summary>
    I386 = 1,
    /// <summary>AArch32, hard float.</summary>
    Arm = 2,
}

/// <summary>The host's instruction set.</summary>
public enum HostArchitecture : byte
{
    /// <summary>Not said.</summary>
    Unknown = 0,
    /// <summary>x86-64.</summary>
    X64 = 1,
    /// <summary>AArch64.</summary>
    Arm64 = 2,
}

/// <summary>How a guest was started.</summary>
[Flags]
public enum GuestFlags : ushort
{
    /// <summary>Nothing of note.</summary>
    None = 0,
    /// <summary>The program's path is longer than a message allows: its last bytes are given.</summary>
    ProgramTruncated = 1,
    /// <summary>Started by binfmt_misc.</summary>
    Binfmt = 2,
    /// <summary>Set-uid, set-gid or file capabilities (AT_SECURE).</summary>
    Secure = 4,
    /// <summary>System calls are traced.</summary>
    Traced = 8,
    /// <summary>Another guest's execve started it.</summary>
    ByExec = 16,
    /// <summary>Runs with a root directory of its own (--root).</summary>
    Rooted = 32,
}

/// <summary>
/// <see cref="MessageType.Register"/>: 40 bytes, then <see cref="ProgramLength"/> bytes of the program's path. Which process it is, and whose,
/// the service knows from the kernel (SO_PEERCRED); the message has no field for it. A second registration of a living process (execve)
/// replaces the first.
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 4, Size = Size)]
public struct RegisterMessage
{
    /// <summary>Bytes of this structure.</summary>
    public const int Size = 40;

    /// <summary>Longest path in a message; of longer ones the end is sent.</summary>
    public const int MaxProgram = 1024;

    /// <summary>Head.</summary>
    public MessageHeader Header;
    /// <summary>Instruction set of the guest.</summary>
    public GuestAbi Abi;
    /// <summary>Instruction set of the host.</summary>
    public HostArchitecture Host;
    /// <summary>How it was started.</summary>
    public GuestFlags Flags;
    /// <summary>Version of the shim: major &lt;&lt; 16 | minor.</summary>
    public uint ShimVersion;
    /// <summary>Bytes of the path behind this structure, without a final zero; 1 to <see cref="MaxProgram"/>.</summary>
    public ushort ProgramLength;
    /// <summary>Zero.</summary>
    public ushort Reserved0;
    /// <summary>Zero.</summary>
    public uint Reserved1;
}

/// <summary>Weight of a log line; the order is that of syslog, turned round.</summary>
public enum GuestLogLevel : byte
{
    /// <summary>For developers.</summary>
    Debug = 0,
    /// <summary>Ordinary.</summary>
    Information = 1,
    /// <summary>Something the program may notice, such as an unknown ioctl.</summary>
    Warning = 2,
    /// <summary>Something failed.</summary>
    Error = 3,
}

/// <summary><see cref="MessageType.Log"/>: 32 bytes, then <see cref="TextLength"/> bytes of text.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 4, Size = Size)]
public struct LogMessage
{
    /// <summary>Bytes of this structure.</summary>
    public const int Size = 32;

    /// <summary>Longest text.</summary>
    public const int MaxText = 1024;

    /// <summary>Head.</summary>
    public MessageHeader Header;
    /// <summary>Weight.</summary>
    public GuestLogLevel Level;
    /// <summary>1 when the text was cut off, else 0.</summary>
    public byte Truncated;
    /// <summary>Bytes of text behind this structure; 1 to <see cref="MaxText"/>. Any bytes: the receiver makes them printable.</summary>
    public ushort TextLength;
    /// <summary>Zero.</summary>
    public uint Reserved0;
}

/// <summary><see cref="MessageType.Counters"/>: what one program did, told when it ends by itself. 96 bytes.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 4, Size = Size)]
public struct CountersMessage
{
    /// <summary>Bytes of this structure.</summary>
    public const int Size = 96;

    /// <summary>Head.</summary>
    public MessageHeader Header;
    /// <summary>Guest code units translated.</summary>
    public ulong Units;
    /// <summary>Guest instructions in them.</summary>
    public ulong Instructions;
    /// <summary>Bytes of guest code in them.</summary>
    public ulong GuestCodeBytes;
    /// <summary>Bytes of host code made.</summary>
    public ulong HostCodeBytes;
    /// <summary>Processor time in user mode, microseconds.</summary>
    public ulong UserMicroseconds;
    /// <summary>Processor time in the kernel, microseconds.</summary>
    public ulong SystemMicroseconds;
    /// <summary>Largest resident size, KiB.</summary>
    public ulong MaxResidentKiB;
    /// <summary>Page faults, minor and major.</summary>
    public ulong PageFaults;
    /// <summary>Log lines that were not sent because the guest had sent too many.</summary>
    public uint LinesSuppressed;
    /// <summary>Exit status of the program, 0 to 255.</summary>
    public uint ExitStatus;
}
