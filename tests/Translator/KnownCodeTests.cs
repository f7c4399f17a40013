using System;
using System.Runtime.Versioning;
using Lodge.Translator.X64;
using Xunit;

namespace Lodge.TranslatorTests;

/// <summary>A unit ends where a translation begins that is there already, and goes on there.</summary>
[SupportedOSPlatform("linux")]
public sealed class KnownCodeTests
{
    private const uint Base = 0x08049000;

    // push eax; je +1; nop; inc ecx; pop eax; ret
    private static readonly byte[] s_code = [0x50, 0x74, 0x01, 0x90, 0x41, 0x58, 0xC3];

    [Theory]
    [InlineData(-1, 6, 0)]
    [InlineData(1, 1, 1)]
    [InlineData(2, 6, 0)] // no instruction begins there
    [InlineData(3, 2, 2)]
    [InlineData(4, 3, 1)] // the branch goes there, too: two exits, one through the fall-through
    [InlineData(6, 5, 1)]
    [InlineData(0, 6, 0)] // the unit itself
    public void The_unit_ends_before_known_code(int known, int instructions, int least)
    {
        using TranslationRun run = new();
        using GuestMemory memory = new(Base, 4096);
        s_code.CopyTo(memory.At(Base));
        ulong[] bits = new ulong[UnitRequest.KnownBytes / 64];
        if (known > 0)
        {
            bits[known >> 6] |= 1ul << (known & 63);
        }

        Translation unit = run.Translate(memory, Base, UnitOptions.Plain, Base + (ulong)s_code.Length, known: bits)!;
        Assert.Empty(new UnitChecker().Check(unit));
        Assert.Equal(instructions, unit.Instructions);
        Assert.True(unit.Exits.Length >= least);
        if (instructions < 6)
        {
            Assert.Equal(Base + (uint)known, unit.Exits[^1].Target);
            Assert.Equal(known, unit.Guest.Length);
        }
    }
}
