using System;
using System.Linq;
using Xunit;

namespace Lodge.AbiMaps.Tests;

public class KernelTableTests
{
    [Fact]
    public void ParsesColumnsCommentsAndDashes()
    {
        var lines = KernelTable.Parse("""
            # a comment
            0	i386	restart_syscall		sys_restart_syscall
            1	i386	exit			sys_exit			-			noreturn
            17	i386	break
            19 	i386	lseek	sys_lseek	compat_sys_lseek # trailing
            """);
        Assert.Equal(4, lines.Count);
        Assert.Equal(new TableLine(0, "i386", "restart_syscall", "sys_restart_syscall", null), lines[0]);
        Assert.Equal(new TableLine(1, "i386", "exit", "sys_exit", null), lines[1]);
        Assert.Equal(new TableLine(17, "i386", "break", null, null), lines[2]);
        Assert.Equal("compat_sys_lseek", lines[3].Compat);
    }

    [Theory]
    [InlineData("x i386 exit sys_exit")]
    [InlineData("1 i386")]
    public void RefusesOtherLines(string line) => Assert.Throws<FormatException>(() => KernelTable.Parse(line));

    [Fact]
    public void SelectTakesTheRightAbisInOrder()
    {
        var lines = KernelTable.Parse("4 64 io_getevents sys_io_getevents\n4 time32 io_getevents sys_io_getevents_time32\n0 common io_setup sys_io_setup");
        var selected = KernelTable.Select(lines, "common", "64");
        Assert.Equal([0, 4], selected.Select(l => l.Number));
        Assert.Equal("sys_io_getevents", selected[1].Entry);
        Assert.Throws<FormatException>(() => KernelTable.Select(lines, "64", "time32"));
    }

    [Fact]
    public void ArmTakesCompatEntriesFromArm64AndDropsOldAbiEntries()
    {
        var native = KernelTable.Parse("5 common open sys_open\n13 oabi time sys_time32\n192 common mmap2 sys_mmap2");
        var compat = KernelTable.Parse("5 common open sys_open compat_sys_open\n192 common mmap2 sys_mmap2 compat_sys_aarch32_mmap2");
        var merged = KernelTable.MergeArm(native, compat, "#define __ARM_NR_BASE (x)\n#define __ARM_NR_set_tls\t\t(__ARM_NR_BASE+5)\n");
        Assert.Equal([5, 13, 192, 0xf0005], merged.Select(l => l.Number));
        Assert.Equal("compat_sys_open", merged[0].Compat);
        Assert.Null(merged[1].Entry);
        Assert.Equal("__ARM_NR_set_tls", merged[3].Entry);
    }
}
