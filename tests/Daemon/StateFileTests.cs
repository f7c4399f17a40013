using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Lodge.Protocol;
using Lodge.Service;
using Serilog;
using Xunit;

namespace Lodge.DaemonTests;

/// <summary>The table of guests on disk.</summary>
public sealed class StateFileTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("lodged-state-").FullName;
    private readonly EventLoop _loop = new();

    private string FilePath => Path.Combine(_directory, "guests.state");

    public void Dispose()
    {
        _loop.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public void StartsAndEndsAreReadBack()
    {
        byte[] bytes = Write(5, ends: [2, 4]);
        (List<(GuestEntry Entry, byte[] Program)> guests, ulong nextId, string? damage) = StateFile.Parse(bytes, ProcessStart.BootId);
        Assert.Null(damage);
        Assert.Equal([1ul, 3ul, 5ul], guests.Select(g => g.Entry.Id));
        Assert.Equal("/bin/program-3", Encoding.UTF8.GetString(guests[1].Program));
        Assert.Equal(6ul, nextId);
    }

    [Fact]
    public void AnotherBootLeavesNothingButTheNumbers()
    {
        byte[] bytes = Write(5, ends: []);
        (List<(GuestEntry, byte[])> guests, ulong nextId, string? damage) = StateFile.Parse(bytes, Guid.NewGuid());
        Assert.Null(damage);
        Assert.Empty(guests);
        Assert.Equal(1ul, nextId);
    }

    [Fact]
    public void EveryTruncationGivesAWholePrefix()
    {
        byte[] bytes = Write(4, ends: []);
        int before = -1;
        for (int length = 0; length <= bytes.Length; length++)
        {
            (List<(GuestEntry Entry, byte[])> guests, _, string? damage) = StateFile.Parse(bytes.AsSpan(0, length), ProcessStart.BootId);
            Assert.Equal(Enumerable.Range(1, guests.Count).Select(i => (ulong)i), guests.Select(g => g.Entry.Id));
            Assert.True(guests.Count >= before);
            before = guests.Count;
            if (length == bytes.Length)
            {
                Assert.Null(damage);
            }
        }

        Assert.Equal(4, before);
    }

    [Fact]
    public void ABitThatFlippedIsNoticed()
    {
        byte[] bytes = Write(6, ends: [1]);
        Prop.ForAll(
            Gen.Choose(0, (bytes.Length * 8) - 1).ToArbitrary(),
            bit =>
            {
                byte[] copy = (byte[])bytes.Clone();
                copy[bit / 8] ^= (byte)(1 << (bit % 8));
                (List<(GuestEntry Entry, byte[] Program)> guests, _, string? damage) = StateFile.Parse(copy, ProcessStart.BootId);
                return damage != null && guests.All(g => Encoding.UTF8.GetString(g.Program) == $"/bin/program-{g.Entry.Id}");
            }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void AnyBytesAreRead()
    {
        Prop.ForAll(ArbMap.Default.ArbFor<byte[]>(), bytes =>
        {
            byte[] file = Write(1, ends: []);
            byte[] whole = [.. file, .. bytes];
            (List<(GuestEntry, byte[])> guests, _, string? damage) = StateFile.Parse(whole, ProcessStart.BootId);
            return guests.Count == 1 && (damage != null) == (bytes.Length != 0);
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void ADamagedFileIsKeptAndLogged()
    {
        byte[] bytes = Write(3, ends: []);
        File.WriteAllBytes(FilePath, [.. bytes, 1, 2, 3]);
        List<string> lines = [];
        using Serilog.Core.Logger log = new LoggerConfiguration().WriteTo.Sink(new ListSink(lines)).CreateLogger();
        using StateFile file = new(FilePath, log);
        Assert.Equal(3, file.Load().Guests.Count);
        Assert.True(File.Exists(FilePath + ".bad"));
        Assert.Contains(lines, l => l.Contains("is damaged", StringComparison.Ordinal));
    }

    [Fact]
    public void AFileThatCannotBeWrittenIsReportedOnceAndTriedAgain()
    {
        List<string> lines = [];
        using Serilog.Core.Logger log = new LoggerConfiguration().WriteTo.Sink(new ListSink(lines)).CreateLogger();
        string missing = Path.Combine(_directory, "later");
        using StateFile file = new(Path.Combine(missing, "guests.state"), log);
        GuestTable table = new(_loop, file, 0, 10);
        Assert.False(file.Rewrite());
        Assert.True(file.Failing);
        file.Start(Guest(table, 1));
        file.Flush();
        file.Flush();
        Assert.Single(lines);
        Directory.CreateDirectory(missing);
        Assert.True(file.Rewrite());
        Assert.False(file.Failing);
        Assert.Contains("saved again", lines[1], StringComparison.Ordinal);
    }

    [Fact]
    public void HistoryIsLeftOutInTime()
    {
        using StateFile file = new(FilePath, Serilog.Core.Logger.None);
        GuestTable table = new(_loop, file, 0, 10);
        Assert.True(file.Rewrite());
        long largest = 0;
        for (ulong id = 1; id <= 20_000; id++)
        {
            GuestRecord guest = Guest(table, id);
            file.Start(guest);
            file.End(guest);
            file.Flush();
            largest = id % 100 == 0 ? Math.Max(largest, new FileInfo(FilePath).Length) : largest;
        }

        Assert.InRange(largest, 1, 512 * 1024);
    }

    private byte[] Write(int count, ulong[] ends)
    {
        using (StateFile file = new(FilePath, Serilog.Core.Logger.None))
        {
            GuestTable table = new(_loop, file, 0, 10);
            List<GuestRecord> guests = [.. Enumerable.Range(1, count).Select(i => Guest(table, (ulong)i))];
            Assert.True(file.Rewrite());
            guests.ForEach(file.Start);
            guests.Where(g => ends.Contains(g.Entry.Id)).ToList().ForEach(file.End);
        }

        return File.ReadAllBytes(FilePath);
    }

    private static GuestRecord Guest(GuestTable table, ulong id)
    {
        byte[] program = Encoding.UTF8.GetBytes($"/bin/program-{id}");
        return new GuestRecord(table, new GuestEntry { Id = id, Pid = 1000 + (int)id, ProcessStartTicks = 5, ProgramLength = (ushort)program.Length }, program);
    }
}
