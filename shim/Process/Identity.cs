using System;

namespace Lodge.Shim;

/// <summary>
/// The 16-bit user and group calls (kernel/uid16.c): an id that does not fit reads as the overflow id, and 65535 means
/// "no change" as -1 does in the 32-bit calls.
/// </summary>
internal static unsafe class Id16
{
    /// <summary>Upper bound of supplementary groups (NGROUPS_MAX).</summary>
    public const uint GroupsMax = 65536;

    private static ReadOnlySpan<byte> OverflowUidPath => "/proc/sys/kernel/overflowuid\0"u8;

    private static ReadOnlySpan<byte> OverflowGidPath => "/proc/sys/kernel/overflowgid\0"u8;

    /// <summary>low2highuid: an argument register, of which the kernel looks at the low 16 bits.</summary>
    public static long Widen(uint id) => (ushort)id == 0xFFFF ? 0xFFFF_FFFF : (long)(ushort)id;

    /// <summary>high2lowuid for a user id.</summary>
    public static ushort NarrowUser(uint id) => id > 0xFFFF ? Overflow(OverflowUidPath) : (ushort)id;

    /// <summary>high2lowgid for a group id.</summary>
    public static ushort NarrowGroup(uint id) => id > 0xFFFF ? Overflow(OverflowGidPath) : (ushort)id;

    /// <summary>The administrator may have changed the overflow id (a sysctl); it is read only where an id overflows, which is rare.</summary>
    private static ushort Overflow(ReadOnlySpan<byte> path)
    {
        const int DefaultOverflowId = 65534;
        const int AtFdcwd = -100;
        const int CloseOnExec = 0x80000;
        byte* text = stackalloc byte[16];
        long read;
        fixed (byte* name = path)
        {
            long file = Host.Syscall(Nr.openat, AtFdcwd, (long)name, CloseOnExec);
            if (file < 0)
            {
                return DefaultOverflowId;
            }

            read = Host.Syscall(Nr.read, file, (long)text, 15);
            Host.Syscall(Nr.close, file);
        }

        uint value = 0;
        for (int i = 0; i < read && text[i] >= '0' && text[i] <= '9'; i++)
        {
            value = (value * 10) + text[i] - '0';
        }

        return read > 0 ? (ushort)value : (ushort)DefaultOverflowId;
    }
}

