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

/// <summary>Real guests in the real shim, and the real service.</summary>
public class GuestTests
{
    [Fact]
    public void GuestsAppearAndVanish()
    {
        using ServiceProcess service = new();
        using ServiceClient events = service.Client();
        events.Subscribe(EventMask.Guests);
        Process first = service.StartGuest();
        Process second = service.StartGuest();
        List<Guest> guests = service.Guests(g => g.Count == 2);
        Assert.Equal([first.Id, second.Id], guests.Select(g => g.Entry.Pid).Order());
        Guest one = guests.Single(g => g.Entry.Pid == first.Id);
        Assert.Equal(Repository.Hold, one.Program);
        Assert.Equal((GuestAbi.I386, HostArchitecture.X64, GuestFlags.None, 1u), (one.Entry.Abi, one.Entry.Host, one.Entry.Flags, one.Entry.Programs));
        Assert.Equal(Syscall.geteuid(), one.Entry.Uid);
        Assert.InRange(DateTimeOffset.UtcNow - one.Started, TimeSpan.FromMinutes(-5), TimeSpan.FromMinutes(5));

        first.StandardInput.Close();
        Assert.Equal(7, ServiceProcess.WaitForExit(first));
        _ = service.Guests(g => g.Count == 1);
        Guest ended = service.Guests(g => g.Count == 1, GuestQuery.Ended)[0];
        Assert.Equal(first.Id, ended.Entry.Pid);
        Assert.NotNull(ended.Ended);
        Assert.True(ended.Entry.WaitStatus is 7 << 8 or GuestEntry.UnknownStatus, $"wait status {ended.Entry.WaitStatus:x}");

        second.Kill();
        _ = service.Guests(g => g.Count == 0);
        StatusMessage status = service.Status(s => s.Exits == 2);
        Assert.Equal((2ul, 0ul, 0ul), (status.Registrations, status.Refused, status.ProtocolErrors));

        // The first one told its counters, the killed one could not.
        Assert.InRange(status.Units, 50ul, 100_000ul);
        Assert.InRange(status.Instructions, status.Units, 10_000_000ul);
        EventKind[] kinds = [.. Enumerable.Range(0, 4).Select(_ => events.NextEvent().Message.Kind)];
        Assert.Equal([EventKind.GuestStarted, EventKind.GuestStarted, EventKind.GuestEnded, EventKind.GuestEnded], kinds);
    }

    [Fact]
    public void ExecIsAnotherProgramInTheSameProcess()
    {
        using ServiceProcess service = new();
        string copy = Path.Combine(service.Directory, "other-program");
        service.Copy(Repository.Hold, copy);
        Process guest = service.StartGuest("exec", copy);
        Guest now = service.Guests(g => g.Count == 1 && g[0].Program == copy)[0];
        Assert.Equal((guest.Id, 2u), (now.Entry.Pid, now.Entry.Programs));
        Assert.Equal(GuestFlags.ByExec, now.Entry.Flags & GuestFlags.ByExec);
        guest.StandardInput.Close();
        _ = service.Guests(g => g.Count == 0);
        Assert.Equal(7, ServiceProcess.WaitForExit(guest));
    }

    [Fact]
    public void OfALongPathTheEndIsTold()
    {
        using ServiceProcess service = new();
        string directory = service.Directory;
        for (int i = 0; i < 5; i++)
        {
            directory = Path.Combine(directory, new string((char)('a' + i), 250));
        }

        Directory.CreateDirectory(directory);
        string program = Path.Combine(directory, "hold");
        service.Copy(Repository.Hold, program);
        Process guest = service.Launch(Repository.Shim, [program]);
        Assert.Equal("ready", guest.StandardOutput.ReadLine());
        Guest told = service.Guests(g => g.Count == 1)[0];
        Assert.Equal((program[^RegisterMessage.MaxProgram..], GuestFlags.ProgramTruncated), (told.Program, told.Entry.Flags));

        // A relative one is told whole.
        Process relative = service.Launch("/bin/sh", ["-c", "cd \"$0\" && exec \"$1\" ./hold", Path.GetDirectoryName(Repository.Hold)!, Repository.Shim]);
        Assert.Equal("ready", relative.StandardOutput.ReadLine());
        Assert.Equal(Repository.Hold, service.Guests(g => g.Count == 2)[1].Program);
    }

