using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Runtime.InteropServices;
using System.Text;
using Lodge.Client;
using Lodge.Protocol;
using Mono.Unix.Native;
using Xunit;

namespace Lodge.DaemonTests;

/// <summary>Clients that mean harm, or know no better. Each costs its own connection; a guest beside them is served.</summary>
public class HostileTests
{
    public static TheoryData<string, byte[]> WrongPackets { get; } = new()
    {
        { "one byte", [1] },
        { "half a head", Packet.Plain(MessageType.QueryStatus)[..12] },
        { "another magic", Change(Packet.Plain(MessageType.QueryStatus), 0, 'X') },
        { "another length", Change(Packet.Plain(MessageType.QueryStatus), 8, 25) },
        { "reserved in the head", Change(Packet.Plain(MessageType.QueryStatus), 12, 1) },
        { "another version", Change(Packet.Plain(MessageType.QueryStatus), 4, 2) },
        { "unknown type", Packet.Plain((MessageType)999) },
        { "a reply as a question", Packet.Plain(MessageType.Status) },
        { "a registration cut off", Resize(Packet.Register(), 30) },
        { "a registration without its path", Resize(Packet.Register(), RegisterMessage.Size) },
        { "a path longer than said", Resize(Packet.Register(), Packet.Register().Length + 1) },
        { "a path of 1025 bytes", Packet.Register(new string('a', 1025)) },
        { "an empty path", Packet.Register("") },
        { "a path with a zero byte", Packet.Register("a\0b") },
        { "an ABI that is none", Packet.Register(abi: (GuestAbi)9) },
        { "unknown flags", Packet.Register(change: m => m with { Flags = (GuestFlags)0x8000 }) },
        { "reserved in a registration", Packet.Register(change: m => m with { Reserved1 = 1 }) },
        { "an empty line", Packet.Log("") },
        { "a line of 1025 bytes", Packet.Log(new string('a', 1025)) },
        { "a level that is none", Packet.Log("a", (GuestLogLevel)4) },
        { "counters with a tail", Packet.Join(new CountersMessage { Header = new MessageHeader(MessageType.Counters, CountersMessage.Size + 1, 0) }, [0]) },
        { "a question with a tail", Packet.Join(new PlainMessage { Header = new MessageHeader(MessageType.Shutdown, PlainMessage.Size + 1, 0) }, [0]) },
        { "the longest packet", Resize(Packet.Plain(MessageType.QueryStatus), MessageHeader.MaxRequest) },
        { "too long a packet", Resize(Packet.Plain(MessageType.QueryStatus), MessageHeader.MaxRequest + 1) },
        { "far too long a packet", new byte[100_000] },
    };

    [Fact]
    public void WrongPacketsEndTheirConnectionsOnly()
    {
        using ServiceProcess service = new();
        Process guest = service.StartGuest();
        using ServiceClient bystander = service.Client();
        ulong before = bystander.Status().ProtocolErrors;
        ulong wrong = 0;
        foreach ((string what, byte[] packet) in WrongPackets.Select(row => ((string)row[0], (byte[])row[1])))
        {
            using RawClient client = new(service.Socket);
            Assert.True(client.Send(packet), what);
            Assert.True(client.IsCutOff(), what + " is not cut off");
            Assert.True(bystander.Status().ProtocolErrors == before + ++wrong, what + " is not counted");
        }

        Assert.Single(service.Guests(g => g.Count == 1));
        Assert.DoesNotContain("cannot be dealt with", service.Log, StringComparison.Ordinal);
        guest.StandardInput.Close();
        Assert.Equal(7, ServiceProcess.WaitForExit(guest));
    }

    [Fact]
    public void AnotherVersionIsTold()
    {
        using ServiceProcess service = new();
        using ServiceConnection connection = ServiceConnection.Open(service.Socket);
        connection.SendRaw(Change(Packet.Plain(MessageType.QueryStatus, 77), 4, 2));
        ReadOnlySpan<byte> answer = connection.Receive(out MessageHeader header);
        ResultMessage result = connection.Fixed<ResultMessage>(answer);
        Assert.Equal((MessageType.Result, 77ul, (int)Errno.EPROTONOSUPPORT), (header.Type, header.Sequence, result.Error));
        Assert.Equal("this service speaks version 1", ServiceConnection.Text(answer, ResultMessage.Size, result.TextLength));
    }

    [Fact]
    public void ForeignDescriptorsAreNotTakenIn()
    {
        using ServiceProcess service = new();
        using ServiceClient bystander = service.Client();
        _ = bystander.Status();
        int before = Descriptors(service.Process);
        for (int i = 0; i < 20; i++)
        {
            using RawClient client = new(service.Socket);
            int file = Syscall.open("/dev/null", OpenFlags.O_RDONLY | OpenFlags.O_CLOEXEC);
            Assert.True(client.SendWith(Packet.Register(), file, file, 0));
            Assert.True(client.IsCutOff());
            _ = Syscall.close(file);
        }

        Assert.Equal(20ul, bystander.Status().ProtocolErrors);
        Assert.Empty(bystander.Guests());

        // 60 were sent. The runtime opens a few of its own when it likes.
        Assert.InRange(Descriptors(service.Process), 1, before + 19);
    }

