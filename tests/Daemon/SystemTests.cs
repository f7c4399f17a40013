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

/// <summary>The service for all users, under a user of its own; its clients are ordinary users. Copies of the programs lie where all can reach them.</summary>
public sealed class SystemTests : IDisposable
{
    private const uint Service = 65533, First = 65534, Second = 65532;

    private readonly ServiceProcess _files = new();
    private readonly string _directory;
    private readonly string _lodged;
    private readonly string _shim;
    private readonly string _hold;

    public SystemTests()
    {
        Directory.CreateDirectory(Path.Combine(_files.Directory, "run"));
        _files.Stop();
        _directory = _files.Directory;
        _ = Syscall.chmod(_directory, (FilePermissions)0x1ED);
        _lodged = Path.Combine(_directory, "lib/lodged");
        _shim = Path.Combine(_directory, "lodge-shim");
        _hold = Path.Combine(_directory, "hold");
        _files.Copy(Path.GetDirectoryName(new FileInfo(Repository.Lodged).ResolveLinkTarget(true)!.FullName)!, "lib");
        _files.Copy(Repository.Shim, _shim);
        _files.Copy(Repository.Hold, _hold);
        _files.Copy(Repository.File("tests/Daemon/ask.pl"), "ask.pl");

        // Whatever the umask is.
        string[] forAll = [Path.Combine(_directory, "lib"), _shim, _hold, Path.Combine(_directory, "ask.pl"), Path.Combine(_directory, "run"), _files.ConfigurationDirectory];
        Assert.Equal(0, ServiceProcess.WaitForExit(_files.Launch("/bin/chmod", ["-R", "go+rX", .. forAll])));
    }

    private string Socket => Path.Combine(_directory, "run/lodged.sock");

    public void Dispose() => _files.Dispose();

    [RootFact]
    public void UsersSeeTheirOwnAndRootSeesAll()
    {
        Process service = StartSystem();
        Process one = StartGuestAs(First), other = StartGuestAs(Second);
        Assert.NotEqual(0, one.Id);
        List<Guest> all = Wait(2);
        Assert.Equal([First, Second], all.Select(g => g.Entry.Uid).OrderDescending());
        Assert.Contains(all, g => g.Entry.Pid == one.Id && g.Program == _hold);

        // What a user is told: own guests, and no orders taken. A page, the status, the answer to Shutdown.
        string told = AskAs(First, "page", "status", "shutdown");
        Assert.Equal($"guests 1 of uid {First}; alive 2 own 1; error 1", told);
        Assert.Equal($"guests 1 of uid {Second}; alive 2 own 1; error 1", AskAs(Second, "page", "status", "shutdown"));
        Assert.StartsWith("guests 2 of uid ", AskAs(Service, "page", "status"), StringComparison.Ordinal);

        other.StandardInput.Close();
        Assert.Equal(7, ServiceProcess.WaitForExit(other));
        _ = Wait(1);
        using ServiceClient client = ServiceProcess.Patient(new ServiceClient(Socket, Service));
        Assert.Equal((Service, ServiceFlags.System), (client.Status().Uid, client.Status().Flags & ServiceFlags.System));
        _ = client.Shutdown();
        Assert.Equal(0, ServiceProcess.WaitForExit(service));
        Assert.False(one.HasExited);
    }

    [RootFact]
    public void AnotherUsersGuestCannotBeTouched()
    {
        _ = StartSystem();
        Process guest = StartGuestAs(First);
        Guest before = Wait(1)[0];

        // Whatever another user sends, it is about that user's own process.
        Assert.Equal("sent", AskAs(Second, "register"));
        _files.WaitForLog($"of user {Second}: /bin/forged");
        Assert.Equal(before, Wait(1).Single(g => g.Entry.Pid == guest.Id));
    }

    [RootFact]
    public void OneUserCannotTakeAllConnections()
    {
        _ = StartSystem();
        Process crowd = Perl(First, "crowd");
        Assert.StartsWith("open ", crowd.StandardOutput.ReadLine(), StringComparison.Ordinal);
        Process guest = StartGuestAs(Second);
        Assert.Equal(guest.Id, Wait(1)[0].Entry.Pid);
        using ServiceClient client = ServiceProcess.Patient(new ServiceClient(Socket, Service));
        Assert.InRange(client.Status().Refused, 100ul, 1000ul);
    }

    [RootFact]
    public void BecomesAUserOfItsOwn()
    {
        string state = Path.Combine(_directory, "new/state"), socket = Path.Combine(_directory, "new-run/lodged.sock");
        Process service = _files.Launch(_lodged,
            ["--system", "--run-as", "nobody", "--log", "console", "--socket", socket, "--state-dir", state, "--config-dir", _files.ConfigurationDirectory]);
        _files.WaitFor(() => File.Exists(socket) && AskAs(Second, socket, "status") == "alive 0 own 0", "the service");
        using ServiceClient client = ServiceProcess.Patient(new ServiceClient(socket, First));
        Assert.Equal((First, service.Id), (client.Status().Uid, client.Status().Pid));
        string[] identity = [.. File.ReadLines($"/proc/{service.Id}/status").Where(l => l.StartsWith("Uid", StringComparison.Ordinal) || l.StartsWith("Groups", StringComparison.Ordinal) || l.StartsWith("CapEff", StringComparison.Ordinal))];
        Assert.Equal([$"Uid:\t{First}\t{First}\t{First}\t{First}", "Groups:\t ", "CapEff:\t0000000000000000"], identity);
        _files.WaitFor(() => client.Status().ConfigurationGeneration == 1, "the configuration");
        Assert.True(Syscall.stat(Path.Combine(state, "config.bin"), out Stat compiled) == 0 && compiled.st_uid == First);
        Assert.Equal((FilePermissions)0x1A4, compiled.st_mode & (FilePermissions)0x1FF);
    }

