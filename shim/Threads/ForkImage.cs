namespace Lodge.Shim;

/// <summary>
/// The shim's own code over a fork. The kernel copies the page tables of a private file mapping only when one of its pages has been written;
/// otherwise each child faults its way through our code again, half a dozen faults for the little that it runs. So one byte of the
/// image is written, with the value that it has, before the first fork.
/// </summary>
public static unsafe class ForkImage
{
    private const int ProgramHeaders = 64, MemorySize = 40, UnusedIdentByte = 15;

    /// <summary>Makes the children's copies whole. Once in a process image, before its first fork; does nothing where the host forbids it.</summary>
    public static void Prepare()
    {
        const int ReadExec = HostMemory.ProtRead | HostMemory.ProtExec;
        ulong size = (*(ulong*)(Home.ImageStart + ProgramHeaders + MemorySize) + 4095) & ~4095ul;
        if (Host.Syscall(Nr.mprotect, (long)Home.ImageStart, (long)size, ReadExec | HostMemory.ProtWrite) == 0)
        {
            byte* unused = (byte*)Home.ImageStart + UnusedIdentByte;
            System.Threading.Volatile.Write(ref *unused, *unused);
            Host.Syscall(Nr.mprotect, (long)Home.ImageStart, (long)size, ReadExec);
        }
    }
}
