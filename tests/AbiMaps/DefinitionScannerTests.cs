using System.Linq;
using Xunit;

namespace Lodge.AbiMaps.Tests;

public class DefinitionScannerTests
{
    private const string PairMacro = "#ifdef BIG\n#define arg64_dual(name)\tu32, name##_hi, u32, name##_lo\n#else\n#define arg64_dual(name)\tu32, name##_lo, u32, name##_hi\n#define arg64(name) u32  name##_lo, u32  name##_hi\n#endif\n";

    [Fact]
    public void ReadsMacroDefinitionsOverSeveralLinesAndComments()
    {
        var found = DefinitionScanner.Scan("""
            /* SYSCALL_DEFINE1(not_this, int, x) */
            SYSCALL_DEFINE3(thing, unsigned int, fd, /* what */ const char __user *, name,
            		struct stat __user *, buf)
            { return 0; }
            SYSCALL_DEFINE0(nothing)
            COMPAT_SYSCALL_DEFINE2(thing, int, a, compat_uptr_t, p)
            """, "x.c", "").ToList();
        Assert.Equal(["sys_thing", "sys_nothing", "compat_sys_thing"], found.Select(d => d.Entry));
        Assert.Equal([new Parameter("unsigned int", "fd"), new Parameter("const char *", "name"), new Parameter("struct stat *", "buf")], found[0].Parameters!);
        Assert.Empty(found[1].Parameters!);
    }

    [Fact]
    public void ExpandsHalvesOfLongArguments()
    {
        var found = DefinitionScanner.Scan("COMPAT_SYSCALL_DEFINE3(cut, int, fd, arg64_dual(length))\n", "x.c", PairMacro).Single();
        Assert.Equal(["fd", "length_lo", "length_hi"], found.Parameters!.Select(p => p.Name));
        var prototype = DefinitionScanner.Scan("asmlinkage long compat_sys_cut(int fd, arg64(length));", "x.h", PairMacro).Single();
        Assert.True(prototype.IsPrototype);
        Assert.Equal(["fd", "length_lo", "length_hi"], prototype.Parameters!.Select(p => p.Name));
    }

    [Fact]
    public void AMacroWithTheWrongNumberOfPartsHasNoParameters() =>
        Assert.Null(DefinitionScanner.Scan("SYSCALL_DEFINE2(odd, int, a, MYSTERY)\n", "x.c", "").Single().Parameters);

    [Fact]
    public void ReadsPrototypesWithAndWithoutNames()
    {
        var found = DefinitionScanner.Scan("asmlinkage long sys_a(unsigned long, int __user *p, unsigned int);\nasmlinkage long sys_b(void);", "x.h", "").ToList();
        Assert.Equal([new Parameter("unsigned long", "arg0"), new Parameter("int *", "p"), new Parameter("unsigned int", "arg2")], found[0].Parameters!);
        Assert.Empty(found[1].Parameters!);
    }
}
