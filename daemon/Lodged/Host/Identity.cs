using Mono.Unix.Native;

namespace Lodge.Service;

/// <summary>Becoming the service's own user.</summary>
internal static class Identity
{
    /// <summary>Gives the directories to <paramref name="user"/> and becomes that user for good, all groups included.</summary>
    public static void Become(string user, string[] directories)
    {
        Passwd? entry = Syscall.getpwnam(user) ?? throw new StartException(ExitStatus.Failure, $"there is no user {user}");
        foreach (string directory in directories)
        {
            if (Syscall.lchown(directory, entry.pw_uid, entry.pw_gid) < 0)
            {
                throw new StartException(ExitStatus.Failure, $"{directory}: {Stdlib.strerror(Stdlib.GetLastError())}");
            }
        }

        if (Syscall.setgroups([]) < 0
            || Syscall.setresgid(entry.pw_gid, entry.pw_gid, entry.pw_gid) < 0
            || Syscall.setresuid(entry.pw_uid, entry.pw_uid, entry.pw_uid) < 0)
        {
            throw new StartException(ExitStatus.Failure, $"cannot become {user}: {Stdlib.strerror(Stdlib.GetLastError())}");
        }
    }
}
