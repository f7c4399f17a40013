using System;
using System.Runtime.Versioning;
using Lodge.Translator.I386;
using Xunit;

namespace Lodge.TranslatorTests;

/// <summary>Instructions of features that the guest's CPU does not have: the unit leaves to the dispatcher, which raises #UD.</summary>
[SupportedOSPlatform("linux")]
public sealed class HiddenFeatureTests
{
    private const uint Base = 0x08049000;

    [Theory]
    [InlineData("660fd4c0", I386Feature.Sse2)] // paddq xmm0, xmm0
    [InlineData("c5fc58c0", I386Feature.Avx)] // vaddps ymm0, ymm0, ymm0
    [InlineData("f30fb8c0", I386Feature.Popcnt)] // popcnt eax, eax
    [InlineData("0f44c0", I386Feature.Cmov)] // cmovz eax, eax
    [InlineData("0fefc0", I386Feature.Mmx)] // pxor mm0, mm0
    public void A_hidden_instruction_is_not_copied(string code, I386Feature feature)
    {
        Assert.True(IsCopied(code, 0));
        Assert.True(IsCopied(code, ~(1ul << (int)feature) & ~(1ul << (int)I386Feature.Base)));
        Assert.False(IsCopied(code, 1ul << (int)feature));
    }

    [Theory]
    [InlineData("f30fbcc0", I386Feature.Bmi1)] // tzcnt eax, eax
    [InlineData("f30fbdc0", I386Feature.Lzcnt)] // lzcnt eax, eax
    public void What_other_cpus_run_as_something_else_is_copied(string code, I386Feature feature) => Assert.True(IsCopied(code, 1ul << (int)feature));

    /// <summary>Between two plain instructions: inc eax in front, ret behind.</summary>
    private static bool IsCopied(string code, ulong hidden)
    {
        using TranslationRun run = new();
        using GuestMemory memory = new(Base, 4096);
        byte[] instruction = Convert.FromHexString(code);
        byte[] guest = [0x40, .. instruction, 0xC3];
        guest.CopyTo(memory.At(Base));
        Translation unit = run.Translate(memory, Base, UnitOptions.Plain with { HiddenFeatures = hidden }, Base + (ulong)guest.Length)!;
        bool copied = unit.Host.AsSpan().IndexOf(instruction) >= 0;

        // A refused instruction ends the unit: what is behind it cannot be reached.
        Assert.Equal(copied ? 3 : 2, unit.Instructions);
        return copied;
    }
}
