using System;
using System.Collections.Concurrent;
using System.Diagnostics;
using Lodge.Interop;
using Mono.Unix.Native;

namespace Lodge.Service;

/// <summary>Something that a descriptor's readiness is told to, on the loop's thread.</summary>
internal interface IReadiness
{
    /// <summary>The descriptor is ready. It may be closed and forgotten in here.</summary>
    void OnReady(EpollBits bits);
}

/// <summary>
/// One thread, one epoll: everything that the service does happens in here, except writing the log and compiling the configuration.
/// All members are for the loop's thread, but <see cref="Post"/> and <see cref="Stop"/>.
/// </summary>
internal sealed class EventLoop : IDisposable
{
    private const int TickMilliseconds = 250;

    private readonly Epoll _epoll = new();
    private readonly int _wake;
    private readonly ConcurrentQueue<Action> _posted = new();
    private IReadiness?[] _handlers = new IReadiness?[1024];
    private uint[] _generations = new uint[1024];
    private volatile bool _stopping;

    public EventLoop()
    {
        _wake = LinuxCalls.eventfd();
        if (_wake < 0 || _epoll.Add(_wake, EpollBits.Readable, (ulong)_wake) < 0)
        {
            throw new InvalidOperationException("no eventfd");
        }
    }

    /// <summary>Called after every round of events: flush what the round has gathered.</summary>
    public Action RoundEnd { get; set; } = static () => { };

    /// <summary>Called a few times a second while <see cref="NeedsTicks"/> says so, and whenever <see cref="NextDeadline"/> has passed.</summary>
    public Action Tick { get; set; } = static () => { };

    /// <summary>Are there deadlines that want looking at every quarter of a second?</summary>
    public Func<bool> NeedsTicks { get; set; } = static () => false;

    /// <summary>Milliseconds until the next thing to do without an event, or -1.</summary>
    public Func<long> NextDeadline { get; set; } = static () => -1;

    /// <summary>Milliseconds on a clock that only goes forward.</summary>
    public static long Now => Stopwatch.GetTimestamp() / (Stopwatch.Frequency / 1000);

    /// <summary>Watches a descriptor. 0 or -errno.</summary>
    public int Add(int fd, EpollBits bits, IReadiness handler)
    {
        if (fd >= _handlers.Length)
        {
            int size = Math.Max(fd + 1, _handlers.Length * 2);
            Array.Resize(ref _handlers, size);
            Array.Resize(ref _generations, size);
        }

        int result = _epoll.Add(fd, bits, Key(fd, ++_generations[fd]));
        _handlers[fd] = result < 0 ? null : handler;
        return result;
    }

    /// <summary>Changes what is watched of a descriptor; nothing happens when it is not watched.</summary>
    public void Modify(int fd, EpollBits bits)
    {
        if (fd < _handlers.Length && _handlers[fd] != null)
        {
            _ = _epoll.Modify(fd, bits, Key(fd, _generations[fd]));
        }
    }

    /// <summary>Has a watched descriptor's readiness told to somebody else.</summary>
    public void Rebind(int fd, IReadiness handler) => _handlers[fd] = handler;

    /// <summary>Stops watching a descriptor, and closes it.</summary>
    public void Close(int fd)
    {
        if (fd < _handlers.Length && _handlers[fd] != null)
        {
            _handlers[fd] = null;
            _generations[fd]++;
            _ = _epoll.Remove(fd);
        }

        _ = Syscall.close(fd);
    }

    /// <summary>Has something done on the loop's thread. Any thread.</summary>
    public void Post(Action action)
    {
        _posted.Enqueue(action);
        LinuxCalls.SignalEventfd(_wake);
    }

    /// <summary>Ends <see cref="Run"/> after the current round. Any thread.</summary>
    public void Stop()
    {
        _stopping = true;
        LinuxCalls.SignalEventfd(_wake);
    }

    /// <summary>Runs until <see cref="Stop"/>.</summary>
    public void Run()
    {
        long lastTick = Now;
        while (!_stopping)
        {
            int count = _epoll.Wait(Timeout());
            for (int i = 0; i < count; i++)
            {
                (EpollBits bits, ulong data) = _epoll[i];
                int fd = (int)(uint)data;
                if (fd == _wake)
                {
                    LinuxCalls.ClearEventfd(_wake);
                    continue;
                }

                // An event of a descriptor that was closed earlier in this round, and perhaps opened anew, is nobody's.
                if (data == Key(fd, _generations[fd]))
                {
                    _handlers[fd]?.OnReady(bits);
                }
            }

            while (_posted.TryDequeue(out Action? action))
            {
                action();
            }

            long now = Now;
            if (now - lastTick >= TickMilliseconds || NextDeadline() == 0)
            {
                lastTick = now;
                Tick();
            }

            RoundEnd();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _epoll.Dispose();
        _ = Syscall.close(_wake);
    }

    private int Timeout()
    {
        if (!_posted.IsEmpty)
        {
            return 0;
        }

        long next = NextDeadline();
        if (NeedsTicks())
        {
            next = next < 0 ? TickMilliseconds : Math.Min(next, TickMilliseconds);
        }

        return (int)Math.Min(next, int.MaxValue);
    }

    private static ulong Key(int fd, uint generation) => ((ulong)generation << 32) | (uint)fd;
}
