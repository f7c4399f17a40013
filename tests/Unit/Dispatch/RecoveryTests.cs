using Lodge.Shim;
using Lodge.Translator.X64;
using Xunit;

namespace Lodge.UnitTests.Dispatch;

/// <summary>From a stop between two host instructions to the guest's registers.</summary>
public sealed unsafe class RecoveryTests
{
    private static CacheUnderTest Create() => new(CodeCacheSizes.For(1 << 20, 64 << 20));

    [Fact]
    public void SignalsAreSentToWhereTheyCanBeTaken()
    {
        using CacheUnderTest c = Create();
        // add eax, [ebx]; jmp far away: an exit with a cold stub
        uint unit = c.UnitOf(c.Put(0, 0x03, 0x03, 0xE9, 0x00, 0x20, 0x00, 0x00));
        ref DispatchStubs s = ref c.Cache->Stubs;
        ulong start = (ulong)c.Cache->Base + c.Cache->UnitRef(unit).HostStart;
        Assert.Equal(s.InterruptExit, Recovery.InterruptTarget(c.T, start));
        Assert.Equal(0ul, Recovery.InterruptTarget(c.T, (ulong)c.Cache->Base + c.Cache->StubOf(CacheUnderTest.Exit(unit, 0))));
        Assert.Equal(s.NotEntered, Recovery.InterruptTarget(c.T, s.EntryWindowStart));
        Assert.Equal(s.NotEntered, Recovery.InterruptTarget(c.T, s.EntryWindowEnd - 1));
        Assert.Equal(0ul, Recovery.InterruptTarget(c.T, s.EntryWindowEnd));
        Assert.Equal(0ul, Recovery.InterruptTarget(c.T, s.EntryWindowStart - 1));
        Assert.Equal(s.InterruptExit, Recovery.InterruptTarget(c.T, s.IndirectStart));
        Assert.Equal(s.InterruptExit, Recovery.InterruptTarget(c.T, s.IndirectEnd - 1));
        Assert.Equal(0ul, Recovery.InterruptTarget(c.T, s.IndirectEnd));
        Assert.Equal(0ul, Recovery.InterruptTarget(c.T, s.InterruptExit));
        Assert.Equal(0ul, Recovery.InterruptTarget(c.T, (ulong)c.Cache->Base - 1));
        Assert.Equal(0ul, Recovery.InterruptTarget(c.T, (ulong)c.Cache->Base + c.Cache->Sizes.Code));
        Assert.Equal(0ul, Recovery.InterruptTarget(c.T, 0x1234));

        // Code that nobody has written yet.
        Assert.Equal(0ul, Recovery.InterruptTarget(c.T, (ulong)c.Cache->Base + c.Cache->Sizes.Code - 16));
    }

    [Fact]
    public void TheStackPointerFollowsPushesAndPops()
    {
        using CacheUnderTest c = Create();
        // push eax; push ecx; mov edx, [esp]; pop ebx; add eax, [ebx]; pop eax; ret
        uint pc = c.Put(0x20, 0x50, 0x51, 0x8B, 0x14, 0x24, 0x5B, 0x03, 0x03, 0x58, 0xC3);
        uint unit = c.UnitOf(pc);
        (uint GuestOffset, int Delta)[] expected = [(0, 0), (1, -4), (2, -8), (5, -8), (6, -4), (8, -4)];
        foreach ((uint offset, int delta) in expected)
        {
            uint at = c.HostOffset(unit, b => b.GuestOffset == offset && b.Kind == BoundaryKind.Normal);
            Assert.NotEqual(uint.MaxValue, at);
            int moved = c.Cache->BoundaryAt(unit, at).EspDelta;
            c.StopAt(at, (uint)(0x80000000 + delta - moved));
            Assert.Equal(pc + offset, c.T->I386.eip);
            Assert.Equal((uint)(0x80000000 + delta), c.T->I386.esp);
        }

        // Nothing has been committed up to the pop in the end: the deltas are the whole truth.
        Assert.Equal(-8, c.Cache->BoundaryAt(unit, c.HostOffset(unit, b => b.GuestOffset == 5)).EspDelta);
    }