    [Fact]
    public void RepeatedRegistrationsAreOneGuest()
    {
        using ServiceProcess service = new();
        for (int i = 0; i < 50; i++)
        {
            using RawClient client = new(service.Socket);
            Assert.True(client.Send(Packet.Register("/bin/replayed")));

            // What follows a registration on the same connection is not read any more.
            client.Send(Packet.Register("/bin/second"));
            Assert.True(client.IsCutOff());
        }

        Guest guest = service.Guests(g => g.Count == 1)[0];
        Assert.Equal((Environment.ProcessId, "/bin/replayed", 50u), (guest.Entry.Pid, guest.Program, guest.Entry.Programs));
    }

    [Fact]
    public void SilenceEndsAConnection()
    {
        using ServiceProcess service = new();
        using RawClient asking = new(service.Socket);
        Assert.True(asking.Send(Packet.Plain(MessageType.QueryStatus)));
        Stopwatch silence = Stopwatch.StartNew();
        using RawClient silent = new(service.Socket);
        Assert.True(silent.IsCutOff());

        // Two seconds. Whoever has asked may think for a while.
        Assert.InRange(silence.ElapsedMilliseconds, 1900, 60_000);
        Assert.False(asking.IsCutOff(1000));
    }

    [Fact]
    public void QuestionsWithoutReadingTheAnswersEnd()
    {
        using ServiceProcess service = new();
        _ = service.StartGuest();
        using RawClient client = new(service.Socket);
        byte[] question = Packet.Join(new QueryGuestsMessage { Header = new MessageHeader(MessageType.QueryGuests, QueryGuestsMessage.Size, 1), Which = GuestQuery.Live }, []);
        service.WaitFor(
            () =>
            {
                while (client.Send(question))
                {
                }

                return service.Log.Contains("asks without reading the answers", StringComparison.Ordinal);
            },
            "the end of its patience");
        Assert.Equal(1u, service.Status(_ => true).Guests);
    }

    [Fact]
    public void AFloodIsOneAmongMany()
    {
        using ServiceProcess service = new();
        using ServiceClient bystander = service.Client();
        List<RawClient> crowd = [];
        for (int i = 0; i < 1000; i++)
        {
            crowd.Add(new RawClient(service.Socket));
        }

        // The table of connections is full of the crowd's; the guest still registers as soon as silence has ended some.
        Process guest = service.StartGuest();
        Assert.InRange(bystander.Status().Connections, 1u, 512u);
        service.WaitFor(() => crowd.All(c => c.IsCutOff(0)), "the crowd's end");
        RawClient.Close(crowd);
        guest.StandardInput.Close();
        Assert.Equal(7, ServiceProcess.WaitForExit(guest));
        Process another = service.StartGuest();
        Assert.Contains(service.Guests(g => g.Count >= 1), g => g.Entry.Pid == another.Id);
    }

    [Fact]
    public void FloodsOfLinesAreCutAndCounted()
    {
        using ServiceProcess service = new();
        int sent = 0;
        using ServiceClient bystander = service.Client();

        // More than a slow machine is allowed at its own speed.
        for (int i = 0; i < 4000 || (i < 200_000 && (i % 500 != 0 || bystander.Status().LogLinesDropped == 0)); i++)
        {
            using RawClient client = new(service.Socket);
            sent += client.IsConnected && client.Send(Packet.Log($"line {i} \u001b[2J")) ? 1 : 0;
        }

        StatusMessage status = service.Status(s => s.LogLines + s.LogLinesDropped >= (ulong)sent);
        Assert.InRange(status.LogLines, 100ul, (ulong)sent - 1);
        Assert.True(status.LogLinesDropped > 0);
        service.WaitForLog("line 1 \uFFFD[2J");
        Assert.DoesNotContain("\u001b[2J", service.Log, StringComparison.Ordinal);
    }

    [Fact]
    public void SubscribersThatDoNotReadLoseEventsAndKnowIt()
    {
        using ServiceProcess service = new();
        using ServiceClient slow = service.Client();
        slow.Subscribe(EventMask.Guests);
        for (int i = 0; i < 3000; i++)
        {
            using RawClient client = new(service.Socket);
            client.Send(Packet.Register($"/bin/{i}"));
            client.IsCutOff();
        }

        uint lost = 0;
        int seen = 0;
        while (lost == 0 && seen < 3000)
        {
            lost = slow.NextEvent().Message.Lost;
            seen++;
            if (seen == 500)
            {
                // Something must happen for the loss to be told with it.
                using RawClient client = new(service.Socket);
                client.Send(Packet.Register("/bin/last"));
            }
        }

        Assert.True(lost > 0, $"{seen} events, none lost");
        Assert.Equal(3001ul, service.Status(s => s.Registrations >= 3001).Registrations);
    }

    [Fact]
    public void WhatTheCommandPrintsIsPlain()
    {
        byte[] text = Encoding.UTF8.GetBytes("a\u001b[2J\u202Eb\u2028c\u2066");
        Assert.Equal("a?[2J?b?c?", ServiceConnection.Text(text, 0, text.Length));
        Assert.Equal("", ServiceConnection.Text(text, 3, text.Length));
    }

    private static int Descriptors(Process process) => Directory.GetFileSystemEntries($"/proc/{process.Id}/fd").Length;

    private static byte[] Change(byte[] packet, int at, int value)
    {
        packet[at] = (byte)value;
        return packet;
    }

    // Another length, said truthfully in the head.
    private static byte[] Resize(byte[] packet, int length)
    {
        Array.Resize(ref packet, length);
        if (length >= 12)
        {
            MemoryMarshal.Write(packet.AsSpan(8), length);
        }

        return packet;
    }
}
