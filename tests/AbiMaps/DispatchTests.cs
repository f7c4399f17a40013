using System;
using System.Collections.Generic;
using System.Linq;
using Xunit;

namespace Lodge.AbiMaps.Tests;

public class DispatchTests
{
    private const string Hand = """
        *	read	pass	block	1[a2]	bytes
        *	getgroups32	pass	-	1[a0*4]	ids
        *	open	thunk	-	-	flags
        *	chmod	pass	-	-	a path
        *	io_setup	refused ENOSYS	-	-	as a kernel without it
        """;

    private static readonly Dictionary<string, IReadOnlyList<SyscallRow>> s_tables = new()
    {
        [Abi.I386] = SyscallTableFile.Parse("""
            0	-	-	-	-	-
            1	read	sys_read	-	3	fd:fd,buf:ptr,count:ulong
            2	open	sys_open	compat_sys_open	3	filename:str,flags:int,mode:uint
            3	chmod	sys_chmod	-	2	filename:str,mode:uint
            4	io_setup	sys_io_setup	compat_sys_io_setup	2	nr:uint,ctx:ptr
            5	getgroups32	sys_getgroups	-	2	size:int,list:ptr
            6	break	-	-	-	-
            """),
        [Abi.X64] = SyscallTableFile.Parse("0\tread\tsys_read\t-\t3\tfd:fd,buf:ptr,count:ulong\n1\tchmod\tsys_chmod\t-\t2\tfilename:str,mode:uint\n2\tfchmodat\tsys_fchmodat\t-\t3\tdfd:fd,filename:str,mode:uint\n3\tgetgroups\tsys_getgroups\t-\t2\tsize:int,list:ptr"),
        [Abi.Arm64] = SyscallTableFile.Parse("7\tread\tsys_read\t-\t3\tfd:fd,buf:ptr,count:ulong\n8\tfchmodat\tsys_fchmodat\t-\t3\tdfd:fd,filename:str,mode:uint\n9\tgetgroups\tsys_getgroups\t-\t2\tsize:int,list:ptr"),
    };

    private readonly OpenQuestions _questions = new();
    private readonly List<string> _notes = [];

    private IReadOnlyList<PlannedCall> Plan(string hostCalls, params string[] methods) => EmitDispatch.Plan(Abi.I386, s_tables[Abi.I386], Dispositions.Parse(Hand),
        new HostCalls(s_tables, hostCalls), new Dictionary<string, string>(), methods.ToHashSet(), _questions, _notes);

    [Fact]
    public void PassRefuseTodoAndThunk()
    {
        string text = EmitDispatch.Dispatch(Abi.I386, Plan("sys_chmod\tfchmodat\t#-100,0,1\tat"), true);
        Assert.Contains("        1 => sys_read(t),\n        2 => sys_open(t),\n", text, StringComparison.Ordinal);
        Assert.DoesNotContain("6 =>", text, StringComparison.Ordinal);
        Assert.Contains("Mm.PrepareWrite(t, I386Abi.Arg(t, 1), I386Abi.Arg(t, 2));\n        return (int)Host.BlockingCall(t, Lodge.Abi.Nr.read, (int)I386Abi.Arg(t, 0), I386Abi.Arg(t, 1), I386Abi.Arg(t, 2));", text, StringComparison.Ordinal);
        Assert.Contains("Mm.PrepareWrite(t, I386Abi.Arg(t, 1), I386Abi.Arg(t, 0) * 4);", text, StringComparison.Ordinal);
        Assert.Contains("(int)Host.Syscall(Lodge.Abi.Nr.fchmodat, -100, I386Abi.Arg(t, 0), I386Abi.Arg(t, 1));", text, StringComparison.Ordinal);
        Assert.Contains("sys_open(GuestThread* t, int nr = 2) => Unimplemented.Report(t, true, nr);", text, StringComparison.Ordinal);
        Assert.Contains("sys_io_setup(GuestThread* t, int nr = 4) => -Lodge.Abi.Errno.ENOSYS;", text, StringComparison.Ordinal);
    }