    [Fact]
    public void AReturnThatHasBeenTakenIsAtItsTarget()
    {
        using CacheUnderTest c = Create();
        // call +0x100; inc eax; ret
        uint unit = c.UnitOf(c.Put(0x40, 0xE8, 0x00, 0x01, 0x00, 0x00, 0x40, 0xC3));
        uint at = c.HostOffset(unit, b => b.Kind == BoundaryKind.TargetInR8);
        Assert.NotEqual(uint.MaxValue, at);
        c.StopAt(at, 0x7000, r8: 0x12345678);
        Assert.Equal(0x12345678u, c.T->I386.eip);
        Assert.Equal(0x7000u, c.T->I386.esp);
    }

    [Fact]
    public void ECXComesBackFromWhereALandingKeepsIt()
    {
        using CacheUnderTest c = Create();
        // call +0x100; jc +1 (reads the callee's flags); ret; ret
        uint unit = c.UnitOf(c.Put(0x40, 0xE8, 0x00, 0x01, 0x00, 0x00, 0x72, 0x01, 0xC3, 0xC3));
        uint at = c.HostOffset(unit, b => b.Kind == BoundaryKind.TargetInR8RcxInR9);
        Assert.NotEqual(uint.MaxValue, at);
        c.T->I386.ecx = 1;
        c.StopAt(at, 0x7000, r8: 0x2000, r9: 0xCAFE);
        Assert.Equal(0x2000u, c.T->I386.eip);
        Assert.Equal(0xCAFEu, c.T->I386.ecx);
    }

    [Fact]
    public void ByteRegistersAreExchangedBack()
    {
        using CacheUnderTest c = Create();
        // mov ah, [esp+4]: a REX prefix takes AH away
        uint pc = c.Put(0x60, 0x8A, 0x64, 0x24, 0x04, 0xC3);
        uint unit = c.UnitOf(pc);
        uint at = c.HostOffset(unit, b => b.Kind == BoundaryKind.SwappedBytes);
        Assert.NotEqual(uint.MaxValue, at);
        Assert.Equal(0, c.Cache->BoundaryAt(unit, at).Register);
        c.T->I386.eax = 0x11223344;
        c.StopAt(at, 0x9000);
        Assert.Equal(0x11224433u, c.T->I386.eax);
        Assert.Equal(pc, c.T->I386.eip);
        Assert.Equal(0x9000u, c.T->I386.esp);
    }

    [Fact]
    public void TheSharedBranchIsAtItsTarget()
    {
        using CacheUnderTest c = Create();
        ulong before = c.T->Exec.ReturnStackPointer;
        c.StopAt((uint)(c.Cache->Stubs.IndirectStart + 8 - (ulong)c.Cache->Base), 5, r8: 0x8048123);
        Assert.Equal(0x8048123u, c.T->I386.eip);
        Assert.Equal(before, c.T->Exec.ReturnStackPointer);

        // At the sentinel itself the return has taken it off the stack.
        c.StopAt((uint)(c.Cache->Stubs.Sentinel - (ulong)c.Cache->Base), 5, r8: 0x8048124);
        Assert.Equal(0x8048124u, c.T->I386.eip);
        Assert.Equal(before - 8, c.T->Exec.ReturnStackPointer);
    }

    [Fact]
    public void X87InstructionPointersAreTheGuests()
    {
        using CacheUnderTest c = Create();
        // fld1; fadd dword [ebx]; ret
        uint pc = c.Put(0x80, 0xD9, 0xE8, 0xD8, 0x03, 0xC3);
        uint unit = c.UnitOf(pc);
        uint low = (uint)(ulong)c.Cache->Base;
        Assert.Equal(pc, Recovery.GuestFip(c.T, low + c.HostOffset(unit, b => b.GuestOffset == 0)));
        Assert.Equal(pc + 2, Recovery.GuestFip(c.T, low + c.HostOffset(unit, b => b.GuestOffset == 2)));
        Assert.Equal(low + c.Cache->Sizes.Code, Recovery.GuestFip(c.T, low + c.Cache->Sizes.Code));
        Assert.Equal(low - 5, Recovery.GuestFip(c.T, low - 5));
        Assert.Equal(low + 8, Recovery.GuestFip(c.T, low + 8));
    }
}
