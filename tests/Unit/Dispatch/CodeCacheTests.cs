using System;
using System.Collections.Generic;
using Lodge.Shim;
using Lodge.Translator.X64;
using Xunit;

namespace Lodge.UnitTests.Dispatch;

/// <summary>The code cache's tables: units by host and guest address, links, invalidation, emptying.</summary>
public sealed unsafe class CodeCacheTests
{
    private static CodeCacheSizes Flat => CodeCacheSizes.For(1 << 20, ulong.MaxValue);

    private static CodeCacheSizes Tight => CodeCacheSizes.For(1 << 20, 64 << 20);

    // inc eax; jmp to the address
    private static byte[] JumpTo(uint from, uint to)
    {
        byte[] code = [0x40, 0xE9, 0, 0, 0, 0];
        BitConverter.TryWriteBytes(code.AsSpan(2), to - (from + 6));
        return code;
    }

    public static TheoryData<bool> BothTables => [false, true];

    private static CacheUnderTest Create(bool tight, uint guestBytes = 1 << 20, bool writable = false) => new(tight ? Tight : Flat, guestBytes, writable);

    [Theory]
    [MemberData(nameof(BothTables))]
    public void EveryHostAddressLeadsToItsUnit(bool tight)
    {
        using CacheUnderTest c = Create(tight);
        var units = new List<uint>();
        for (uint i = 0; i < 300; i++)
        {
            // A different number of instructions each; ret.
            uint pc = c.Put(i * 64, [.. new byte[i % 40]]);
            new Span<byte>((void*)pc, (int)(i % 40)).Fill(0x41);
            *(byte*)(pc + (i % 40)) = 0xC3;
            units.Add(c.UnitOf(pc));
            Assert.Equal(pc, c.Cache->UnitRef(units[^1]).Pc);
            Assert.Equal((i % 40) + 1, (uint)c.Cache->UnitRef(units[^1]).Length);
        }

        uint end = CodeCache.StubSize;
        foreach (uint unit in units)
        {
            Unit u = c.Cache->UnitRef(unit);
            Assert.True(u.HostStart >= end);
            for (uint gap = end; gap < u.HostStart; gap += 16)
            {
                Assert.Equal(0u, c.Cache->UnitAt(gap));
            }

            end = u.HostStart + u.HostLength;
            uint guest = 0;
            for (uint at = u.HostStart; at < end; at++)
            {
                Assert.Equal(unit, c.Cache->UnitAt(at));
                Boundary b = c.Cache->BoundaryAt(unit, at);
                Assert.InRange(b.GuestOffset, guest, u.Length);
                guest = b.GuestOffset;
            }
        }

        Assert.Equal(0u, c.Cache->UnitAt(end));
        Assert.Equal(0u, c.Cache->UnitAt(0));
        Assert.True(c.Cache->Contains((ulong)c.Cache->Base));
        Assert.False(c.Cache->Contains((ulong)c.Cache->Base + c.Cache->Sizes.Code));
        Assert.False(c.Cache->Contains((ulong)c.Cache->Base - 1));
    }

    [Fact]
    public void WhatMayNotBeFetchedHasNoTranslation()
    {
        using CacheUnderTest c = Create(false);
        Assert.Equal(0u, c.Find(c.Guest - 1));
        Assert.Equal(0u, c.Find(c.Guest + (1 << 20)));
        Assert.Equal(0, c.T->Exec.InCache);
        uint pc = c.Put(0, 0xC3);
        Assert.NotEqual(0u, c.Cache->Find(c.T, pc));
        Assert.NotEqual(0, c.T->Exec.InCache);
        Assert.Equal(c.Find(pc), c.Find(pc));
    }

