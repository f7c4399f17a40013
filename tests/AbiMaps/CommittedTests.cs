using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Text;
using System.Text.RegularExpressions;
using Lodge.Shim;
using Xunit;

namespace Lodge.AbiMaps.Tests;

/// <summary>The committed tables: against the generated files, against the compiled library, and against other sources of the same facts.</summary>
public partial class CommittedTests
{
    private static readonly string s_root = FindRoot();

    private static IReadOnlyList<SyscallRow> Table(string abi) => SyscallTableFile.Parse(File.ReadAllText(Path.Combine(s_root, $"abi-maps/tables/{abi}.tsv")));

    [Fact]
    public void GeneratedFilesAreWhatTheTablesGive()
    {
        var questions = new OpenQuestions();
        var outputs = Emitter.Build(s_root, questions, []);
        Assert.Empty(questions.All);
        List<string> stale = outputs.Where(o => !o.Key.StartsWith("docs/", StringComparison.Ordinal) && File.ReadAllText(Path.Combine(s_root, o.Key)) != o.Value).Select(o => o.Key).ToList();
        Assert.True(stale.Count == 0, $"run make abi-emit: {string.Join(", ", stale)}");
        Assert.True(outputs.Count > 10);
    }

    [Fact]
    public void EveryGuestCallHasADisposition()
    {
        var guests = new Dictionary<string, IReadOnlyList<SyscallRow>> { [Abi.I386] = Table(Abi.I386), [Abi.Arm] = Table(Abi.Arm) };
        Assert.Empty(Dispositions.Parse(File.ReadAllText(Path.Combine(s_root, "abi-maps/hand/dispositions.tsv"))).Mismatches(guests));
        Assert.True(guests[Abi.I386].Count(r => r.IsImplemented) >= 431);
        Assert.True(guests[Abi.Arm].Count(r => r.IsImplemented) >= 410);
    }

    [Fact]
    public void StructuresHaveTheKernelsSizes() => Assert.Equal("", Encoding.ASCII.GetString(Lodge.Abi.LayoutCheck.FirstMismatch()));

    /// <summary>Offsets in the compiled structures, field by field, against the table.</summary>
    [Fact]
    public void FieldsHaveTheKernelsOffsets()
    {
        int seen = 0;
        foreach (Layout layout in LayoutTable.Parse(File.ReadAllText(Path.Combine(s_root, "abi-maps/tables/layouts.tsv"))).Where(l => l.Abi != Abi.Arm64))
        {
            string[] spaces = layout.Abi switch { Abi.I386 => ["Compat", "I386"], Abi.Arm => ["Compat", "Arm"], _ => ["Host"] };
            Type type = spaces.Select(s => typeof(Lodge.Abi.LayoutCheck).Assembly.GetType($"Lodge.Abi.{s}.{layout.Name}")).First(t => t is not null)!;
            foreach (LayoutField field in layout.Fields.Where(f => f.Count > 0 && !f.Kind.StartsWith("bits", StringComparison.Ordinal)))
            {
                FieldInfo info = type.GetField(field.Name == layout.Name ? field.Name + "_" : field.Name)!;
                Assert.Equal(field.Offset, (int)info.GetCustomAttribute<System.Runtime.InteropServices.FieldOffsetAttribute>()!.Value);
                seen++;
            }
        }
        Assert.True(seen > 2000, $"{seen} fields");
    }

    /// <summary>Sizes from the kernel's own compat declarations and manual pages, typed by hand as a cross-check.</summary>
    [Theory]
    [InlineData("stat", 64, 64, 144, 128)]
    [InlineData("stat64", 96, 104, 0, 0)]
    [InlineData("statfs64", 84, 84, 120, 120)]
    [InlineData("flock64", 24, 32, 0, 0)]
    [InlineData("siginfo", 128, 128, 128, 128)]
    [InlineData("sigaltstack", 12, 12, 24, 24)]
    [InlineData("user_msghdr", 28, 28, 56, 56)]
    [InlineData("rusage", 72, 72, 144, 144)]
    [InlineData("sysinfo", 64, 64, 112, 112)]
    [InlineData("epoll_event", 12, 16, 12, 16)]
    [InlineData("robust_list_head", 12, 12, 24, 24)]
    [InlineData("__kernel_timex", 208, 208, 208, 208)]
    [InlineData("ifreq", 32, 32, 40, 40)]
    [InlineData("shmid64_ds", 84, 84, 112, 112)]
    [InlineData("if_dqblk", 68, 72, 72, 72)]
    [InlineData("sigcontext_32", 88, 0, 0, 0)]
    [InlineData("_fpstate_32", 624, 0, 624, 0)]
    public void KnownSizes(string name, params int[] sizes)
    {
        var layouts = LayoutTable.Parse(File.ReadAllText(Path.Combine(s_root, "abi-maps/tables/layouts.tsv"))).Where(l => l.Name == name).ToDictionary(l => l.Abi, l => l.Size);
        Assert.Equal(sizes, Abi.All.Select(a => layouts.GetValueOrDefault(a)));
    }

