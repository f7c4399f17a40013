using System.IO;
using Xunit;

namespace Lodge.DaemonTests;

/// <summary>A test that asks systemd-analyze; skipped, and said so, where it is missing.</summary>
internal sealed class SystemdFactAttribute : FactAttribute
{
    public SystemdFactAttribute()
    {
        if (!File.Exists("/usr/bin/systemd-analyze"))
        {
            Skip = "needs systemd-analyze, to expand the sets of system calls";
        }
    }
}
