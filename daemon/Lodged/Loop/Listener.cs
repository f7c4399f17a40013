using System;
using Lodge.Interop;
using Mono.Unix.Native;
using Serilog;

namespace Lodge.Service;

/// <summary>A listening socket. Takes a few connections per round, so that others get their turn.</summary>
internal sealed class Listener : IReadiness
{
    private const int PerRound = 64;
    private const long PauseMilliseconds = 100;

    private readonly EventLoop _loop;
    private readonly int _fd;
    private readonly Action<int> _accepted;
    private readonly ILogger _log;
    private long _resumeAt;

    /// <summary>
    /// Listens on <paramref name="fd"/>, which it owns, and gives every connection (non-blocking, close-on-exec) to <paramref name="accepted"/>.
    /// </summary>
    public Listener(EventLoop loop, int fd, Action<int> accepted, ILogger log)
    {
        _loop = loop;
        _fd = fd;
        _accepted = accepted;
        _log = log;
        if (loop.Add(fd, EpollBits.Readable, this) < 0)
        {
            throw new InvalidOperationException("a listening socket cannot be watched");
        }
    }

    /// <summary>Waits for descriptors to become free.</summary>
    public bool IsPaused => _resumeAt != 0;

    /// <inheritdoc/>
    public void OnReady(EpollBits bits)
    {
        for (int i = 0; i < PerRound && AcceptOne(); i++)
        {
        }
    }

    /// <summary>Goes on after a pause.</summary>
    public void Tick()
    {
        if (_resumeAt != 0 && EventLoop.Now >= _resumeAt)
        {
            _resumeAt = 0;
            _loop.Modify(_fd, EpollBits.Readable);
        }
    }

    /// <summary>Takes what still waits, then closes. Returns false when something was taken: somebody has just come.</summary>
    public bool TryRetire()
    {
        if (AcceptOne())
        {
            return false;
        }

        _loop.Close(_fd);
        return true;
    }

    /// <summary>Closes at once.</summary>
    public void Close() => _loop.Close(_fd);

    private bool AcceptOne()
    {
        int fd = Syscall.accept4(_fd, null, UnixSocketFlags.SOCK_CLOEXEC | UnixSocketFlags.SOCK_NONBLOCK);
        if (fd >= 0)
        {
            _accepted(fd);
            return true;
        }

        Errno errno = Stdlib.GetLastError();
        if (errno is Errno.EMFILE or Errno.ENFILE or Errno.ENOMEM or Errno.ENOBUFS)
        {
            // The queue keeps the socket readable; without a pause the loop would spin.
            _log.Warning("No more connections for the moment: {Reason}", Stdlib.strerror(errno));
            _resumeAt = EventLoop.Now + PauseMilliseconds;
            _loop.Modify(_fd, EpollBits.None);
        }

        return errno is Errno.ECONNABORTED or Errno.EINTR;
    }
}
