namespace Lodge.Shim;

/// <summary>
/// The vDSO of i386 guests: a one-page ELF object (linux-gate.so.1) with the system call entry, the signal trampolines and the clock
/// functions, and unwind tables for them. Source: vdso-i386.S. It is the last page of the shim's image.
/// </summary>
public static unsafe partial class VdsoImage
{
    /// <summary>Bytes to map: whole pages.</summary>
    public const uint Size = GuestMap.PageSize;

    /// <summary>
    /// Puts the image in place of a fresh, zeroed and writable page, and makes that readable only. A page of a file needs no copy, and none
    /// in forked children, which would need a page of page tables for it.
    /// </summary>
    /// <param name="at">The guest's page.</param>
    /// <param name="file">Descriptor of the file that this process executes, or -1.</param>
    internal static void Place(uint at, int file)
    {
#if !LIBRARY
        long offset = (long)(Page() - Home.ImageStart);
        if (file >= 0 && Host.Syscall(Nr.mmap, at, Size, HostMemory.ProtRead, HostMemory.MapPrivate | HostMemory.MapFixed, file, offset) == at)
        {
            return;
        }
#endif
        CopyTo((byte*)(nuint)at);
        Host.Syscall(Nr.mprotect, at, Size, HostMemory.ProtRead);
    }

#if LIBRARY
    /// <summary>Copies the image to a fresh, zeroed page.</summary>
    public static void CopyTo(byte* page) => Image.CopyTo(new System.Span<byte>(page, (int)Size));
#else
    /// <summary>Copies the image to a page.</summary>
    public static void CopyTo(byte* page) => System.Buffer.MemoryCopy((byte*)Page(), page, Size, Size);

    /// <summary>Where it lies, by the first program header of the shim's image.</summary>
    private static ulong Page()
    {
        const int ProgramHeaders = 64, MemorySize = 40;
        ulong size = *(ulong*)(Home.ImageStart + ProgramHeaders + MemorySize);
        return Home.ImageStart + ((size + Size - 1) & ~(ulong)(Size - 1)) - Size;
    }
#endif
}
