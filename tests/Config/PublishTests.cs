using System;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Lodge.Config;
using Lodge.Protocol;
using Xunit;

namespace Lodge.ConfigTests;

/// <summary>Layers on disk, and the compiled file that takes the place of the last good one or does not.</summary>
public sealed class PublishTests : Scratch
{
    private static readonly ProgramDescription s_program = new("/bin/a", "/bin/a", null, null);

    [Fact]
    public void Files_apply_in_their_order()
    {
        Write("lodge.jsonc", "{ \"defaults\": { \"environment\": { \"X\": \"main\", \"Y\": \"main\", \"Z\": \"main\" } } }");
        Write("apps.d/20-b.jsonc", "{ \"defaults\": { \"environment\": { \"X\": \"b\", \"Z\": null } } }");
        Write("apps.d/10-a.jsonc", "{ \"defaults\": { \"environment\": { \"X\": \"a\", \"Y\": \"a\" } } }");
        Write("apps.d/.hidden.jsonc", "not JSON");
        Write("apps.d/30-c.json", "not JSON");
        CompileResult result = ConfigurationCompiler.Compile(ConfigurationLayers.System(Folder));
        Assert.Empty(result.Diagnostics);
        Assert.Equal(["lodge.jsonc", "apps.d/10-a.jsonc", "apps.d/20-b.jsonc"], result.Files.Select(f => Path.GetRelativePath(Folder, f)));
        EffectiveConfiguration effective = new();
        effective.Apply(result.Entries, s_program);
        Assert.Equal(
            [("X", "b", "apps.d/20-b.jsonc", 1), ("Y", "a", "apps.d/10-a.jsonc", 1), ("Z", null, "apps.d/20-b.jsonc", 1)],
            effective.Values.OrderBy(v => v.Member, StringComparer.Ordinal)
                .Select(v => (v.Member, v.Value, Path.GetRelativePath(Folder, v.Origin.File), v.Origin.Position.Line)));
    }

    [Fact]
    public void A_later_default_wins_over_an_earlier_application()
    {
        Write("lodge.jsonc", "{ \"applications\": [ { \"match\": { \"name\": \"a\" }, \"options\": { \"strace\": true } } ], \"defaults\": { \"strace\": false, \"linux32\": true } }");
        Write("apps.d/a.jsonc", "{ \"defaults\": { \"linux32\": false } }");
        EffectiveConfiguration effective = new();
        effective.Apply(ConfigurationCompiler.Compile(ConfigurationLayers.System(Folder)).Entries, s_program);
        Assert.Equal(["true", "false"], effective.Values.OrderBy(v => v.Option).Select(v => v.Value).Reverse());
    }

    [Fact]
    public void A_bad_file_leaves_the_last_good_one()
    {
        string target = Path.Combine(Folder, "run/config.bin");
        Write("lodge.jsonc", "{ \"defaults\": { \"strace\": true } }");
        Assert.Equal(PublishStatus.Published, ConfigurationCompiler.Compile(ConfigurationLayers.System(Folder)).Publish(target).Status);
        byte[] good = File.ReadAllBytes(target);
        Assert.Equal(PublishStatus.Unchanged, ConfigurationCompiler.Compile(ConfigurationLayers.System(Folder)).Publish(target).Status);

        Write("apps.d/x.jsonc", "{ \"defaults\": { \"strace\": 1 } }");
        CompileResult bad = ConfigurationCompiler.Compile(ConfigurationLayers.System(Folder));
        Assert.False(bad.Success);
        Assert.Throws<InvalidOperationException>(() => bad.Publish(target));
        Assert.Equal(Path.Combine(Folder, "apps.d/x.jsonc") + ":1:27: error: expected true or false, found 1", Assert.Single(bad.Diagnostics).ToString());
        Assert.Equal(good, File.ReadAllBytes(target));
    }

    [Fact]
    public void A_directory_in_the_way_is_an_error_and_leaves_no_scratch_file()
    {
        string target = Path.Combine(Folder, "config.bin");
        Directory.CreateDirectory(Path.Combine(target, "x"));
        PublishResult result = ConfigurationCompiler.Compile(Array.Empty<string>()).Publish(target);
        Assert.Equal(PublishStatus.Failed, result.Status);
        Assert.NotNull(result.Error);
        Assert.Equal(["config.bin"], Directory.EnumerateFileSystemEntries(Folder).Select(Path.GetFileName));
    }

