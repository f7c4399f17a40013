using System;
using System.IO;
using System.Text;
using Lodge.Client;
using Lodge.Protocol;
using Microsoft.Win32.SafeHandles;
using Mono.Unix.Native;
using Xunit;

namespace Lodge.DaemonTests;

/// <summary>The service compiles the configuration and never lets a bad one through.</summary>
public class ConfigurationTests
{
    private const string Good = """{ "applications": [] }""", Bad = "{ \"applications\":\n  nonsense }";

    [Fact]
    public void CompilesAtTheStartAndOnChange()
    {
        using ServiceProcess service = new();
        StatusMessage first = service.Status(s => s.ConfigurationGeneration >= 1);
        Assert.Equal(ServiceFlags.ConfigurationPresent, first.Flags & (ServiceFlags.ConfigurationPresent | ServiceFlags.ConfigurationStale));
        string compiled = Path.Combine(service.Directory, "lodge/config.bin");
        byte[] before = File.ReadAllBytes(compiled);

        Write(service, Good);
        StatusMessage second = service.Status(s => s.ConfigurationGeneration > first.ConfigurationGeneration);
        Write(service, Bad);
        StatusMessage third = service.Status(s => s.Flags.HasFlag(ServiceFlags.ConfigurationStale));
        Assert.Equal(second.ConfigurationGeneration, third.ConfigurationGeneration);
        Assert.Equal(before.Length, File.ReadAllBytes(compiled).Length);
        service.WaitForLog("the last good one stays");
        service.WaitForLog("lodge.jsonc:2:");

        // A directory that is made later is watched, too.
        Write(service, Good);
        _ = service.Status(s => !s.Flags.HasFlag(ServiceFlags.ConfigurationStale));
        Directory.CreateDirectory(Path.Combine(service.ConfigurationDirectory, "apps.d"));
        uint now = service.Status(_ => true).ConfigurationGeneration;
        service.WaitFor(
            () =>
            {
                File.WriteAllText(Path.Combine(service.ConfigurationDirectory, "apps.d/x.jsonc"), Bad);
                System.Threading.Thread.Sleep(400);
                return service.Status(_ => true).Flags.HasFlag(ServiceFlags.ConfigurationStale);
            },
            "the file in apps.d");
        Assert.True(service.Status(_ => true).ConfigurationGeneration >= now);
    }

    [Fact]
    public void ReloadsByOrderAndBySignal()
    {
        using ServiceProcess service = new("--no-watch");
        uint generation = service.Status(s => s.ConfigurationGeneration == 1).ConfigurationGeneration;
        Write(service, Good);
        using ServiceClient client = service.Client();
        using ServiceClient events = service.Client();
        events.Subscribe(EventMask.Service);
        Assert.Contains("config.bin", client.Reload(), StringComparison.Ordinal);
        Assert.Equal(generation + 1, client.Status().ConfigurationGeneration);
        Assert.Equal(EventKind.Configuration, events.NextEvent().Message.Kind);

        Write(service, Bad);
        ServiceException refused = Assert.Throws<ServiceException>(client.Reload);
        Assert.Equal(Errno.EINVAL, refused.Errno);
        Assert.Contains("the last good one stays", refused.Message, StringComparison.Ordinal);

        Write(service, Good);
        _ = Syscall.kill(service.Process.Id, Signum.SIGHUP);
        _ = service.Status(s => s.ConfigurationGeneration == generation + 2 && !s.Flags.HasFlag(ServiceFlags.ConfigurationStale));
    }

    [Fact]
    public void HandsTheCompiledFileOut()
    {
        using ServiceProcess service = new();
        _ = service.Status(s => s.ConfigurationGeneration >= 1);
        using ServiceClient client = service.Client();
        using SafeFileHandle file = new(client.OpenConfiguration(), ownsHandle: true);
        byte[] bytes = new byte[RandomAccess.GetLength(file)];
        RandomAccess.Read(file, bytes, 0);
        Assert.Equal(File.ReadAllBytes(Path.Combine(service.Directory, "lodge/config.bin")), bytes);
        Assert.ThrowsAny<Exception>(() => RandomAccess.Write(file, "x"u8, 0));
        File.Delete(Path.Combine(service.Directory, "lodge/config.bin"));
        Assert.Equal(Errno.ENOENT, Assert.Throws<ServiceException>(() => client.OpenConfiguration()).Errno);
    }

    private static void Write(ServiceProcess service, string text)
    {
        string path = Path.Combine(service.ConfigurationDirectory, "lodge.jsonc");
        File.WriteAllText(path + "~", text, Encoding.UTF8);
        File.Move(path + "~", path, overwrite: true);
    }
}
