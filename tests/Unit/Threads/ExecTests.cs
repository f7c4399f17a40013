using System;
using System.Text;
using Lodge.Shim;
using Xunit;

namespace Lodge.UnitTests.Threads;

/// <summary>Script heads and exec records.</summary>
public unsafe class ExecTests
{
    private static string Parse(string head)
    {
        byte* buffer = stackalloc byte[Script.HeadSize];
        new Span<byte>(buffer, Script.HeadSize).Clear();
        byte[] bytes = Encoding.Latin1.GetBytes(head);
        bytes.AsSpan(0, Math.Min(bytes.Length, Script.HeadSize)).CopyTo(new Span<byte>(buffer, Script.HeadSize));
        if (!Script.Parse(buffer, out Script script))
        {
            return "ENOEXEC";
        }

        return Text(script.Interpreter) + (script.Argument != null ? "|" + Text(script.Argument) : "");
    }

    private static string Text(byte* text) => new((sbyte*)text);

    [Theory]
    [InlineData("#!/bin/sh\n", "/bin/sh")]
    [InlineData("#! \t/bin/sh\n", "/bin/sh")]
    [InlineData("#!/bin/sh  \t \nexit", "/bin/sh")]
    [InlineData("#!/usr/bin/env  perl -w \t\n", "/usr/bin/env|perl -w")]
    [InlineData("#!/bin/sh -e -u\n-x", "/bin/sh|-e -u")]
    [InlineData("#!/bin/sh", "/bin/sh")]
    [InlineData("#!/bin/sh -x", "/bin/sh|-x")]
    [InlineData("#!\n", "ENOEXEC")]
    [InlineData("#!   \n/bin/sh", "ENOEXEC")]
    [InlineData("#", "ENOEXEC")]
    [InlineData("/bin/sh\n", "ENOEXEC")]
    public void Heads(string head, string expected) => Assert.Equal(expected, Parse(head));

    [Fact]
    public void ANameThatMayBeCutOffIsRefused()
    {
        Assert.Equal("ENOEXEC", Parse("#!/" + new string('x', 300)));
        Assert.Equal("/" + new string('x', 240) + "|" + new string('y', 11), Parse("#!/" + new string('x', 240) + " " + new string('y', 300)));
    }

    [Theory]
    [InlineData(3, 1024, true, 1025, false, false)]
    [InlineData(0, 7, false, 0, true, true)]
    [InlineData(1048576, 10, true, 2, true, false)]
    [InlineData(int.MaxValue, int.MaxValue, true, int.MaxValue, true, true)]
    public void RecordsComeBack(int program, int image, bool trace, int traceFd, bool name, bool statistics)
    {
        byte* text = stackalloc byte[ExecRecord.MaxLength];
        ExecRecord written = new() { Program = program, Image = image, Trace = trace, TraceFd = traceFd, NameFromFile = name, Statistics = statistics, TraceTimes = statistics, Binfmt = name };
        ExecRecord.Write(text, written, default);
        Assert.True(ExecRecord.Parse(text, out ExecRecord record));
        Assert.Equal((program, image, trace, traceFd, name), (record.Program, record.Image, record.Trace, record.TraceFd, record.NameFromFile));
        Assert.Equal((statistics, statistics, name), (record.Statistics, record.TraceTimes, record.Binfmt));
    }

    [Theory]
    [InlineData(ulong.MaxValue, ulong.MaxValue)]
    [InlineData(0ul, ulong.MaxValue)]
    [InlineData(ulong.MaxValue, 500_000_000ul)]
    [InlineData(ulong.MaxValue - 1, 1ul << 40)]
    public void HardLimitsComeBack(ulong addressSpace, ulong data)
    {
        byte* text = stackalloc byte[ExecRecord.MaxLength];
        ExecRecord written = new() { Program = int.MaxValue, Image = int.MaxValue, Trace = true, TraceFd = int.MaxValue, AddressSpaceMax = addressSpace, DataMax = data };
        ExecRecord.Write(text, written, default);
        Assert.True(ExecRecord.Parse(text, out ExecRecord record));
        Assert.Equal((int.MaxValue, addressSpace, data), (record.TraceFd, record.AddressSpaceMax, record.DataMax));
    }

    [Theory]
    [InlineData("3,4")]
    [InlineData("3;4,0")]
    [InlineData("3,4,0")]
    [InlineData("3,4,0,2x")]
    [InlineData("3,4,0,2,0,0x")]
    public void OtherTextIsNoRecord(string text)
    {
        fixed (byte* bytes = Encoding.ASCII.GetBytes(text + "\0"))
        {
            Assert.False(ExecRecord.Parse(bytes, out _));
        }
    }

    [Theory]
    [InlineData(1, 1, 3, ExecKind.I386)]
    [InlineData(1, 1, 6, ExecKind.I386)]
    [InlineData(2, 1, 62, ExecKind.Host)]
    [InlineData(1, 2, 3, ExecKind.I386)]
    [InlineData(2, 1, 3, ExecKind.I386)]
    [InlineData(1, 1, 40, ExecKind.Host)]
    public void Programs(byte elfClass, byte data, ushort machine, ExecKind kind)
    {
        byte* head = stackalloc byte[Script.HeadSize];
        new Span<byte>(head, Script.HeadSize).Clear();
        *(uint*)head = 0x464c457f;
        head[4] = elfClass;
        head[5] = data;
        *(ushort*)(head + 18) = machine;
        Assert.Equal(kind, ExecTarget.Classify(head));
    }
}
