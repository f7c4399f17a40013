using System.Diagnostics;
using System.IO;
using Lodge.Interop;
using Lodge.Service;
using Microsoft.Win32.SafeHandles;
using Mono.Unix.Native;
using Xunit;

namespace Lodge.DaemonTests;

/// <summary>The system calls that Mono.Posix lacks. Alone: a program that another test starts holds our descriptors, and so our lock, until its execve.</summary>
[Collection(nameof(Alone))]
public class InteropTests
{
    [Fact]
    public void APidfdShowsTheEndAndItsStatus()
    {
        using Process process = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", "read line; exit 5"]) { RedirectStandardInput = true })!;
        using Epoll epoll = new();
        int pidfd = LinuxCalls.pidfd_open(process.Id, 0);
        Assert.True(pidfd >= 0);
        Assert.Equal(0, epoll.Add(pidfd, EpollBits.Readable, 0x1234_5678_9abc_def0));
        Assert.Equal(0, epoll.Wait(0));
        Assert.False(LinuxCalls.TryGetExitStatus(pidfd, out _));
        process.StandardInput.Close();
        Assert.Equal(1, epoll.Wait(30_000));
        Assert.Equal(0x1234_5678_9abc_def0ul, epoll[0].Data);
        Assert.NotEqual(EpollBits.None, epoll[0].Bits & EpollBits.Readable);
        process.WaitForExit();
        if (LinuxCalls.TryGetExitStatus(pidfd, out int status))
        {
            Assert.Equal(5 << 8, status);
        }

        _ = Syscall.close(pidfd);
        Assert.Equal(-3, LinuxCalls.pidfd_open(int.MaxValue, 0));
    }

    [Fact]
    public void AMemfdIsAFileWithoutAName()
    {
        using SafeFileHandle file = new(LinuxCalls.memfd_create("test", LinuxCalls.MFD_CLOEXEC), ownsHandle: true);
        RandomAccess.Write(file, "abc"u8, 0);
        Assert.Equal(3, RandomAccess.GetLength(file));
    }

    [Fact]
    public void ALockIsHeldOnce()
    {
        string path = Path.GetTempFileName();
        const OpenFlags Flags = OpenFlags.O_RDWR | OpenFlags.O_CLOEXEC;
        int one = Syscall.open(path, Flags), two = Syscall.open(path, Flags);
        Assert.Equal(0, LinuxCalls.flock(one, LinuxCalls.LOCK_EX_NB));
        Assert.Equal(-11, LinuxCalls.flock(two, LinuxCalls.LOCK_EX_NB));
        _ = Syscall.close(one);
        Assert.Equal(0, LinuxCalls.flock(two, LinuxCalls.LOCK_EX_NB));
        _ = Syscall.close(two);
        File.Delete(path);
    }

    [Fact]
    public void DescriptorLimitsAgree()
    {
        Assert.Equal(LinuxCalls.RaiseDescriptorLimit(), DescriptorLimit.FromProc());
        Assert.Equal(1024, DescriptorLimit.Parse("Max processes 1 2\n"));
    }
}
