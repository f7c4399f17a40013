using Lodge.Abi;
using Lodge.Shim;
using Xunit;

namespace Lodge.UnitTests.Signals;

/// <summary>sigaltstack's rules.</summary>
public unsafe class AltStackTests
{
    private const uint Base = 0x20000, Size = 0x4000, Elsewhere = 0x90000;

    private static AltStack.Stack Stack(uint sp, uint flags, uint size)
    {
        AltStack.Stack stack;
        stack.ss_sp = sp;
        stack.ss_flags = flags;
        stack.ss_size = size;
        return stack;
    }

    [Theory]
    [InlineData(0u, 2048u, 0)]
    [InlineData(Sig.SS_ONSTACK, 2048u, 0)]
    [InlineData(Sig.SS_AUTODISARM, 2048u, 0)]
    [InlineData(0u, 2047u, -Errno.ENOMEM)]
    [InlineData(3u, 8192u, -Errno.EINVAL)]
    [InlineData(0x40000000u, 8192u, -Errno.EINVAL)]
    [InlineData(Sig.SS_DISABLE, 0u, 0)]
    public void FlagsAndSizes(uint flags, uint size, int result)
    {
        ThreadSignals* s = stackalloc ThreadSignals[1];
        *s = default;
        Assert.Equal(result, AltStack.Set(s, Stack(Base, flags, size), Elsewhere));
    }

    [Fact]
    public void NotWhileOnIt()
    {
        ThreadSignals* s = stackalloc ThreadSignals[1];
        *s = default;
        Assert.Equal(0, AltStack.Set(s, Stack(Base, 0, Size), Elsewhere));
        Assert.Equal(-Errno.EPERM, AltStack.Set(s, Stack(Base, 0, Size), Base + 0x100));
        Assert.Equal(Sig.SS_ONSTACK, AltStack.Query(s, Base + 0x100).ss_flags);
        Assert.Equal(Sig.SS_ONSTACK, AltStack.Query(s, Base + Size).ss_flags);
        Assert.Equal(0u, AltStack.Query(s, Base).ss_flags);
        Assert.Equal(0u, AltStack.Query(s, Base + Size + 1).ss_flags);
    }

    [Fact]
    public void AutoDisarmNeverCountsAsInUse()
    {
        ThreadSignals* s = stackalloc ThreadSignals[1];
        *s = default;
        Assert.Equal(0, AltStack.Set(s, Stack(Base, Sig.SS_AUTODISARM, Size), Elsewhere));
        Assert.Equal(0u, AltStack.State(s, Base + 0x100));
        Assert.Equal(Sig.SS_AUTODISARM, AltStack.Query(s, Base + 0x100).ss_flags);
        Assert.Equal(0, AltStack.Set(s, Stack(0, Sig.SS_DISABLE, 0), Base + 0x100));
        Assert.Equal(Sig.SS_DISABLE, AltStack.Query(s, Elsewhere).ss_flags);
    }
}
