using System;
using System.ComponentModel;
using System.Diagnostics;
using System.IO;
using Lodge.Interop;

namespace Lodge.Cli.Binfmt;

/// <summary>What a probe found out.</summary>
internal enum Native
{
    /// <summary>The kernel refuses such programs, or they die at their first system call.</summary>
    No,
    /// <summary>The kernel runs such programs itself.</summary>
    Yes,
    /// <summary>The probe could not be made.</summary>
    Unknown,
}

/// <summary>
/// Does the kernel run 32-bit programs of a kind itself? Found out by executing one: exit(42) in 96 bytes, from a memfd. Nothing that
/// binfmt_misc says gets in the way: the probe has a byte set in the padding of its ELF identification, which the kernel's own loader
/// ignores and every entry's mask checks.
/// </summary>
internal static class NativeSupport
{
    private const int Answer = 42, HeaderSize = 0x34, SegmentSize = 0x20;
    private const uint Base = 0x10000, MemfdExecutable = 0x10;

    // mov eax, 1; mov ebx, 42; int 0x80
    private static readonly byte[] s_i386 = [0xb8, 1, 0, 0, 0, 0xbb, Answer, 0, 0, 0, 0xcd, 0x80];

    // mov r7, #1; mov r0, #42; svc #0
    private static readonly byte[] s_arm = [1, 0x70, 0xa0, 0xe3, Answer, 0, 0xa0, 0xe3, 0, 0, 0, 0xef];

    /// <summary>Executes the probe for a format.</summary>
    public static Native Probe(BinfmtFormat format)
    {
        int fd = LinuxCalls.memfd_create("lodge-probe", LinuxCalls.MFD_CLOEXEC | MemfdExecutable);
        if (fd < 0)
        {
            // Before Linux 6.3 there is no such flag, and memfds are executable.
            fd = LinuxCalls.memfd_create("lodge-probe", LinuxCalls.MFD_CLOEXEC);
        }

        if (fd < 0)
        {
            return Native.Unknown;
        }

        using FileStream file = new(new Microsoft.Win32.SafeHandles.SafeFileHandle(fd, ownsHandle: true), FileAccess.Write, 1);
        file.Write(Program(format));
        file.Flush();
        return Execute($"/proc/self/fd/{fd}");
    }

    /// <summary>The probe's bytes: an ELF header, one segment, code.</summary>
    public static byte[] Program(BinfmtFormat format)
    {
        byte[] code = format.Guest == "arm" ? s_arm : s_i386;
        uint size = (uint)(HeaderSize + SegmentSize + code.Length);
        using MemoryStream image = new();
        using BinaryWriter writer = new(image);
        writer.Write([0x7f, (byte)'E', (byte)'L', (byte)'F', 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, (byte)'L']);
        writer.Write((ushort)2);
        writer.Write(format.Machine);
        foreach (uint word in (ReadOnlySpan<uint>)[1, Base + HeaderSize + SegmentSize, HeaderSize, 0, format.Guest == "arm" ? 0x05000000u : 0])
        {
            writer.Write(word);
        }

        foreach (ushort half in (ReadOnlySpan<ushort>)[HeaderSize, SegmentSize, 1, 0, 0, 0])
        {
            writer.Write(half);
        }

        // PT_LOAD, readable and executable
        foreach (uint word in (ReadOnlySpan<uint>)[1, 0, Base, Base, size, size, 5, 0x1000])
        {
            writer.Write(word);
        }

        writer.Write(code);
        return image.ToArray();
    }

    private static Native Execute(string path)
    {
        try
        {
            using Process? child = Process.Start(new ProcessStartInfo(path) { UseShellExecute = false });
            if (child == null || !child.WaitForExit(2000))
            {
                child?.Kill();
                return Native.Unknown;
            }

            return child.ExitCode == Answer ? Native.Yes : Native.No;
        }
        catch (Win32Exception refused)
        {
            const int ENOEXEC = 8;
            return refused.NativeErrorCode == ENOEXEC ? Native.No : Native.Unknown;
        }
    }
}
