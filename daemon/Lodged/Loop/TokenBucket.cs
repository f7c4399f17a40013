using System;

namespace Lodge.Service;

/// <summary>So many things a second, and so many at once. For one thread.</summary>
internal struct TokenBucket
{
    private readonly double _perMillisecond;
    private readonly double _burst;
    private double _tokens;
    private long _last;

    /// <summary>A full bucket.</summary>
    public TokenBucket(double perSecond, double burst)
    {
        _perMillisecond = perSecond / 1000;
        _burst = burst;
        _tokens = burst;
        _last = EventLoop.Now;
    }

    /// <summary>Takes one; false when there is none.</summary>
    public bool Take(long now)
    {
        _tokens = Level(now);
        _last = now;
        if (_tokens < 1)
        {
            return false;
        }

        _tokens--;
        return true;
    }

    /// <summary>Nothing has been taken lately: forgetting the bucket changes nothing.</summary>
    public readonly bool IsFull(long now) => Level(now) >= _burst;

    private readonly double Level(long now) => Math.Min(_burst, _tokens + ((now - _last) * _perMillisecond));
}
