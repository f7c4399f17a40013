using System.Linq;
using Xunit;

namespace Lodge.AbiMaps.Tests;

public class ArgumentRulesTests
{
    private static string Kinds(string abi, params (string Type, string Name)[] parameters)
    {
        var registers = ArgumentRules.Registers(abi, parameters.Select(p => new Parameter(p.Type, p.Name)).ToList(), out string unknown);
        return registers is null ? "unknown " + unknown : SyscallTableFile.FormatArguments(registers);
    }

    [Fact]
    public void LongValuesTakeTwoRegistersEvenOnesOnArm()
    {
        var parameters = new[] { ("unsigned int", "fd"), ("char *", "buf"), ("size_t", "count"), ("loff_t", "pos") };
        Assert.Equal("fd:fd,buf:ptr,count:ulong,pos_lo:lo,pos_hi:hi", Kinds(Abi.I386, parameters));
        Assert.Equal("fd:fd,buf:ptr,count:ulong,pad:pad,pos_lo:lo,pos_hi:hi", Kinds(Abi.Arm, parameters));
        Assert.Equal("fd:fd,buf:ptr,count:ulong,pos:long64", Kinds(Abi.X64, parameters));
    }

    [Fact]
    public void AnAlreadyEvenPairHasNoPadding() =>
        Assert.Equal("fd:fd,mode:int,offset_lo:lo,offset_hi:hi,len_lo:lo,len_hi:hi", Kinds(Abi.Arm, ("int", "fd"), ("int", "mode"), ("loff_t", "offset"), ("loff_t", "len")));

    [Fact]
    public void NamedHalvesAreRecognisedOnlyInPairs()
    {
        Assert.Equal("fd:fd,offset_high:hi,offset_low:lo", Kinds(Abi.I386, ("unsigned int", "fd"), ("unsigned long", "offset_high"), ("unsigned long", "offset_low")));
        Assert.Equal("poslo:lo,poshi:hi", Kinds(Abi.I386, ("u32", "poslo"), ("u32", "poshi")));
        Assert.Equal("fd:fd,val:ulong", Kinds(Abi.I386, ("int", "fd"), ("unsigned long", "val")));
        Assert.Equal("low:ulong,other:ulong", Kinds(Abi.I386, ("unsigned long", "low"), ("unsigned long", "other")));
        Assert.Equal("pos_l:ulong,pos_h:ulong", Kinds(Abi.X64, ("unsigned long", "pos_l"), ("unsigned long", "pos_h")));
    }

    [Fact]
    public void TextIsToldFromBuffers()
    {
        Assert.Equal("filename:str,mode:uint", Kinds(Abi.I386, ("const char *", "filename"), ("umode_t", "mode")));
        Assert.Equal("fd:fd,buf:ptr,count:ulong", Kinds(Abi.I386, ("unsigned int", "fd"), ("const char *", "buf"), ("size_t", "count")));
    }

    [Theory]
    [InlineData("int", "dfd", "fd")]
    [InlineData("unsigned int", "fd_in", "fd")]
    [InlineData("int", "flags", "int")]
    [InlineData("pid_t", "pid", "int")]
    [InlineData("uid_t", "uid", "uint")]
    [InlineData("unsigned long", "addr", "ulong")]
    [InlineData("long", "nr", "long")]
    [InlineData("compat_uptr_t", "ptr", "ptr")]
    [InlineData("const clockid_t", "which", "int")]
    public void KindsOfSingleParameters(string type, string name, string kind) => Assert.Equal($"{name}:{kind}", Kinds(Abi.I386, (type, name)));

    [Fact]
    public void AnUnknownTypeIsReported() => Assert.Equal("unknown struct odd", Kinds(Abi.I386, ("int", "a"), ("struct odd", "b")));
}
