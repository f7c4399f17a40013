using System;
using Lodge.Shim;
using Xunit;

namespace Lodge.UnitTests.Signals;

/// <summary>Frame layouts (offsets from arch/x86/include/asm/sigframe.h and arch/arm64/kernel/signal32.c) and the floating-point conversions.</summary>
public unsafe class FrameTests
{
    [Fact]
    public void I386FramesHaveTheKernelsSizes()
    {
        Assert.Equal(88, sizeof(I386SigContext));
        Assert.Equal(732, sizeof(I386SigFrame));
        Assert.Equal(116, sizeof(I386UContext));
        Assert.Equal(268, sizeof(I386RtSigFrame));
        I386SigFrame frame;
        byte* start = (byte*)&frame;
        Assert.Equal(8, (byte*)&frame.sc - start);
        Assert.Equal(720, (byte*)&frame.extramask - start);
        Assert.Equal(724, frame.retcode - start);
        I386RtSigFrame rt;
        start = (byte*)&rt;
        Assert.Equal(16, rt.info - start);
        Assert.Equal(144, (byte*)&rt.uc - start);
        Assert.Equal(164, (byte*)&rt.uc.uc_mcontext - start);
        Assert.Equal(252, (byte*)&rt.uc.uc_sigmask_lo - start);
        Assert.Equal(260, rt.retcode - start);
        Assert.Equal(76, (byte*)&rt.uc.uc_mcontext.fpstate - (byte*)&rt.uc.uc_mcontext);
    }

    [Fact]
    public void LegacyImageOfAnEmptyUnit()
    {
        byte* area = stackalloc byte[512];
        uint* legacy = stackalloc uint[28];
        new Span<byte>(area, 512).Clear();
        *(ushort*)area = 0x37f;
        I386FpState.ToLegacy(legacy, area, 0x23, 0x2b);
        Assert.Equal(0xffff037fu, legacy[0]);
        Assert.Equal(0xffff0000u, legacy[1]);
        Assert.Equal(0xffffffffu, legacy[2]);
        Assert.Equal(0x23u, legacy[4]);
        Assert.Equal(0xffff002bu, legacy[6]);
        Assert.Equal(0u, legacy[27]);
    }

    // Abridged tag FFh with TOP = 6: ST(0) lies in R6. Contents decide between valid, zero and special.
    [Theory]
    [InlineData(0x3fff, 0x8000000000000000, 0u)]
    [InlineData(0x0000, 0x0000000000000000, 1u)]
    [InlineData(0x0000, 0x8000000000000000, 2u)]
    [InlineData(0x7fff, 0x8000000000000000, 2u)]
    [InlineData(0x3fff, 0x4000000000000000, 2u)]
    [InlineData(0xbfff, 0xc000000000000000, 0u)]
    public void TagsFollowTheContents(int exponent, ulong significand, uint tag)
    {
        byte* area = stackalloc byte[512];
        uint* legacy = stackalloc uint[28];
        new Span<byte>(area, 512).Clear();
        *(ushort*)(area + 2) = 6 << 11;
        area[4] = 0x40;
        *(ulong*)(area + 32) = significand;
        *(ushort*)(area + 40) = (ushort)exponent;
        I386FpState.ToLegacy(legacy, area, 0, 0);
        Assert.Equal(0xffffcfffu | (tag << 12), legacy[2]);
        Assert.Equal(significand, *(ulong*)(legacy + 7));
    }

    [Fact]
    public void LegacyImageWinsOnTheWayBack()
    {
        byte* area = stackalloc byte[512];
        byte* again = stackalloc byte[512];
        uint* legacy = stackalloc uint[28];
        Random random = new(386);
        random.NextBytes(new Span<byte>(area, 512));
        new Span<byte>(again, 512).Clear();
        area[5] = 0;
        *(ulong*)(area + 8) = 0x12345678;
        *(ulong*)(area + 16) = 0x9abcdef0;
        I386FpState.ToLegacy(legacy, area, 0x23, 0x2b);
        I386FpState.FromLegacy(again, legacy);
        Assert.Equal(*(uint*)area, *(uint*)again);
        Assert.Equal(area[4], again[4]);
        Assert.Equal(*(ulong*)(area + 8), *(ulong*)(again + 8));
        Assert.Equal(*(ulong*)(area + 16), *(ulong*)(again + 16));
        for (int i = 0; i < 8; i++)
        {
            Assert.Equal(*(ulong*)(area + 32 + (i * 16)), *(ulong*)(again + 32 + (i * 16)));
            Assert.Equal(*(ushort*)(area + 40 + (i * 16)), *(ushort*)(again + 40 + (i * 16)));
        }
    }

    [Fact]
    public void ArmContextKeepsRegistersAndVfp()
    {
        GuestThread* t = stackalloc GuestThread[1];
        GuestThread* back = stackalloc GuestThread[1];
        *t = default;
        *back = default;
        for (int i = 0; i < 16; i++)
        {
            t->Arm.r[i] = 0x1000u + (uint)i;
        }

        for (int i = 0; i < 32; i++)
        {
            t->Arm.d[i] = 0x0102030405060708UL * (ulong)(i + 1);
        }

        t->Arm.cpsr = 0x60000030;
        t->Arm.fpscr = 0x03000000;
        t->Signals.FaultAddress = 0xbeef0000;
        t->Signals.ErrorCode = 2;
        byte* uc = stackalloc byte[(int)ArmSignals.FrameSize];
        ArmSignals.FillContext(t, uc, 0x8000000000000001, rt: true);
        Assert.Equal(0x800u, *(uint*)(uc + 24));
        Assert.Equal(0x1000u, *(uint*)(uc + 32));
        Assert.Equal(0x100fu, *(uint*)(uc + 92));
        Assert.Equal(0x60000030u, *(uint*)(uc + 96));
        Assert.Equal(0xbeef0000u, *(uint*)(uc + 100));
        Assert.Equal(0x8000000000000001UL, *(ulong*)(uc + 104));
        Assert.Equal(0x56465001u, *(uint*)(uc + 232));
        Assert.Equal(288u, *(uint*)(uc + 236));
        Assert.Equal(0x03000000u, *(uint*)(uc + 232 + 8 + 256));
        Assert.Equal(0u, *(uint*)(uc + 232 + 288));
        Assert.True(ArmSignals.LoadContext(back, uc));
        for (int i = 0; i < 16; i++)
        {
            Assert.Equal(t->Arm.r[i], back->Arm.r[i]);
        }

        Assert.Equal(t->Arm.d[31], back->Arm.d[31]);
        Assert.Equal(t->Arm.cpsr, back->Arm.cpsr);
    }

    [Theory]
    [InlineData(0x60000013u)]
    [InlineData(0x60000090u)]
    public void ArmContextOfAnotherModeIsRefused(uint cpsr)
    {
        GuestThread* t = stackalloc GuestThread[1];
        *t = default;
        t->Arm.cpsr = 0x10;
        byte* uc = stackalloc byte[(int)ArmSignals.FrameSize];
        ArmSignals.FillContext(t, uc, 0, rt: false);
        Assert.Equal(0x5ac3c35au, *(uint*)uc);
        *(uint*)(uc + 96) = cpsr;
        Assert.False(ArmSignals.LoadContext(t, uc));
    }
}
