using System;
using System.Runtime.InteropServices;
using Lodge.Protocol;
using HostAbi = Lodge.Abi.Host;

namespace Lodge.Shim;

/// <summary>A compiled configuration file: opened, its owner checked, mapped, and looked through from end to end.</summary>
public unsafe struct ConfigurationSource
{
    private const int AtFdCwd = -100, OpenFlags = 0x80000 | 0x800;
    private const int ProtRead = 1, MapPrivatePopulate = 0x8002;
    private const uint TypeMask = 0xF000, Regular = 0x8000, WritableByOthers = 0x12;

    /// <summary>Ids below this one belong to the system (SYS_UID_MAX of login.defs): root, and the service's own user.</summary>
    private const uint FirstUserId = 1000;

    /// <summary>Who is not known in this user namespace (fs_overflowuid's default): root, seen from within most.</summary>
    private const uint OverflowId = 65534;

    /// <summary>Non-zero when <see cref="View"/> may be used.</summary>
    public bool IsOpen;
    /// <summary>The file.</summary>
    public ConfigurationView View;

    /// <summary>
    /// Opens a file. One that is not there is passed over without a word; one that cannot be trusted or used costs a line in the log and is passed over.
    /// </summary>
    /// <param name="t">The thread, for the log.</param>
    /// <param name="slot">Where its descriptor is kept, for programs executed from here that cannot reach the path (a chroot).</param>
    /// <param name="path">Its path; null for none.</param>
    /// <param name="inherited">Descriptor handed over by execve, or -1: used when there is no such path. Closed or kept.</param>
    /// <param name="mayBeOwn">Whether a file that belongs to this process's own user is trusted.</param>
    public void Open(GuestThread* t, HiddenFile slot, byte* path, int inherited, bool mayBeOwn)
    {
        long fd = path == null ? -1 : Host.Syscall(Nr.openat, AtFdCwd, (long)path, OpenFlags, 0);
        if (fd < 0)
        {
            fd = inherited;
        }
        else if (inherited >= 0)
        {
            Host.Syscall(Nr.close, inherited);
        }

        if (fd < 0)
        {
            return;
        }

        ReadOnlySpan<byte> wrong = Map((int)fd, mayBeOwn, slot == HiddenFile.SystemConfiguration);
        if (wrong.Length == 0)
        {
            IsOpen = true;
            HiddenFiles.Adopt(t->Files, slot, (int)fd);
            return;
        }

        Host.Syscall(Nr.close, fd);
        Line line = new(stackalloc byte[512]);
        line.Add("configuration not used: "u8);
        line.Add(path != null ? MemoryMarshal.CreateReadOnlySpanFromNullTerminated(path) : "inherited file"u8);
        line.Add(": "u8);
        line.Add(wrong);
        GuestLog.Write(t, LogLevel.Warning, line.Text);
    }

    /// <summary>What is wrong with the file; empty when nothing is.</summary>
    private ReadOnlySpan<byte> Map(int fd, bool mayBeOwn, bool isSystem)
    {
        HostAbi.stat st;
        if (Host.Syscall(Nr.fstat, fd, (long)&st) != 0 || (st.st_mode & TypeMask) != Regular)
        {
            return "not a regular file"u8;
        }

        // The system's path lies in root's directories: whoever is not known there was let in by root.
        bool trusted = st.st_uid < FirstUserId || (isSystem && st.st_uid == OverflowId) || (mayBeOwn && st.st_uid == (uint)Host.Syscall(Nr.geteuid));
        if (!trusted || (st.st_mode & WritableByOthers) != 0)
        {
            return trusted ? "others may write it"u8 : "it belongs to another user"u8;
        }

        if (st.st_size < sizeof(ConfigurationHeader) || st.st_size > ConfigurationFormat.MaxLength)
        {
            return Describe(ConfigurationFault.Length);
        }

        long data = Host.Syscall(Nr.mmap, 0, st.st_size, ProtRead, MapPrivatePopulate, fd, 0);
        if (Host.IsError(data))
        {
            return "it cannot be mapped"u8;
        }

        ConfigurationFault fault = ConfigurationView.Open((byte*)data, (ulong)st.st_size, out View);
        if (fault != ConfigurationFault.None)
        {
            Host.Syscall(Nr.munmap, data, st.st_size);
        }

        return Describe(fault);
    }

    private static ReadOnlySpan<byte> Describe(ConfigurationFault fault) => fault switch
    {
        ConfigurationFault.None => default,
        ConfigurationFault.Length => "wrong length"u8,
        ConfigurationFault.Magic => "not a compiled configuration"u8,
        ConfigurationFault.Version => "compiled for another version of Lodge"u8,
        ConfigurationFault.Checksum => "damaged (checksum)"u8,
        _ => "damaged (layout)"u8,
    };
}
