using System;
using System.Collections.Generic;
using System.Globalization;
using Lodge.Interop;
using Mono.Unix.Native;

namespace Lodge.Service;

/// <summary>Sockets that were passed by whoever started us (sd_listen_fds(3)): LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES.</summary>
internal static class Activation
{
    private const int FirstDescriptor = 3, MaxDescriptors = 16;
    private const int AF_UNIX = 1, AF_INET = 2, AF_INET6 = 10, SOCK_STREAM = 1, SOCK_SEQPACKET = 5;

    private static readonly int[] s_streamFamilies = [AF_UNIX, AF_INET, AF_INET6];

    /// <summary>What a passed socket is for.</summary>
    public enum Purpose
    {
        /// <summary>Guests and commands.</summary>
        Service,
        /// <summary>Metrics.</summary>
        Metrics,
    }

    /// <summary>
    /// Takes the sockets and removes the variables, so that nobody takes them again. They become non-blocking and close-on-exec. A socket that is
    /// not of use is closed, and named in <paramref name="refused"/>.
    /// </summary>
    public static List<(int Descriptor, Purpose Purpose)> Take(List<string> refused)
    {
        List<(int, Purpose)> taken = [];
        string? pid = Environment.GetEnvironmentVariable("LISTEN_PID");
        string? count = Environment.GetEnvironmentVariable("LISTEN_FDS");
        string[] names = Environment.GetEnvironmentVariable("LISTEN_FDNAMES")?.Split(':') ?? [];
        foreach (string variable in (string[])["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"])
        {
            Environment.SetEnvironmentVariable(variable, null);
        }

        if (!int.TryParse(pid, NumberStyles.None, CultureInfo.InvariantCulture, out int forPid) || forPid != Environment.ProcessId
            || !int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out int descriptors))
        {
            return taken;
        }

        for (int i = 0; i < Math.Min(descriptors, MaxDescriptors); i++)
        {
            int fd = FirstDescriptor + i;
            string name = i < names.Length ? names[i] : "";
            if (LinuxCalls.IsListening(fd, AF_UNIX, SOCK_SEQPACKET))
            {
                taken.Add((fd, Purpose.Service));
            }
            else if (Array.Exists(s_streamFamilies, family => LinuxCalls.IsListening(fd, family, SOCK_STREAM)))
            {
                taken.Add((fd, Purpose.Metrics));
            }
            else
            {
                refused.Add($"descriptor {fd} ({name}) is no listening SOCK_SEQPACKET or SOCK_STREAM socket");
                _ = Syscall.close(fd);
                continue;
            }

            SetFlags(fd);
        }

        return taken;
    }

    private static void SetFlags(int fd)
    {
        _ = Syscall.fcntl(fd, FcntlCommand.F_SETFD, 1);
        _ = Syscall.fcntl(fd, FcntlCommand.F_SETFL, Syscall.fcntl(fd, FcntlCommand.F_GETFL) | (int)OpenFlags.O_NONBLOCK);
    }
}
