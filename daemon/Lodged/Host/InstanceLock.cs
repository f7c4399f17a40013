using System;
using Lodge.Interop;
using Mono.Unix.Native;

namespace Lodge.Service;

/// <summary>One service per state directory. The kernel gives the lock back when the process ends, however it ends.</summary>
internal sealed class InstanceLock : IDisposable
{
    private readonly int _fd;

    /// <summary>Takes the lock, or throws <see cref="StartException"/>.</summary>
    public InstanceLock(string path)
    {
        _fd = Syscall.open(path, OpenFlags.O_RDWR | OpenFlags.O_CREAT | OpenFlags.O_CLOEXEC | OpenFlags.O_NOFOLLOW,
            FilePermissions.S_IRUSR | FilePermissions.S_IWUSR);
        if (_fd < 0)
        {
            throw new StartException(ExitStatus.Failure, $"{path}: {Stdlib.strerror(Stdlib.GetLastError())}");
        }

        if (LinuxCalls.flock(_fd, LinuxCalls.LOCK_EX_NB) < 0)
        {
            _ = Syscall.close(_fd);
            throw new StartException(ExitStatus.AlreadyRunning, $"another lodged holds {path}");
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _ = Syscall.close(_fd);
}
