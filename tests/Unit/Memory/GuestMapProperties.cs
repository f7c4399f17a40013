using System;
using System.Collections.Generic;
using System.Linq;
using FsCheck;
using FsCheck.Fluent;
using Lodge.Shim;
using Xunit;

namespace Lodge.UnitTests.Memory;

/// <summary>Random histories of mapping, unmapping and protecting, in the tree and in the page model, compared after every step.</summary>
public class GuestMapProperties
{
    private const uint Page = 4096, FirstPage = 0x40000;
    private const int Pages = 1200;

    private enum Kind
    {
        Map,
        MapFile,
        Stack,
        Unmap,
        Protect,
    }

    private sealed record Step(Kind Kind, int At, int Length, int Choice);

    private static readonly MappingFlags[] s_access =
        [MappingFlags.None, MappingFlags.Read, MappingFlags.Read | MappingFlags.Write, MappingFlags.Read | MappingFlags.Exec];

    private static Arbitrary<Step[]> Histories()
    {
        Gen<Step> step =
            from kind in Gen.Frequency(
                (4, Gen.Constant(Kind.Map)),
                (3, Gen.Constant(Kind.MapFile)),
                (1, Gen.Constant(Kind.Stack)),
                (4, Gen.Constant(Kind.Unmap)),
                (4, Gen.Constant(Kind.Protect)))
            from at in Gen.Choose(0, Pages - 1)
            from length in Gen.Frequency((3, Gen.Choose(1, 8)), (1, Gen.Choose(1, 200)))
            from choice in Gen.Choose(0, 3)
            select new Step(kind, at, Math.Min(length, Pages - at), choice);
        return Arb.From(Gen.ArrayOf(step));
    }

    private static void Apply(Step step, MapUnderTest tree, PageModel model)
    {
        uint start = (FirstPage + (uint)step.At) * Page, length = (uint)step.Length * Page;
        MappingFlags flags = s_access[step.Choice];
        ulong inode = step.Kind == Kind.MapFile ? 7ul : 0;
        // File pages lie at matching offsets now and then, so that neighbours continue each other.
        ulong offset = inode == 0 ? 0 : (ulong)(step.Choice % 2 == 0 ? step.At : 0) * Page;
        switch (step.Kind)
        {
            case Kind.Map or Kind.MapFile or Kind.Stack:
                flags |= step.Kind == Kind.Stack ? MappingFlags.GrowsDown : 0;
                tree.Put(start, length, flags, inode, offset);
                model.Put(start, length, flags, inode, offset);
                break;
            case Kind.Unmap:
                tree.Map.Remove(start, start + length);
                model.Remove(start, length);
                break;
            default:
                tree.Map.Change(start, start + length, MappingFlags.Access, flags);
                model.Change(start, length, MappingFlags.Access, flags);
                break;
        }
    }

    private static void Compare(MapUnderTest tree, PageModel model)
    {
        List<GuestMapping> list = tree.ToList();
        Assert.Equal(list.Count, tree.Map.Count);
        Assert.Equal((uint)model.Count(false), tree.Map.TotalPages);
        Assert.Equal((uint)model.Count(true), tree.Map.DataPages);
        uint at = model.Start;
        GuestMapping? previous = null;
        foreach (GuestMapping mapping in list)
        {
            Assert.True(mapping.Start >= at && mapping.End > mapping.Start && mapping.End <= model.End);
            for (; at < mapping.Start; at += Page)
            {
                Assert.Null(model[at]);
            }

            for (; at < mapping.End; at += Page)
            {
                PageModel.Page page = Assert.NotNull(model[at]);
                Assert.Equal(page.Flags, mapping.Flags);
                Assert.Equal(page.Inode, mapping.Inode);
                if (page.Inode != 0)
                {
                    Assert.Equal(page.FilePage * Page, mapping.Offset + (at - mapping.Start));
                }
            }

            Assert.False(previous is GuestMapping below && below.Continues(mapping), "neighbours that continue each other are one mapping");
            previous = mapping;
        }

        for (; at < model.End; at += Page)
        {
            Assert.Null(model[at]);
        }
    }