/// <summary>User and group ids of 16 bits.</summary>
public static unsafe partial class Syscalls<TAbi>
    where TAbi : unmanaged, IGuestAbi
{
    /// <summary>getuid, 16-bit.</summary>
    public static int sys_getuid(GuestThread* t) => Id16.NarrowUser((uint)Host.Syscall(Nr.getuid));

    /// <summary>geteuid, 16-bit.</summary>
    public static int sys_geteuid(GuestThread* t) => Id16.NarrowUser((uint)Host.Syscall(Nr.geteuid));

    /// <summary>getgid, 16-bit.</summary>
    public static int sys_getgid(GuestThread* t) => Id16.NarrowGroup((uint)Host.Syscall(Nr.getgid));

    /// <summary>getegid, 16-bit.</summary>
    public static int sys_getegid(GuestThread* t) => Id16.NarrowGroup((uint)Host.Syscall(Nr.getegid));

    /// <summary>setuid, 16-bit.</summary>
    public static int sys_setuid(GuestThread* t) => (int)Host.Syscall(Nr.setuid, Id16.Widen(TAbi.Arg(t, 0)));

    /// <summary>setgid, 16-bit.</summary>
    public static int sys_setgid(GuestThread* t) => (int)Host.Syscall(Nr.setgid, Id16.Widen(TAbi.Arg(t, 0)));

    /// <summary>setfsuid, 16-bit; the result, the former id, is not narrowed.</summary>
    public static int sys_setfsuid(GuestThread* t) => (int)Host.Syscall(Nr.setfsuid, Id16.Widen(TAbi.Arg(t, 0)));

    /// <summary>setfsgid, 16-bit; the result, the former id, is not narrowed.</summary>
    public static int sys_setfsgid(GuestThread* t) => (int)Host.Syscall(Nr.setfsgid, Id16.Widen(TAbi.Arg(t, 0)));

    /// <summary>setreuid, 16-bit.</summary>
    public static int sys_setreuid(GuestThread* t) =>
        (int)Host.Syscall(Nr.setreuid, Id16.Widen(TAbi.Arg(t, 0)), Id16.Widen(TAbi.Arg(t, 1)));

    /// <summary>setregid, 16-bit.</summary>
    public static int sys_setregid(GuestThread* t) =>
        (int)Host.Syscall(Nr.setregid, Id16.Widen(TAbi.Arg(t, 0)), Id16.Widen(TAbi.Arg(t, 1)));

    /// <summary>setresuid, 16-bit.</summary>
    public static int sys_setresuid(GuestThread* t) =>
        (int)Host.Syscall(Nr.setresuid, Id16.Widen(TAbi.Arg(t, 0)), Id16.Widen(TAbi.Arg(t, 1)), Id16.Widen(TAbi.Arg(t, 2)));

    /// <summary>setresgid, 16-bit.</summary>
    public static int sys_setresgid(GuestThread* t) =>
        (int)Host.Syscall(Nr.setresgid, Id16.Widen(TAbi.Arg(t, 0)), Id16.Widen(TAbi.Arg(t, 1)), Id16.Widen(TAbi.Arg(t, 2)));

    /// <summary>getresuid, 16-bit: writes real, effective and saved id in this order until one cannot be written.</summary>
    public static int sys_getresuid(GuestThread* t)
    {
        uint* ids = stackalloc uint[3];
        Host.Syscall(Nr.getresuid, (long)ids, (long)(ids + 1), (long)(ids + 2));
        return PutIds(t, Id16.NarrowUser(ids[0]), Id16.NarrowUser(ids[1]), Id16.NarrowUser(ids[2]));
    }

    /// <summary>getresgid, 16-bit.</summary>
    public static int sys_getresgid(GuestThread* t)
    {
        uint* ids = stackalloc uint[3];
        Host.Syscall(Nr.getresgid, (long)ids, (long)(ids + 1), (long)(ids + 2));
        return PutIds(t, Id16.NarrowGroup(ids[0]), Id16.NarrowGroup(ids[1]), Id16.NarrowGroup(ids[2]));
    }

    private static int PutIds(GuestThread* t, ushort real, ushort effective, ushort saved) =>
        User.Put(TAbi.Arg(t, 0), real) && User.Put(TAbi.Arg(t, 1), effective) && User.Put(TAbi.Arg(t, 2), saved) ? 0 : -Errno.EFAULT;

    /// <summary>getgroups, 16-bit. Size 0 asks for the number; EINVAL for a negative size or one that is too small.</summary>
    public static int sys_getgroups(GuestThread* t)
    {
        int size = (int)TAbi.Arg(t, 0);
        uint to = TAbi.Arg(t, 1);
        if (size < 0)
        {
            return -Errno.EINVAL;
        }

        int count = (int)Host.Syscall(Nr.getgroups, 0, 0);
        if (count <= 0 || size == 0)
        {
            return count;
        }

        if (count > size)
        {
            return -Errno.EINVAL;
        }

        HostBuffer buffer = default;
        if (!buffer.Allocate((nuint)count * 4))
        {
            return -Errno.ENOMEM;
        }

        uint* groups = (uint*)buffer.Pointer;
        int result = (int)Host.Syscall(Nr.getgroups, count, (long)groups);
        for (int i = 0; i < result; i++)
        {
            if (!User.Put(to + ((uint)i * 2), Id16.NarrowGroup(groups[i])))
            {
                result = -Errno.EFAULT;
            }
        }

        buffer.Free();
        return result;
    }

    /// <summary>setgroups, 16-bit. EPERM comes before EINVAL for too many groups, and that before EFAULT.</summary>
    public static int sys_setgroups(GuestThread* t)
    {
        uint count = TAbi.Arg(t, 0);
        uint from = TAbi.Arg(t, 1);
        if (count > Id16.GroupsMax)
        {
            return (int)Host.Syscall(Nr.setgroups, count, BadPointer.Value);
        }

        if (count == 0)
        {
            return (int)Host.Syscall(Nr.setgroups, 0, 0);
        }

        HostBuffer buffer = default;
        if (!buffer.Allocate((nuint)count * 6))
        {
            return -Errno.ENOMEM;
        }

        uint* groups = (uint*)buffer.Pointer;
        ushort* narrow = (ushort*)(groups + count);
        long list = BadPointer.Value;
        if (User.CopyIn(narrow, from, (nuint)count * 2))
        {
            for (uint i = 0; i < count; i++)
            {
                groups[i] = (uint)Id16.Widen(narrow[i]);
            }

            list = (long)groups;
        }

        int result = (int)Host.Syscall(Nr.setgroups, count, list);
        buffer.Free();
        return result;
    }
}
