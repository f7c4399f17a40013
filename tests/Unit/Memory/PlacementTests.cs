using Lodge.Abi;
using Lodge.Shim;
using Xunit;

namespace Lodge.UnitTests.Memory;

/// <summary>Bases and choices of addresses; the figures are those of native i386 programs under a 64-bit kernel.</summary>
public class PlacementTests
{
    private const uint Page = 4096, MinAddress = 0x10000;
    private const ulong EightMb = 8 << 20;

    private static Placement Native(ulong stack = EightMb, uint random = 0, bool randomised = false, bool legacy = false, uint size = Placement.TaskSizeX86) =>
        Placement.ForExec(size, MinAddress, stack, random, randomised, legacy);

    [Theory]
    [InlineData(8ul << 20, 0xF7FFE000)] // setarch -R: the interpreter ends here
    [InlineData(256ul << 20, 0xEFEFE000)] // 256 MiB of stack and the guard gap
    [InlineData(ulong.MaxValue, 0x2AAAB000)] // unlimited: five sixths of the address space stay free
    [InlineData(0ul, 0xF7FFE000)]
    public void BaseLeavesRoomForTheStack(ulong stack, uint expected) => Assert.Equal(expected, Native(stack).Base);

    [Fact]
    public void RandomisedBaseIsLower()
    {
        Placement placement = Native(random: 0x42 * Page, randomised: true);
        Assert.Equal(0xF7FFE000 - (0x42 * Page), placement.Base);
        Assert.Equal(0x55555000 + (0x42 * Page), placement.LegacyBase);
    }

    [Fact]
    public void CompatLayoutGoesUp()
    {
        using MapUnderTest tree = new();
        Placement placement = Native(legacy: true);
        Assert.Equal(0, placement.GetUnmappedArea(tree.Map, 0, Page, false, 0, out uint first));
        Assert.Equal(0x55555000u, first);
        tree.Put(first, Page, MappingFlags.Read);
        Assert.Equal(0, placement.GetUnmappedArea(tree.Map, 0, Page, false, 0, out uint second));
        Assert.Equal(first + Page, second);
    }

    [Fact]
    public void ThreeGigabyteLimitMovesEverything()
    {
        using MapUnderTest tree = new();
        Placement placement = Native(size: Placement.TaskSize3Gb);
        Assert.Equal(0xC0000000 - (128u << 20), placement.Base);
        Assert.Equal(-Errno.ENOMEM, placement.GetUnmappedArea(tree.Map, 0xC0000000, Page, true, 0, out _));
        Assert.Equal(0, placement.GetUnmappedArea(tree.Map, 0xC0000000 - Page, Page, true, 0, out _));
    }

    [Fact]
    public void TopDownFirstFit()
    {
        using MapUnderTest tree = new();
        Placement placement = Native();
        Assert.Equal(0, placement.GetUnmappedArea(tree.Map, 0, 3 * Page, false, 0, out uint at));
        Assert.Equal(placement.Base - (3 * Page), at);
        tree.Put(at, 3 * Page, MappingFlags.Read);
        tree.Put(at - (2 * Page), Page, MappingFlags.Read);
        Assert.Equal(0, placement.GetUnmappedArea(tree.Map, 0, Page, false, 0, out uint hole));
        Assert.Equal(at - Page, hole);
        Assert.Equal(0, placement.GetUnmappedArea(tree.Map, 0, 2 * Page, false, 0, out uint below));
        Assert.Equal(at - (4 * Page), below);
    }

    [Fact]
    public void HintsAreHonouredWhenFree()
    {
        using MapUnderTest tree = new();
        Placement placement = Native();
        tree.Put(0x50002000, Page, MappingFlags.Read);
        Assert.Equal(0, placement.GetUnmappedArea(tree.Map, 0x50000123, 2 * Page, false, 0, out uint at));
        Assert.Equal(0x50000000u, at);
        Assert.Equal(0, placement.GetUnmappedArea(tree.Map, 0x50000000, 3 * Page, false, 0, out at));
        Assert.Equal(placement.Base - (3 * Page), at);
        Assert.Equal(0, placement.GetUnmappedArea(tree.Map, 0xFFFFD000, 2 * Page, false, 0, out at));
        Assert.Equal(placement.Base - (2 * Page), at);
    }

    [Fact]
    public void HintsKeepTheStackGuardFree()
    {
        using MapUnderTest tree = new();
        Placement placement = Native();
        tree.Put(0x60000000, 16 * Page, MappingFlags.Read | MappingFlags.Write | MappingFlags.GrowsDown);
        Assert.Equal(0, placement.GetUnmappedArea(tree.Map, 0x60000000 - GuestMap.StackGuardGap - Page, Page, false, 0, out uint at));
        Assert.Equal(0x60000000 - GuestMap.StackGuardGap - Page, at);
        Assert.Equal(0, placement.GetUnmappedArea(tree.Map, 0x60000000 - GuestMap.StackGuardGap, Page, false, 0, out at));
        Assert.Equal(placement.Base - Page, at);
    }

    [Fact]
    public void FixedAddressesAreOnlyChecked()
    {
        using MapUnderTest tree = new();
        Placement placement = Native();
        tree.Put(0x50000000, Page, MappingFlags.Read);
        Assert.Equal(0, placement.GetUnmappedArea(tree.Map, 0x50000000, Page, true, 0, out uint at));
        Assert.Equal(0x50000000u, at);
        Assert.Equal(-Errno.EINVAL, placement.GetUnmappedArea(tree.Map, 0x50000001, Page, true, 0, out _));
        Assert.Equal(-Errno.ENOMEM, placement.GetUnmappedArea(tree.Map, 0xFFFFE000, Page, true, 0, out _));
        Assert.Equal(-Errno.ENOMEM, placement.GetUnmappedArea(tree.Map, 0xFFFFDFFF, Page, true, 0, out _));
        Assert.Equal(-Errno.ENOMEM, placement.GetUnmappedArea(tree.Map, 0, 0xFFFFF000, false, 0, out _));
    }

    [Fact]
    public void FallsBackToBottomUpAndThenGivesUp()
    {
        using MapUnderTest tree = new();
        Placement placement = Native();
        tree.Put(MinAddress, placement.Base - MinAddress, MappingFlags.Read);
        Assert.Equal(0, placement.GetUnmappedArea(tree.Map, 0, Page, false, 0, out uint at));
        Assert.Equal(placement.Base, at);
        tree.Put(placement.Base, Placement.TaskSizeX86 - placement.Base, MappingFlags.Write);
        Assert.Equal(-Errno.ENOMEM, placement.GetUnmappedArea(tree.Map, 0, Page, false, 0, out _));
    }

    [Fact]
    public void AlignedRangesForHugePages()
    {
        using MapUnderTest tree = new();
        Placement placement = Native();
        const uint Mask = (2u << 20) - 1;
        Assert.Equal(0, placement.GetUnmappedArea(tree.Map, 0, 4u << 20, false, Mask, out uint at));
        Assert.Equal(0u, at & Mask);
        Assert.True(at + (4u << 20) <= placement.Base && placement.Base - at < (8u << 20));
    }
}
