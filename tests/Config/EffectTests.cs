using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using Lodge.Config;
using Xunit;

namespace Lodge.ConfigTests;

/// <summary>Every option's effect on a real program under lodge-shim, from a compiled file and from variables.</summary>
public sealed class EffectTests : Scratch
{
    private static string Facts => Built("guest/i386/config/facts");

    [Fact]
    public void Environment_is_set_and_dropped()
    {
        string[] lines = Configured("{ \"environment\": { \"A\": \"new\", \"B\": null, \"LC_*\": null, \"Ü\": \"=x,\" } }", ["environment"],
            new() { ["A"] = "old", ["B"] = "b", ["BB"] = "bb", ["LC_ALL"] = "C", ["LC_TIME"] = "C" }).Lines;
        Assert.Contains("A=new", lines);
        Assert.Contains("BB=bb", lines);
        Assert.Contains("Ü==x,", lines);
        Assert.DoesNotContain(lines, l => l.StartsWith("B=", StringComparison.Ordinal) || l.StartsWith("LC_", StringComparison.Ordinal));
        Assert.Single(lines, l => l.StartsWith("A=", StringComparison.Ordinal));
    }

    [Fact]
    public void A_clean_environment_is_possible()
        => Assert.Equal(["ONLY=1"], Configured("{ \"environment\": { \"*\": null, \"ONLY\": \"1\" } }", ["environment"]).Lines);

    [Theory]
    [InlineData("i686", "cpuid cmov=1 sse2=0 ssse3=0 sse4_2=0 popcnt=0 xsave=0 osxsave=0 avx=0 avx2=0", "hwcap sse2=0",
        "signals cmov=0 sse2=4 popcnt=4 avx=4 xgetbv=4 tzcnt=0", "cpuinfo sse2=0 avx=0")]
    [InlineData("x86-64-v1", "cpuid cmov=1 sse2=1 ssse3=0 sse4_2=0 popcnt=0 xsave=0 osxsave=0 avx=0 avx2=0", "hwcap sse2=1",
        "signals cmov=0 sse2=0 popcnt=4 avx=4 xgetbv=4 tzcnt=0", "cpuinfo sse2=1 avx=0")]
    public void A_cpu_level_hides_features_everywhere(string level, params string[] expected)
    {
        string[] lines = Configured($"{{ \"cpu-level\": \"{level}\" }}", ["cpu"]).Lines;
        Assert.Equal(expected, lines.Where(l => !l.StartsWith("minsig", StringComparison.Ordinal)));
        Assert.Contains("minsigstksz 1192", lines);
    }

    [Fact]
    public void An_i586_has_no_conditional_move()
    {
        // The C library of the test program needs one: the first use ends it.
        Outcome outcome = Configured("{ \"cpu-level\": \"i586\" }", ["cpu"]);
        Assert.Equal(128 + 4, outcome.Status);
    }

    [Fact]
    public void Single_features_are_hidden_and_shown()
    {
        string[] lines = Configured("{ \"cpu-level\": \"x86-64-v1\", \"cpu\": { \"popcnt\": true } }", ["cpu"]).Lines;
        Assert.Contains(" popcnt=1 ", lines[0], StringComparison.Ordinal);
        Assert.Contains(lines, l => l.StartsWith("signals ", StringComparison.Ordinal) && l.Contains(" popcnt=0 ", StringComparison.Ordinal));

        string[] host = Shim(["cpu"]).Lines;
        if (host[0].Contains(" avx=1", StringComparison.Ordinal))
        {
            lines = Configured("{ \"cpu\": { \"avx\": false } }", ["cpu"]).Lines;
            Assert.Contains(" osxsave=1 avx=0 avx2=0", lines[0], StringComparison.Ordinal);
            Assert.Contains("xcr0 3", lines);
            Assert.Contains("xsave area 576 of 576", lines);
            Assert.Contains(lines, l => l.StartsWith("signals ", StringComparison.Ordinal) && l.Contains(" avx=4 xgetbv=0", StringComparison.Ordinal));
        }
    }

