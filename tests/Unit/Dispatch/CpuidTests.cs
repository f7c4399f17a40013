using System;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using System.Runtime.Versioning;
using Lodge.Protocol;
using Lodge.Shim;
using Xunit;

namespace Lodge.UnitTests.Dispatch;

/// <summary>CPUID as guests see it, and how seldom the host's CPU is asked: under a hypervisor each question costs microseconds.</summary>
[SupportedOSPlatform("linux")]
public sealed unsafe class CpuidTests : IDisposable
{
    private readonly GuestThread* _thread;

    /// <summary>A thread that is on CPU 0 until a test says otherwise.</summary>
    public CpuidTests()
    {
        Stubs.Cpu = 0;
        _thread = (GuestThread*)NativeMemory.AllocZeroed((nuint)sizeof(GuestThread));
        _thread->Group = (ThreadGroup*)NativeMemory.AllocZeroed((nuint)sizeof(ThreadGroup));
        Stubs.CpuIdCount = 0;
        GuestCpu.DescribeXstate(_thread);
    }

    public void Dispose()
    {
        NativeMemory.Free(_thread->Group);
        NativeMemory.Free(_thread);
    }

    [Fact]
    public void StartUpOfALibraryAsksEachLeafOnce()
    {
        int leaves = Ask(0, 0) + Ask(1, 0) + Ask(7, 0) + Ask(0xD, 1) + Ask(0x80000000, 0) + Ask(0x80000001, 5) + Ask(0x80000007, 9) + Ask(0x80000008, 0);
        for (uint subleaf = 2; subleaf < 32; subleaf++)
        {
            Ask(0xD, subleaf);
        }

        Ask(7, 1);
        Ask(0x14, 0);
        Ask(0x19, 0);
        for (int i = 0; i < 5; i++)
        {
            leaves += i == 0 ? Ask(0x80000005, 0) + Ask(0x80000006, 0) : 0;
            Ask(0x80000005, 7);
            Ask(0x80000006, 7);
            Ask(1, 3);
        }

        Assert.Equal(10, leaves);
        Assert.Equal(leaves, Stubs.CpuIdCount);
    }

    [Fact]
    public void AnotherCpuIsAskedAgain()
    {
        Ask(0, 0);
        int before = Stubs.CpuIdCount;
        Stubs.Cpu = 1;
        Ask(0, 0);
        Ask(0, 0);
        Assert.Equal(before + 1, Stubs.CpuIdCount);
        Stubs.Cpu = 0;
        Ask(0, 0);
        Assert.Equal(before + 2, Stubs.CpuIdCount);
    }

    [Fact]
    public void SubleavesAreKeptApart()
    {
        Ask(4, 0);
        Ask(4, 1);
        int before = Stubs.CpuIdCount;
        Ask(4, 0);
        Ask(4, 1);
        Assert.Equal(before, Stubs.CpuIdCount);
        Ask(4, 2);
        Assert.Equal(before + 1, Stubs.CpuIdCount);
    }

    [Fact]
    public void MoreLeavesThanRoomAreAskedEveryTime()
    {
        for (int round = 0; round < 2; round++)
        {
            for (uint subleaf = 0; subleaf < 40; subleaf++)
            {
                Ask(4, subleaf);
                X86Check(4, subleaf);
            }
        }

        Assert.InRange(Stubs.CpuIdCount, 41 + 24, 80);
    }

    [Fact]
    public void FeaturesHiddenLaterAreMissingInAnswersKeptBefore()
    {
        const uint Sse42 = 1u << 20;
        Ask(1, 0);
        Assert.NotEqual(0u, _thread->I386.ecx & Sse42);
        GuestCpu.Hide(_thread, 1ul << (int)CpuFeature.Sse42);
        Ask(1, 0);
        Assert.Equal(0u, _thread->I386.ecx & Sse42);
        Assert.Equal(1, Stubs.CpuIdCount);
    }

    [Fact]
    public void ExecutedProgramAsksOnlyWhatDependsOnTheCpu()
    {
        uint[] same = [0, 7, 0x80000000, 0x80000001, 0x80000007, 0x80000008], others = [1, 4, 0xB, 0x80000005, 0x80000006];
        var answers = new (uint, uint, uint, uint)[same.Length];
        for (int i = 0; i < same.Length; i++)
        {
            Ask(same[i], 0);
            answers[i] = (_thread->I386.eax, _thread->I386.ebx, _thread->I386.ecx, _thread->I386.edx);
        }

        foreach (uint leaf in others)
        {
            Ask(leaf, 0);
        }

        byte* text = stackalloc byte[ExecRecord.MaxLength];
        ExecRecord written = new() { Program = 3, Image = 4, AddressSpaceMax = 1 << 30, DataMax = ulong.MaxValue };
        ExecRecord.Write(text, written, _thread->Cpuid);
        Assert.True(ExecRecord.Parse(text, out ExecRecord record));
        Assert.Equal(1ul << 30, record.AddressSpaceMax);

        // Another process, on another CPU.
        _thread->Cpuid = default;
        Stubs.Cpu = 5;
        GuestCpu.Inherit(_thread, record.Answers);
        Stubs.CpuIdCount = 0;
        for (int i = 0; i < same.Length; i++)
        {
            Ask(same[i], 0);
            Assert.Equal(answers[i], (_thread->I386.eax, _thread->I386.ebx, _thread->I386.ecx, _thread->I386.edx));
        }

        Assert.Equal(0, Stubs.CpuIdCount);
        foreach (uint leaf in others)
        {
            Ask(leaf, 0);
        }

        Assert.Equal(others.Length, Stubs.CpuIdCount);
    }

    [Theory]
    [InlineData("")]
    [InlineData(";0;0;1;2;3")]
    [InlineData(";1;0;1;2;3;4")]
    [InlineData(";b;0;1;2;3;4;8000001d;0;1;2;3;4")]
    public void AnswersThatMayDifferOrEndEarlyAreNotTaken(string text)
    {
        CpuidAnswers answers = default;
        fixed (byte* bytes = System.Text.Encoding.ASCII.GetBytes(text + "\0"))
        {
            answers.Read(bytes);
        }

        Assert.Equal(0, answers.Count);
    }

    private int Ask(uint leaf, uint subleaf)
    {
        _thread->I386.eax = leaf;
        _thread->I386.ecx = subleaf;
        GuestCpu.Cpuid(_thread);
        return 1;
    }

    /// <summary>The last answer is the CPU's own; for leaves that are shown as they are.</summary>
    private void X86Check(uint leaf, uint subleaf)
    {
        (int eax, int ebx, int ecx, int edx) = X86Base.CpuId((int)leaf, (int)subleaf);
        Assert.Equal(((uint)eax, (uint)ebx, (uint)ecx, (uint)edx), (_thread->I386.eax, _thread->I386.ebx, _thread->I386.ecx, _thread->I386.edx));
    }
}
