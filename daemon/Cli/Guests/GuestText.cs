using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text.Json.Nodes;
using Lodge.Client;
using Lodge.Protocol;
using Mono.Unix.Native;

namespace Lodge.Cli.Guests;

/// <summary>Guests as text and JSON, the same in every command.</summary>
internal static class GuestText
{
    private static readonly Dictionary<uint, string> s_users = [];

    /// <summary>Name of the guest's instruction set.</summary>
    public static string Abi(GuestAbi abi) => abi switch { GuestAbi.I386 => "i386", GuestAbi.Arm => "arm", _ => "?" };

    /// <summary>Name of a user, or its number.</summary>
    public static string User(uint uid)
    {
        if (!s_users.TryGetValue(uid, out string? name))
        {
            Passwd? entry = Syscall.getpwuid(uid);
            s_users[uid] = name = entry?.pw_name ?? uid.ToString(CultureInfo.InvariantCulture);
        }

        return name;
    }

    /// <summary>How it was started: b binfmt_misc, e execve of another guest, r its own root, s set-uid, t traced; "-" for none.</summary>
    public static string Flags(GuestFlags flags)
    {
        string text = string.Concat(
            (flags & GuestFlags.Binfmt) != 0 ? "b" : "",
            (flags & GuestFlags.ByExec) != 0 ? "e" : "",
            (flags & GuestFlags.Rooted) != 0 ? "r" : "",
            (flags & GuestFlags.Secure) != 0 ? "s" : "",
            (flags & GuestFlags.Traced) != 0 ? "t" : "");
        return text.Length == 0 ? "-" : text;
    }

    /// <summary>The program's path; "…" in front when it was cut.</summary>
    public static string Program(Guest guest) => ((guest.Entry.Flags & GuestFlags.ProgramTruncated) != 0 ? "…" : "") + guest.Program;

    /// <summary>The end of a guest: "exit N", "signal N", "ended", or "-" while it lives.</summary>
    public static string End(Guest guest)
    {
        int status = guest.Entry.WaitStatus;
        return guest.Ended == null ? "-"
            : status == GuestEntry.UnknownStatus ? "ended"
            : (status & 0x7f) != 0 ? "signal " + (status & 0x7f).ToString(CultureInfo.InvariantCulture)
            : "exit " + (status >> 8 & 0xff).ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>A time of day today, a date before.</summary>
    public static string Time(DateTimeOffset time)
    {
        DateTimeOffset local = time.ToLocalTime();
        return local.Date == DateTimeOffset.Now.Date ? local.ToString("HH:mm:ss", CultureInfo.InvariantCulture)
            : local.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
    }

    /// <summary>A guest as JSON.</summary>
    public static JsonObject Json(Guest guest)
    {
        JsonObject value = new()
        {
            ["id"] = guest.Entry.Id,
            ["pid"] = guest.Entry.Pid,
            ["uid"] = guest.Entry.Uid,
            ["gid"] = guest.Entry.Gid,
            ["user"] = User(guest.Entry.Uid),
            ["guest"] = Abi(guest.Entry.Abi),
            ["program"] = guest.Program,
            ["programTruncated"] = (guest.Entry.Flags & GuestFlags.ProgramTruncated) != 0,
            ["flags"] = Flags(guest.Entry.Flags),
            ["started"] = guest.Started.ToString("O", CultureInfo.InvariantCulture),
            ["programs"] = guest.Entry.Programs,
            ["logLines"] = guest.Entry.LogLines,
        };
        if (guest.Ended is { } ended)
        {
            value["ended"] = ended.ToString("O", CultureInfo.InvariantCulture);
            value["waitStatus"] = guest.Entry.WaitStatus == GuestEntry.UnknownStatus ? null : guest.Entry.WaitStatus;
        }

        return value;
    }
}
