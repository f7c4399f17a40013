using System;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Threading;
using Lodge.Client;
using Lodge.Protocol;
using Xunit;
using Xunit.Abstractions;

namespace Lodge.DaemonTests;

/// <summary>
/// Random messages for the real service: sound ones, sound ones with a few bytes changed, and noise, in random orders on several connections.
/// LODGE_FUZZ_SEED repeats a run, LODGE_FUZZ_SECONDS makes it longer.
/// </summary>
public class FuzzTests(ITestOutputHelper output)
{
    [Fact]
    public void TheServiceSurvivesAnything()
    {
        int seed = Number("LODGE_FUZZ_SEED", Random.Shared.Next());
        int seconds = Number("LODGE_FUZZ_SECONDS", 6);
        output.WriteLine($"LODGE_FUZZ_SEED={seed}");
        Console.WriteLine($"fuzz: LODGE_FUZZ_SEED={seed}");
        Random random = new(seed);
        using ServiceProcess service = new("--log-level Warning");
        Process guest = service.StartGuest();
        RawClient?[] clients = new RawClient?[12];
        Stopwatch time = Stopwatch.StartNew();
        long sent = 0;
        while (time.Elapsed < TimeSpan.FromSeconds(seconds) || sent < 3000)
        {
            ref RawClient? client = ref clients[random.Next(clients.Length)];
            client ??= new RawClient(service.Socket);
            byte[] packet = Make(random);
            bool alive = random.Next(50) == 0 ? client.SendWith(packet, 0) : client.Send(packet);
            sent++;
            if (!alive || random.Next(20) == 0)
            {
                client.Dispose();
                client = null;
            }

            if (sent % 1000 == 0)
            {
                Assert.False(service.Process.HasExited, $"seed {seed}: the service ended; log:\n{service.Log}");
            }
        }

        foreach (RawClient? client in clients)
        {
            client?.Dispose();
        }

        using ServiceClient bystander = Bystander(service, out StatusMessage status);
        if (status.Registrations <= 10)
        {
            // What has been sent may still wait in the sockets.
            service.WaitFor(() => (status = bystander.Status()).Registrations > 10, "the registrations");
        }

        output.WriteLine($"{sent} messages, {status.Registrations} registrations, {status.ProtocolErrors} connections ended");
        Assert.True(sent > 1000 && status.ProtocolErrors > 100 && status.Registrations > 10, $"seed {seed}: the fuzz reached nothing");
        Assert.DoesNotContain("cannot be dealt with", service.Log, StringComparison.Ordinal);
        Assert.Contains(bystander.Guests(), g => g.Entry.Pid == guest.Id && g.Program == Repository.Hold);
        guest.StandardInput.Close();
        Assert.Equal(7, ServiceProcess.WaitForExit(guest));
        Assert.Equal(0, service.Stop());
    }

    // The flood may have used up what this user may connect: then the service closes the first connections.
    private static ServiceClient Bystander(ServiceProcess service, out StatusMessage status)
    {
        for (Stopwatch wait = Stopwatch.StartNew(); ; Thread.Sleep(50))
        {
            ServiceClient client = service.Client();
            try
            {
                status = client.Status();
                return client;
            }
            catch (ServiceException e) when (e.Errno is Mono.Unix.Native.Errno.EPIPE or Mono.Unix.Native.Errno.ECONNRESET && wait.Elapsed < TimeSpan.FromSeconds(60))
            {
                client.Dispose();
            }
        }
    }

    // Any message but a sound order to end.
    private static byte[] Make(Random random)
    {
        for (;;)
        {
            byte[] packet = random.Next(10) == 0 ? Noise(random) : Sound(random);
            if (random.Next(3) == 0)
            {
                for (int i = random.Next(1, 4); i > 0 && packet.Length > 0; i--)
                {
                    packet[random.Next(packet.Length)] = (byte)random.Next(256);
                }
            }

            if (random.Next(8) == 0)
            {
                Array.Resize(ref packet, random.Next(0, packet.Length + 64));
                if (packet.Length >= 12 && random.Next(2) == 0)
                {
                    MemoryMarshal.Write(packet.AsSpan(8), packet.Length);
                }
            }

            if (packet.Length < 8 || MemoryMarshal.Read<ushort>(packet.AsSpan(6)) != (ushort)MessageType.Shutdown)
            {
                return packet;
            }
        }
    }

    private static byte[] Sound(Random random)
    {
        ulong sequence = (ulong)random.NextInt64();
        switch (random.Next(8))
        {
            case 0:
                return Packet.Register(new string((char)random.Next(1, 200), random.Next(1, 600)), (GuestAbi)random.Next(3));
            case 1:
                return Packet.Log(new string((char)random.Next(1, 200), random.Next(1, 600)), (GuestLogLevel)random.Next(4));
            case 2:
                CountersMessage counters = default;
                random.NextBytes(MemoryMarshal.AsBytes(MemoryMarshal.CreateSpan(ref counters, 1)));
                counters.Header = new MessageHeader(MessageType.Counters, CountersMessage.Size, 0);
                return Packet.Join(counters, []);
            case 3:
                return Packet.Join(
                    new QueryGuestsMessage
                    {
                        Header = new MessageHeader(MessageType.QueryGuests, QueryGuestsMessage.Size, sequence),
                        AfterId = (ulong)random.NextInt64() >> random.Next(64),
                        Which = (GuestQuery)random.Next(5),
                    },
                    []);
            case 4:
                return Packet.Join(
                    new SubscribeMessage
                    {
                        Header = new MessageHeader(MessageType.Subscribe, SubscribeMessage.Size, sequence),
                        Mask = (EventMask)random.Next(9),
                        MinimumLevel = (GuestLogLevel)random.Next(5),
                    },
                    []);
            case 5:
                return Packet.Plain(random.Next(200) == 0 ? MessageType.Reload : MessageType.QueryStatus, sequence);
            case 6:
                return Packet.Plain(MessageType.OpenConfiguration, sequence);
            default:
                return Packet.Plain((MessageType)random.Next(40), sequence);
        }
    }

    private static byte[] Noise(Random random)
    {
        byte[] noise = new byte[random.Next(0, 5000)];
        random.NextBytes(noise);
        if (noise.Length >= MessageHeader.Size && random.Next(2) == 0)
        {
            MessageHeader header = new((MessageType)random.Next(40), noise.Length, 0);
            MemoryMarshal.Write(noise, in header);
        }

        return noise;
    }

    private static int Number(string variable, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), NumberStyles.None, CultureInfo.InvariantCulture, out int value) ? value : otherwise;
}
