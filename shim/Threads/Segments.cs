using System.Runtime.InteropServices;

namespace Lodge.Shim;

/// <summary>Access bits of a descriptor, as LAR shows them (bits 8 to 23 of its upper word).</summary>
public static class SegmentAccess
{
    /// <summary>Present.</summary>
    public const uint Present = 0x8000;
    /// <summary>Code segment (data otherwise).</summary>
    public const uint Code = 0x800;
    /// <summary>Code: readable.</summary>
    public const uint Readable = 0x200;
    /// <summary>Data: writable.</summary>
    public const uint Writable = 0x200;
}

public unsafe partial struct Mm
{
    /// <summary>The LDT: 8192 descriptors in hardware format, mapped when first written; null = none. Under <see cref="Lock"/>; entries are read without.</summary>
    public ulong* Ldt;
    /// <summary>Entries up to the highest ever written.</summary>
    public int LdtEntries;
}

/// <summary>
/// Segment descriptors of i386 guests. They exist only here: the host has flat segments, and bases are added by translated code or
/// by GS base. Selectors are those of a 64-bit kernel: 23h code, 2Bh data, 33h 64-bit code, 63h/6Bh/73h TLS, LDT with bit 2.
/// </summary>
public static unsafe class Segments
{
    /// <summary>First GDT entry for TLS.</summary>
    public const int TlsMin = 12;
    /// <summary>Number of TLS entries.</summary>
    public const int TlsCount = 3;

    // GDT entries that user mode can see on a 64-bit kernel: 4 = 32-bit code, 5 = data, 6 = 64-bit code, 15 = CPU number.
    private const ulong Code32 = 0x00cffb000000ffff, Data = 0x00cff3000000ffff, Code64 = 0x00affb000000ffff, CpuNumber = 0x0040f50000000000;

    /// <summary>The descriptor behind a selector, as the CPU would read it with CPL 3.</summary>
    /// <returns>False for a null or empty selector, one beyond its table, or one that ring 3 may not see.</returns>
    public static bool Query(GuestThread* t, ushort selector, out uint segmentBase, out uint limit, out uint access)
    {
        ulong descriptor = Descriptor(t, selector);
        segmentBase = Base(descriptor);
        limit = Limit(descriptor);
        access = (uint)(descriptor >> 32) & 0x00f0ff00;
        bool isUser = ((descriptor >> 44) & 1) != 0;
        bool privileged = ((descriptor >> 45) & 3) != 3 && ((descriptor >> 42) & 3) != 3;
        return isUser && !privileged;
    }

    /// <summary>The base of a loaded selector; 0 for what cannot be loaded.</summary>
    public static uint BaseOf(GuestThread* t, ushort selector) => selector > 3 && Query(t, selector, out uint segmentBase, out _, out _) ? segmentBase : 0;

    /// <summary>The raw descriptor of a selector; 0 = none.</summary>
    public static ulong Descriptor(GuestThread* t, ushort selector)
    {
        int index = selector >> 3;
        if ((selector & 4) != 0)
        {
            return t->Mm->Ldt != null && index < t->Mm->LdtEntries ? t->Mm->Ldt[index] : 0;
        }

        return index switch
        {
            4 => Code32,
            5 => Data,
            6 => Code64,
            TlsMin or TlsMin + 1 or TlsMin + 2 => t->Links.Tls[index - TlsMin],
            15 => CpuNumber,
            _ => 0,
        };
    }

    /// <summary>Loads the segment registers of a signal frame, with RPL 3 forced; what cannot be loaded becomes null, as the kernel's loads have it.</summary>
    public static void Reload(GuestThread* t, uint cs, uint ss, uint ds, uint es, uint fs, uint gs)
    {
        ref I386Frame r = ref t->I386;
        r.cs = (ushort)(cs | 3);
        r.ss = (ushort)(ss | 3);
        r.cs_base = BaseOf(t, r.cs);
        r.ss_base = BaseOf(t, r.ss);
        r.ds = Loadable(t, ds);
        r.es = Loadable(t, es);
        r.fs = Loadable(t, fs);
        r.gs = Loadable(t, gs);
        RefreshBases(t);
    }

