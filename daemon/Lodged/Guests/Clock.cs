using System;

namespace Lodge.Service;

/// <summary>The time of day.</summary>
internal static class Clock
{
    /// <summary>Microseconds since 1970, UTC.</summary>
    public static ulong Microseconds => (ulong)((DateTime.UtcNow - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond);
}
