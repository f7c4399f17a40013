using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Runtime.InteropServices;
using Lodge.Cli.Binfmt;
using Lodge.Cli.Configuration;
using Lodge.Client;
using Lodge.Protocol;
using Errno = Mono.Unix.Native.Errno;

namespace Lodge.Cli.Doctor;

/// <summary>Lodge's own parts and how they are connected to this machine.</summary>
internal static class LodgeChecks
{
    /// <summary>All findings.</summary>
    public static IEnumerable<Finding> All()
    {
        yield return Host();
        yield return Shim();
        foreach (Finding finding in Formats())
        {
            yield return finding;
        }

        yield return Loader();
        yield return Configuration();
        foreach (Finding finding in Services())
        {
            yield return finding;
        }
    }

    private static Finding Host()
    {
        string found = $"{RuntimeInformation.OSArchitecture}, Linux {Environment.OSVersion.Version}".ToLowerInvariant()
            .Replace("linux", "Linux", StringComparison.Ordinal);
        return RuntimeInformation.OSArchitecture == Architecture.X64
            ? new("host", Severity.Ok, found)
            : new("host", Severity.Problem, found, "guests run on x86-64 hosts only so far");
    }

    private static Finding Shim()
    {
        string shim;
        try
        {
            shim = Installation.Shim();
        }
        catch (CommandException missing)
        {
            return new("shim", Severity.Problem, missing.Message, "install Lodge completely, or set LODGE_SHIM");
        }

        using Process? test = Process.Start(new ProcessStartInfo(shim, ["--self-test"]) { RedirectStandardOutput = true });
        string[] lines = test?.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries) ?? [];
        test?.WaitForExit();
        string? wrong = lines.FirstOrDefault(line => line.StartsWith("FAIL", StringComparison.Ordinal));
        return test?.ExitCode == 0
            ? new("shim", Severity.Ok, $"{shim}: self-test {lines.LastOrDefault()}")
            : new("shim", Severity.Problem, $"{shim}: self-test: {wrong ?? "did not run"}",
                "lodge-shim --self-test shows every check; one that fails is something that this kernel or a security policy forbids");
    }

    private static IEnumerable<Finding> Formats()
    {
        if (!BinfmtEntry.IsMounted)
        {
            yield return new("binfmt_misc", Severity.Warning, "not mounted",
                $"without it only lodge run starts guests: mount -t binfmt_misc binfmt_misc {BinfmtEntry.Directory}");
        }

        BinfmtEntry[] entries = [.. BinfmtEntry.ReadAll()];
        foreach (BinfmtFormat format in BinfmtFormat.All)
        {
            string subject = "binfmt " + format.Guest;
            Native native = NativeSupport.Probe(format);
            string kernel = native switch { Native.Yes => "the kernel runs such programs itself",
                Native.No => "the kernel does not run such programs", _ => "whether the kernel runs such programs is not known" };
            BinfmtEntry? ours = entries.FirstOrDefault(entry => entry.Name == format.Name);
            string[] others = [.. entries.Where(entry => entry != ours && entry.Enabled && entry.Offset == 0
                && format.IsTakenBy(entry.Magic, entry.Mask)).Select(entry => entry.Name)];
            if (ours is { Enabled: true })
            {
                yield return ours.Flags.Contains('F', StringComparison.Ordinal) && ours.Flags.Contains('P', StringComparison.Ordinal)
                    ? new(subject, Severity.Ok, $"registered, {ours.Interpreter} {ours.Flags}; {kernel}")
                    : new(subject, Severity.Problem, $"registered with flags {ours.Flags}",
                        $"P and F are needed: lodge binfmt register {format.Guest}");
            }
            else if (others.Length > 0)
            {
                yield return new(subject, Severity.Note, $"taken by {string.Join(", ", others)}; {kernel}",
                    $"to take it over: lodge binfmt register {format.Guest}");
            }
            else if (native == Native.Yes)
            {
                yield return new(subject, Severity.Note, $"not registered; {kernel}",
                    $"to take it over: lodge binfmt register --force {format.Guest}");
            }
            else
            {
                yield return new(subject, Severity.Warning, $"not registered; {kernel}",
                    $"to start programs transparently: lodge binfmt register {format.Guest} (at boot: a file in /etc/binfmt.d)");
            }
        }
    }

    // Without --root the host's own files serve: the guest's loader and libraries must be there.
    private static Finding Loader()
        => File.Exists("/lib/ld-linux.so.2")
            ? new("i386 libraries", Severity.Ok, "/lib/ld-linux.so.2")
            : new("i386 libraries", Severity.Note, "/lib/ld-linux.so.2 is missing",
                "dynamic i386 programs need a root directory of their own (--root DIR), or the host's i386 libraries (Debian: dpkg --add-architecture i386, libc6:i386)");

    private static Finding Configuration()
    {
        const string Subject = "configuration";
        IReadOnlyList<Layer> layers = Layer.All();
        int files = layers.Sum(layer => layer.Result.Files.Count), problems = layers.Sum(layer => layer.Result.Diagnostics.Count);
        return problems != 0 ? new(Subject, Severity.Warning, $"{files} files, {problems} problems", "lodge config check shows them")
            : layers.FirstOrDefault(layer => !layer.IsCurrent) is { } stale
                ? new(Subject, Severity.Warning, $"{files} files; the {stale.Name}'s: {stale.State}", "a running service compiles them, or lodge config compile")
            : new(Subject, Severity.Ok, files == 0 ? "none, all defaults" : $"{files} files");
    }

    private static IEnumerable<Finding> Services()
    {
        if (ServiceAddress.User is { } user)
        {
            yield return Service("user service", user, "lodge run starts it; or systemctl --user start lodged.socket");
        }
        else
        {
            yield return new("user service", Severity.Note, "XDG_RUNTIME_DIR is not set", "a user's service lives below it; a login session sets it");
        }

        yield return Service("system service", ServiceAddress.System,
            "systemctl enable --now lodged.socket; guests run without it, lodge ps and top need one");
    }

    private static Finding Service(string subject, string path, string advice)
    {
        try
        {
            using ServiceClient client = new(path);
            StatusMessage status = client.Status();
            string found = $"pid {status.Pid}, {status.Guests} guests";
            return (status.Flags & ServiceFlags.ConfigurationStale) != 0
                ? new(subject, Severity.Warning, found + ", configuration has errors", "lodge config check; the last good configuration is in force")
                : new(subject, Severity.Ok, found);
        }
        catch (ServiceException refused)
        {
            return refused.NotRunning ? new(subject, Severity.Note, "does not run", advice)
                : new(subject, Severity.Warning, refused.Message, refused.Errno == Errno.EPERM ? "the socket is not the service's: nobody trusts it"
                    : "");
        }
    }
}
