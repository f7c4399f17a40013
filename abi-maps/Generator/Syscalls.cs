using System;
using System.Collections.Generic;

namespace Lodge.AbiMaps;

/// <summary>What one argument register of a system call carries.</summary>
public enum ArgumentKind
{
    /// <summary>Signed 32-bit value.</summary>
    Int,
    /// <summary>Unsigned 32-bit value.</summary>
    UInt,
    /// <summary>Signed value of the register's width.</summary>
    Long,
    /// <summary>Unsigned value of the register's width (sizes, masks, addresses as numbers).</summary>
    ULong,
    /// <summary>User pointer.</summary>
    Ptr,
    /// <summary>User pointer to a NUL-terminated string.</summary>
    Str,
    /// <summary>File descriptor, or AT_FDCWD.</summary>
    Fd,
    /// <summary>Low half of a 64-bit value.</summary>
    Lo,
    /// <summary>High half of a 64-bit value.</summary>
    Hi,
    /// <summary>Register left out so that a 64-bit value starts in an even one (AArch32).</summary>
    Pad,
    /// <summary>64-bit value in one register (64-bit tables only).</summary>
    Long64,
}

/// <summary>One argument register: its kernel name and its kind.</summary>
/// <param name="Name">Parameter name in the kernel's definition; halves are suffixed _lo and _hi.</param>
/// <param name="Kind">What the register carries.</param>
public readonly record struct Argument(string Name, ArgumentKind Kind);

/// <summary>One row of a system call table.</summary>
/// <param name="Number">Number in the call register.</param>
/// <param name="Name">Name without prefix; null for a hole in the numbering.</param>
/// <param name="Entry">Native entry point; null when the kernel has none.</param>
/// <param name="Compat">Entry point of a 64-bit kernel's compat table where it differs; null otherwise.</param>
/// <param name="Arguments">Argument registers; null when nothing is implemented, so that "no arguments" is never confused with it.</param>
public sealed record SyscallRow(int Number, string? Name, string? Entry, string? Compat, IReadOnlyList<Argument>? Arguments)
{
    /// <summary>True when the number was never given out.</summary>
    public bool IsHole => Name is null;

    /// <summary>True when the kernel answers the call with more than ENOSYS.</summary>
    public bool IsImplemented => Arguments is not null;
}

/// <summary>Names of the four tables.</summary>
public static class Abi
{
    /// <summary>32-bit x86 guest.</summary>
    public const string I386 = "i386";
    /// <summary>AArch32 EABI guest.</summary>
    public const string Arm = "arm";
    /// <summary>x86-64 host.</summary>
    public const string X64 = "x86-64";
    /// <summary>AArch64 host.</summary>
    public const string Arm64 = "arm64";

    /// <summary>All four, guests first.</summary>
    public static IReadOnlyList<string> All { get; } = [I386, Arm, X64, Arm64];

    /// <summary>True for the two 32-bit guests.</summary>
    public static bool IsGuest(string abi) => abi is I386 or Arm;
}

/// <summary>Collects what the sources do not answer; the generator prints all of it and writes nothing.</summary>
public sealed class OpenQuestions
{
    private readonly SortedSet<string> _questions = new(StringComparer.Ordinal);

    /// <summary>The questions, sorted, each once.</summary>
    public IReadOnlyCollection<string> All => _questions;

    /// <summary>Adds one question.</summary>
    public void Add(string question) => _questions.Add(question);
}