    [Theory]
    [MemberData(nameof(BothTables))]
    public void LinksLeadToTheTargetUntilItDies(bool tight)
    {
        using CacheUnderTest c = Create(tight);
        uint target = c.Put(0x3000, 0x41, 0xC3);
        uint from = c.Put(0x100, JumpTo(c.Guest + 0x100, target));
        uint unit = c.UnitOf(from);
        LinkRecord* link = c.LinkOf(unit, 0);
        Assert.Equal(1, c.Cache->UnitRef(unit).LinkCount);
        Assert.Equal(target, link->Target);
        Assert.Equal(c.Cache->StubOf(CacheUnderTest.Exit(unit, 0)), c.LeadsTo(CacheUnderTest.Exit(unit, 0)));
        Assert.Equal(LinkRecord.NotLinked, link->NextIncoming);

        uint offset = c.Cache->Link(c.T, CacheUnderTest.Exit(unit, 0), c.Cache->Generation, target);
        Assert.Equal(offset, c.LeadsTo(CacheUnderTest.Exit(unit, 0)));
        Assert.Equal(offset, c.Find(target));

        // A unit that comes later is linked at once.
        uint second = c.UnitOf(c.Put(0x200, JumpTo(c.Guest + 0x200, target)));
        Assert.Equal(offset, c.LeadsTo(CacheUnderTest.Exit(second, 0)));

        c.Cache->Invalidate(c.T, target, 1);
        Assert.Equal(c.Cache->StubOf(CacheUnderTest.Exit(unit, 0)), c.LeadsTo(CacheUnderTest.Exit(unit, 0)));
        Assert.Equal(c.Cache->StubOf(CacheUnderTest.Exit(second, 0)), c.LeadsTo(CacheUnderTest.Exit(second, 0)));
        Assert.NotEqual(0, c.Cache->UnitRef(c.Cache->UnitAt(offset)).Dead);
        Assert.Equal(0, c.Cache->UnitRef(unit).Dead);
        uint again = c.Find(target);
        Assert.NotEqual(offset, again);
        Assert.Equal(again, c.Cache->Link(c.T, CacheUnderTest.Exit(unit, 0), c.Cache->Generation, target));
        Assert.Equal(again, c.LeadsTo(CacheUnderTest.Exit(unit, 0)));

        // The linking unit dies: its own exit is not linked any more.
        c.Cache->Invalidate(c.T, from, 1);
        c.Cache->Invalidate(c.T, target, 1);
        Assert.Equal(0u, c.Cache->UnitRef(unit).Incoming);
    }

    [Theory]
    [MemberData(nameof(BothTables))]
    public void AUnitDiesWithEachPageThatItTouches(bool tight)
    {
        using CacheUnderTest c = Create(tight);
        for (uint way = 0; way < 4; way++)
        {
            // mov eax, imm32; ret over the end of a page; neighbours before and behind it.
            uint pc = c.Put(0x2FFD, 0xB8, 1, 2, 3, 4, 0xC3), before = c.Put(0x2000, 0x42, 0xC3), behind = c.Put(0x3010, 0x43, 0xC3);
            uint unit = c.UnitOf(pc), first = c.UnitOf(before), second = c.UnitOf(behind);
            (uint start, uint length) = way switch
            {
                0 => (c.Guest + 0x2FFD, 1u),
                1 => (c.Guest + 0x3002, 1u),
                2 => (c.Guest + 0x3003, 13u),
                _ => (c.Guest + 0x2F00, 0xFDu),
            };
            c.Cache->Invalidate(c.T, start, length);
            Assert.Equal(way < 2, c.Cache->UnitRef(unit).Dead != 0);
            Assert.Equal(0, c.Cache->UnitRef(first).Dead);
            Assert.Equal(0, c.Cache->UnitRef(second).Dead);
            c.Cache->Invalidate(c.T, c.Guest, 0x10000);
            Assert.NotEqual(0, c.Cache->UnitRef(unit).Dead);
            Assert.NotEqual(0, c.Cache->UnitRef(first).Dead);
            Assert.NotEqual(0, c.Cache->UnitRef(second).Dead);
            c.Cache->Invalidate(c.T, 0, 1ul << 32);
        }
    }

    [Fact]
    public void PagesFarApartAreToldApart()
    {
        CodeCacheSizes sizes = Tight;
        uint apart = 4096u << sizes.PageBits;
        using CacheUnderTest c = new(sizes, apart + 8192);
        uint low = c.Put(0x10, 0x40, 0xC3), high = c.Put(apart + 0x10, 0x41, 0xC3), across = c.Put(apart + 0xFFE, 0x66, 0xB8, 1, 2, 0xC3);
        uint first = c.UnitOf(low), second = c.UnitOf(high), third = c.UnitOf(across);
        c.Cache->Invalidate(c.T, c.Guest + apart, 0x100);
        Assert.Equal(0, c.Cache->UnitRef(first).Dead);
        Assert.NotEqual(0, c.Cache->UnitRef(second).Dead);
        Assert.Equal(0, c.Cache->UnitRef(third).Dead);
        c.Cache->Invalidate(c.T, c.Guest + apart + 0x1000, 1);
        Assert.NotEqual(0, c.Cache->UnitRef(third).Dead);
        c.Cache->Invalidate(c.T, c.Guest, apart);
        Assert.NotEqual(0, c.Cache->UnitRef(first).Dead);
    }

