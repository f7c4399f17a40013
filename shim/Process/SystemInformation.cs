using System;
using Lodge.Protocol;
using Compat = Lodge.Abi.Compat;
using HostLayout = Lodge.Abi.Host;

namespace Lodge.Shim;

/// <summary>uname in its three sizes, sysinfo, personality.</summary>
public static unsafe partial class Syscalls<TAbi>
    where TAbi : unmanaged, IGuestAbi
{
    private const int UtsLength = 65;
    private const int MachineOffset = 4 * UtsLength;
    private const uint PersonalityMask = 0xFF;
    private const uint PerLinux32 = 8;

    /// <summary>The 64-bit kernel's machine name in a guest's eyes: that of the 64-bit architecture the guest belongs to.</summary>
    private static ReadOnlySpan<byte> Machine => TAbi.IsI386 ? "x86_64\0"u8 : "aarch64\0"u8;

    /// <summary>COMPAT_UTS_MACHINE with the bytes that the kernel copies, its terminators included.</summary>
    private static ReadOnlySpan<byte> MachineLinux32 => TAbi.IsI386 ? "i686\0\0\0"u8 : "armv8l\0\0\0"u8;

    /// <summary>
    /// Reads the host's names and puts the guest's machine in. As on a native 64-bit kernel the machine is the 64-bit one unless the
    /// personality is PER_LINUX32 (override_architecture, kernel/sys.c); UNAME26 is applied by the host kernel.
    /// </summary>
    private static int HostUname(GuestThread* t, byte* names)
    {
        int result = (int)Host.Syscall(Nr.uname, (long)names);
        if (result != 0)
        {
            return result;
        }

        bool linux32 = (t->Group->Personality & PersonalityMask) == PerLinux32;
        ReadOnlySpan<byte> machine = linux32 ? MachineLinux32 : Machine;
        for (int i = 0; i < UtsLength; i++)
        {
            names[MachineOffset + i] = i < machine.Length ? machine[i] : (byte)0;
        }

        return 0;
    }

    /// <summary>uname with struct new_utsname: six fields of 65 bytes, the same on every ABI.</summary>
    public static int sys_uname(GuestThread* t)
    {
        byte* names = stackalloc byte[6 * UtsLength];
        int result = HostUname(t, names);
        return result != 0 ? result : User.CopyOut(TAbi.Arg(t, 0), names, 6 * UtsLength) ? 0 : -Errno.EFAULT;
    }

    /// <summary>The second generation (struct old_utsname): no domain name. A null pointer is EFAULT.</summary>
    public static int sys_olduname(GuestThread* t)
    {
        byte* names = stackalloc byte[6 * UtsLength];
        int result = HostUname(t, names);
        return result != 0 ? result : User.CopyOut(TAbi.Arg(t, 0), names, 5 * UtsLength) ? 0 : -Errno.EFAULT;
    }

    /// <summary>The first generation (struct oldold_utsname): five fields of 8 characters and a terminator.</summary>
    public static int sys_oldolduname(GuestThread* t)
    {
        const int OldLength = 9;
        byte* names = stackalloc byte[6 * UtsLength];
        byte* old = stackalloc byte[5 * OldLength];
        int result = HostUname(t, names);
        if (result != 0)
        {
            return result;
        }

        for (int field = 0; field < 5; field++)
        {
            for (int i = 0; i < OldLength; i++)
            {
                old[(field * OldLength) + i] = i < OldLength - 1 ? names[(field * UtsLength) + i] : (byte)0;
            }
        }

        return User.CopyOut(TAbi.Arg(t, 0), old, 5 * OldLength) ? 0 : -Errno.EFAULT;
    }

    /// <summary>sysinfo, scaled as compat_sys_sysinfo scales it.</summary>
    public static int sys_sysinfo(GuestThread* t)
    {
        HostLayout.sysinfo host;
        Compat.sysinfo user;
        int result = (int)Host.Syscall(Nr.sysinfo, (long)&host);
        if (result != 0)
        {
            return result;
        }

        if (t->Group->Settings.Has(Workaround.SmallMemory))
        {
            LimitMemory(&host);
        }

        NarrowSysinfo(&host, &user);
        return User.CopyOut(TAbi.Arg(t, 0), &user, (nuint)sizeof(Compat.sysinfo)) ? 0 : -Errno.EFAULT;
    }

    /// <summary>The work-around small-memory: nothing is larger than a signed 32-bit number of bytes.</summary>
    private static void LimitMemory(HostLayout.sysinfo* info)
    {
        ulong limit = int.MaxValue / info->mem_unit;
        info->totalram = info->totalram < limit ? info->totalram : limit;
        info->freeram = info->freeram < limit ? info->freeram : limit;
        info->sharedram = info->sharedram < limit ? info->sharedram : limit;
        info->bufferram = info->bufferram < limit ? info->bufferram : limit;
        info->totalswap = info->totalswap < limit ? info->totalswap : limit;
        info->freeswap = info->freeswap < limit ? info->freeswap : limit;
    }

    /// <summary>
    /// Where memory or swap needs more than 32 bits, sizes are given in units that are doubled up to the page size (4096),
    /// whatever that may still cut off: this is the kernel's rule.
    /// </summary>
    internal static void NarrowSysinfo(HostLayout.sysinfo* from, Compat.sysinfo* to)
    {
        const uint PageSize = 4096;
        int shift = 0;
        uint unit = from->mem_unit;
        if ((from->totalram >> 32) != 0 || (from->totalswap >> 32) != 0)
        {
            while (unit < PageSize)
            {
                unit <<= 1;
                shift++;
            }
        }

        *to = default;
        to->uptime = (int)from->uptime;
        to->loads[0] = (uint)from->loads[0];
        to->loads[1] = (uint)from->loads[1];
        to->loads[2] = (uint)from->loads[2];
        to->totalram = (uint)(from->totalram >> shift);
        to->freeram = (uint)(from->freeram >> shift);
        to->sharedram = (uint)(from->sharedram >> shift);
        to->bufferram = (uint)(from->bufferram >> shift);
        to->totalswap = (uint)(from->totalswap >> shift);
        to->freeswap = (uint)(from->freeswap >> shift);
        to->procs = from->procs;
        to->totalhigh = (uint)(from->totalhigh >> shift);
        to->freehigh = (uint)(from->freehigh >> shift);
        to->mem_unit = unit;
    }

    /// <summary>
    /// personality: 0xffffffff asks, anything else sets; the former value is returned. The host process gets the same word, so that
    /// programs executed from here start with it, except READ_IMPLIES_EXEC, which the host kernel would apply to our own mappings.
    /// </summary>
    public static int sys_personality(GuestThread* t)
    {
        const uint Ask = 0xFFFF_FFFF;
        uint wanted = TAbi.Arg(t, 0);
        uint former = t->Group->Personality;
        if (wanted != Ask)
        {
            t->Group->Personality = wanted;
            Host.Syscall(Nr.personality, wanted & ~Personalities.ReadImpliesExec);
        }

        return (int)former;
    }
}