    [Fact]
    public void AThunkWithoutAMethodIsToDoInTheReport()
    {
        string map = "sys_chmod\tfchmodat\t#-100,0,1\tat";
        Assert.Equal(Disposition.Todo, Plan(map)[2].Kind);
        Assert.Contains("| 2 | `open` | to do | flags |", EmitCoverage.Report(Abi.I386, Plan(map)), StringComparison.Ordinal);
        Assert.Equal(Disposition.Thunk, Plan(map, "sys_open")[2].Kind);
        Assert.Contains("| 2 | `open` | thunk | `sys_open`: flags |", EmitCoverage.Report(Abi.I386, Plan(map, "sys_open")), StringComparison.Ordinal);
    }

    [Fact]
    public void AMethodForAPassedCallIsUsedAndNoted()
    {
        Assert.Equal(Disposition.Thunk, Plan("sys_chmod\tfchmodat\t#-100,0,1\tat", "sys_read")[1].Kind);
        Assert.Contains("sys_read exists", Assert.Single(_notes), StringComparison.Ordinal);
    }

    [Fact]
    public void APassedCallThatAHostLacksIsAQuestion()
    {
        Plan("");
        Assert.Contains("sys_chmod does not exist on arm64", Assert.Single(_questions.All), StringComparison.Ordinal);
    }

    [Fact]
    public void APassedCallWithACompatEntryMustSayWhy()
    {
        IReadOnlyList<SyscallRow> rows = SyscallTableFile.Parse("0\tread\tsys_read\tcompat_sys_read\t3\tfd:fd,buf:ptr,count:ulong");
        EmitDispatch.Plan(Abi.I386, rows, Dispositions.Parse("*\tread\tpass\t-\t-\tbytes"), new HostCalls(s_tables, ""), new Dictionary<string, string>(), new HashSet<string>(), _questions, _notes);
        Assert.Contains("although the kernel has compat_sys_read", Assert.Single(_questions.All), StringComparison.Ordinal);
        var calm = new OpenQuestions();
        EmitDispatch.Plan(Abi.I386, rows, Dispositions.Parse("*\tread\tpass\t-\t-\tcompat_sys_read is the same"), new HostCalls(s_tables, ""), new Dictionary<string, string>(), new HashSet<string>(), calm, _notes);
        Assert.Empty(calm.All);
    }

    [Fact]
    public void CallsAndRowsMustMatch()
    {
        var dispositions = Dispositions.Parse("*\tread\tpass\t-\t-\tx\n*\tgone\tpass\t-\t-\tx\n");
        var guests = new Dictionary<string, IReadOnlyList<SyscallRow>> { [Abi.I386] = s_tables[Abi.I386].Take(3).ToList() };
        Assert.Equal(["hand/dispositions.tsv: no table has * gone: remove the row", "i386 open (sys_open): pass, thunk or refused? (hand/dispositions.tsv)"],
            dispositions.Mismatches(guests).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("*\tread\tpass\t-\t-\t")]
    [InlineData("*\tread\tmaybe\t-\t-\tx")]
    [InlineData("*\tread\trefused\t-\t-\tx")]
    [InlineData("*\tread\tpass\tsometimes\t-\tx")]
    [InlineData("*\tread\tpass\t-\t1[b2]\tx")]
    [InlineData("mips\tread\tpass\t-\t-\tx")]
    [InlineData("*\tread\tpass\t-\t-\tx\n*\tread\tthunk\t-\t-\tx")]
    public void MalformedDispositionsAreRefused(string text) => Assert.Throws<FormatException>(() => Dispositions.Parse(text));

    [Fact]
    public void NumbersDependOnTheHost()
    {
        string text = EmitTables.Numbers(s_tables[Abi.X64], s_tables[Abi.Arm64]);
        Assert.Contains("#if ARM64\n    public const int read = 7;", text, StringComparison.Ordinal);
        Assert.Contains("#else\n    public const int read = 0;\n    public const int chmod = 1;", text, StringComparison.Ordinal);
    }
}