    /// <summary>A disk that is full in the middle of the file (RLIMIT_FSIZE, one block): the old file stays, whole.</summary>
    [Fact]
    public void A_full_disk_leaves_the_last_good_one()
    {
        string target = Path.Combine(Folder, "config.bin");
        Write("etc/lodge.jsonc", "{ \"defaults\": { \"strace\": true } }");
        string lodge = Built("bin/lodge");
        Assert.Equal(0, Run([lodge, "config", "compile", "--from", Path.Combine(Folder, "etc"), "--output", target]).Status);
        byte[] good = File.ReadAllBytes(target);

        string members = string.Join(',', Enumerable.Range(0, 300).Select(i => $"\"VARIABLE_{i}\": \"value\""));
        Write("etc/lodge.jsonc", $"{{ \"defaults\": {{ \"environment\": {{ {members} }} }} }}");
        Outcome full = Run(["/bin/sh", "-c", "trap '' XFSZ; ulimit -f 1; DOTNET_EnableWriteXorExecute=0 exec \"$0\" config compile --from \"$1\" --output \"$2\"", lodge, Path.Combine(Folder, "etc"), target]);
        Assert.Equal(3, full.Status);
        Assert.Contains("write ", full.Error, StringComparison.Ordinal);
        Assert.Equal(good, File.ReadAllBytes(target));
        Assert.Equal(["config.bin", "etc"], Directory.EnumerateFileSystemEntries(Folder).Select(Path.GetFileName).Order(StringComparer.Ordinal));

        Assert.Equal(0, Run([lodge, "config", "compile", "--from", Path.Combine(Folder, "etc"), "--output", target]).Status);
        Assert.NotEqual(good, File.ReadAllBytes(target));
    }

    /// <summary>Whoever opens the file while it is replaced over and over finds a whole one.</summary>
    [Fact]
    public async Task Readers_always_find_a_whole_file()
    {
        string target = Path.Combine(Folder, "config.bin");
        byte[][] versions = [.. Enumerable.Range(0, 2).Select(i => ConfigurationCompiler.ToBytes(Parse(new RandomConfiguration(new Random(i)).File()).Entries, [])!)];
        CompiledFile.Publish(target, versions[0]);
        using CancellationTokenSource done = new();
        int reads = 0;
        Task reader = Task.Run(() =>
        {
            for (; !done.IsCancellationRequested; Interlocked.Increment(ref reads))
            {
                byte[] file = File.ReadAllBytes(target);
                Assert.Equal(ConfigurationFault.None, ShimSide.Decode(s_program, [file]).Fault);
            }
        });

        // As often as it takes for both to have had the processor.
        for (int i = 1; !reader.IsCompleted && (i <= 300 || Volatile.Read(ref reads) < 20); i++)
        {
            Assert.Equal(PublishStatus.Published, CompiledFile.Publish(target, versions[i & 1]).Status);
        }

        await done.CancelAsync();
        await reader;
    }

    [Fact]
    public void A_file_that_is_no_file_and_one_that_is_too_long_are_errors()
    {
        Directory.CreateDirectory(Path.Combine(Folder, "apps.d/x.jsonc"));
        string big = Write("lodge.jsonc", new string(' ', ConfigurationFile.MaxLength + 1));
        CompileResult result = ConfigurationCompiler.Compile([big, Path.Combine(Folder, "apps.d/x.jsonc")]);
        Assert.False(result.Success);
        Assert.Equal($"{big}: error: expected at most 1048576 bytes, found 1048577", result.Diagnostics[0].ToString());
        Assert.StartsWith($"{Folder}/apps.d/x.jsonc: error: cannot be read: ", result.Diagnostics[1].ToString(), StringComparison.Ordinal);
        Assert.Equal(2, result.Diagnostics.Count);
        Assert.Empty(Directory.EnumerateFiles(Path.Combine(Folder, "apps.d")).ToList<string>());
    }
}
