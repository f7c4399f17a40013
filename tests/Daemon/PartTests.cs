using System;
using System.Linq;
using System.Net.Sockets;
using System.Text;
using Lodge.Protocol;
using Lodge.Service;
using Serilog.Events;
using Serilog.Parsing;
using Xunit;

namespace Lodge.DaemonTests;

/// <summary>Small parts of the service by themselves.</summary>
public class PartTests
{
    [Theory]
    [InlineData("1 (a) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 777 20 21", 777)]
    [InlineData("1 (a) ) 9) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 778 20", 778)]
    [InlineData("1 (a) S 1 2", 0)]
    [InlineData("", 0)]
    public void StartOfAProcess(string line, ulong ticks) => Assert.Equal(ticks, ProcessStart.Parse(Encoding.UTF8.GetBytes(line)));

    [Fact]
    public void OwnStartIsKnownAndAStrangersIsNot()
    {
        Assert.NotEqual(0ul, ProcessStart.Of(Environment.ProcessId));
        Assert.Equal(0ul, ProcessStart.Of(int.MaxValue));
    }

    [Theory]
    [InlineData("plain /bin/ö", "plain /bin/ö")]
    [InlineData("a\nb\u001b[31mc", "a\uFFFDb\uFFFD[31mc")]
    [InlineData("x\u202Ey\u2028z", "x\uFFFDy\uFFFDz")]
    public void LinesAreMadePrintable(string line, string expected) => Assert.Equal(expected, Printable.Text(Encoding.UTF8.GetBytes(line)));

    [Fact]
    public void BucketGivesItsBurstAndThenItsRate()
    {
        TokenBucket bucket = new(100, 5);
        long now = EventLoop.Now;
        Assert.Equal(5, Enumerable.Range(0, 10).Count(_ => bucket.Take(now)));
        Assert.Equal(3, Enumerable.Range(0, 10).Count(_ => bucket.Take(now + 30)));
        Assert.False(bucket.IsFull(now + 30));
        Assert.True(bucket.IsFull(now + 1000));
    }

    [Fact]
    public void QuotaCountsConnectionsPerUser()
    {
        UserQuotas quotas = new();
        Assert.True(quotas.Enter(1, 2));
        Assert.True(quotas.Enter(1, 2));
        Assert.False(quotas.Enter(1, 2));
        Assert.True(quotas.Enter(2, 2));
        quotas.Leave(1);
        Assert.True(quotas.Enter(1, 2));
    }

    [Theory]
    [InlineData("GET /metrics HTTP/1.1\r\n\r\n", "200", "body")]
    [InlineData("HEAD /metrics HTTP/1.1\r\n\r\n", "200", "")]
    [InlineData("GET / HTTP/1.1\r\n\r\n", "404", null)]
    [InlineData("POST /metrics HTTP/1.1\r\n\r\n", "405", null)]
    [InlineData("\u0016\u0003\u0001 nonsense\n\n", "400", null)]
    public void MetricsAnswersRequests(string request, string status, string? body)
    {
        string[] answer = MetricsServer.Answer(request, () => "body").Split("\r\n\r\n", 2);
        Assert.StartsWith($"HTTP/1.1 {status} ", answer[0], StringComparison.Ordinal);
        if (body != null)
        {
            Assert.Equal(body, answer[1]);
        }
    }

    [Fact]
    public void JournalEntryHasFieldsAndLengths()
    {
        LogEvent logEvent = new(DateTimeOffset.UtcNow, LogEventLevel.Warning, null, new MessageTemplateParser().Parse("guest {Pid}: {Line}"),
            [new LogEventProperty("Pid", new ScalarValue(42)), new LogEventProperty("Line", new ScalarValue("two\nlines"))]);
        byte[] message = Encoding.UTF8.GetBytes("guest 42: two\nlines");
        byte[] expected =
        [
            .. "MESSAGE\n"u8, (byte)message.Length, 0, 0, 0, 0, 0, 0, 0, .. message, .. "\nPRIORITY=4\nSYSLOG_IDENTIFIER=lodged\nLODGE_PID=42\nLODGE_LINE\n"u8, 9, 0, 0, 0, 0, 0, 0, 0,
            .. "two\nlines\n"u8,
        ];
        Assert.Equal(Encoding.UTF8.GetString(expected), Encoding.UTF8.GetString(JournalSink.Compose(logEvent)));
    }

    [Fact]
    public void JournalGetsOneDatagramAnEvent()
    {
        string path = System.IO.Path.Combine(System.IO.Directory.CreateTempSubdirectory("journal-").FullName, "socket");
        using Socket journal = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        journal.Bind(new UnixDomainSocketEndPoint(path));
        journal.ReceiveTimeout = 30_000;
        using (Serilog.Core.Logger log = new Serilog.LoggerConfiguration().WriteTo.Sink(new BackgroundSink(new JournalSink(path))).CreateLogger())
        {
            log.Error("broken: {What}", "it");
        }

        byte[] entry = new byte[1000];
        Assert.Equal("MESSAGE=broken: it\nPRIORITY=3\nSYSLOG_IDENTIFIER=lodged\nLODGE_WHAT=it\n", Encoding.UTF8.GetString(entry, 0, journal.Receive(entry)));
        System.IO.Directory.Delete(System.IO.Path.GetDirectoryName(path)!, recursive: true);
    }

    [Fact]
    public void PagesHoldEveryGuestOnce()
    {
        using EventLoop loop = new();
        using StateFile file = new("/nonexistent/guests.state", Serilog.Core.Logger.None);
        GuestTable table = new(loop, file, 0, 10_000);
        ulong ticks = ProcessStart.Of(Environment.ProcessId);

        // One process only can be in the table by its number; a page is what the handler makes of what the table lists.
        table.Recover([(new GuestEntry { Id = 7, Pid = Environment.ProcessId, Uid = 5, ProcessStartTicks = ticks, ProgramLength = 2 }, "/a"u8.ToArray())], 8);
        byte[] all = GuestPages.Make(table, new QueryGuestsMessage { Which = GuestQuery.Live }, null);
        byte[] others = GuestPages.Make(table, new QueryGuestsMessage { Which = GuestQuery.Live }, 6);
        byte[] after = GuestPages.Make(table, new QueryGuestsMessage { Which = GuestQuery.Live, AfterId = 7 }, null);
        Assert.Equal((1u, 0u, 0u), (Page(all).Count, Page(others).Count, Page(after).Count));
        Assert.Equal((7ul, 7ul, 7ul), (Page(all).NextAfter, Page(others).NextAfter, Page(after).NextAfter));
        Assert.Equal(GuestsMessage.Size + 80, all.Length);
    }

    private static GuestsMessage Page(byte[] packet) => System.Runtime.InteropServices.MemoryMarshal.Read<GuestsMessage>(packet);
}
