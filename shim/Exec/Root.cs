using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Lodge.Shim;

/// <summary>
/// --root DIR: a real chroot before the program is opened. Without the right to chroot it is made in a user namespace of our own, where the
/// ids stay what they are, and a mount namespace in which the host's /proc, /dev and /sys appear below the new root.
/// </summary>
public static unsafe class Root
{
    private const uint CloneNewUser = 0x10000000, CloneNewNs = 0x20000;
    private const int OWrOnly = 1, OCloExec = 0x80000, AtFdCwd = -100;
    private const ulong MsBind = 0x1000, MsRec = 0x4000, MsPrivate = 0x40000;

    /// <summary>Changes the root and goes to its top directory. 0 or -errno.</summary>
    public static int Enter(byte* directory)
    {
        long error = Host.Syscall(Nr.chroot, (long)directory);
        if (error == -Errno.EPERM)
        {
            error = EnterNamespace(directory);
        }

        fixed (byte* top = "/\0"u8)
        {
            return (int)(error != 0 ? error : Host.Syscall(Nr.chdir, (long)top));
        }
    }

    /// <summary>
    /// As <see cref="Enter"/>, but a working directory below the new root stays what it is; its name only loses the root's.
    /// </summary>
    public static int EnterKeepingDirectory(byte* directory)
    {
        const int PathMax = 4096;
        byte* current = stackalloc byte[PathMax];
        long length = Host.Syscall(Nr.getcwd, (long)current, PathMax);
        int error = Enter(directory);
        uint root = Loader.Length(directory);
        while (root > 1 && directory[root - 1] == '/')
        {
            root--;
        }

        if (error != 0 || length <= root || current[root] != '/')
        {
            return error;
        }

        for (uint i = 0; i < root; i++)
        {
            if (current[i] != directory[i])
            {
                return 0;
            }
        }

        Host.Syscall(Nr.chdir, (long)(current + root));
        return 0;
    }

    private static long EnterNamespace(byte* directory)
    {
        int uid = (int)Host.Syscall(Nr.geteuid);
        int gid = (int)Host.Syscall(Nr.getegid);
        long error = Host.Syscall(Nr.unshare, CloneNewUser | CloneNewNs);
        if (error != 0)
        {
            return error;
        }

        // Group ids may be mapped only when setgroups has been given up; a kernel without the file (before 3.19) asks for nothing.
        Write("/proc/self/setgroups\0"u8, "deny"u8);
        error = WriteMap("/proc/self/uid_map\0"u8, uid);
        if (error == 0)
        {
            error = WriteMap("/proc/self/gid_map\0"u8, gid);
        }

        if (error != 0)
        {
            return error;
        }

        fixed (byte* top = "/\0"u8)
        {
            Host.Syscall(Nr.mount, 0, (long)top, 0, (long)(MsRec | MsPrivate), 0);
        }

        Bind(directory, "/proc\0"u8);
        Bind(directory, "/dev\0"u8);
        Bind(directory, "/sys\0"u8);
        return Host.Syscall(Nr.chroot, (long)directory);
    }

    private static long WriteMap(ReadOnlySpan<byte> file, int id)
    {
        Line line = new(stackalloc byte[40]);
        line.Dec(id);
        line.Add(" "u8);
        line.Dec(id);
        line.Add(" 1\n"u8);
        return Write(file, line.Text);
    }

    private static long Write(ReadOnlySpan<byte> file, ReadOnlySpan<byte> text)
    {
        long fd = Host.Syscall(Nr.openat, AtFdCwd, (long)Pointer(file), OWrOnly | OCloExec, 0);
        if (fd < 0)
        {
            return fd;
        }

        long written = Host.Syscall(Nr.write, fd, (long)Pointer(text), text.Length);
        Host.Syscall(Nr.close, fd);
        return written < 0 ? written : 0;
    }

    // Where the root has no such directory, or the host none to show, the guest goes without.
    private static void Bind(byte* directory, ReadOnlySpan<byte> name)
    {
        Line target = new(stackalloc byte[4096]);
        target.Add(directory);
        target.Add(name);
        Host.Syscall(Nr.mount, (long)Pointer(name), (long)Pointer(target.Text), 0, (long)(MsBind | MsRec), 0);
    }

    private static byte* Pointer(ReadOnlySpan<byte> text) => (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(text));
}
