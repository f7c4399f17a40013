using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Lodge.Config;
using Mono.Unix.Native;
using Xunit;

namespace Lodge.ConfigTests;

/// <summary>Which file is used, for which program, and for which of its children; set-id programs; `lodge run` and `lodge config`.</summary>
public sealed class LaunchTests : Scratch
{
    private const string Traced = " uname(";

    private static string Facts => Built("guest/i386/config/facts");

    private static string Dynamic => Built("guest/i386/config/facts.dyn");

    private static string ShimPath => Built("bin/lodge-shim");

    [Fact]
    public void Programs_are_matched_by_path_pattern_name_build_id_and_interpreter()
    {
        ProgramDescription program = ProgramDescription.Of(Dynamic);
        Assert.NotNull(program.BuildId);
        Assert.EndsWith("/ld-linux.so.2", program.Interpreter, StringComparison.Ordinal);
        Assert.Null(ProgramDescription.Of(Facts).Interpreter);
        string link = Path.Combine(Folder, "other-name");
        File.CreateSymbolicLink(link, Dynamic);
        (string Match, string Program, bool Applies)[] cases =
        [
            ($"\"path\": \"{Dynamic}\"", Dynamic, true),
            ($"\"path\": \"{Dynamic}\"", link, true),
            ($"\"path\": \"{link}\"", link, true),
            ($"\"path\": \"{link}\"", Dynamic, false),
            ($"\"path\": \"{Path.GetDirectoryName(Dynamic)}/*\"", Dynamic, true),
            ("\"path\": \"/**/config/fact?.dyn\"", Dynamic, true),
            ("\"path\": \"/*\"", Dynamic, false),
            ("\"name\": \"facts.dyn\"", Dynamic, true),
            ("\"name\": \"facts.dyn\"", link, false),
            ("\"name\": [\"x\", \"other*\"]", link, true),
            ($"\"build-id\": \"{program.BuildId!.ToUpperInvariant()}\"", Dynamic, true),
            ($"\"build-id\": \"{program.BuildId}\"", Facts, false),
            ("\"interpreter\": \"ld-linux.so.2\"", Dynamic, true),
            ($"\"interpreter\": \"{program.Interpreter}\"", Dynamic, true),
            ("\"interpreter\": \"*\"", Facts, false),
            ("\"interpreter\": \"ld-linux*\", \"name\": \"facts.dyn\"", Dynamic, true),
            ("\"interpreter\": \"ld-linux*\", \"name\": \"facts\"", Dynamic, false),
        ];
        foreach ((string match, string path, bool applies) in cases)
        {
            string file = Compile($"{{ \"applications\": [ {{ \"match\": {{ {match} }}, \"options\": {{ \"environment\": {{ \"MATCHED\": \"yes\" }} }} }} ] }}");
            string[] lines = Shim(path, ["environment"], new() { ["LODGE_CONFIG"] = file }).Lines;
            Assert.True(applies == lines.Contains("MATCHED=yes"), $"{match}: {path}");
        }
    }

    [Fact]
    public void A_relative_name_is_matched_by_its_file()
    {
        string file = Compile($"{{ \"applications\": [ {{ \"match\": {{ \"path\": \"{Facts}\", \"name\": \"facts\" }}, \"options\": {{ \"environment\": {{ \"MATCHED\": \"yes\" }} }} }} ] }}");
        Assert.Contains("MATCHED=yes", Shim("./facts", ["environment"], new() { ["LODGE_CONFIG"] = file }, directory: Path.GetDirectoryName(Facts)).Lines);
    }

    [Fact]
    public void A_script_is_matched_by_its_interpreter()
    {
        string script = Executable("script", $"#!{WithoutBlank(Facts)} environment\n");
        string file = Compile("{ \"applications\": [ { \"match\": { \"name\": \"facts\" }, \"options\": { \"environment\": { \"MATCHED\": \"yes\" } } } ] }");
        Assert.Contains("MATCHED=yes", Shim(script, [], new() { ["LODGE_CONFIG"] = file }).Lines);
        Assert.Contains("MATCHED=yes", Shim(Dynamic, ["exec", script], new() { ["LODGE_CONFIG"] = file }).Lines);
    }