    [Theory]
    [MemberData(nameof(BothTables))]
    public void AFullCacheIsEmptiedAndGoesOn(bool tight)
    {
        using CacheUnderTest c = Create(tight, 8 << 20);
        uint generation = c.Cache->Generation, first = c.Put(0, 0x40, 0xC3);
        uint offset = c.Find(first);
        uint stale = 0;
        c.T->Exec.ReturnStackPointer -= 800;
        uint at = 64;
        uint found = 0;
        for (; c.Cache->Generation == generation; at += 256)
        {
            Assert.True(at < 8 << 20, "the cache never gets full");
            for (uint i = 0; i < 40; i++)
            {
                // test eax, imm32; jz +0
                c.Put(at + (i * 5), 0xA9, 1, 2, 3, 4);
            }

            c.Put(at + 200, 0xC3);
            found = c.Find(c.Guest + at);
            stale = stale == 0 ? c.Cache->UnitAt(found) : stale;
        }

        Assert.Equal(generation + 1, c.Cache->Generation);
        Assert.Equal(found, c.Find(c.Guest + at - 256));
        Assert.Equal(c.T->Exec.ReturnStackBase, c.T->Exec.ReturnStackPointer);
        Assert.Equal(c.Cache->Stubs.Sentinel, *(ulong*)c.T->Exec.ReturnStackPointer);
        Assert.Equal(0u, c.Target(first));
        Assert.Equal(0u, c.Target(c.Guest + 64));

        // One unit is there, the one that did not fit before; everything else is made anew.
        Assert.Equal(c.Guest + at - 256, c.Cache->UnitRef(c.Cache->UnitAt(found)).Pc);
        uint again = c.Find(first);
        Assert.NotEqual(0u, again);
        Assert.NotEqual(c.Cache->UnitAt(found), c.Cache->UnitAt(again));
        Assert.NotEqual(0u, offset);
        c.Cache->Invalidate(c.T, c.Guest, 8 << 20);
        Assert.NotEqual(again, c.Find(first));
    }

    [Fact]
    public void AnExitFromBeforeTheCacheWasEmptiedIsLookedUp()
    {
        using CacheUnderTest c = Create(true);
        uint target = c.Put(0x3000, 0x41, 0xC3);
        uint unit = c.UnitOf(c.Put(0x100, JumpTo(c.Guest + 0x100, target)));
        uint offset = c.Cache->Link(c.T, CacheUnderTest.Exit(unit, 0), c.Cache->Generation - 1, target);
        Assert.Equal(offset, c.Find(target));
        Assert.Equal(c.Cache->StubOf(CacheUnderTest.Exit(unit, 0)), c.LeadsTo(CacheUnderTest.Exit(unit, 0)));
    }

    [Fact]
    public void PagesWrittenAndRunByTurnsAreChecked()
    {
        using CacheUnderTest c = Create(false, writable: true);
        uint pc = c.Put(0x1000, 0xB8, 1, 0, 0, 0, 0xC3);
        uint unit = c.UnitOf(pc);
        Assert.Equal(0, c.Cache->UnitRef(unit).Checked);
        Assert.Equal(1, c.T->Mm->GuardedCount);
        for (int i = 0; i < 40; i++)
        {
            Mm.PrepareWrite(c.T, pc, 1);
            c.Cache->CountWriteFault(pc);
            Assert.Equal(c.Cache->UnitRef(unit).Checked == 0, c.Cache->UnitRef(unit).Dead != 0);
            unit = c.UnitOf(pc);
        }

        Assert.NotEqual(0, c.Cache->UnitRef(unit).Checked);
        Assert.Equal(0, c.T->Mm->GuardedCount);
        Assert.Equal(unit, c.UnitOf(pc));
        *(byte*)(pc + 1) = 2;
        Assert.NotEqual(unit, c.UnitOf(pc));
        Assert.NotEqual(0, c.Cache->UnitRef(unit).Dead);
        Assert.Equal(0u, c.Target(pc));
    }

    [Fact]
    public void SingleInstructionsAreFoundByNobodyElse()
    {
        using CacheUnderTest c = Create(false);
        uint pc = c.Put(0x40, 0x40, 0x41, 0xC3);
        uint single = c.Cache->Single(c.T, pc);
        Unit u = c.Cache->UnitRef(c.Cache->UnitAt(single));
        Assert.Equal(1, u.Length);
        Assert.Equal(single, c.Cache->Single(c.T, pc));
        Assert.NotEqual(single, c.Find(pc));
        *(byte*)pc = 0x42;
        Assert.NotEqual(single, c.Cache->Single(c.T, pc));
    }
}
