using System;
using System.Collections.Generic;
using Lodge.Shim;
using Lodge.Translator.X64;
using Xunit;

namespace Lodge.UnitTests.Dispatch;

/// <summary>Side tables as the code cache keeps them.</summary>
public sealed unsafe class SideTableTests
{
    [Fact]
    public void TablesComeBack()
    {
        Random random = new(7);
        for (int round = 0; round < 2000; round++)
        {
            Boundary[] entries = new Boundary[random.Next(1, 60)];
            int host = 0;
            for (int i = 0; i < entries.Length; i++)
            {
                // Mostly as the translator makes them; sometimes far, backwards, or of another kind.
                bool odd = random.Next(8) == 0;
                entries[i].HostOffset = (ushort)host;
                entries[i].GuestOffset = (ushort)(odd ? random.Next(65536) : (i == 0 ? 0 : entries[i - 1].GuestOffset) + random.Next(16));
                entries[i].EspDelta = (short)(random.Next(3) switch
                {
                    0 => random.Next(-3000, 3000),
                    1 => (i == 0 ? 0 : entries[i - 1].EspDelta) + (4 * random.Next(-140, 140)),
                    _ => (i == 0 ? 0 : entries[i - 1].EspDelta) + (random.Next(2) == 0 ? 4 * random.Next(-10, 10) : 0),
                });
                entries[i].Kind = odd ? (BoundaryKind)random.Next(7) : BoundaryKind.Normal;
                entries[i].Register = (byte)(odd ? random.Next(5) : 0);
                host = Math.Min(65535, host + (random.Next(20) == 0 ? random.Next(1, 3000) : random.Next(1, 16)));
            }

            byte[] table = new byte[(entries.Length * 9) + 1];
            fixed (byte* start = table)
            fixed (Boundary* from = entries)
            {
                int bytes = SideTable.Write(start, from, entries.Length);
                Assert.InRange(bytes, entries.Length, entries.Length * 9);
                List<Boundary> read = [];
                SideTable reader = new(start, bytes);
                for (int i = 0; i < entries.Length; i++)
                {
                    Assert.Equal(entries[i].HostOffset, reader.NextHostOffset);
                    Assert.True(reader.Next());
                    read.Add(reader.Current);
                }

                Assert.Equal(uint.MaxValue, reader.NextHostOffset);
                Assert.False(reader.Next());
                Assert.Equal(entries, read);
            }
        }
    }

    [Fact]
    public void PushesAndPopsTakeTwoBytes()
    {
        Boundary* entries = stackalloc Boundary[4];
        for (int i = 0; i < 4; i++)
        {
            entries[i] = new() { HostOffset = (ushort)(i * 7), GuestOffset = (ushort)i, EspDelta = (short)(i % 2 == 0 ? -4 : 8) };
        }

        byte* table = stackalloc byte[37];
        Assert.Equal(8, SideTable.Write(table, entries, 4));
    }

    [Fact]
    public void OrdinaryEntriesTakeAByte()
    {
        Boundary* entries = stackalloc Boundary[3];
        for (int i = 0; i < 3; i++)
        {
            entries[i] = new() { HostOffset = (ushort)(i * 7), GuestOffset = (ushort)(i * 6) };
        }

        byte* table = stackalloc byte[27];
        Assert.Equal(3, SideTable.Write(table, entries, 3));
    }
}
