using System;
using System.Threading;
using Compat = Lodge.Abi.Compat;

namespace Lodge.Shim;

public unsafe partial struct ThreadGroup
{
    /// <summary>The host's vDSO until it is needed: one that has been looked at costs each forked child three pages of page tables. Then null.</summary>
    public byte* HostVdso;
    /// <summary>clock_gettime of the host's vDSO, or null where there is none: <c>int (int clock, struct __kernel_timespec *)</c>.</summary>
    public delegate*<int, void*, int> HostClockGettime;
}

/// <summary>
/// The host's own vDSO: an ELF image that the kernel maps into every process (AT_SYSINFO_EHDR). Its clock_gettime answers without
/// entering the kernel, which makes a guest's clock calls about as cheap as native ones. The image is the kernel's and trusted,
/// but every step is checked: a kernel without a vDSO, or with another layout, just means that the system call is used.
/// </summary>
internal static unsafe class HostVdso
{
    private const int PtLoad = 1;
    private const int PtDynamic = 2;
    private const long DtHash = 4;
    private const long DtStrtab = 5;
    private const long DtSymtab = 6;
    private const long DtGnuHash = 0x6ffffef5;

    private static ReadOnlySpan<byte> ClockGettimeX64 => "__vdso_clock_gettime"u8;

    private static ReadOnlySpan<byte> ClockGettimeArm64 => "__kernel_clock_gettime"u8;

    /// <summary>
    /// Looks the clock function up and stores it in <paramref name="group"/>. Called when it is first wanted; twice does no harm.
    /// </summary>
    /// <param name="group">The record that keeps the function.</param>
    /// <param name="image">AT_SYSINFO_EHDR of the host's auxiliary vector, or null.</param>
    public static void Initialize(ThreadGroup* group, byte* image)
    {
        byte* function = Find(image, ClockGettimeX64);
        if (function == null)
        {
            function = Find(image, ClockGettimeArm64);
        }

        // Indirect calls test bit 1 of a code address (freestanding builds); code that is not 4-aligned must not be called so.
        group->HostClockGettime = ((ulong)function & 3) == 0 ? (delegate*<int, void*, int>)function : null;
        Volatile.Write(ref *(nint*)&group->HostVdso, 0);
    }

    /// <summary>clock_gettime(2) by the shortest way.</summary>
    /// <returns>0 or -errno, as the system call.</returns>
    public static int ClockGettime(GuestThread* t, int clock, Compat.__kernel_timespec* now)
    {
        byte* image = t->Group->HostVdso;
        if (image != null)
        {
            Initialize(t->Group, image);
        }

        delegate*<int, void*, int> function = t->Group->HostClockGettime;
        return function != null ? function(clock, now) : (int)Host.Syscall(Nr.clock_gettime, clock, (long)now);
    }

    /// <summary>Address of the function <paramref name="name"/> that the image exports, or null.</summary>
    public static byte* Find(byte* image, ReadOnlySpan<byte> name)
    {
        if (image == null || *(uint*)image != 0x464C457F || image[4] != 2)
        {
            return null;
        }

        byte* headers = image + *(ulong*)(image + 32);
        int entrySize = *(ushort*)(image + 54);
        int count = *(ushort*)(image + 56);
        byte* bias = null;
        byte* dynamic = null;
        bool loaded = false;
        for (int i = 0; i < count; i++)
        {
            byte* header = headers + ((nint)i * entrySize);
            uint type = *(uint*)header;
            if (type == PtLoad && !loaded)
            {
                // Addresses inside the image are relative to its first segment's p_vaddr, at file offset p_offset.
                bias = image + *(ulong*)(header + 8) - *(ulong*)(header + 16);
                loaded = true;
            }
            else if (type == PtDynamic)
            {
                dynamic = image + *(ulong*)(header + 8);
            }
        }

        if (!loaded || dynamic == null)
        {
            return null;
        }

        byte* strings = null;
        byte* symbols = null;
        uint* hash = null;
        uint* gnuHash = null;
        for (long* entry = (long*)dynamic; entry[0] != 0; entry += 2)
        {
            byte* target = bias + entry[1];
            switch (entry[0])
            {
                case DtStrtab:
                    strings = target;
                    break;
                case DtSymtab:
                    symbols = target;
                    break;
                case DtHash:
                    hash = (uint*)target;
                    break;
                case DtGnuHash:
                    gnuHash = (uint*)target;
                    break;
            }
        }

        if (strings == null || symbols == null)
        {
            return null;
        }

        uint symbolCount = hash != null ? hash[1] : gnuHash != null ? CountByGnuHash(gnuHash) : 0;
        for (uint i = 0; i < symbolCount; i++)
        {
            byte* symbol = symbols + ((nuint)i * 24);
            bool defined = *(ushort*)(symbol + 6) != 0;
            if (defined && Same(strings + *(uint*)symbol, name))
            {
                return bias + *(ulong*)(symbol + 8);
            }
        }

        return null;
    }

    /// <summary>Number of dynamic symbols: the chain of the highest bucket ends with the last one.</summary>
    private static uint CountByGnuHash(uint* table)
    {
        uint bucketCount = table[0];
        uint firstSymbol = table[1];
        uint* buckets = table + 4 + (table[2] * 2);
        uint last = 0;
        for (uint i = 0; i < bucketCount; i++)
        {
            if (buckets[i] > last)
            {
                last = buckets[i];
            }
        }

        if (last < firstSymbol)
        {
            return firstSymbol;
        }

        uint* chain = buckets + bucketCount;
        while ((chain[last - firstSymbol] & 1) == 0)
        {
            last++;
        }

        return last + 1;
    }

    private static bool Same(byte* text, ReadOnlySpan<byte> name)
    {
        for (int i = 0; i < name.Length; i++)
        {
            if (text[i] != name[i])
            {
                return false;
            }
        }

        return text[name.Length] == 0;
    }
}
