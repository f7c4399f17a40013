using Lodge.Shim;
using Xunit;

namespace Lodge.UnitTests.Signals;

/// <summary>siginfo between host and guest, member by member.</summary>
public unsafe class SigInfoTests
{
    // signal, si_code, then pairs of host word and guest word that must carry the same value; every other guest word from 3 on is 0.
    [Theory]
    [InlineData(Sig.SIGINT, Sig.SI_USER, new[] { 4, 3, 5, 4 })]
    [InlineData(Sig.SIGINT, Sig.SI_TKILL, new[] { 4, 3, 5, 4, 6, 5 })]
    [InlineData(40, Sig.SI_QUEUE, new[] { 4, 3, 5, 4, 6, 5 })]
    [InlineData(14, Sig.SI_TIMER, new[] { 4, 3, 5, 4, 6, 5 })]
    [InlineData(Sig.SIGCHLD, 1, new[] { 4, 3, 5, 4, 6, 5, 8, 6, 10, 7 })]
    [InlineData(Sig.SIGIO, 1, new[] { 4, 3, 6, 4 })]
    [InlineData(35, 1, new[] { 4, 3, 6, 4 })]
    [InlineData(Sig.SIGSEGV, Sig.SEGV_MAPERR, new[] { 4, 3 })]
    [InlineData(Sig.SIGSEGV, Sig.SEGV_BNDERR, new[] { 4, 3, 8, 5, 10, 6 })]
    [InlineData(Sig.SIGSEGV, Sig.SEGV_PKUERR, new[] { 4, 3, 8, 5 })]
    [InlineData(Sig.SIGSEGV, Sig.SI_KERNEL, new[] { 4, 3, 5, 4 })]
    [InlineData(Sig.SIGTRAP, Sig.TRAP_PERF, new[] { 4, 3, 6, 4, 8, 5, 9, 6 })]
    [InlineData(Sig.SIGSYS, 1, new[] { 4, 3, 6, 4, 7, 5 })]
    [InlineData(Sig.SIGFPE, Sig.FPE_INTDIV, new[] { 4, 3 })]
    public void MembersGoWhereTheGuestLooks(int signal, int code, int[] pairs)
    {
        uint* host = stackalloc uint[32];
        uint* guest = stackalloc uint[32];
        for (int i = 0; i < 32; i++)
        {
            host[i] = 0x11110000u + (uint)i;
            guest[i] = 0xdeadbeef;
        }

        host[0] = (uint)signal;
        host[2] = (uint)code;
        SigInfo.ToGuest((byte*)guest, (byte*)host);
        uint[] expected = new uint[32];
        expected[0] = host[0];
        expected[1] = host[1];
        expected[2] = host[2];
        for (int i = 0; i < pairs.Length; i += 2)
        {
            expected[pairs[i + 1]] = host[pairs[i]];
        }

        for (int i = 0; i < 32; i++)
        {
            Assert.Equal(expected[i], guest[i]);
        }
    }

    [Fact]
    public void MachineCheckHasAShortLsb()
    {
        uint* host = stackalloc uint[32];
        uint* guest = stackalloc uint[32];
        host[0] = Sig.SIGBUS;
        host[1] = 0;
        host[2] = Sig.BUS_MCEERR_AR;
        host[4] = 0x1000;
        host[6] = 0xffff000c;
        SigInfo.ToGuest((byte*)guest, (byte*)host);
        Assert.Equal(0x1000u, guest[3]);
        Assert.Equal(12u, guest[4]);
    }

    [Theory]
    [InlineData(Sig.SIGINT, Sig.SI_USER)]
    [InlineData(40, Sig.SI_QUEUE)]
    [InlineData(40, -60)]
    [InlineData(14, Sig.SI_TIMER)]
    [InlineData(Sig.SIGCHLD, 4)]
    [InlineData(Sig.SIGIO, 3)]
    [InlineData(Sig.SIGSEGV, Sig.SEGV_ACCERR)]
    [InlineData(Sig.SIGSEGV, Sig.SEGV_BNDERR)]
    [InlineData(Sig.SIGTRAP, Sig.TRAP_PERF)]
    [InlineData(Sig.SIGSYS, 1)]
    public void ThereAndBackKeepsWhatTheLayoutHolds(int signal, int code)
    {
        uint* guest = stackalloc uint[32];
        uint* host = stackalloc uint[32];
        uint* once = stackalloc uint[32];
        uint* twice = stackalloc uint[32];
        for (int i = 0; i < 32; i++)
        {
            guest[i] = 0x80000000u + (uint)(i * 3);
        }

        guest[0] = (uint)signal;
        guest[2] = (uint)code;
        SigInfo.ToHost((byte*)host, (byte*)guest, signal);
        SigInfo.ToGuest((byte*)once, (byte*)host);
        SigInfo.ToHost((byte*)host, (byte*)once, signal);
        SigInfo.ToGuest((byte*)twice, (byte*)host);
        for (int i = 0; i < 32; i++)
        {
            Assert.Equal(once[i], twice[i]);
        }

        Assert.Equal(guest[3], once[3]);
    }

    [Fact]
    public void BandIsSignExtendedForTheHost()
    {
        uint* guest = stackalloc uint[32];
        uint* host = stackalloc uint[32];
        for (int i = 0; i < 32; i++)
        {
            guest[i] = 0;
        }

        guest[2] = unchecked((uint)Sig.SI_SIGIO);
        guest[3] = 0xfffffff0;
        guest[4] = 7;
        SigInfo.ToHost((byte*)host, (byte*)guest, Sig.SIGIO);
        Assert.Equal(-16, *(long*)(host + 4));
        Assert.Equal(7u, host[6]);
    }
}