    /// <summary>Recomputes the bases of the loaded data selectors after a descriptor has changed.</summary>
    public static void RefreshBases(GuestThread* t)
    {
        ref I386Frame r = ref t->I386;
        r.ds_base = BaseOf(t, r.ds);
        r.es_base = BaseOf(t, r.es);
        r.fs_base = BaseOf(t, r.fs);
        r.gs_base = BaseOf(t, r.gs);
    }

    private static ushort Loadable(GuestThread* t, uint selector)
    {
        ushort s = (ushort)(selector | 3);
        if (s <= 3)
        {
            // A null selector keeps what the guest had: 0 to 3 are the same to it.
            return (ushort)selector;
        }

        return Query(t, s, out _, out _, out uint access) && (access & SegmentAccess.Present) != 0 ? s : (ushort)0;
    }

    private static uint Base(ulong descriptor) => (uint)((descriptor >> 16) & 0xffffff) | ((uint)(descriptor >> 56) << 24);

    private static uint Limit(ulong descriptor)
    {
        uint limit = (uint)(descriptor & 0xffff) | ((uint)(descriptor >> 32) & 0xf0000);
        return ((descriptor >> 55) & 1) != 0 ? (limit << 12) | 0xfff : limit;
    }
}

/// <summary>struct user_desc (arch/x86/include/uapi/asm/ldt.h): 16 bytes, flags packed in the last word.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct UserDesc
{
    /// <summary>Entry, or -1 to have one chosen.</summary>
    public uint entry_number;
    /// <summary>Linear base.</summary>
    public uint base_addr;
    /// <summary>Limit in bytes or pages.</summary>
    public uint limit;
    /// <summary>seg_32bit 1, contents 6, read_exec_only 8, limit_in_pages 10h, seg_not_present 20h, useable 40h, lm 80h.</summary>
    public uint flags;

    /// <summary>seg_32bit.</summary>
    public readonly bool Is32Bit => (flags & 1) != 0;
    /// <summary>contents: 0 data, 1 stack, 2 code, 3 conforming code.</summary>
    public readonly uint Contents => (flags >> 1) & 3;
    /// <summary>seg_not_present.</summary>
    public readonly bool NotPresent => (flags & 0x20) != 0;
    /// <summary>LDT_empty: what the header calls an empty entry (read-only, not present, everything else 0).</summary>
    public readonly bool IsEmpty => base_addr == 0 && limit == 0 && (flags & 0xff) == 0x28;
    /// <summary>LDT_zero: everything 0.</summary>
    public readonly bool IsZero => base_addr == 0 && limit == 0 && (flags & 0xff) == 0;

    /// <summary>fill_ldt: the hardware descriptor (DPL 3, accessed).</summary>
    public readonly ulong ToDescriptor()
    {
        uint type = (((flags >> 3) & 1) ^ 1) << 1 | (Contents << 2) | 1;
        uint low = ((base_addr & 0xffff) << 16) | (limit & 0xffff);
        uint high = (base_addr & 0xff000000) | ((base_addr >> 16) & 0xff) | (limit & 0xf0000) | (type << 8) | (1u << 12) | (3u << 13)
            | (NotPresent ? 0u : 1u << 15) | (((flags >> 6) & 1) << 20) | ((flags & 1) << 22) | (((flags >> 4) & 1) << 23);
        return low | ((ulong)high << 32);
    }

    /// <summary>fill_user_desc.</summary>
    public static UserDesc FromDescriptor(int entry, ulong descriptor)
    {
        uint high = (uint)(descriptor >> 32);
        UserDesc d;
        d.entry_number = (uint)entry;
        d.base_addr = (high & 0xff000000) | ((high & 0xff) << 16) | (uint)((descriptor >> 16) & 0xffff);
        d.limit = (high & 0xf0000) | (uint)(descriptor & 0xffff);
        d.flags = ((high >> 22) & 1) | (((high >> 10) & 3) << 1) | ((((high >> 9) & 1) ^ 1) << 3) | (((high >> 23) & 1) << 4)
            | ((((high >> 15) & 1) ^ 1) << 5) | (((high >> 20) & 1) << 6) | (((high >> 21) & 1) << 7);
        return d;
    }
}
