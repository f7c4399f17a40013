using System;
using System.Linq;
using Xunit;

namespace Lodge.AbiMaps.Tests;

public class SyscallTableBuilderTests
{
    private readonly OpenQuestions _questions = new();

    private SyscallRow[] Build(string table, string source, string hand = "", string abi = Abi.I386, string header = "")
    {
        var definitions = DefinitionScanner.Scan(source, "kernel/x.c", "").Concat(DefinitionScanner.Scan(header, "include/x.h", "")).ToList();
        var answers = HandArguments.Parse(hand);
        var rows = new SyscallTableBuilder(abi, definitions, definitions, answers, _questions).Build(KernelTable.Parse(table));
        foreach (string unused in answers.Unused())
        {
            _questions.Add(unused);
        }
        return [.. rows];
    }

    [Fact]
    public void HolesAreRowsAndNoArgumentsAreNotNothing()
    {
        SyscallRow[] rows = Build("0 i386 a sys_a\n3 i386 b sys_ni_syscall\n4 i386 c", "SYSCALL_DEFINE0(a)\n");
        Assert.Equal(5, rows.Length);
        Assert.True(rows[0].IsImplemented && rows[0].Arguments!.Count == 0);
        Assert.True(rows[1].IsHole && rows[2].IsHole);
        Assert.False(rows[3].IsImplemented || rows[3].IsHole || rows[4].IsImplemented);
        Assert.Empty(_questions.All);
        string text = SyscallTableFile.Format(Abi.I386, rows);
        Assert.Contains("0\ta\tsys_a\t-\t0\tnone\n", text, StringComparison.Ordinal);
        Assert.Contains("1\t-\t-\t-\t-\t-\n", text, StringComparison.Ordinal);
        Assert.Contains("3\tb\t-\t-\t-\t-\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public void EveryOpenQuestionIsListed()
    {
        Build("0 i386 a sys_a\n1 i386 b sys_b\n2 i386 c sys_c\n3 i386 d sys_d compat_sys_d\n4 i386 e sys_e\n5 i386 f sys_f",
            "SYSCALL_DEFINE1(b, struct odd, x)\nSYSCALL_DEFINE1(c, int, x)\nSYSCALL_DEFINE2(c, int, x, int, y)\nSYSCALL_DEFINE1(d, int, x)\nCOMPAT_SYSCALL_DEFINE2(d, int, x, int, y)\nSYSCALL_DEFINE1(e, MYSTERY)\nSYSCALL_DEFINE1(f, int, x)\n",
            header: "asmlinkage long sys_f(int x, int y);");
        Assert.Equal(6, _questions.All.Count);
        Assert.Contains(_questions.All, q => q.Contains("sys_a: no definition", StringComparison.Ordinal));
        Assert.Contains(_questions.All, q => q.Contains("'struct odd'", StringComparison.Ordinal));
        Assert.Contains(_questions.All, q => q.Contains("sys_c: (x:int) or (x:int,y:int)", StringComparison.Ordinal));
        Assert.Contains(_questions.All, q => q.Contains("sys_d takes 1 registers, compat_sys_d 2", StringComparison.Ordinal));
        Assert.Contains(_questions.All, q => q.Contains("sys_e: the macro", StringComparison.Ordinal));
        Assert.Contains(_questions.All, q => q.Contains("sys_f: defined with 1 parameters, declared with 2", StringComparison.Ordinal));
    }

    [Fact]
    public void HandAnswersCloseQuestionsAndStaleOnesAreQuestions()
    {
        SyscallRow[] rows = Build("0 i386 a sys_a", "", "i386\tsys_a\t2\tfd:fd,arg:ulong\tassembly\n*\tsys_gone\t0\tnone\told\n");
        Assert.Equal("fd:fd,arg:ulong", SyscallTableFile.FormatArguments(rows[0].Arguments!));
        Assert.Equal("hand/arguments.tsv: no table has * sys_gone: remove the row", Assert.Single(_questions.All));
    }

    [Fact]
    public void ADefinitionOfTheArchitectureBeatsTheGenericOne()
    {
        var generic = DefinitionScanner.Scan("SYSCALL_DEFINE1(m, int, x)\n", "mm/x.c", "");
        var own = DefinitionScanner.Scan("SYSCALL_DEFINE2(m, int, x, int, y)\n", "arch/x86/kernel/x.c", "");
        var rows = new SyscallTableBuilder(Abi.X64, generic.Concat(own), [], HandArguments.Parse(""), _questions).Build(KernelTable.Parse("0 64 m sys_m"));
        Assert.Equal(2, rows[0].Arguments!.Count);
        Assert.Empty(_questions.All);
    }

    [Theory]
    [InlineData("i386\tsys_a\t1\tfd:fd,arg:ulong\treason")]
    [InlineData("i386\tsys_a\t1\tfd:fd")]
    [InlineData("i386\tsys_a\t1\tfd:fd\t")]
    [InlineData("i386\tsys_a\t1\tfd:odd\treason")]
    public void MalformedHandRowsAreRefused(string row) => Assert.Throws<FormatException>(() => HandArguments.Parse(row));

    [Fact]
    public void TablesSurviveARoundTrip()
    {
        SyscallRow[] rows = Build("0 i386 a sys_a\n2 i386 b sys_b", "SYSCALL_DEFINE0(a)\nSYSCALL_DEFINE2(b, int, fd, loff_t, x)\n");
        string text = SyscallTableFile.Format(Abi.I386, rows);
        Assert.Equal(text, SyscallTableFile.Format(Abi.I386, SyscallTableFile.Parse(text)));
    }
}
