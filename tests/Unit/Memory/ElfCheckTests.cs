using System;
using System.IO;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using System.Text;
using Lodge.Abi;
using Lodge.Shim;
using Xunit;

namespace Lodge.UnitTests.Memory;

/// <summary>Files that must be refused before the old program is gone, with the error that the kernel gives (fs/binfmt_elf.c).</summary>
[SupportedOSPlatform("linux")]
public sealed class ElfCheckTests : IDisposable
{
    private const int HeaderSize = 52, SegmentSize = 32;
    private const uint PtLoad = 1, PtInterp = 3;
    private readonly string _path = Path.GetTempFileName();

    public void Dispose() => File.Delete(_path);

    /// <summary>A small i386 program: one segment, then whatever the test adds.</summary>
    private static byte[] Program(params (uint Type, uint Offset, uint FileSize)[] more)
    {
        byte[] file = new byte[4096];
        ReadOnlySpan<byte> ident = [0x7F, 0x45, 0x4C, 0x46, 1, 1, 1];
        ident.CopyTo(file);
        Set16(file, 16, 2);
        Set16(file, 18, 3);
        Set32(file, 24, 0x08048000);
        Set32(file, 28, HeaderSize);
        Set16(file, 42, SegmentSize);
        Set16(file, 44, (ushort)(more.Length + 1));
        Segment(file, 0, PtLoad, 0, 4096);
        for (int i = 0; i < more.Length; i++)
        {
            Segment(file, i + 1, more[i].Type, more[i].Offset, more[i].FileSize);
        }

        return file;
    }

    private static void Segment(byte[] file, int index, uint type, uint offset, uint size)
    {
        int at = HeaderSize + (index * SegmentSize);
        Set32(file, at, type);
        Set32(file, at + 4, offset);
        Set32(file, at + 8, 0x08048000 + offset);
        Set32(file, at + 16, size);
        Set32(file, at + 20, size);
        Set32(file, at + 24, 5);
    }

    private static void Set16(byte[] file, int at, ushort value) => BitConverter.TryWriteBytes(file.AsSpan(at), value);

    private static void Set32(byte[] file, int at, uint value) => BitConverter.TryWriteBytes(file.AsSpan(at), value);

    private static byte[] Interpreted(string interpreter, uint extra = 1)
    {
        byte[] file = Program((PtInterp, 1024, (uint)interpreter.Length + extra));
        Encoding.ASCII.GetBytes(interpreter).CopyTo(file, 1024);
        return file;
    }

    private int Check(byte[] file)
    {
        File.WriteAllBytes(_path, file);
        using var handle = File.OpenHandle(_path);
        return Loader.Check((int)handle.DangerousGetHandle(), false);
    }

    [Fact]
    public void GoodFileIsAccepted() => Assert.Equal(0, Check(Program()));

    [Theory]
    [InlineData(0, 0x7E)] // magic
    [InlineData(16, 1)] // ET_REL
    [InlineData(16, 4)] // ET_CORE
    [InlineData(18, 62)] // x86-64
    [InlineData(18, 40)] // ARM
    [InlineData(42, 56)] // e_phentsize
    [InlineData(44, 0)] // no program headers
    public void ForeignHeadersAreEnoexec(int at, byte value)
    {
        byte[] file = Program();
        file[at] = value;
        Assert.Equal(-Errno.ENOEXEC, Check(file));
    }

    [Theory]
    [InlineData(4)] // EI_CLASS: not looked at for the right machine
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(40)] // e_ehsize
    public void FieldsThatTheKernelIgnores(int at)
    {
        byte[] file = Program();
        file[at] = 0x55;
        Assert.Equal(0, Check(file));
    }

    [Fact]
    public void TooManyHeaders()
    {
        byte[] file = Program();
        Set16(file, 44, 2049);
        Array.Resize(ref file, 1 << 20);
        Assert.Equal(-Errno.ENOEXEC, Check(file));
        Set16(file, 44, 2048);
        Assert.Equal(0, Check(file));
    }

    [Theory]
    [InlineData(0u)]
    [InlineData(4090u)]
    [InlineData(0xFFFFFFF0u)]
    public void HeadersOutsideTheFile(uint offset)
    {
        byte[] file = Program();
        Set32(file, 28, offset);
        // Offset 0 reads the header itself as segments: nothing there looks like PT_INTERP, so that is a program without segments.
        Assert.Equal(offset == 0 ? 0 : -Errno.ENOEXEC, Check(file));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(51)]
    [InlineData(60)]
    public void TruncatedFiles(int length) => Assert.Equal(-Errno.ENOEXEC, Check(Program()[..length]));

    [Fact]
    public void InterpreterPathsAreChecked()
    {
        Assert.Equal(-Errno.ENOEXEC, Check(Program((PtInterp, 1024, 1))));
        Assert.Equal(-Errno.ENOEXEC, Check(Program((PtInterp, 1024, 4097))));
        Assert.Equal(-Errno.ENOEXEC, Check(Interpreted("/lib/ld.so", 0)));
        Assert.Equal(-Errno.EIO, Check(Program((PtInterp, 4000, 200))));
        Assert.Equal(-Errno.ENOENT, Check(Interpreted("/nonexistent/ld.so")));
        Assert.Equal(-Errno.ENOTDIR, Check(Interpreted("/etc/passwd/ld.so")));
        Assert.Equal(-Errno.EACCES, Check(Interpreted("/etc")));
        Assert.Equal(-Errno.EACCES, Check(Interpreted("/etc/passwd")));
    }

    [Fact]
    public void InterpretersOfAnotherKindAreElibbad()
    {
        Assert.Equal(-Errno.ELIBBAD, Check(Interpreted("/bin/true")));
        string script = Path.GetTempFileName();
        try
        {
            File.WriteAllText(script, "#!/bin/sh\n" + new string(' ', 100));
            File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserExecute);
            Assert.Equal(-Errno.ELIBBAD, Check(Interpreted(script)));
            File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            File.WriteAllText(script, "short");
            Assert.Equal(-Errno.EIO, Check(Interpreted(script)));
        }
        finally
        {
            File.Delete(script);
        }
    }

    [Fact]
    public void StructuresHaveTheFilesLayout()
    {
        Assert.Equal(HeaderSize, Marshal.SizeOf<Elf32_Ehdr>());
        Assert.Equal(SegmentSize, Marshal.SizeOf<Elf32_Phdr>());
    }
}