    [Fact]
    public void Personality_bits_do_what_the_kernel_does_with_them()
    {
        string[] plain = Shim(["memory", "uname"]).Lines;
        Assert.Equal(["stack above 3 GiB", "mapping above 2 GiB", "page zero free", "readable memory not executable", "personality 00000000"], plain[..5]);
        Assert.StartsWith("x86_64 ", plain[5], StringComparison.Ordinal);

        Assert.Equal("stack below 3 GiB", Configured("{ \"addr-limit-3gb\": true }", ["memory"]).Lines[0]);
        Assert.Equal("mapping below 2 GiB", Configured("{ \"addr-compat-layout\": true }", ["memory"]).Lines[1]);
        Assert.Equal("readable memory executable", Configured("{ \"read-implies-exec\": true }", ["memory"]).Lines[3]);
        Assert.StartsWith("i686 ", Configured("{ \"linux32\": true }", ["uname"]).Lines[0], StringComparison.Ordinal);
        Assert.Contains(" 2.6.", Configured("{ \"uname26\": true }", ["uname"]).Lines[0], StringComparison.Ordinal);
        Assert.Equal("personality 08220008", Configured("{ \"linux32\": true, \"uname26\": true, \"addr-limit-3gb\": true, \"addr-compat-layout\": true }", ["memory"]).Lines[4]);
    }

    [Fact]
    public void Personality_bits_are_taken_back()
    {
        Outcome outcome = Configured("{ \"linux32\": false, \"addr-limit-3gb\": false, \"randomize\": true }", ["memory", "uname"],
            wrapper: ["/usr/bin/setarch", "linux32", "-3", "-R"]);
        Assert.Contains("personality 00000000", outcome.Lines);
        Assert.StartsWith("x86_64 ", outcome.Lines[5], StringComparison.Ordinal);
        Assert.Contains("personality 08040008", Shim(["memory"], wrapper: ["/usr/bin/setarch", "linux32", "-3", "-R"]).Lines);
    }

    [Fact]
    public void Page_zero_is_mapped_where_the_kernel_lets_it()
    {
        string minimum = File.ReadAllText("/proc/sys/vm/mmap_min_addr").Trim();
        string expected = Environment.IsPrivilegedProcess || minimum == "0" ? "page zero mapped" : "page zero free";
        Assert.Equal(expected, Configured("{ \"mmap-page-zero\": true }", ["memory"]).Lines[2]);
    }

    [Fact]
    public void Addresses_are_random_only_when_they_may_be()
    {
        string[] fixedRuns = [.. Enumerable.Range(0, 3).Select(_ => Configured("{ \"randomize\": false }", ["addresses"]).Output)];
        Assert.Single(fixedRuns.Distinct());
        string[] randomRuns = [.. Enumerable.Range(0, 5).Select(_ => Shim(["addresses"]).Output)];
        Assert.True(randomRuns.Distinct().Count() > 1);
    }

    [Fact]
    public void Ioctl_requests_follow_their_rules()
    {
        // FIONBIO of a device works.
        string[] works = ["/bin/sh", "-c", "exec \"$@\" < /dev/null", "sh"];
        Assert.Equal("ioctl 00005421: done", Shim(["ioctl", "0x5421"], wrapper: works).Lines[0]);
        Assert.Equal("ioctl 00005421: Inappropriate ioctl for device", Configured("{ \"ioctl\": { \"0x5421\": \"refuse\" } }", ["ioctl", "0x5421"], wrapper: works).Lines[0]);

        Outcome logged = Configured("{ \"ioctl\": { \"0x5421\": \"log\" } }", ["ioctl", "0x5421", "ioctl", "0x5421"], wrapper: works);
        Assert.Equal(["ioctl 00005421: done", "ioctl 00005421: done"], logged.Lines);
        Assert.StartsWith("lodge-shim: ioctl 0x00005421 on descriptor 0, argument 0x", logged.Error, StringComparison.Ordinal);
        Assert.Single(logged.Error.TrimEnd().Split('\n'));
    }