    [RootFact]
    public void AUsersServiceSpeaksToNobodyElse()
    {
        // All as the user, with nothing but a runtime directory.
        Dictionary<string, string> environment = new() { ["XDG_RUNTIME_DIR"] = Prepared(First), ["HOME"] = Prepared(First) };
        string socket = Path.Combine(Prepared(First), "lodge/lodged.sock");
        Process service = _files.Launch("/usr/bin/setpriv", [.. As(First), _lodged, "--log", "console", "--log-level", "Debug"], environment);
        _files.WaitFor(() => File.Exists(socket) && AskAs(First, socket, "status") == "alive 0 own 0", "the user's service");
        Process guest = _files.Launch("/usr/bin/setpriv", [.. As(First), _shim, _hold], environment);
        Assert.Equal("ready", guest.StandardOutput.ReadLine());
        _files.WaitFor(() => AskAs(First, socket, "page", "status") == $"guests 1 of uid {First}; alive 1 own 1", "the user's guest");

        // Closed to others by its directory; opened on purpose, it still answers nobody else.
        Assert.Equal("refused", AskAs(Second, socket, "status"));
        _ = Syscall.chmod(Prepared(First), (FilePermissions)0x1FF);
        _ = Syscall.chmod(Path.Combine(Prepared(First), "lodge"), (FilePermissions)0x1FF);
        _ = Syscall.chmod(socket, (FilePermissions)0x1FF);
        Assert.Equal("closed", AskAs(Second, socket, "status"));
        guest.StandardInput.Close();
        Assert.Equal(7, ServiceProcess.WaitForExit(guest));
        _files.WaitFor(() => AskAs(First, socket, "status") == "alive 0 own 0", "the guest's end");
        Assert.False(service.HasExited);
    }

    [RootFact]
    public void AtSecureGuestsTellTheSystemOnly()
    {
        // A set-uid guest started through the shim directly has no privileges; what binfmt_misc would give it, AT_SECURE, the shim gets here by
        // being set-uid itself.
        _files.Start();
        _ = Syscall.chmod(Path.Combine(_directory, "lodge"), (FilePermissions)0x1FF);
        _ = Syscall.chmod(Path.Combine(_directory, "lodge/lodged.sock"), (FilePermissions)0x1FF);
        _ = Syscall.chmod(_shim, (FilePermissions)0x9ED);
        Process guest = StartGuestAs(First);
        Assert.Empty(_files.Guests(_ => true));
        Assert.Equal(0ul, _files.Status(_ => true).Refused);
        guest.StandardInput.Close();
        Assert.Equal(7, ServiceProcess.WaitForExit(guest));
        Assert.Equal(0ul, _files.Status(_ => true).Registrations);
    }

    private Process StartSystem()
    {
        // --run-as wants a name: the directories are made here as it would make them.
        string state = Path.Combine(_directory, "state"), run = Path.Combine(_directory, "run");
        foreach (string directory in (string[])[state, run])
        {
            Directory.CreateDirectory(directory);
            _ = Syscall.chown(directory, Service, Service);
        }

        Process service = _files.Launch("/usr/bin/setpriv",
            [.. As(Service), _lodged, "--system", "--log", "console", "--log-level", "Debug", "--socket", Socket, "--state-dir", state, "--config-dir", _files.ConfigurationDirectory]);
        _files.WaitFor(() => File.Exists(Socket) && AskAs(Service, "status").StartsWith("alive", StringComparison.Ordinal), "the system's service");
        return service;
    }

    // The system's socket has a fixed path: a mount namespace puts the test's directory there.
    private Process StartGuestAs(uint uid)
    {
        string script = $"mount -t tmpfs none /run && mkdir /run/lodge && mount --bind \"{Path.Combine(_directory, "run")}\" /run/lodge; exec setpriv {string.Join(' ', As(uid))} \"{_shim}\" \"{_hold}\"";
        Process guest = _files.Launch("/usr/bin/unshare", ["-m", "/bin/sh", "-c", script]);
        Assert.Equal("ready", guest.StandardOutput.ReadLine());
        return guest;
    }

    private List<Guest> Wait(int count)
    {
        using ServiceClient client = ServiceProcess.Patient(new ServiceClient(Socket, Service));
        List<Guest> guests = [];
        _files.WaitFor(() => (guests = client.Guests()).Count >= count && guests.Count <= count + 1, $"{count} guests", () => string.Join(", ", guests));
        return guests;
    }

    private string Prepared(uint uid)
    {
        string directory = Path.Combine(_directory, $"user{uid}");
        if (!Directory.Exists(directory))
        {
            Directory.CreateDirectory(directory);
            _ = Syscall.chown(directory, uid, uid);
        }

        return directory;
    }

    private string AskAs(uint uid, params string[] questions) => AskAs(uid, questions[0].StartsWith('/') ? questions[0] : Socket, questions[0].StartsWith('/') ? questions[1..] : questions);

    private string AskAs(uint uid, string socket, string[] questions)
    {
        Process perl = Perl(uid, socket, questions);
        string told = perl.StandardOutput.ReadToEnd().Trim();
        perl.WaitForExit();
        return told;
    }

    private Process Perl(uint uid, params string[] questions) => Perl(uid, Socket, questions);

    private Process Perl(uint uid, string socket, string[] questions) =>
        _files.Launch("/usr/bin/setpriv", [.. As(uid), "/usr/bin/perl", Path.Combine(_directory, "ask.pl"), socket, .. questions]);

    private static string[] As(uint uid) => [$"--reuid={uid}", $"--regid={uid}", "--clear-groups"];
}
