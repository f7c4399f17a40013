using System;

namespace Lodge.Shim;

/// <summary>The end after a broken invariant: a line on standard error and exit status 70 (EX_SOFTWARE of sysexits.h).</summary>
public static unsafe class Fatal
{
    private const int StackWords = 256, MostAddresses = 12;

    /// <summary>
    /// Stops the process. Async-signal-safe; does not return. The message ends with the code addresses that lie on the stack: return
    /// addresses, innermost first, and now and then a stale one. addr2line on the unstripped image names them.
    /// </summary>
    public static void Stop(ReadOnlySpan<byte> why)
    {
        Line line = new(stackalloc byte[512]);
        line.Add("lodge-shim: internal error: "u8);
        line.Add(why);
        AddCodeAddresses(ref line);
        line.Add("\n"u8);
        line.Flush(2);
        Host.ExitGroup(70);
    }

    private static void AddCodeAddresses(ref Line line)
    {
#if FREESTANDING
        // The image begins with its ELF header (entry point at 24), then the program headers: the first is the code segment, its size at 40.
        const ulong Image = 0x30_0000_0000;
        ulong start = *(ulong*)(Image + 24);
        ulong end = Image + *(ulong*)(Image + 64 + 40);
        ulong* words = stackalloc ulong[StackWords];
        long read = ReadUpwards(words, &words);
        int found = 0;
        for (int i = 0; i < read / 8 && found < MostAddresses; i++)
        {
            ulong value = words[i];
            if (value > start && value < end)
            {
                line.Add(found++ == 0 ? " at "u8 : " "u8);
                line.Hex(value);
            }
        }
#endif
    }

    // By the kernel, which stops at the end of the stack where we would fault.
    private static long ReadUpwards(ulong* to, void* from)
    {
        ulong* local = stackalloc ulong[] { (ulong)to, StackWords * 8 };
        ulong* remote = stackalloc ulong[] { (ulong)from, StackWords * 8 };
        return Host.Syscall(Nr.process_vm_readv, Host.Syscall(Nr.getpid), (long)local, 1, (long)remote, 1, 0);
    }
}
