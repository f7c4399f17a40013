using System;
using System.Collections.Generic;
using System.Globalization;

namespace Lodge.Cli.Doctor;

/// <summary>What the kernel's settings mean for guests. Reads nothing itself: <c>read</c> gives the text of a file, or null.</summary>
internal sealed class KernelChecks(Func<string, string?> read)
{
    // Guests live in [64 KiB, 4 GiB).
    private const long LowestGuestAddress = 0x10000;
    private const long UsualMapCount = 65530;

    /// <summary>All findings.</summary>
    public IEnumerable<Finding> All()
    {
        yield return MinimumAddress();
        yield return Overcommit();
        yield return MapCount();
        foreach (Finding limit in Limits())
        {
            yield return limit;
        }

        yield return UserNamespaces();
        yield return MemfdExecution();
        yield return NewPrivileges();
        yield return Randomisation();
    }

    /// <summary>vm.mmap_min_addr: the guest's lowest page must be mappable.</summary>
    public Finding MinimumAddress()
    {
        const string Subject = "vm.mmap_min_addr";
        long? value = Number("/proc/sys/vm/mmap_min_addr");
        return value switch
        {
            null => new(Subject, Severity.Warning, "cannot be read", "mount /proc"),
            > LowestGuestAddress => new(Subject, Severity.Problem, Text(value),
                $"set it to {LowestGuestAddress} or less: sysctl -w vm.mmap_min_addr={LowestGuestAddress} (and in /etc/sysctl.d)"),
            _ => new(Subject, Severity.Ok, Text(value)),
        };
    }

    /// <summary>vm.overcommit_memory: the tables behind translated code are reserved generously and used sparsely.</summary>
    public Finding Overcommit()
    {
        const string Subject = "vm.overcommit_memory";
        long? value = Number("/proc/sys/vm/overcommit_memory");
        return value == 2
            ? new(Subject, Severity.Problem, "2 (strict accounting)",
                "a guest reserves 16 GiB of address space that it does not use; set it to 0 or 1: sysctl -w vm.overcommit_memory=0")
            : new(Subject, Severity.Ok, Text(value));
    }

    /// <summary>vm.max_map_count: a guest's mappings are the host's.</summary>
    public Finding MapCount()
    {
        const string Subject = "vm.max_map_count";
        long? value = Number("/proc/sys/vm/max_map_count");
        return value < UsualMapCount
            ? new(Subject, Severity.Warning, Text(value),
                $"below the kernel's default of {UsualMapCount}; large guests may run out of mappings: sysctl -w vm.max_map_count={UsualMapCount}")
            : new(Subject, Severity.Ok, Text(value));
    }

    /// <summary>RLIMIT_AS and RLIMIT_DATA of this process, which guests inherit.</summary>
    public IEnumerable<Finding> Limits()
    {
        foreach ((string key, string name, string option) in ((string, string, string)[])[("Max address space", "RLIMIT_AS", "-v"),
            ("Max data size", "RLIMIT_DATA", "-d")])
        {
            (string soft, string hard) = Limit(key);
            bool unlimited = soft == "unlimited", hardUnlimited = hard == "unlimited";
            if (soft.Length == 0)
            {
                continue;
            }

            yield return unlimited ? new Finding(name, Severity.Ok, "unlimited")
                : hardUnlimited ? new Finding(name, Severity.Note, $"{soft}, hard limit unlimited: kept for the guest, raised for the shim")
                : new Finding(name, Severity.Warning, $"{soft}, hard limit {hard}",
                    $"guests run with small tables, slower, and are told that memory is missing earlier: ulimit -H {option} unlimited (limits.conf; LimitAS= or LimitDATA= of a unit)");
        }

        (string files, string most) = Limit("Max open files");
        yield return long.TryParse(most, NumberStyles.None, CultureInfo.InvariantCulture, out long count) && count < 256
            ? new Finding("RLIMIT_NOFILE", Severity.Warning, $"{files}, hard limit {most}",
                "the shim keeps up to 8 descriptors of its own above the guest's: ulimit -Hn 1024")
            : new Finding("RLIMIT_NOFILE", Severity.Ok, $"{files}, hard limit {most}");
    }

    /// <summary>User namespaces for --root without privileges.</summary>
    public Finding UserNamespaces()
    {
        const string Subject = "user namespaces", Use = "without them --root needs root";
        if (Number("/proc/sys/user/max_user_namespaces") is null or 0)
        {
            return new(Subject, Severity.Warning, "none (user.max_user_namespaces)", $"{Use}: sysctl -w user.max_user_namespaces=10000");
        }

        if (Number("/proc/sys/kernel/unprivileged_userns_clone") == 0)
        {
            return new(Subject, Severity.Warning, "for root only (kernel.unprivileged_userns_clone)",
                $"{Use}: sysctl -w kernel.unprivileged_userns_clone=1");
        }

        return Number("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == 1
            ? new(Subject, Severity.Warning, "restricted by AppArmor",
                $"{Use}: an AppArmor profile with `userns,` for lodge-shim, or sysctl -w kernel.apparmor_restrict_unprivileged_userns=0")
            : new(Subject, Severity.Ok, "allowed");
    }

    /// <summary>vm.memfd_noexec: executing from memory files.</summary>
    public Finding MemfdExecution()
    {
        const string Subject = "vm.memfd_noexec";
        return Number("/proc/sys/vm/memfd_noexec") switch
        {
            null => new(Subject, Severity.Ok, "not in this kernel"),
            2 => new(Subject, Severity.Note, "2 (no execution)",
                "guests that execute memory files are refused, as native programs are; lodge cannot find out what the kernel runs itself"),
            long value => new(Subject, Severity.Ok, Text(value)),
        };
    }

    /// <summary>no_new_privs of this process, which guests inherit.</summary>
    public Finding NewPrivileges()
        => Status("NoNewPrivs:") == "1"
            ? new("no_new_privs", Severity.Note, "set", "set-uid guests started from here run without their privileges, as native programs do")
            : new("no_new_privs", Severity.Ok, "not set");

    /// <summary>kernel.randomize_va_space: what guests get, too.</summary>
    public Finding Randomisation()
    {
        const string Subject = "kernel.randomize_va_space";
        long? value = Number("/proc/sys/kernel/randomize_va_space");
        return value == 0 ? new(Subject, Severity.Note, "0", "addresses of guests are not randomised either")
            : new(Subject, Severity.Ok, Text(value));
    }

    private static string Text(long? value) => value is { } number ? number.ToString(CultureInfo.InvariantCulture) : "cannot be read";

    private long? Number(string file)
        => long.TryParse(read(file)?.Trim(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long value) ? value : null;

    private string? Status(string key)
    {
        foreach (string line in (read("/proc/self/status") ?? "").Split('\n'))
        {
            if (line.StartsWith(key, StringComparison.Ordinal))
            {
                return line[key.Length..].Trim();
            }
        }

        return null;
    }

    private (string Soft, string Hard) Limit(string key)
    {
        foreach (string line in (read("/proc/self/limits") ?? "").Split('\n'))
        {
            if (line.StartsWith(key, StringComparison.Ordinal))
            {
                string[] words = line[key.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
                return (words[0], words[1]);
            }
        }

        return ("", "");
    }
}
