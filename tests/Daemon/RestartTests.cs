using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using Lodge.Client;
using Lodge.Protocol;
using Mono.Unix.Native;
using Xunit;

namespace Lodge.DaemonTests;

/// <summary>Ends and new beginnings of the service.</summary>
public class RestartTests
{
    [Fact]
    public void KilledServiceIsForgottenByNobody()
    {
        using ServiceProcess service = new();
        Process[] guests = [.. Enumerable.Range(0, 3).Select(_ => service.StartGuest())];
        List<Guest> before = service.Guests(g => g.Count == 3);
        Assert.NotEqual(0, service.Stop(Signum.SIGKILL));

        // One ends while nobody looks; the others do not notice anything.
        guests[0].StandardInput.Close();
        Assert.Equal(7, ServiceProcess.WaitForExit(guests[0]));
        service.Start();
        List<Guest> after = service.Guests(g => g.Count == 2);
        Assert.Equal(before.Where(g => g.Entry.Pid != guests[0].Id), after);
        guests[1].StandardInput.Close();
        Assert.Equal(7, ServiceProcess.WaitForExit(guests[1]));
        _ = service.Guests(g => g.Count == 1);

        // Numbers go on.
        _ = service.StartGuest();
        Assert.True(service.Guests(g => g.Count == 2).Max(g => g.Entry.Id) > before.Max(g => g.Entry.Id));
    }

    [Fact]
    public void KilledAtAnyMoment()
    {
        using ServiceProcess service = new("--log-level Warning");
        Random random = new(7);
        List<Process> bursts = [];
        for (int round = 0; round < 6; round++)
        {
            bursts.Add(service.Launch(Repository.File("out/tools/registrar"), [service.Socket, "150", "1500"]));
            HashSet<ulong> told = [];
            long end = Environment.TickCount64 + random.Next(60, 160);
            using (ServiceClient client = service.Client())
            {
                while (Environment.TickCount64 < end)
                {
                    told.UnionWith(client.Guests().Select(g => g.Entry.Id));
                }
            }

            // Nobody of those ends, so whoever was told of must be known to the next one.
            service.Stop(Signum.SIGKILL);
            Assert.StartsWith("registered ", bursts[^1].StandardOutput.ReadLine(), StringComparison.Ordinal);
            service.Start("--log-level Warning");
            using ServiceClient after = service.Client();
            Assert.Subset(after.Guests().Select(g => g.Entry.Id).ToHashSet(), told);
        }

        // Several pages, each guest once, by id.
        Process last = service.Launch(Repository.File("out/tools/registrar"), [service.Socket, "500", "1500"]);
        Assert.StartsWith("registered 500 failed 0 ", last.StandardOutput.ReadLine(), StringComparison.Ordinal);
        List<Guest> all = service.Guests(g => g.Count >= 500);
        Assert.Equal(all.Select(g => g.Entry.Id).Distinct().Order(), all.Select(g => g.Entry.Id));
        Assert.Equal(500, all.Skip(all.Count - 500).Select(g => g.Program).Distinct().Count());
        bursts.Add(last);
        bursts.ForEach(b => b.StandardInput.Close());
        _ = service.Guests(g => g.Count == 0);
        Assert.InRange(Directory.GetFileSystemEntries($"/proc/{service.Process.Id}/fd").Length, 1, 200);
        Assert.Equal("", service.Log.Trim());
    }

    [Fact]
    public void ANumberThatBelongsToSomebodyElseNowIsNoGuest()
    {
        using ServiceProcess service = new();
        Process guest = service.StartGuest();
        _ = service.Guests(g => g.Count == 1);
        service.Stop(Signum.SIGKILL);

        // The same pid with another start time, as after a reuse of the number.
        byte[] state = File.ReadAllBytes(service.StateFile);
        (List<(GuestEntry Entry, byte[] Program)> saved, _, string? damage) = Lodge.Service.StateFile.Parse(state, Lodge.Service.ProcessStart.BootId);
        Assert.Null(damage);
        GuestEntry entry = saved.Single().Entry;
        Assert.Equal(guest.Id, entry.Pid);
        entry.ProcessStartTicks++;
        using (Lodge.Service.EventLoop loop = new())
        using (Lodge.Service.StateFile file = new(service.StateFile, Serilog.Core.Logger.None))
        {
            Lodge.Service.GuestTable table = new(loop, file, 0, 10);
            file.Rewrite();
            file.Start(new Lodge.Service.GuestRecord(table, entry, saved[0].Program));
        }

        service.Start();
        _ = service.Guests(g => g.Count == 0);
        service.WaitForLog("0 of 1 guests of a former run alive");
    }

    [Fact]
    public void DamagedStateFileIsLoggedAndKept()
    {
        using ServiceProcess service = new();
        _ = service.StartGuest();
        _ = service.Guests(g => g.Count == 1);
        service.Stop(Signum.SIGKILL);
        using (FileStream file = new(service.StateFile, FileMode.Append))
        {
            file.Write("half a rec"u8);
        }

        service.Start();
        Assert.Single(service.Guests(g => g.Count == 1));
        service.WaitForLog("is damaged");
        Assert.True(File.Exists(service.StateFile + ".bad"));

        service.Stop(Signum.SIGKILL);
        File.WriteAllText(service.StateFile, "no such file at all");
        service.Start();
        Assert.Empty(service.Guests(g => g.Count == 0));
    }

