using System;
using System.Runtime.InteropServices;

namespace Lodge.Shim;

/// <summary>One exec in progress: the random numbers drawn for it, and what is known so far about the new program.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe partial struct LoadState
{
    /// <summary>The thread.</summary>
    public GuestThread* Thread;
    /// <summary>Its memory, locked.</summary>
    public Mm* Mm;
    /// <summary>PF_RANDOMIZE: addresses are randomised.</summary>
    public bool Randomise;
    /// <summary>randomize_va_space is 2: the heap is, too.</summary>
    public bool RandomiseHeap;
    /// <summary>Distance of the program from its link addresses.</summary>
    public uint Bias;
    /// <summary>Guest address of the program's entry point.</summary>
    public uint Entry;
    /// <summary>Guest address of the program headers; 0 when no segment holds them.</summary>
    public uint HeadersAddress;
    /// <summary>End of the program's last segment.</summary>
    public uint End;
    /// <summary>The strings' addresses: path, arguments, environment.</summary>
    public uint PathAddress, ArgumentsAddress, EnvironmentAddress;

    private const int RandomBytes = 64;
    private fixed byte _random[RandomBytes];

    /// <summary>
    /// Draws all random numbers at once, and finds out whether they may be used: neither personality ADDR_NO_RANDOMIZE nor
    /// kernel.randomize_va_space = 0 (without /proc it is taken for 2, the default everywhere).
    /// </summary>
    /// <param name="personality">The program's.</param>
    /// <param name="auxv">The shim's own auxiliary vector.</param>
    public void DrawRandom(uint personality, ulong* auxv)
    {
        const int GrndInsecure = 4;
        fixed (byte* pool = _random)
        {
            if (Host.Syscall(Nr.getrandom, (long)pool, RandomBytes, GrndInsecure) < 0)
            {
                Host.Syscall(Nr.getrandom, (long)pool, RandomBytes, 0);
            }
        }

        int level = (personality & Personalities.AddrNoRandomize) != 0 ? 0 : IsHeapMoved(auxv) ? 2 : RandomizeVaSpace();
        Randomise = level != 0;
        RandomiseHeap = level > 1;
    }

    /// <summary>
    /// True when the kernel has put the shim's own heap elsewhere than right behind its image: only kernel.randomize_va_space = 2 does that. One time in
    /// thousands a random place is that one; then the file is read.
    /// </summary>
    private static bool IsHeapMoved(ulong* auxv)
    {
        const uint Load = 1;
        const int VirtualAddress = 16, MemorySize = 40;
        ulong page = AuxVector.HostValue(auxv, AuxVector.AtPageSz);
        ulong entry = AuxVector.HostValue(auxv, AuxVector.AtPhEnt);
        ulong count = AuxVector.HostValue(auxv, AuxVector.AtPhNum);
        byte* header = (byte*)AuxVector.HostValue(auxv, AuxVector.AtPhdr);
        ulong end = 0;
        for (; header != null && count != 0; count--, header += entry)
        {
            ulong to = *(uint*)header == Load ? *(ulong*)(header + VirtualAddress) + *(ulong*)(header + MemorySize) : 0;
            end = to > end ? to : end;
        }

        return end != 0 && (ulong)Host.Syscall(Nr.brk, 0) != ((end + page - 1) & ~(page - 1));
    }

    private static int RandomizeVaSpace()
    {
        const int AtFdCwd = -100, Cloexec = 0x80000;
        ReadOnlySpan<byte> path = "/proc/sys/kernel/randomize_va_space\0"u8;
        fixed (byte* name = path)
        {
            int fd = (int)Host.Syscall(Nr.openat, AtFdCwd, (long)name, Cloexec, 0);
            if (fd < 0)
            {
                return 2;
            }

            byte digit = (byte)'2';
            Host.Syscall(Nr.read, fd, (long)&digit, 1);
            Host.Syscall(Nr.close, fd);
            return digit - '0';
        }
    }

    /// <summary>The 16 bytes of AT_RANDOM.</summary>
    public void CopyAuxRandom(byte* destination)
    {
        for (int i = 0; i < 16; i++)
        {
            destination[i] = _random[i];
        }
    }

    private readonly uint Word(int index)
    {
        uint value = 0;
        for (int i = 3; i >= 0; i--)
        {
            value = (value << 8) | _random[16 + (index * 4) + i];
        }

        return value;
    }

    /// <summary>arch_mmap_rnd for compat: 8 bits of pages (vm.mmap_rnd_compat_bits' default).</summary>
    public readonly uint MmapRandom() => Randomise ? (Word(0) & 0xFF) * GuestMap.PageSize : 0;

    /// <summary>A second draw of <see cref="MmapRandom"/>, for the program's own base.</summary>
    public readonly uint ProgramRandom() => Randomise ? (Word(1) & 0xFF) * GuestMap.PageSize : 0;

    /// <summary>randomize_stack_top: 11 bits of pages.</summary>
    public readonly uint StackRandom() => Randomise ? (Word(2) & 0x7FF) * GuestMap.PageSize : 0;

    /// <summary>arch_align_stack: less than 8192 bytes; two draws.</summary>
    public readonly uint Small(int which) => Randomise ? Word(3 + which) % 8192 : 0;

    /// <summary>randomize_page(start, 32 MiB) for the heap.</summary>
    public readonly uint HeapRandom() => RandomiseHeap ? (Word(5) % (32 << 8)) * GuestMap.PageSize : 0;
}