    [Fact]
    public void Unknown_ioctl_requests_follow_theirs()
    {
        Assert.Equal("", Shim(["ioctl", "0x1234"]).Error);
        Assert.Contains("ioctl 0x00001234 on descriptor 0", Configured("{ \"ioctl\": { \"unknown\": \"log\" } }", ["ioctl", "0x1234"]).Error, StringComparison.Ordinal);
        Assert.Contains(": not known, ENOTTY", Configured("{ \"log-level\": \"info\" }", ["ioctl", "0x1234"]).Error, StringComparison.Ordinal);
        Assert.Equal("", Configured("{ \"log-level\": \"info\", \"ioctl\": { \"unknown\": \"refuse\" } }", ["ioctl", "0x1234"]).Error);
    }

    [Fact]
    public void An_unknown_request_is_passed_on_when_told_so()
    {
        // PAGEMAP_SCAN with an argument of zeros: EINVAL by a kernel that knows it (6.7), ENOTTY by an older one, and by the shim's table.
        const string Request = "0xc0606610";
        string[] onFile = ["/bin/sh", "-c", "exec \"$@\" < /proc/self/pagemap", "sh"];
        Assert.Equal("ioctl c0606610: Inappropriate ioctl for device", Shim(["ioctl", Request], wrapper: onFile).Lines[0]);
        string passed = Configured($"{{ \"ioctl\": {{ \"{Request}\": \"pass\" }} }}", ["ioctl", Request], wrapper: onFile).Lines[0];
        string all = Configured("{ \"ioctl\": { \"unknown\": \"pass\" } }", ["ioctl", Request], wrapper: onFile).Lines[0];
        string expected = Environment.OSVersion.Version >= new Version(6, 7) ? "Invalid argument" : "Inappropriate ioctl for device";
        Assert.Equal("ioctl c0606610: " + expected, passed);
        Assert.Equal(passed, all);
    }

    [Fact]
    public void Strace_writes_calls()
    {
        Outcome outcome = Configured("{ \"strace\": true }", ["uname"]);
        Assert.Contains(" uname(", outcome.Error, StringComparison.Ordinal);
        Assert.Contains(" exit_group(0) = ?", outcome.Error, StringComparison.Ordinal);
        Assert.Equal("", Shim(["uname"]).Error);
    }

    [Fact]
    public void The_log_level_decides_what_is_said()
    {
        Assert.Contains("lodge-shim: configuration: ", Configured("{ \"log-level\": \"debug\" }", ["uname"]).Error, StringComparison.Ordinal);
        Dictionary<string, string> bad = new() { ["LODGE_CPU"] = "nonsense" };
        Assert.Equal("lodge-shim: value not understood: LODGE_CPU=nonsense\n", Shim(["uname"], bad).Error);
        Assert.Equal("", Configured("{ \"log-level\": \"error\" }", ["uname"], bad).Error);
    }

    /// <summary>The mapping that holds translated code is as large as it is told to be.</summary>
    [Theory]
    [InlineData("{ }", 256)]
    [InlineData("{ \"code-cache\": \"3M\" }", 3)]
    public void Code_cache(string options, int megabytes)
    {
        ProcessStartInfo start = new(Built("bin/lodge-shim"), [Facts, "uname", "wait"]) { RedirectStandardInput = true, RedirectStandardOutput = true };
        start.Environment["LODGE_CONFIG"] = Compile($"{{ \"defaults\": {options} }}");
        start.Environment.Remove("LODGE_CODE_CACHE");
        using Process process = Process.Start(start)!;

        // Its first line says that it runs translated code.
        Assert.NotNull(process.StandardOutput.ReadLine());
        string[] maps = File.ReadAllLines($"/proc/{process.Id}/maps");
        process.StandardInput.Close();
        process.WaitForExit();
        Assert.InRange(maps.Where(l => l.Contains(" rwxp ", StringComparison.Ordinal)).Sum(Size) >> 20, megabytes, megabytes + 1);
    }

    private static long Size(string line)
    {
        string[] ends = line.Split(' ')[0].Split('-');
        return Convert.ToInt64(ends[1], 16) - Convert.ToInt64(ends[0], 16);
    }

    [Fact]
    public void Single_cpu()
    {
        Assert.Equal("1", Configured("{ \"workarounds\": { \"single-cpu\": \"test\" } }", ["cpus"]).Lines[0]);
        Assert.Equal(Run(["/usr/bin/nproc"]).Lines[0], Shim(["cpus"]).Lines[0]);
    }

