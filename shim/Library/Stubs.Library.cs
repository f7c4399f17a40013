using System;
using System.Runtime.InteropServices;
using System.Threading;

namespace Lodge.Shim;

/// <summary>
/// Stands in for the machine-code stubs when the shim's sources run inside an ordinary .NET process: system calls go through libc, guest
/// memory is copied by the kernel (process_vm_readv on ourselves gives EFAULT where the shim's own routine would).
/// Threads cannot be started this way, and there are no program-counter windows.
/// </summary>
internal static unsafe class Stubs
{
    [ThreadStatic]
    private static GuestThread* s_thread;

    internal static nuint BlockingStart => 0;

    internal static nuint BlockingEnd => 0;

    internal static nuint BlockingInterrupted => 0;

    internal static nuint AccessStart => 0;

    internal static nuint AccessFault => 0;

    internal static nuint Restorer => 0;

    internal static long Syscall3(long a, long b, long c, long nr) => Syscall6(a, b, c, 0, 0, 0, nr);

    internal static long Syscall6(long a, long b, long c, long d, long e, long f, long nr)
    {
        long result = RawSyscall(nr, a, b, c, d, e, f);
        return result == -1 ? -Marshal.GetLastSystemError() : result;
    }

    internal static long Blocking(long a, long b, long c, long d, long e, long f, long nr, int* pending) =>
        Volatile.Read(ref *pending) != 0 ? -Errno.ERESTARTSYS : Syscall6(a, b, c, d, e, f, nr);

    internal static long Clone(ulong flags, void* stack, int* ptid, int* ctid, void* tls, delegate*<void*, void> fn, void* arg) => -Errno.ENOSYS;

    internal static long Clone3(void* args, nuint size, delegate*<void*, void> fn, void* arg) => -Errno.ENOSYS;

    internal static void UnmapAndExit(void* address, nuint length, int status) => throw new PlatformNotSupportedException();

    internal static GuestThread* ReadThread() => s_thread;

    internal static void WriteThread(GuestThread* thread) => s_thread = thread;

    internal static void SpinHint() => Thread.SpinWait(1);

    internal static void SynchroniseCode(void* start, void* end)
    {
    }

    /// <summary>Questions that this thread has asked the CPU.</summary>
    [ThreadStatic]
    internal static int CpuIdCount;

    /// <summary>The CPU that this thread is said to run on.</summary>
    [ThreadStatic]
    internal static int Cpu;

    internal static int CpuNumber() => Cpu;

    internal static void CpuId(uint leaf, uint subleaf, uint* result)
    {
        CpuIdCount++;
        (int eax, int ebx, int ecx, int edx) = System.Runtime.Intrinsics.X86.X86Base.CpuId((int)leaf, (int)subleaf);
        result[0] = (uint)eax;
        result[1] = (uint)ebx;
        result[2] = (uint)ecx;
        result[3] = (uint)edx;
    }

    /// <summary>x87, SSE and AVX state, as every test machine has.</summary>
    internal static ulong XGetBv() => 7;

    internal static long Copy(void* dst, void* src, nuint n)
    {
        if (n == 0)
        {
            return 0;
        }

        nuint* local = stackalloc nuint[] { (nuint)dst, n };
        nuint* remote = stackalloc nuint[] { (nuint)src, n };
        return Syscall6(Environment.ProcessId, (long)local, 1, (long)remote, 1, 0, Nr.process_vm_readv) == (long)n ? 0 : -Errno.EFAULT;
    }

    internal static long CopyString(byte* dst, byte* src, nuint max)
    {
        for (nuint i = 0; i < max; i++)
        {
            if (Copy(dst + i, src + i, 1) != 0)
            {
                return -Errno.EFAULT;
            }

            if (dst[i] == 0)
            {
                return (long)i;
            }
        }

        return (long)max;
    }

    internal static long Fill(void* dst, byte value, nuint n)
    {
        for (nuint i = 0; i < n; i++)
        {
            if (Copy((byte*)dst + i, &value, 1) != 0)
            {
                return -Errno.EFAULT;
            }
        }

        return 0;
    }

    internal static long CompareExchange(uint* address, uint expected, uint desired, uint* seen)
    {
        if (Copy(seen, address, 4) != 0)
        {
            return -Errno.EFAULT;
        }

        *seen = Interlocked.CompareExchange(ref *address, desired, expected);
        return 0;
    }

    [DllImport("libc", EntryPoint = "syscall")]
    private static extern long RawSyscall(long nr, long a, long b, long c, long d, long e, long f);
}
