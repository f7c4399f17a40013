using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using Lodge.Shim;
using Xunit;

namespace Lodge.UnitTests.Dispatch;

/// <summary>Nested target tables against a dictionary, and the sizes that go with limits.</summary>
public sealed unsafe class TargetTableTests
{
    [Theory]
    [InlineData(1u)]
    [InlineData(0xC0FFEEu)]
    public void NestedTablesKeepWhatWasWritten(uint seed)
    {
        const uint Nodes = 3000;
        byte* table = (byte*)NativeMemory.AllocZeroed((nuint)TargetTables.Bytes(Nodes));
        uint used = 1;
        var model = new Dictionary<uint, uint>();
        var random = new Random((int)seed);
        for (int i = 0; i < 5000 && used + 2 <= Nodes; i++)
        {
            // Neighbours, strangers, and both ends of the address space.
            uint pc = random.Next(4) switch
            {
                0 => (uint)random.Next(256) + 0x08048000,
                1 => (uint)random.NextInt64(1L << 32),
                2 => uint.MaxValue - (uint)random.Next(300),
                _ => (uint)random.Next(300),
            };
            if (random.Next(3) == 0)
            {
                uint there = model.GetValueOrDefault(pc);
                TargetTables.Remove(table, pc, random.Next(2) == 0 ? there : there + 1, nested: true);
                model[pc] = TargetTables.Read(table, pc, nested: true);
                Assert.True(model[pc] == 0 || model[pc] == there);
            }
            else
            {
                model[pc] = (uint)random.Next(1, 1 << 28);
                TargetTables.Write(table, pc, model[pc], Nodes, ref used);
            }
        }

        foreach ((uint pc, uint offset) in model)
        {
            Assert.Equal(offset, TargetTables.Read(table, pc, nested: true));
            Assert.Equal(model.GetValueOrDefault(pc + 1), TargetTables.Read(table, pc + 1, nested: true));
        }

        NativeMemory.Free(table);
    }

    [Fact]
    public void AFullTableTakesNothingMore()
    {
        byte* table = (byte*)NativeMemory.AllocZeroed((nuint)TargetTables.Bytes(3));
        uint used = 1;
        TargetTables.Write(table, 0x1000, 7, 3, ref used);
        Assert.Equal(3u, used);
        TargetTables.Write(table, 0x90001000, 8, 3, ref used);
        Assert.Equal(0u, TargetTables.Read(table, 0x90001000, nested: true));
        Assert.Equal(7u, TargetTables.Read(table, 0x1000, nested: true));
        Assert.Equal(3u, used);
        NativeMemory.Free(table);
    }

    [Fact]
    public void SizesStayWithinLimits()
    {
        Assert.Equal(256u << 20, CodeCacheSizes.For(0, ulong.MaxValue).Code);
        Assert.Equal(0u, CodeCacheSizes.For(0, ulong.MaxValue).TargetNodes);
        Assert.Equal(1u << 20, CodeCacheSizes.For(5, ulong.MaxValue).Code);
        Assert.Equal(1u << 30, CodeCacheSizes.For(1ul << 40, ulong.MaxValue).Code);
        for (ulong limit = 16 << 20; limit < 1ul << 34; limit += limit / 3)
        {
            CodeCacheSizes sizes = CodeCacheSizes.For(0, limit);
            Assert.InRange(sizes.Code, 1u << 20, (uint)(limit / 16));
            Assert.True(sizes.TargetNodes > 500);
            ulong all = sizes.Code + sizes.Records + ((ulong)sizes.Units * 4) + sizes.Sources + TargetTables.Bytes(sizes.TargetNodes);
            Assert.True(all < 7ul * sizes.Code);
        }
    }
}