    /// <summary>Numbers of the older exported headers that every Debian compiler brings (linux-libc-dev): they never change.</summary>
    [Theory]
    [InlineData(Abi.I386, "unistd_32.h", 400)]
    [InlineData(Abi.X64, "unistd_64.h", 330)]
    public void NumbersAgreeWithTheInstalledHeaders(string abi, string header, int atLeast)
    {
        string path = Path.Combine("/usr/include/x86_64-linux-gnu/asm", header);
        Dictionary<string, int> numbers = Table(abi).Where(r => !r.IsHole).ToDictionary(r => r.Name!, r => r.Number);
        int compared = 0;
        foreach (Match match in Number().Matches(File.ReadAllText(path)))
        {
            Assert.Equal(int.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture), numbers[match.Groups[1].Value]);
            compared++;
        }
        Assert.True(compared >= atLeast, $"{compared} numbers");
    }

    /// <summary>The dispatch must call the method of Syscalls, not the fallback, as soon as there is one.</summary>
    [Theory]
    [InlineData(typeof(I386Dispatch), typeof(Syscalls<I386Abi>))]
    [InlineData(typeof(ArmDispatch), typeof(Syscalls<ArmAbi>))]
    public void MethodsBeatFallbacks(Type dispatch, Type syscalls)
    {
        MethodInfo call = dispatch.GetMethod("Call")!;
        byte[] code = call.GetMethodBody()!.GetILAsByteArray()!;
        var called = new List<MethodBase>();
        for (int i = 0; i + 4 < code.Length; i++)
        {
            if (code[i] == 0x28)
            {
                try
                {
                    called.Add(call.Module.ResolveMethod(BitConverter.ToInt32(code, i + 1))!);
                }
                catch (ArgumentException)
                {
                    // An operand byte that looks like a call.
                }
            }
        }
        HashSet<string> methods = syscalls.GetMethods(BindingFlags.Public | BindingFlags.Static).Where(m => m.Name.StartsWith("sys_", StringComparison.Ordinal)).Select(m => m.Name).ToHashSet();
        Assert.NotEmpty(methods);
        foreach (MethodBase method in called.Where(m => m.Name.StartsWith("sys_", StringComparison.Ordinal)))
        {
            bool fallback = method.DeclaringType!.Name.EndsWith("Fallback", StringComparison.Ordinal);
            Assert.True(fallback != methods.Contains(method.Name), $"{method.DeclaringType.Name}.{method.Name}");
        }
        Assert.True(called.Count(m => m.Name.StartsWith("sys_", StringComparison.Ordinal)) > 400);
    }

    [Theory]
    [InlineData(true, 3u, "read", 3)]
    [InlineData(true, 17u, "break", 255)]
    [InlineData(true, 222u, "", 254)]
    [InlineData(true, 192u, "mmap2", 6)]
    [InlineData(true, 9999u, "", 254)]
    [InlineData(false, 0xf0005u, "set_tls", 1)]
    [InlineData(false, 0xf0007u, "", 254)]
    [InlineData(false, 180u, "pread64", 6)]
    public void NameTables(bool i386, uint nr, string name, int count)
    {
        Assert.Equal(name, Encoding.ASCII.GetString(Lodge.Abi.SyscallTables.Name(i386, nr)));
        Assert.Equal(count, Lodge.Abi.SyscallTables.ArgumentCount(i386, nr));
    }

    [Fact]
    public void ArgumentKindsOfArmPread64AreThoseOfTheTable()
    {
        Lodge.Abi.ArgumentKind[] kinds = Enumerable.Range(0, 6).Select(i => Lodge.Abi.SyscallTables.Kind(false, 180, i)).ToArray();
        Assert.Equal([Lodge.Abi.ArgumentKind.Fd, Lodge.Abi.ArgumentKind.Ptr, Lodge.Abi.ArgumentKind.ULong, Lodge.Abi.ArgumentKind.Pad, Lodge.Abi.ArgumentKind.Lo, Lodge.Abi.ArgumentKind.Hi], kinds);
    }

    private static string FindRoot()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !Directory.Exists(Path.Combine(folder.FullName, "abi-maps/hand")))
        {
            folder = folder.Parent;
        }
        return folder?.FullName ?? throw new InvalidOperationException("no repository above the test");
    }

    [GeneratedRegex(@"^#define __NR_(\w+) (\d+)", RegexOptions.Multiline)]
    private static partial Regex Number();
}