    /// <summary>Programs that the kernel hands to the shim: the first, one that it executes, and a script's interpreter.</summary>
    [Fact]
    public void Programs_started_by_binfmt_misc_are_matched()
    {
        string[] binfmt = [Path.Combine(Root, "tests/tools/binfmt-ns"), ShimPath];
        if (Run([.. binfmt, "/bin/true"]).Status == 125)
        {
            // No private binfmt_misc on this kernel.
            return;
        }

        string script = Executable("script", $"#!{WithoutBlank(Dynamic)} uname\n");
        string file = Compile("{ \"applications\": [ { \"match\": { \"name\": \"facts.dyn\" }, \"options\": { \"linux32\": true } } ] }");
        Dictionary<string, string> environment = new() { ["LODGE_CONFIG"] = file };
        string[] lines = Run([.. binfmt, Facts, "uname", "exec", Dynamic, "uname"], environment).Lines;
        Assert.StartsWith("x86_64 ", lines[0], StringComparison.Ordinal);
        Assert.StartsWith("i686 ", lines[1], StringComparison.Ordinal);
        Assert.StartsWith("i686 ", Run([.. binfmt, script], environment).Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Each_executed_program_is_matched_anew()
    {
        string file = Compile($$"""
            { "applications": [
              { "match": { "name": "facts" }, "options": { "strace": true, "cpu-level": "x86-64-v1", "environment": { "FIRST": "1" } } },
              { "match": { "name": "facts.dyn" }, "options": { "linux32": true, "environment": { "SECOND": "2" } } } ] }
            """);
        Outcome outcome = Shim(Facts, ["cpu", "uname", "exec", Dynamic, "cpu", "uname", "environment"], new() { ["LODGE_CONFIG"] = file });
        string[] first = [.. outcome.Lines.TakeWhile(l => !l.StartsWith("i686", StringComparison.Ordinal))];
        Assert.Contains(" ssse3=0 ", first[0], StringComparison.Ordinal);
        Assert.Contains(first, l => l.StartsWith("x86_64", StringComparison.Ordinal));
        Assert.Contains(" ssse3=1 ", outcome.Lines.Last(l => l.StartsWith("cpuid", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.Contains("i686 ", outcome.Output, StringComparison.Ordinal);
        Assert.Contains("FIRST=1", outcome.Lines);
        Assert.Contains("SECOND=2", outcome.Lines);

        // The trace ends with the program that it was meant for.
        Assert.Equal(1, outcome.Error.Split(Traced).Length - 1);
        Assert.Contains(" execve(", outcome.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Variables_hold_for_executed_programs_and_come_on_top_of_files()
    {
        string file = Compile("{ \"defaults\": { \"linux32\": true, \"cpu\": { \"avx\": true, \"popcnt\": false } } }");
        Outcome outcome = Shim(Facts, ["uname", "cpu", "exec", Dynamic, "uname", "cpu"], new() { ["LODGE_CONFIG"] = file, ["LODGE_LINUX32"] = "no", ["LODGE_CPU"] = "sse4_2=off" });
        Assert.Equal(2, outcome.Lines.Count(l => l.StartsWith("x86_64 ", StringComparison.Ordinal)));
        Assert.Equal(2, outcome.Lines.Count(l => l.StartsWith("cpuid", StringComparison.Ordinal) && l.Contains(" sse4_2=0 popcnt=0 ", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_configured_root_is_entered_once_and_its_configuration_reaches_children()
    {
        string root = Directory.CreateDirectory(Path.Combine(Folder, "root")).FullName;
        Write("root/inside", "");
        Copy(Facts, "root/facts");
        string file = Compile($"{{ \"defaults\": {{ \"root\": \"{root}\", \"environment\": {{ \"N\": \"1\" }} }} }}");
        Outcome outcome = Shim(Facts, ["root", "exec", "/facts", "root", "environment"], new() { ["LODGE_CONFIG"] = file });
        Assert.Equal(["inside /", "inside /"], outcome.Lines.Where(l => l.StartsWith("inside", StringComparison.Ordinal)));
        Assert.Contains("N=1", outcome.Lines);
        Assert.Equal(0, outcome.Status);
        Assert.Equal("", outcome.Error);
    }

    [Fact]
    public void The_users_file_is_found_and_comes_on_top_of_the_systems()
    {
        string user = Compile("{ \"defaults\": { \"environment\": { \"BOTH\": \"user\", \"USER\": \"1\" } } }", "run/lodge/config.bin");
        string system = Compile("{ \"defaults\": { \"environment\": { \"BOTH\": \"system\", \"SYSTEM\": \"1\" } } }", "system.bin");
        Dictionary<string, string> environment = new() { ["XDG_RUNTIME_DIR"] = Path.Combine(Folder, "run") };
        string[] lines = Shim(Facts, ["environment"], environment).Lines;
        Assert.Contains("BOTH=user", lines);
        Assert.Contains("USER=1", lines);

        string[] private_ = PrivateSystem(system);
        if (Run([.. private_, "/bin/true"]).Status == 0)
        {
            lines = Run([.. private_, ShimPath, Facts, "environment"]).Lines;
            Assert.Contains("BOTH=system", lines);
            lines = Run([.. private_, ShimPath, Facts, "environment"], environment).Lines;
            Assert.Contains("BOTH=user", lines);
            Assert.Contains("SYSTEM=1", lines);
            Assert.Contains("USER=1", lines);
            lines = Run([.. private_, ShimPath, Facts, "environment"], new Dictionary<string, string>(environment) { ["LODGE_CONFIG"] = "" }).Lines;
            Assert.DoesNotContain(lines, l => l.StartsWith("BOTH=", StringComparison.Ordinal));
            Assert.True(File.Exists(user));
        }
    }

    [Fact]
    public void A_damaged_file_costs_one_line_and_nothing_else()
    {
        string file = Compile("{ \"defaults\": { \"linux32\": true } }");
        byte[] good = File.ReadAllBytes(file);
        (Action Spoil, string Reason)[] cases =
        [
            (() => File.WriteAllBytes(file, good[..^1]), "wrong length"),
            (() => File.WriteAllBytes(file, []), "wrong length"),
            (() => File.WriteAllBytes(file, [.. good[..^2], 0x55, 0]), "damaged (checksum)"),
            (() => File.WriteAllBytes(file, [1, .. good[1..]]), "not a compiled configuration"),
            (() => File.WriteAllBytes(file, [.. good[..8], 2, .. good[9..]]), "compiled for another version of Lodge"),
            (() => File.SetUnixFileMode(file, (UnixFileMode)0b110_110_110), "others may write it"),
            (() =>
            {
                File.Delete(file);
                Directory.CreateDirectory(file);
            }, "not a regular file"),
        ];
        foreach ((Action spoil, string reason) in cases)
        {
            spoil();
            Outcome outcome = Shim(Facts, ["uname"], new() { ["LODGE_CONFIG"] = file });
            Assert.Equal($"lodge-shim: configuration not used: {file}: {reason}\n", outcome.Error);
            Assert.StartsWith("x86_64 ", outcome.Output, StringComparison.Ordinal);
            Assert.Equal(0, outcome.Status);
        }
    }

    [Fact]
    public void Another_users_file_is_not_trusted()
    {
        if (!Environment.IsPrivilegedProcess)
        {
            return;
        }

        string file = Compile("{ \"defaults\": { \"linux32\": true } }");
        Assert.Equal(0, Syscall.chown(file, 12345, 12345));
        Outcome outcome = Shim(Facts, ["uname"], new() { ["LODGE_CONFIG"] = file });
        Assert.Equal($"lodge-shim: configuration not used: {file}: it belongs to another user\n", outcome.Error);

        // A system user's is: the service has one of its own.
        Assert.Equal(0, Syscall.chown(file, 999, 999));
        Assert.StartsWith("i686 ", Shim(Facts, ["uname"], new() { ["LODGE_CONFIG"] = file }).Output, StringComparison.Ordinal);
    }

    /// <summary>A set-group-id copy of the shim: AT_SECURE as for a set-id guest under binfmt_misc with flag C.</summary>
    [Fact]
    public void A_set_id_program_uses_the_systems_file_alone()
    {
        if (!Environment.IsPrivilegedProcess)
        {
            return;
        }

        string shim = Copy(ShimPath, "set-id-shim");
        Assert.Equal(0, Syscall.chown(shim, 0, 12345));
        Assert.Equal(0, Syscall.chmod(shim, (FilePermissions)0b010_111_101_101));
        string user = Compile("{ \"defaults\": { \"linux32\": true, \"environment\": { \"USER\": \"1\" } } }", "run/lodge/config.bin");
        Dictionary<string, string> environment = new()
        {
            ["XDG_RUNTIME_DIR"] = Path.Combine(Folder, "run"), ["LODGE_CONFIG"] = user, ["LODGE_LINUX32"] = "1", ["LODGE_STRACE"] = "1",
        };
        Outcome plain = Run([ShimPath, Facts, "secure", "uname"], environment);
        Assert.Equal("secure 0", plain.Lines[0]);
        Assert.StartsWith("i686 ", plain.Lines[1], StringComparison.Ordinal);

        Outcome secure = Run([shim, Facts, "secure", "uname", "environment"], environment);
        Assert.Equal("secure 1", secure.Lines[0]);
        Assert.StartsWith("x86_64 ", secure.Lines[1], StringComparison.Ordinal);
        Assert.DoesNotContain("USER=1", secure.Lines);
        Assert.Equal("", secure.Error);

        string system = Compile("{ \"defaults\": { \"environment\": { \"SYSTEM\": \"1\" } } }", "system.bin");
        string[] private_ = PrivateSystem(system, "-m");
        Assert.Contains("SYSTEM=1", Run([.. private_, shim, Facts, "environment"], environment).Lines);

        // A user namespace in which root is nobody.
        Outcome inside = Run([.. private_, "/usr/bin/unshare", "-U", ShimPath, Facts, "environment"]);
        Assert.Contains("SYSTEM=1", inside.Lines);
        Assert.Equal("", inside.Error);
        Assert.Equal(0, Syscall.chown(system, 12345, 0));
        Assert.DoesNotContain("SYSTEM=1", Run([.. private_, shim, Facts, "environment"], environment).Lines);
    }

    [Fact]
    public void Options_of_lodge_run_come_on_top_of_all()
    {
        string file = Compile("{ \"defaults\": { \"linux32\": true, \"environment\": { \"A\": \"file\", \"B\": \"file\", \"C\": \"file\" } } }");
        string lodge = Built("bin/lodge");
        Dictionary<string, string> environment = new() { ["LODGE_CONFIG"] = file, ["LODGE_CPU"] = "popcnt=off", ["LODGE_LINUX32"] = "1" };
        Outcome outcome = Run([lodge, "run", "--no-service", "--linux32=false", "--environment=A=x,y\\", "--environment=-B", "--cpu", "sse4_2=off", "--strace",
            Facts, "uname", "cpu", "environment", "exec", Dynamic, "uname"], environment);
        Assert.Equal(2, outcome.Lines.Count(l => l.StartsWith("x86_64 ", StringComparison.Ordinal)));
        Assert.Contains(" sse4_2=0 popcnt=0 ", outcome.Output, StringComparison.Ordinal);
        Assert.Contains("A=x,y\\", outcome.Lines);
        Assert.Contains("C=file", outcome.Lines);
        Assert.DoesNotContain(outcome.Lines, l => l.StartsWith("B=", StringComparison.Ordinal));
        Assert.Equal(2, outcome.Error.Split(Traced).Length - 1);

        Outcome wrong = Run([lodge, "run", "--no-service", "--cpu-level", "pentium", Facts, "uname"]);
        Assert.Equal(2, wrong.Status);
        Assert.Contains("--cpu-level: pentium: not understood, expected host|i586", wrong.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Explain_names_each_value_and_who_set_it()
    {
        Write("home/lodge/lodge.jsonc", "{\n  \"defaults\": { \"log-level\": \"info\" },\n  \"applications\": [ {\n    \"match\": { \"name\": \"facts\" },\n"
            + "    \"options\": { \"log-level\": \"debug\",\n      \"workarounds\": { \"single-cpu\": \"a reason\" } } } ]\n}\n");
        Dictionary<string, string> environment = new()
        {
            ["XDG_CONFIG_HOME"] = Path.Combine(Folder, "home"), ["XDG_RUNTIME_DIR"] = Path.Combine(Folder, "run"), ["LODGE_LINUX32"] = "1",
        };
        string lodge = Built("bin/lodge");
        string source = Path.Combine(Folder, "home/lodge/lodge.jsonc");
        Assert.Contains("not compiled", Run([lodge, "config", "explain", Facts], environment).Error, StringComparison.Ordinal);
        Assert.Equal(0, Run([lodge, "config", "compile", "--user"], environment).Status);
        Outcome table = Run([lodge, "config", "explain", Facts], environment);
        Assert.Equal(0, table.Status);
        Assert.Equal("", table.Error);
        string[][] rows = [.. table.Lines.Select(l => l.Split("  ", StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))];
        Assert.Contains(rows, r => r.SequenceEqual(["log-level", "debug", source + ":5"]));
        Assert.Contains(rows, r => r.SequenceEqual(["workarounds.single-cpu", "a reason", source + ":6"]));
        Assert.Contains(rows, r => r.SequenceEqual(["linux32", "true", "LODGE_LINUX32 in the environment"]));
        Assert.Contains(rows, r => r.SequenceEqual(["cpu-level", "host", "built-in"]));

        using System.Text.Json.JsonDocument json = System.Text.Json.JsonDocument.Parse(Run([lodge, "config", "explain", "--json", "--set", Facts], environment).Output);
        Assert.Equal(["linux32", "log-level", "workarounds"], json.RootElement.GetProperty("options").EnumerateArray().Select(o => o.GetProperty("option").GetString()));
        Assert.Equal(5, json.RootElement.GetProperty("options")[1].GetProperty("line").GetInt32());

        // What the program really gets.
        Outcome run = Run([ShimPath, Facts, "cpus", "uname"], environment);
        Assert.Equal("1", run.Lines[0]);
        Assert.StartsWith("i686 ", run.Lines[1], StringComparison.Ordinal);
        Assert.Contains("1 application entries, 1 variables", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Check_and_compile_report_mistakes_and_end_with_one()
    {
        string bad = Write("home/lodge/apps.d/bad.jsonc", "{\n  \"defaults\": { \"strace\": \"yes\" },\n}\n");
        string lodge = Built("bin/lodge");
        Dictionary<string, string> environment = new() { ["XDG_CONFIG_HOME"] = Path.Combine(Folder, "home"), ["XDG_RUNTIME_DIR"] = Path.Combine(Folder, "run") };
        foreach (string[] command in new string[][] { ["check"], ["check", bad], ["compile", "--user"], ["show"], ["explain", Facts] })
        {
            Outcome outcome = Run([lodge, "config", .. command], environment);
            Assert.Equal(1, outcome.Status);
            Assert.Contains($"{bad}:2:27: error: expected true or false, found \"yes\"\n", outcome.Error, StringComparison.Ordinal);
        }

        Assert.False(File.Exists(Path.Combine(Folder, "run/lodge/config.bin")));
        using System.Text.Json.JsonDocument json = System.Text.Json.JsonDocument.Parse(Run([lodge, "config", "check", "--json", bad], environment).Output);
        System.Text.Json.JsonElement problem = Assert.Single(json.RootElement.GetProperty("problems").EnumerateArray());
        Assert.Equal(27, problem.GetProperty("column").GetInt32());
        Assert.Equal(3, Run([lodge, "config", "check", bad + ".none"], environment).Status);
        File.Delete(bad);
        Assert.Equal(0, Run([lodge, "config", "check"], environment).Status);
    }

    /// <summary>Another name of a program, in the test's directory: a script's first line ends the interpreter's name at a blank.</summary>
    private string WithoutBlank(string program)
        => File.CreateSymbolicLink(Path.Combine(Folder, Path.GetFileName(program)), program).FullName;

    /// <summary>A command that sees a file as /var/lib/lodge/config.bin, in a mount namespace of its own.</summary>
    private static string[] PrivateSystem(string file, string flags = "-rm")
        => ["/usr/bin/unshare", flags, "/bin/sh", "-c", "mount -t tmpfs t /var/lib && mkdir /var/lib/lodge && cp -p \"$0\" /var/lib/lodge/config.bin && exec \"$@\"", file];

    private string Compile(string text, string name = "config.bin")
    {
        (IReadOnlyList<EntryTexts> entries, string[] problems) = Parse(text);
        Assert.Empty(problems);
        string file = Path.Combine(Folder, name);
        PublishResult published = CompiledFile.Publish(file, ConfigurationCompiler.ToBytes(entries, []));
        Assert.True(published.Status != PublishStatus.Failed, published.Error);
        return file;
    }

    private static Outcome Shim(string program, string[] facts, Dictionary<string, string> environment, string? directory = null)
        => Run([ShimPath, program, .. facts], environment, directory);
}
