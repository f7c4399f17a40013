using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;

namespace Lodge.Cli.Trace;

/// <summary>
/// Names of the guests' system calls, and the classes by which <c>-e trace=</c> chooses among them. Names and the two classes that follow from
/// arguments come from the kernel's tables (abi-maps/tables); the other classes are lists.
/// </summary>
internal static class SyscallNames
{
    private static readonly Dictionary<string, string[]> s_lists = new()
    {
        ["process"] = ["clone", "clone3", "execve", "execveat", "exit", "exit_group", "fork", "kill", "pidfd_open", "pidfd_send_signal",
            "rt_sigqueueinfo",
            "rt_tgsigqueueinfo", "tgkill", "tkill", "vfork", "wait4", "waitid", "waitpid"],
        ["network"] = ["accept4", "bind", "connect", "getpeername", "getsockname", "getsockopt", "listen", "recvfrom", "recvmmsg",
            "recvmmsg_time64", "recvmsg",
            "sendmmsg", "sendmsg", "sendto", "setsockopt", "shutdown", "socket", "socketcall", "socketpair"],
        ["signal"] = ["kill", "pause", "pidfd_send_signal", "rt_sigaction", "rt_sigpending", "rt_sigprocmask", "rt_sigqueueinfo", "rt_sigreturn",
            "rt_sigsuspend",
            "rt_sigtimedwait", "rt_sigtimedwait_time64", "rt_tgsigqueueinfo", "sgetmask", "sigaction", "sigaltstack", "signal", "signalfd",
                "signalfd4", "sigpending",
            "sigprocmask", "sigreturn", "sigsuspend", "ssetmask", "tgkill", "tkill"],
        ["memory"] = ["brk", "madvise", "mincore", "mlock", "mlock2", "mlockall", "mmap", "mmap2", "mprotect", "mremap", "msync", "munlock",
            "munlockall", "munmap",
            "pkey_mprotect", "process_madvise", "remap_file_pages", "shmat", "shmdt"],
        ["ipc"] = ["ipc", "msgctl", "msgget", "msgrcv", "msgsnd", "semctl", "semget", "semop", "semtimedop", "semtimedop_time64", "shmat", "shmctl",
            "shmdt", "shmget"],
        ["clock"] = ["adjtimex", "clock_adjtime", "clock_adjtime64", "clock_getres", "clock_getres_time64", "clock_gettime", "clock_gettime64",
            "clock_settime",
            "clock_settime64", "gettimeofday", "settimeofday", "stime", "time"],
    };

    private static readonly Lazy<(HashSet<string> All, HashSet<string> Files, HashSet<string> Descriptors)> s_tables = new(Read);

    /// <summary>All names, of both guests.</summary>
    public static IReadOnlySet<string> All => s_tables.Value.All;

    /// <summary>Names of the classes.</summary>
    public static IReadOnlyList<string> Classes { get; } = ["file", "desc", .. s_lists.Keys];

    /// <summary>The calls of a class: file = takes a path, desc = takes a descriptor. Null when there is no such class.</summary>
    public static IReadOnlySet<string>? Class(string name) => name switch
    {
        "file" => s_tables.Value.Files,
        "desc" => s_tables.Value.Descriptors,
        _ => s_lists.TryGetValue(name, out string[]? calls) ? calls.ToHashSet() : null,
    };

    // Lines of a table: number, name, entries, count, arguments as name:kind.
    private static (HashSet<string> All, HashSet<string> Files, HashSet<string> Descriptors) Read()
    {
        HashSet<string> all = [], files = [], descriptors = [];
        foreach (string table in (string[])["i386.tsv", "arm.tsv"])
        {
            using Stream stream = typeof(SyscallNames).Assembly.GetManifestResourceStream(table)!;
            using StreamReader reader = new(stream);
            while (reader.ReadLine() is { } line)
            {
                string[] fields = line.Split('\t');
                if (line.StartsWith('#') || fields.Length < 6 || fields[1] == "-")
                {
                    continue;
                }

                all.Add(fields[1]);
                if (fields[5].Contains("name:str", StringComparison.Ordinal) || fields[5].Contains("path:str", StringComparison.Ordinal))
                {
                    files.Add(fields[1]);
                }

                if (fields[5].Contains(":fd", StringComparison.Ordinal))
                {
                    descriptors.Add(fields[1]);
                }
            }
        }

        return (all, files, descriptors);
    }
}
