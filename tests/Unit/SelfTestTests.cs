using Lodge.Shim;
using Xunit;

namespace Lodge.UnitTests;

/// <summary>
/// The self-test's checks of the shim's own core library, run here against the real one: what they expect must hold there as well.
/// </summary>
public class SelfTestTests
{
    [Fact]
    public void Block_copies() => Assert.Equal(0, SelfTest.CopyErrors());

    [Fact]
    public void Fills() => Assert.Equal(0, SelfTest.FillErrors());

    [Fact]
    public void Bit_counting() => Assert.Equal(0, SelfTest.BitErrors());

    [Fact]
    public void Atomics() => Assert.Equal(0, SelfTest.AtomicErrors());

    [Fact]
    public void Number_formatting() => Assert.Equal(0, SelfTest.FormatErrors());

    [Fact]
    public void Large_frames() => Assert.Equal(7, SelfTest.LargeFrame(7));
}