    [Fact]
    public void WithFewDescriptorsGuestsArePolled()
    {
        using ServiceProcess service = new();
        service.Stop();
        Process few = service.Launch("/bin/sh", ["-c", "ulimit -n 256; exec \"$0\" --user --log console --config-dir \"$1\"", Repository.Lodged, service.ConfigurationDirectory]);
        service.WaitForService(few);
        Process registrar = service.Launch(Repository.File("out/tools/registrar"), [service.Socket, "200", "500"]);
        Assert.StartsWith("registered 200 failed 0 ", registrar.StandardOutput.ReadLine(), StringComparison.Ordinal);
        Assert.Equal(200, service.Guests(g => g.Count == 200).Select(g => g.Entry.Pid).Distinct().Count());
        Assert.True(service.Status(_ => true).Flags.HasFlag(ServiceFlags.Polling));
        registrar.StandardInput.Close();
        Assert.Equal(0, ServiceProcess.WaitForExit(registrar));
        _ = service.Guests(g => g.Count == 0);
        Assert.Equal(200ul, service.Status(s => !s.Flags.HasFlag(ServiceFlags.Polling)).Exits);
        Assert.False(few.HasExited);
    }

    [Fact]
    public void BeyondTheTableRegistrationsAreRefused()
    {
        using ServiceProcess service = new("--max-guests 3");
        Process registrar = service.Launch(Repository.File("out/tools/registrar"), [service.Socket, "5", "500"]);
        Assert.StartsWith("registered 5 failed 0 ", registrar.StandardOutput.ReadLine(), StringComparison.Ordinal);
        Assert.Equal(3u, service.Status(s => s.Refused == 2).Guests);
        service.WaitForLog("not registered: the table is full");
        registrar.StandardInput.Close();
        _ = service.Guests(g => g.Count == 0);
    }

    [Fact]
    public void OnlyOneAtATime()
    {
        using ServiceProcess service = new();
        Process second = service.Launch(Repository.Lodged, ["--user", "--log", "console"]);
        Assert.Equal(3, ServiceProcess.WaitForExit(second));
        service.WaitForLog("another lodged holds");
        Assert.Equal(service.Process.Id, service.Status(_ => true).Pid);
    }

    [Fact]
    public void EndsWhenIdleButNotBeforeTheLastGuest()
    {
        // Until the guest is in the table somebody is connected: a second may pass without a processor for the test.
        using ServiceProcess service = new("--idle-exit 2");
        using ServiceClient present = service.Client();
        Process guest = service.StartGuest();
        _ = service.Guests(g => g.Count == 1);
        present.Dispose();
        Assert.False(service.Process.WaitForExit(4500));
        guest.StandardInput.Close();
        Assert.Equal(0, ServiceProcess.WaitForExit(service.Process));
        Assert.False(File.Exists(service.Socket));
        Assert.Contains("Nothing to do for 2 seconds", service.Log, StringComparison.Ordinal);
    }

    [Fact]
    public void SubscribersKeepItFromEnding()
    {
        using ServiceProcess service = new("--idle-exit 2");
        using ServiceClient subscriber = service.Client();
        subscriber.Subscribe(EventMask.Service);
        Assert.False(service.Process.WaitForExit(4500));
        subscriber.Dispose();
        Assert.Equal(0, ServiceProcess.WaitForExit(service.Process));
    }

    [Fact]
    public void ShutdownByOrder()
    {
        using ServiceProcess service = new();
        Process guest = service.StartGuest();
        using ServiceClient events = service.Client();
        events.Subscribe(EventMask.Service);
        using ServiceClient client = service.Client();
        Assert.Contains("guests run on", client.Shutdown(), StringComparison.Ordinal);
        EventKind kind;
        do
        {
            // The first configuration may be compiled only now.
            kind = events.NextEvent().Message.Kind;
        }
        while (kind == EventKind.Configuration);
        Assert.Equal(EventKind.Ending, kind);
        Assert.Equal(0, ServiceProcess.WaitForExit(service.Process));
        Assert.False(guest.HasExited);
    }

    [RootFact]
    public void AFullDiskIsNoReasonToEnd()
    {
        // In a mount namespace of its own the state lies on a file system of eight pages, filled up before and freed later from outside.
        using ServiceProcess service = new();
        service.Stop();
        string state = Path.Combine(service.Directory, "small");
        Directory.CreateDirectory(state);
        const string Script = "mount -t tmpfs -o size=32k none \"$1\" && dd if=/dev/zero of=\"$1/filler\" bs=4k count=8 2>/dev/null; "
            + "exec \"$0\" --user --log console --socket \"$2\" --state-dir \"$1\" --config-dir \"$3\"";
        Process full = service.Launch("/usr/bin/unshare", ["-m", "/bin/sh", "-c", Script, Repository.Lodged, state, service.Socket, service.ConfigurationDirectory]);
        service.WaitForService(full);
        Process guest = service.StartGuest();
        _ = service.Guests(g => g.Count == 1);
        Assert.True(service.Status(s => s.Flags.HasFlag(ServiceFlags.StateNotSaved)).Registrations == 1);
        service.WaitForLog("cannot be saved");
        File.Delete($"/proc/{full.Id}/root{state}/filler");
        _ = service.Status(s => !s.Flags.HasFlag(ServiceFlags.StateNotSaved));
        service.WaitForLog("saved again");
        Assert.True(new FileInfo($"/proc/{full.Id}/root{state}/guests.state").Length > 100);
        Assert.False(guest.HasExited);
    }
}