    [Fact]
    public void UnknownIoctlsAreToldOnceEach()
    {
        using ServiceProcess service = new();
        using ServiceClient events = service.Client();
        events.Subscribe(EventMask.Log, GuestLogLevel.Warning);
        Process guest = service.StartGuest("ioctl", "0xdead01", "ioctl", "0xdead02", "ioctl", "0xdead01");
        ServiceEvent first = events.NextEvent(), second = events.NextEvent();
        Assert.Equal("unknown ioctl 0x00dead01 on descriptor 0: ENOTTY", first.Text);
        Assert.Equal("unknown ioctl 0x00dead02 on descriptor 0: ENOTTY", second.Text);
        Assert.Equal((guest.Id, GuestLogLevel.Warning), (first.Message.Pid, first.Message.Level));
        service.WaitForLog("unknown ioctl 0x00dead02");
        guest.StandardInput.Close();
        Assert.Equal(7, ServiceProcess.WaitForExit(guest));
        Assert.Equal(2ul, service.Status(s => s.Exits == 1).LogLines);
        Assert.Equal(2u, service.Guests(g => g.Count == 1, GuestQuery.Ended)[0].Entry.LogLines);
    }

    [Fact]
    public void GuestsRunWithoutAService()
    {
        using ServiceProcess service = new();
        Assert.Equal(0, service.Stop());
        Process guest = service.StartGuest();
        guest.StandardInput.Close();
        Assert.Equal(7, ServiceProcess.WaitForExit(guest));
    }

    [Fact]
    public void AServiceThatDoesNotAnswerHoldsNobodyUp()
    {
        using ServiceProcess service = new();
        _ = Syscall.kill(service.Process.Id, Signum.SIGSTOP);
        Stopwatch time = Stopwatch.StartNew();
        for (int i = 0; i < 20; i++)
        {
            Process guest = service.StartGuest();
            guest.StandardInput.Close();
            Assert.Equal(7, ServiceProcess.WaitForExit(guest));
        }

        Assert.InRange(time.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(20));
        _ = Syscall.kill(service.Process.Id, Signum.SIGCONT);

        // What waited in the queue is not lost: all 20 are known to have been there.
        Assert.Equal(20ul, service.Status(s => s.Registrations == 20 && s.Exits == 20).Registrations);
    }

    [RootFact]
    public void ASocketOfAStrangerIsNotSpokenTo()
    {
        // A service of user nobody in root's runtime directory: neither root nor the caller.
        using ServiceProcess service = new();
        Assert.Equal(0, service.Stop());
        string log = Path.Combine(service.Directory, "heard");
        Directory.Delete(Path.Combine(service.Directory, "lodge"), recursive: true);
        Directory.CreateDirectory(Path.Combine(service.Directory, "lodge"));
        _ = Syscall.chmod(service.Directory, (FilePermissions)0x1FF);
        _ = Syscall.chmod(Path.Combine(service.Directory, "lodge"), (FilePermissions)0x1FF);
        Process stranger = service.Launch("/usr/bin/setpriv",
        [
            "--reuid=65534", "--regid=65534", "--clear-groups", "/usr/bin/perl", "-MSocket", "-e",
            "socket(S, AF_UNIX, 5, 0) or die; bind(S, pack_sockaddr_un($ARGV[0])) or die $!; listen(S, 5); open(L, '>', $ARGV[1]); syswrite(L, \"up\\n\"); while (accept(C, S)) { sysread(C, $b, 4096); syswrite(L, length($b).\"\\n\"); }",
            service.Socket, log,
        ]);
        service.WaitFor(() => File.Exists(log), "the stranger's socket");
        Process guest = service.StartGuest();
        guest.StandardInput.Close();
        Assert.Equal(7, ServiceProcess.WaitForExit(guest));
        service.WaitFor(() => File.ReadAllLines(log).Length >= 2, "a connection");
        Assert.Equal("0", File.ReadAllLines(log)[1]);
        ServiceException refused = Assert.Throws<ServiceException>(() => ServiceConnection.Open(service.Socket));
        Assert.Equal(Errno.EPERM, refused.Errno);
    }
}
