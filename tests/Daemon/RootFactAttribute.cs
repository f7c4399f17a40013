using Mono.Unix.Native;
using Xunit;

namespace Lodge.DaemonTests;

/// <summary>A test that only root can make; skipped, and said so, for others.</summary>
internal sealed class RootFactAttribute : FactAttribute
{
    public RootFactAttribute()
    {
        if (Syscall.geteuid() != 0)
        {
            Skip = "needs root, to act as several users";
        }
    }
}
