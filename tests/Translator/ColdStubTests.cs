using System;
using System.Runtime.Versioning;
using Iced.Intel;
using Xunit;

namespace Lodge.TranslatorTests;

/// <summary>Exit stubs in a buffer of their own: the same code, and each branch to a stub reaches it there.</summary>
[SupportedOSPlatform("linux")]
public sealed class ColdStubTests
{
    private const uint Base = 0x08049000;

    // popf; test eax,eax; je 8050000; call 8050000; jmp 8051000
    private const string Code = "9d 85c0 0f84f76f0000 e8f26f0000 e9ed7f0000";

    private static readonly UnitOptions s_apart = UnitOptions.Plain with { ColdOffset = 0x200000 };

    [Fact]
    public void Stubs_apart_are_the_stubs_behind_the_code()
    {
        using TranslationRun run = new();
        using GuestMemory memory = new(Base, 4096);
        byte[] guest = Convert.FromHexString(Code.Replace(" ", "", StringComparison.Ordinal));
        guest.CopyTo(memory.At(Base));
        Translation behind = run.Translate(memory, Base, UnitOptions.Plain, Base + (ulong)guest.Length)!;
        Translation apart = run.Translate(memory, Base, s_apart, Base + (ulong)guest.Length)!;
        Assert.Equal(3, apart.Exits.Length);
        Assert.Equal(behind.Host.Length, apart.Host.Length + apart.Cold.Length);

        // Instruction by instruction: only distances between the two parts differ, and where the branches lead is the same place.
        int shift = s_apart.ColdOffset - (s_apart.HostOffset + apart.Host.Length);
        Decoder whole = Decode(behind.Host, behind.HostOffset);
        Compare(Decode(apart.Host, apart.HostOffset), ref whole, apart.Host.Length, behind.HostOffset + apart.Host.Length, shift);
        Compare(Decode(apart.Cold, s_apart.ColdOffset), ref whole, apart.Cold.Length, behind.HostOffset + apart.Host.Length, shift);
        for (int i = 0; i < apart.Exits.Length; i++)
        {
            Assert.Equal(behind.Exits[i].PatchOffset, apart.Exits[i].PatchOffset);
            Assert.Equal(behind.Exits[i].StubOffset + shift, apart.Exits[i].StubOffset);
            Assert.Equal(apart.Exits[i].StubOffset, apart.Exits[i].PatchOffset + 4 + BitConverter.ToInt32(apart.Host, apart.Exits[i].PatchOffset));
        }
    }

    private static Decoder Decode(byte[] bytes, int at)
    {
        Decoder decoder = Decoder.Create(64, new ByteArrayCodeReader(bytes));
        decoder.IP = (ulong)at;
        return decoder;
    }

    private static void Compare(Decoder part, ref Decoder whole, int length, int coldStart, int shift)
    {
        for (ulong end = part.IP + (ulong)length; part.IP < end;)
        {
            part.Decode(out Instruction here);
            whole.Decode(out Instruction there);
            Assert.Equal(there.Code, here.Code);
            if (there.FlowControl is FlowControl.UnconditionalBranch or FlowControl.ConditionalBranch or FlowControl.Call)
            {
                ulong expected = there.NearBranchTarget >= (ulong)coldStart ? there.NearBranchTarget + (ulong)shift : there.NearBranchTarget;
                Assert.Equal(expected, here.NearBranchTarget);
            }
            else
            {
                Assert.Equal(there.ToString(), here.ToString());
            }
        }
    }
}
