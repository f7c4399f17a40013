namespace Lodge.Shim;

/// <summary>
/// Where the shim's own memory lies. Page tables come in pages that cover 2 MiB each; one of them, with its mapping, costs a fork as much as
/// twenty copied pages. So what every program uses lies in the 2 MiB of the shim's image:
/// <code>
/// Start                                        ImageStart                 CodeStart          Start + 2 MiB
///   first thread's block, records, first tables | shim's image | hints page | translated code ...
/// </code>
/// What does not fit reaches out at both ends: the return stack below, the code above. Tables that outgrow their first part go on far
/// from it (<see cref="FarTables"/>, <see cref="FarMappings"/>), in the same GiB as long as they are not large. None of these addresses is
/// relied upon: where one is taken the kernel chooses another, and a fork is slower.
/// </summary>
public static class Home
{
    /// <summary>Where the image is linked (link.ld of each host, which checks that it fits); its first page holds the ELF header and the program headers.</summary>
    public const ulong ImageStart = 0x3423330000;

    /// <summary>Start of the 2 MiB.</summary>
    public const ulong Start = ImageStart & ~((2ul << 20) - 1);

    /// <summary>Translated code, up to 256 MiB of it. More has a place of its own.</summary>
    public const ulong CodeStart = ImageStart + 0x90000, LargeCode = 0x3500000000;

    /// <summary>The page that forked children write hints to.</summary>
    public const ulong Hints = CodeStart - 4096;

    /// <summary>Second part of the record of guest mappings, and of the code cache's tables.</summary>
    public const ulong FarMappings = 0x3433600000, FarTables = 0x3434000000;

    /// <summary>
    /// Flat target table. What it says of addresses from F7800000 up, where the vDSO and shared libraries lie, is in the same GiB as all the
    /// rest, and so has its pages of page tables listed in the same page: the first thing that a forked child does is to read there.
    /// </summary>
    public const ulong Targets = 0x3422000000 - (16ul << 30);
}
