using System;
using System.Collections.Generic;
using Xunit;

namespace Lodge.AbiMaps.Tests;

public class ConstantTests
{
    [Fact]
    public void NamesLeaveOutBuiltinsGuardsAndFunctions() => Assert.Equal(["A", "B"], ConstantTable.Names(
        "#define B 2\n#define A 1\n#define _GUARD_H \n#define __linux__ 1\n#define F(x) x\n#define __NR_read 3\n", "#define __linux__ 1\n"));

    [Fact]
    public void OnlyDifferencesAreKept()
    {
        IReadOnlyDictionary<string, Int128> Values(Int128 infinity, bool extra)
        {
            var values = new Dictionary<string, Int128> { ["SAME"] = 5, ["INFINITY"] = infinity };
            if (extra)
            {
                values["ONLY_X86"] = 64;
            }
            return values;
        }

        string text = ConstantTable.Format(new Dictionary<string, IReadOnlyDictionary<string, Int128>>
        {
            [Abi.I386] = Values(uint.MaxValue, true),
            [Abi.Arm] = Values(uint.MaxValue, false),
            [Abi.X64] = Values(ulong.MaxValue, true),
            [Abi.Arm64] = Values(ulong.MaxValue, false),
        });
        Assert.EndsWith("INFINITY\t4294967295\t4294967295\t18446744073709551615\t18446744073709551615\nONLY_X86\t64\t-\t64\t-\n", text, StringComparison.Ordinal);
        string code = ConstantTable.Emit(Tsv.Parse(text));
        Assert.Contains("namespace Lodge.Abi.I386\n{\n    /// <summary>Constants of i386.</summary>\n    public static class Constants\n    {\n        public const uint INFINITY = 0xffffffff;\n        public const int ONLY_X86 = 64;", code, StringComparison.Ordinal);
        Assert.Contains("#else\n        public const ulong INFINITY = 0xffffffffffffffff;", code, StringComparison.Ordinal);
    }

    [Fact]
    public void ErrorNumbersFollowAliases()
    {
        var values = ErrnoTable.Parse("#define\tEAGAIN\t\t11\t/* Try again */\n#define\tEWOULDBLOCK\tEAGAIN\n#define ERESTARTSYS\t512\n#define _X_ERRNO_H\n");
        Assert.Equal([("EAGAIN", 11), ("EWOULDBLOCK", 11), ("ERESTARTSYS", 512)], values);
    }
}
