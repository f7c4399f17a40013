namespace Lodge.Shim;

/// <summary>TLS and LDT descriptors of i386 guests (arch/x86/kernel/tls.c, ldt.c).</summary>
public static unsafe partial class Syscalls<TAbi>
{
    private const int LdtEntries = 8192;
    private const int LdtEntrySize = 8;

    /// <summary>set_thread_area: EFAULT, EINVAL for what TLS may not hold, ESRCH when no entry is free.</summary>
    public static int sys_set_thread_area(GuestThread* t) => SetThreadArea(t, t, TAbi.Arg(t, 0), true);

    /// <summary>do_set_thread_area for the caller or for the child it is making.</summary>
    internal static int SetThreadArea(GuestThread* t, GuestThread* target, uint pointer, bool canAllocate)
    {
        if (!User.Get(pointer, out UserDesc info))
        {
            return -Errno.EFAULT;
        }

        bool empty = info.IsEmpty || info.IsZero;
        if (!empty && (!info.Is32Bit || info.Contents > 1 || info.NotPresent))
        {
            return -Errno.EINVAL;
        }

        int entry = (int)info.entry_number;
        if (entry == -1 && canAllocate)
        {
            entry = 0;
            while (entry < Segments.TlsCount && target->Links.Tls[entry] != 0)
            {
                entry++;
            }

            if (entry == Segments.TlsCount)
            {
                return -Errno.ESRCH;
            }

            entry += Segments.TlsMin;
            if (!User.Put(pointer, entry))
            {
                return -Errno.EFAULT;
            }
        }

        if (entry is < Segments.TlsMin or >= Segments.TlsMin + Segments.TlsCount)
        {
            return -Errno.EINVAL;
        }

        target->Links.Tls[entry - Segments.TlsMin] = empty ? 0 : info.ToDescriptor();
        Segments.RefreshBases(target);
        return 0;
    }

    /// <summary>get_thread_area.</summary>
    public static int sys_get_thread_area(GuestThread* t)
    {
        uint pointer = TAbi.Arg(t, 0);
        if (!User.Get(pointer, out int entry))
        {
            return -Errno.EFAULT;
        }

        if (entry is < Segments.TlsMin or >= Segments.TlsMin + Segments.TlsCount)
        {
            return -Errno.EINVAL;
        }

        return User.Put(pointer, UserDesc.FromDescriptor(entry, t->Links.Tls[entry - Segments.TlsMin])) ? 0 : -Errno.EFAULT;
    }

    /// <summary>modify_ldt: 0 reads, 1 writes (old meaning of the flags), 2 reads the default, 11h writes.</summary>
    public static int sys_modify_ldt(GuestThread* t)
    {
        uint pointer = TAbi.Arg(t, 1);
        uint count = TAbi.Arg(t, 2);
        return (int)TAbi.Arg(t, 0) switch
        {
            0 => ReadLdt(t, pointer, count),
            1 => WriteLdt(t, pointer, count, true),
            2 => ReadDefaultLdt(pointer, count),
            0x11 => WriteLdt(t, pointer, count, false),
            _ => -Errno.ENOSYS,
        };
    }

    private static int ReadLdt(GuestThread* t, uint pointer, uint count)
    {
        Mm* mm = t->Mm;
        mm->Lock.Acquire(t);
        ulong* ldt = mm->Ldt;
        uint used = (uint)mm->LdtEntries * LdtEntrySize;
        mm->Lock.Release(t);
        if (ldt == null)
        {
            return 0;
        }

        count = count < LdtEntries * LdtEntrySize ? count : LdtEntries * LdtEntrySize;
        used = used < count ? used : count;
        return User.CopyOut(pointer, ldt, used) && User.Fill(pointer + used, 0, count - used) ? (int)count : -Errno.EFAULT;
    }

    private static int ReadDefaultLdt(uint pointer, uint count)
    {
        count = count < 128 ? count : 128;
        return User.Fill(pointer, 0, count) ? (int)count : -Errno.EFAULT;
    }

    private static int WriteLdt(GuestThread* t, uint pointer, uint count, bool oldMode)
    {
        if (count != (uint)sizeof(UserDesc))
        {
            return -Errno.EINVAL;
        }

        if (!User.Get(pointer, out UserDesc info))
        {
            return -Errno.EFAULT;
        }

        if (info.entry_number >= LdtEntries || (info.Contents == 3 && (oldMode || !info.NotPresent)))
        {
            return -Errno.EINVAL;
        }

        ulong descriptor = 0;
        if (!(oldMode && info.base_addr == 0 && info.limit == 0) && !info.IsEmpty)
        {
            descriptor = info.ToDescriptor();
            if (oldMode)
            {
                descriptor &= ~(1UL << 52);
            }
        }

        Mm* mm = t->Mm;
        mm->Lock.Acquire(t);
        if (mm->Ldt == null)
        {
            mm->Ldt = (ulong*)HostMemory.Map(LdtEntries * LdtEntrySize);
        }

        int result = -Errno.ENOMEM;
        if (mm->Ldt != null)
        {
            mm->Ldt[info.entry_number] = descriptor;
            if (info.entry_number >= (uint)mm->LdtEntries)
            {
                mm->LdtEntries = (int)info.entry_number + 1;
            }

            result = 0;
        }

        mm->Lock.Release(t);
        Segments.RefreshBases(t);
        return result;
    }
}
