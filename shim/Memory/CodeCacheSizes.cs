namespace Lodge.Shim;

/// <summary>How much of everything a code cache reserves, in bytes unless said otherwise. What is reserved costs memory only where it is used.</summary>
public struct CodeCacheSizes
{
    /// <summary>Host code without an order: 256 MiB.</summary>
    public const ulong DefaultCode = 256ul << 20;

    /// <summary>Least and most host code that can be asked for.</summary>
    public const ulong SmallestCode = 1ul << 20, LargestCode = 1ul << 30;

    /// <summary>Host code, stubs included.</summary>
    public uint Code;
    /// <summary>Units, links, entries, side tables.</summary>
    public ulong Records;
    /// <summary>Most units.</summary>
    public int Units;
    /// <summary>Source bytes of checked units.</summary>
    public uint Sources;

    /// <summary>Bits of the number of pages that write faults are counted for and data is watched in; others share with one of these.</summary>
    public int PageBits;
    /// <summary>Most nodes of a nested target table; 0 = flat tables.</summary>
    public uint TargetNodes;

    /// <summary>Sizes that go with so much host code; 0 = no order. What is out of range is brought into it.</summary>
    /// <param name="code">Bytes.</param>
    /// <param name="limit">Bytes of address space or data that the host allows the process, all ones for no limit.</param>
    public static CodeCacheSizes For(ulong code, ulong limit)
    {
        bool isTight = limit != ulong.MaxValue;
        ulong most = isTight && limit / ShareOfLimit < LargestCode ? limit / ShareOfLimit : LargestCode;
        code = code == 0 ? DefaultCode : code;
        code = code > most ? most : code;
        code = code < SmallestCode ? SmallestCode : code & ~4095ul;
        CodeCacheSizes sizes = default;
        sizes.Code = (uint)code;
        sizes.Records = code * (isTight ? 2u : 4u);
        sizes.Units = (int)(code / 64);
        sizes.Sources = (uint)(code / 4);
        sizes.PageBits = 14;
        sizes.TargetNodes = isTight ? (uint)(code / 1024) : 0;
        return sizes;
    }

    /// <summary>Where a limit counts it, host code takes this part of it; everything together takes about four and a half times as much.</summary>
    private const ulong ShareOfLimit = 64;
}
