using System;
using System.Linq;
using Lodge.Cli.Doctor;
using Xunit;

namespace Lodge.CliTests;

public sealed class DoctorTests
{
    private const string Limits = """
        Limit                     Soft Limit           Hard Limit           Units
        Max data size             unlimited            unlimited            bytes
        Max open files            1024                 1048576              files
        Max address space         {0}
        """;

    [Theory]
    [InlineData("/proc/sys/vm/mmap_min_addr", "65536", "vm.mmap_min_addr", nameof(Severity.Ok))]
    [InlineData("/proc/sys/vm/mmap_min_addr", "65537", "vm.mmap_min_addr", nameof(Severity.Problem))]
    [InlineData("/proc/sys/vm/mmap_min_addr", null, "vm.mmap_min_addr", nameof(Severity.Warning))]
    [InlineData("/proc/sys/vm/overcommit_memory", "0", "vm.overcommit_memory", nameof(Severity.Ok))]
    [InlineData("/proc/sys/vm/overcommit_memory", "2", "vm.overcommit_memory", nameof(Severity.Problem))]
    [InlineData("/proc/sys/vm/max_map_count", "1000", "vm.max_map_count", nameof(Severity.Warning))]
    [InlineData("/proc/sys/user/max_user_namespaces", "0", "user namespaces", nameof(Severity.Warning))]
    [InlineData("/proc/sys/kernel/unprivileged_userns_clone", "0", "user namespaces", nameof(Severity.Warning))]
    [InlineData("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1", "user namespaces", nameof(Severity.Warning))]
    [InlineData("/proc/sys/vm/memfd_noexec", "2", "vm.memfd_noexec", nameof(Severity.Note))]
    [InlineData("/proc/sys/kernel/randomize_va_space", "0", "kernel.randomize_va_space", nameof(Severity.Note))]
    [InlineData("/proc/self/status", "NoNewPrivs:\t1", "no_new_privs", nameof(Severity.Note))]
    public void Settings(string file, string? text, string subject, string severity)
    {
        Finding finding = Check(file, text, subject);
        Assert.Equal(severity, finding.Severity.ToString());

        // Whoever is warned is told what to do.
        if (finding.Severity != Severity.Note)
        {
            Assert.Equal(finding.Severity == Severity.Ok, finding.Advice.Length == 0);
        }
    }

    [Fact]
    public void All_is_well_on_an_ordinary_kernel()
        => Assert.All(new KernelChecks(file => Ordinary(file)).All(), finding => Assert.Equal((Severity.Ok, ""), (finding.Severity, finding.Advice)));

    [Theory]
    [InlineData("unlimited            unlimited            bytes", nameof(Severity.Ok))]
    [InlineData("4000000000           unlimited            bytes", nameof(Severity.Note))]
    public void Address_space(string limit, string severity)
        => Assert.Equal(severity, Check("/proc/self/limits", Limits.Replace("{0}", limit, StringComparison.Ordinal),
            "RLIMIT_AS").Severity.ToString());

    private static Finding Check(string file, string? text, string subject)
        => new KernelChecks(name => name == file ? text : Ordinary(name)).All().Single(finding => finding.Subject == subject);

    private static string? Ordinary(string file) => file switch
    {
        "/proc/sys/vm/mmap_min_addr" => "65536\n",
        "/proc/sys/vm/overcommit_memory" => "0\n",
        "/proc/sys/vm/max_map_count" => "65530\n",
        "/proc/sys/user/max_user_namespaces" => "62000\n",
        "/proc/sys/kernel/randomize_va_space" => "2\n",
        "/proc/self/status" => "Name:\tlodge\nNoNewPrivs:\t0\n",
        "/proc/self/limits" => Limits.Replace("{0}", "unlimited            unlimited            bytes", StringComparison.Ordinal),
        _ => null,
    };
}
