using System;
using System.Runtime.Versioning;
using Lodge.Translator.X64;
using Xunit;

namespace Lodge.TranslatorTests;

/// <summary>Program counter thunks of other pages: their load takes the call's place when the request names them.</summary>
[SupportedOSPlatform("linux")]
public sealed unsafe class ThunkTests
{
    private const uint Base = 0x08049000, Thunk = 0x08051000, Other = 0x08052000;

    // call 8051000; call 8052000; ret
    private const string Code = "e8fb7f0000 e8f68f0000 c3";

    [Theory]
    [InlineData(false, Thunk, 1)]
    [InlineData(false, Other, 1)]
    [InlineData(false, 0u, 2)]
    [InlineData(true, Thunk, 1)]
    public void A_known_thunk_is_a_load(bool isChecked, uint known, int exits)
    {
        using TranslationRun run = new();
        using GuestMemory memory = new(Base, 4096);
        byte[] guest = Convert.FromHexString(Code.Replace(" ", "", StringComparison.Ordinal));
        guest.CopyTo(memory.At(Base));
        ThunkRecord[] thunks = new ThunkRecord[ThunkRecord.Slots];
        if (known != 0)
        {
            thunks[ThunkRecord.SlotOf(known)] = new ThunkRecord { Address = known, Register = HostReg.Rbx };
        }

        Translation unit = run.Translate(memory, Base, UnitOptions.Plain with { Checked = isChecked }, Base + (ulong)guest.Length, thunks: thunks)!;
        Assert.Empty(new UnitChecker().Check(unit));
        Assert.Equal(exits, unit.Exits.Length);
        Assert.Equal(isChecked ? 0 : known, unit.Thunk);

        // mov ebx, address behind the call; its own landing has the address in the comparison only.
        uint next = known == Thunk ? Base + 5 : Base + 10;
        byte[] load = [0xBB, .. BitConverter.GetBytes(next)];
        Assert.Equal(!isChecked && known != 0, unit.Host.AsSpan().IndexOf(load) >= 0);
    }

    [Fact]
    public void Only_a_load_of_the_return_address_is_a_thunk()
    {
        byte[][] code = [[0x8B, 0x1C, 0x24, 0xC3], [0x8B, 0x04, 0x24, 0xC3], [0x8B, 0x24, 0x24, 0xC3], [0x8B, 0x5C, 0x24, 0xC3], [0x8B, 0x1C, 0x24, 0xC2], [0x89, 0x1C, 0x24, 0xC3]];
        int[] expected = [HostReg.Rbx, HostReg.Rax, -1, -1, -1, -1];
        for (int i = 0; i < code.Length; i++)
        {
            fixed (byte* c = code[i])
            {
                Assert.Equal(expected[i], UnitTranslator.ThunkRegister(c));
            }
        }
    }
}
