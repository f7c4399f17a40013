using System;
using System.Collections.Generic;
using Lodge.Shim;
using Xunit;

namespace Lodge.UnitTests.Dispatch;

/// <summary>The code cache's table of entries against a dictionary.</summary>
public sealed unsafe class EntryTableTests
{
    [Fact]
    public void FindsWhatIsInIt()
    {
        fixed (ulong* memory = new ulong[512])
        {
            EntryTable table = default;
            table.Begin((byte*)memory, 512);
            Dictionary<uint, List<uint>> model = [];
            Random random = new(11);
            List<(uint Address, uint Reference)> live = [];
            for (uint reference = 16; reference < 12000; reference++)
            {
                // Few addresses, so that some have several entries; a third of what comes goes again.
                uint address = (uint)(0x08048000 + random.Next(6000));
                Assert.True(table.MakeRoom(1));
                table.Add(address, reference);
                live.Add((address, reference));
                model.TryAdd(address, []);
                model[address].Add(reference);
                if (random.Next(3) == 0)
                {
                    int at = random.Next(live.Count);
                    (uint gone, uint its) = live[at];
                    live.RemoveAt(at);
                    table.Remove(gone, its);
                    Assert.True(model[gone].Remove(its));
                }
            }

            for (uint address = 0x08048000; address < 0x08048000 + 6100; address++)
            {
                uint found = table.Find(address);
                bool expected = model.TryGetValue(address, out List<uint>? references) && references.Count != 0;
                Assert.Equal(expected, found != 0);
                Assert.True(!expected || references!.Contains(found));
            }

            table.Clear();
            Assert.Equal(0u, table.Find(live[0].Address));
        }
    }
}
