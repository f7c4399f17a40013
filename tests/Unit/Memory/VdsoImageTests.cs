using System;
using System.Collections.Generic;
using System.Text;
using Lodge.Shim;
using Xunit;

namespace Lodge.UnitTests.Memory;

/// <summary>The vDSO as dynamic linkers, unwinders and gdb read it.</summary>
public unsafe class VdsoImageTests
{
    private static readonly byte[] s_image = Copy();

    private static byte[] Copy()
    {
        byte[] page = new byte[VdsoImage.Size];
        fixed (byte* p = page)
        {
            VdsoImage.CopyTo(p);
        }

        return page;
    }

    private static uint Word(uint at) => BitConverter.ToUInt32(s_image, (int)at);

    private static ushort Half(uint at) => BitConverter.ToUInt16(s_image, (int)at);

    private static string Text(uint at) => Encoding.ASCII.GetString(s_image, (int)at, Array.IndexOf(s_image, (byte)0, (int)at) - (int)at);

    private static uint Dynamic(uint tag)
    {
        for (uint i = 0; i < Half(44); i++)
        {
            uint header = Word(28) + (i * 32);
            for (uint at = Word(header + 4); Word(header) == 2 && Word(at) != 0; at += 8)
            {
                if (Word(at) == tag)
                {
                    return Word(at + 4);
                }
            }
        }

        throw new KeyNotFoundException($"DT {tag:x}");
    }

    private static Dictionary<string, uint> Symbols()
    {
        const uint DtHash = 4, DtStrtab = 5, DtSymtab = 6, DtVersym = 0x6FFFFFF0, DtVerdef = 0x6FFFFFFC;
        uint strings = Dynamic(DtStrtab);
        Dictionary<ushort, string> versions = [];
        for (uint at = Dynamic(DtVerdef); ; at += Word(at + 16))
        {
            versions[Half(at + 4)] = Text(strings + Word(at + Word(at + 12)));
            if (Word(at + 16) == 0)
            {
                break;
            }
        }

        Dictionary<string, uint> symbols = [];
        for (uint i = 1; i < Word(Dynamic(DtHash) + 4); i++)
        {
            uint symbol = Dynamic(DtSymtab) + (i * 16);
            symbols[$"{Text(strings + Word(symbol))}@{versions[Half(Dynamic(DtVersym) + (i * 2))]}"] = Word(symbol + 4);
        }

        return symbols;
    }

    [Fact]
    public void IsAnI386SharedObjectInOnePage()
    {
        Assert.Equal(0x464C457Fu, Word(0));
        Assert.Equal(new byte[] { 1, 1, 1 }, s_image[4..7]);
        Assert.Equal(3, Half(16));
        Assert.Equal(3, Half(18));
        Assert.Equal(VdsoImage.KernelVsyscall, Word(24));
        uint load = Word(28);
        Assert.Equal(1u, Word(load));
        Assert.Equal(0u, Word(load + 8));
        Assert.True(Word(load + 20) <= VdsoImage.Size);
        Assert.Equal("linux-gate.so.1", Text(Dynamic(5) + Dynamic(14)));
    }

    [Theory]
    [InlineData("__kernel_vsyscall@LINUX_2.5", "CD80C3")]
    [InlineData("__kernel_sigreturn@LINUX_2.5", "58B877000000CD80")]
    [InlineData("__kernel_rt_sigreturn@LINUX_2.5", "B8AD000000CD80")]
    [InlineData("__vdso_clock_gettime@LINUX_2.6", "538B5C24088B4C240CB809010000CD805BC3")]
    [InlineData("__vdso_clock_gettime64@LINUX_2.6", "538B5C24088B4C240CB893010000CD805BC3")]
    [InlineData("__vdso_gettimeofday@LINUX_2.6", "538B5C24088B4C240CB84E000000CD805BC3")]
    [InlineData("__vdso_clock_getres@LINUX_2.6", "538B5C24088B4C240CB80A010000CD805BC3")]
    [InlineData("__vdso_time@LINUX_2.6", "538B5C24088B4C240CB80D000000CD805BC3")]
    [InlineData("__vdso_getcpu@LINUX_2.6", "538B5C24088B4C240C8B542410B83E010000CD805BC3")]
    public void ExportsWithVersionAndBytes(string symbol, string code)
    {
        uint at = Assert.Contains(symbol, (IReadOnlyDictionary<string, uint>)Symbols());
        Assert.Equal(code, System.Convert.ToHexString(s_image.AsSpan((int)at, code.Length / 2)));
    }

    [Fact]
    public void ConstantsNameTheTrampolines()
    {
        Dictionary<string, uint> symbols = Symbols();
        Assert.Equal(VdsoImage.KernelVsyscall, symbols["__kernel_vsyscall@LINUX_2.5"]);
        Assert.Equal(VdsoImage.KernelSigreturn, symbols["__kernel_sigreturn@LINUX_2.5"]);
        Assert.Equal(VdsoImage.KernelRtSigreturn, symbols["__kernel_rt_sigreturn@LINUX_2.5"]);
        // Unwinders look up the byte before a return address: it must belong to the trampoline's unwind entry, and be an instruction.
        Assert.Equal(0x90, s_image[VdsoImage.KernelSigreturn - 1]);
        Assert.Equal(0x90, s_image[VdsoImage.KernelRtSigreturn - 1]);
    }
}
