using System.Collections.Generic;

namespace Lodge.Cli.Disasm;

/// <summary>A piece of guest memory with code in it.</summary>
/// <param name="Start">Guest address of its first byte.</param>
/// <param name="Bytes">The bytes.</param>
internal sealed record CodeRange(uint Start, byte[] Bytes)
{
    /// <summary>First address behind it.</summary>
    public ulong End => Start + (ulong)Bytes.Length;

    /// <summary>Is the address inside?</summary>
    public bool Holds(uint address) => address >= Start && address < End;
}

/// <summary>Guest code, and names for addresses in it.</summary>
internal interface IGuestCode
{
    /// <summary>What is at an address, as far as it is contiguous; null when there is nothing.</summary>
    CodeRange? At(uint address);

    /// <summary>Address of the program's first instruction; null where there is no such thing.</summary>
    uint? Entry { get; }

    /// <summary>Functions by address.</summary>
    IReadOnlyDictionary<uint, string> Symbols { get; }
}
