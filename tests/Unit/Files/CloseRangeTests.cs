using System;
using Lodge.Abi;
using Lodge.Shim;
using Xunit;

namespace Lodge.UnitTests.Files;

/// <summary>Descriptors of the shim's own. Alone: close_range closes what other tests have open among the highest numbers.</summary>
[Collection(nameof(Alone))]
public sealed unsafe class CloseRangeTests : IDisposable
{
    private readonly GuestCalls guest = new();

    public void Dispose() => guest.Dispose();

    [Fact]
    public void Our_own_descriptors_survive_the_guest()
    {
        int fd = guest.Open("f");
        int ours = HiddenFiles.AdoptCopy(guest.T->Files, HiddenFile.Trace, fd);
        Assert.True(ours > fd);
        Assert.Equal(FileConstants.F_GETFD + 0, 1);
        Assert.Equal(1, (int)Host.Syscall(Nr.fcntl, ours, FileConstants.F_GETFD));
        Assert.Equal(-Errno.EBADF, guest.I386(&Syscalls<I386Abi>.sys_close, (uint)ours));
        Assert.Equal(-Errno.EBADF, guest.I386(&Syscalls<I386Abi>.sys_fcntl64, (uint)ours, FileConstants.F_GETFD));
        Assert.Equal(0, guest.I386(&Syscalls<I386Abi>.sys_close_range, (uint)ours - 1, uint.MaxValue, 0));
        Assert.Equal(1, (int)Host.Syscall(Nr.fcntl, ours, FileConstants.F_GETFD));
        Assert.Equal(ours, guest.I386(&Syscalls<I386Abi>.sys_dup2, (uint)fd, (uint)ours));
        int moved = FilesStruct.GetHidden(guest.T->Files, HiddenFile.Trace);
        Assert.NotEqual(ours, moved);
        Assert.Equal(1, (int)Host.Syscall(Nr.fcntl, moved, FileConstants.F_GETFD));
        guest.Close(ours);
        guest.Close(fd);
    }
}