    [Fact]
    public void TreeEqualsPageArray()
    {
        Prop.ForAll(Histories(), history =>
        {
            using MapUnderTest tree = new();
            PageModel model = new(FirstPage, Pages);
            foreach (Step step in history)
            {
                Apply(step, tree, model);
                Compare(tree, model);
            }
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(150).WithEndSize(60));
    }

    [Fact]
    public void SearchesFindTheFirstFit()
    {
        Prop.ForAll(Histories(), Arb.From(Gen.Choose(1, 300)), Arb.From(Gen.Choose(0, Pages)), (history, need, border) =>
        {
            using MapUnderTest tree = new();
            PageModel model = new(FirstPage, Pages);
            foreach (Step step in history)
            {
                Apply(step, tree, model);
            }

            uint length = (uint)need * Page, low = model.Start, high = (FirstPage + (uint)border) * Page;
            uint[] fits = [.. model.Candidates(low, high, length)];
            Assert.Equal(fits.Length == 0 ? GuestMap.NoAddress : fits.Max(), tree.Map.SearchDown(low, high, length, 0));
            fits = [.. model.Candidates(high, model.End, length)];
            Assert.Equal(fits.Length == 0 ? GuestMap.NoAddress : fits.Min(), tree.Map.SearchUp(high, model.End, length, 0));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(300).WithEndSize(80));
    }

    [Fact]
    public void LookupsAgreeWithTheList()
    {
        Prop.ForAll(Histories(), history =>
        {
            using MapUnderTest tree = new();
            PageModel model = new(FirstPage, Pages);
            foreach (Step step in history)
            {
                Apply(step, tree, model);
            }

            List<GuestMapping> list = tree.ToList();
            for (uint at = model.Start; at < model.End; at += 37 * Page)
            {
                CheckLookups(tree, list, at);
            }
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(100).WithEndSize(60));
    }

    private static unsafe void CheckLookups(MapUnderTest tree, List<GuestMapping> list, uint at)
    {
        uint? above = list.Where(m => m.End > at).Select(m => (uint?)m.Start).FirstOrDefault();
        uint? below = list.Where(m => m.Start < at).Select(m => (uint?)m.Start).LastOrDefault();
        GuestMapping* node = tree.Map.FindAbove(at);
        Assert.Equal(above, node == null ? null : node->Start);
        node = tree.Map.FindBelow(at);
        Assert.Equal(below, node == null ? null : node->Start);
        node = tree.Map.Find(at);
        Assert.Equal(list.Any(m => m.Start <= at && at < m.End), node != null);
        uint end = at + (50 * Page);
        uint mapped = (uint)list.Sum(m => Math.Max(0L, Math.Min(m.End, (long)end) - Math.Max(m.Start, (long)at)));
        Assert.Equal(mapped, tree.Map.MappedBytes(at, end));
        Assert.Equal(mapped == end - at, tree.Map.IsCovered(at, end));
    }

    [Fact]
    public void TenThousandMappingsStayFast()
    {
        using MapUnderTest tree = new();
        for (uint i = 0; i < 10_000; i++)
        {
            // Every other page: nothing joins.
            tree.Put(0x10000000 + (i * 2 * Page), Page, MappingFlags.Read);
        }

        Assert.Equal(10_000, tree.Map.Count);
        Assert.Equal(0x10000000 + (19_999 * Page), tree.Map.SearchDown(Page, 0x10000000 + (20_000 * Page), Page, 0));
        Assert.Equal(0x10000000 - (2 * Page), tree.Map.SearchDown(Page, 0x10000000 + (20_000 * Page) - Page, 2 * Page, 0));
        for (uint i = 0; i < 10_000; i++)
        {
            tree.Map.Remove(0x10000000 + (i * 2 * Page), 0x10000000 + (i * 2 * Page) + Page);
        }

        Assert.Equal(0, tree.Map.Count);
        Assert.Equal(0u, tree.Map.TotalPages);
    }
}