    [Fact]
    public void Small_memory()
    {
        Assert.Equal("small", Configured("{ \"workarounds\": { \"small-memory\": \"test\" } }", ["sysinfo"]).Lines[0]);
        if (GC.GetGCMemoryInfo().TotalAvailableMemoryBytes > int.MaxValue)
        {
            Assert.Equal("large", Shim(["sysinfo"]).Lines[0]);
        }
    }

    [Fact]
    public void Checked_code()
    {
        Assert.Equal("code 1 1", Shim(["code"]).Lines[0]);
        Assert.Equal("code 1 2", Configured("{ \"workarounds\": { \"checked-code\": \"test\" } }", ["code"]).Lines[0]);
    }

    /// <summary>An overlay over two file systems has 64-bit inode numbers (xino).</summary>
    [Fact]
    public void Small_inodes()
    {
        const string Mount = "mount -t tmpfs t \"$0\" && cd \"$0\" && mkdir a b m && mount -t tmpfs t a && mount -t tmpfs t b && touch a/x b/y "
            + "&& mount -t overlay o -o lowerdir=a:b,xino=on m && exec \"$@\"";
        string folder = Directory.CreateDirectory(Path.Combine(Folder, "mount")).FullName;
        string[] wrapper = ["/usr/bin/unshare", "-rm", "/bin/sh", "-c", Mount, folder];
        if (Run([.. wrapper, "/bin/true"]).Status != 0)
        {
            // No user namespaces, or no overlays in them: nothing here has such numbers.
            Assert.True(File.Exists("/proc/self/ns/user"), "no user namespaces");
            return;
        }

        string file = Path.Combine(folder, "m/x");
        Assert.Equal("stat Value too large for defined data type, inode over 32 bits", Shim(["inode", file], wrapper: wrapper).Lines[0]);
        Assert.Equal("stat done, inode within 32 bits",
            Configured("{ \"workarounds\": { \"small-inodes\": \"test\" } }", ["inode", file], wrapper: wrapper).Lines[0]);
    }

    [Fact]
    public void A_root_from_a_file_keeps_program_and_directory()
    {
        string root = Directory.CreateDirectory(Path.Combine(Folder, "root")).FullName;
        Write("root/inside", "");
        Directory.CreateDirectory(Path.Combine(root, "deep/er"));
        Assert.Equal("outside /", Shim(["root"]).Lines[0]);
        Assert.Equal("inside /", Configured($"{{ \"root\": \"{root}\" }}", ["root"]).Lines[0]);
        Assert.Equal("inside /deep/er", Configured($"{{ \"root\": \"{root}/\" }}", ["root"], directory: Path.Combine(root, "deep/er")).Lines[0]);

        Outcome missing = Configured($"{{ \"root\": \"{root}/none\" }}", ["root"]);
        Assert.Equal(126, missing.Status);
        Assert.Equal($"lodge-shim: root directory {root}/none: errno 2\n", missing.Error);
    }

    private Outcome Configured(string options, string[] facts, Dictionary<string, string>? environment = null, string[]? wrapper = null, string? directory = null)
    {
        string file = Compile($"{{ \"defaults\": {options} }}");
        return Shim(facts, new(environment ?? []) { ["LODGE_CONFIG"] = file }, wrapper, directory);
    }

    private string Compile(string text)
    {
        (IReadOnlyList<EntryTexts> entries, string[] problems) = Parse(text);
        Assert.Empty(problems);
        string file = Path.Combine(Folder, "config.bin");
        Assert.NotEqual(PublishStatus.Failed, CompiledFile.Publish(file, ConfigurationCompiler.ToBytes(entries, [])).Status);
        return file;
    }

    private static Outcome Shim(string[] facts, Dictionary<string, string>? environment = null, string[]? wrapper = null, string? directory = null)
        => Run([.. wrapper ?? [], Built("bin/lodge-shim"), Facts, .. facts], environment ?? new() { ["LODGE_CONFIG"] = "" }, directory);
}
