using System;
using System.Runtime.InteropServices;
using Lodge.Abi;
using Lodge.Shim;
using Xunit;

namespace Lodge.UnitTests;

/// <summary>
/// A guest thread without a guest: a record, and pages below 4 GiB whose addresses fit in guest registers. Handlers are called as the
/// dispatcher calls them, and their host calls are real. The last page is followed by one that cannot be touched.
/// </summary>
internal sealed unsafe class GuestCall : IDisposable
{
    private const int Pages = 32;
    private const int PageSize = 4096;
    private readonly byte* _records;
    private readonly byte* _memory;
    private uint _next;

    internal GuestCall()
    {
        _records = (byte*)NativeMemory.AllocZeroed(65536);
        Thread = (GuestThread*)_records;
        Thread->Self = Thread;
        Thread->Mm = (Mm*)(_records + 16384);
        Thread->Group = (ThreadGroup*)(_records + 32768);
        Thread->Files = (FilesStruct*)(_records + 49152);
        Thread->Tid = (int)Host.Syscall(Nr.gettid);
        const int ReadWrite = 3, PrivateAnonymous32Bit = 0x2 | 0x20 | 0x40;
        long at = Host.Syscall(Nr.mmap, 0, (Pages + 1) * PageSize, ReadWrite, PrivateAnonymous32Bit, -1, 0);
        Assert.InRange(at, 0x10000, uint.MaxValue);
        _memory = (byte*)at;
        // Not a hole: what another test maps meanwhile could lie in it.
        Assert.Equal(0, Host.Syscall(Nr.mprotect, at + (Pages * PageSize), PageSize, 0));
        _next = (uint)at;
    }

    internal GuestThread* Thread { get; }

    /// <summary>First address behind the pages: not accessible.</summary>
    internal uint End => (uint)(nuint)_memory + (Pages * PageSize);

    /// <summary>An address that is never mapped.</summary>
    internal static uint Bad => 0x10;

    /// <summary>A zeroed block for <paramref name="size"/> bytes, aligned to 16.</summary>
    internal uint Alloc(int size)
    {
        uint result = _next;
        _next += (uint)((size + 15) & ~15);
        Assert.True(_next <= End);
        return result;
    }

    internal uint Put(params uint[] words)
    {
        uint at = Alloc(words.Length * 4);
        for (int i = 0; i < words.Length; i++)
        {
            Word(at, i) = words[i];
        }

        return at;
    }

    internal uint Put(ReadOnlySpan<byte> bytes)
    {
        uint at = Alloc(bytes.Length);
        bytes.CopyTo(new Span<byte>((void*)at, bytes.Length));
        return at;
    }

    /// <summary>The seconds of a time that the kernel has just told: the test may have waited for a processor since.</summary>
    internal static void AssertIsNow(long seconds) => Assert.InRange(seconds, DateTimeOffset.UtcNow.ToUnixTimeSeconds() - 300, DateTimeOffset.UtcNow.ToUnixTimeSeconds() + 300);

    internal static ref uint Word(uint address, int index) => ref ((uint*)address)[index];

    internal static Span<byte> Bytes(uint address, int length) => new((void*)address, length);

    /// <summary>Sets the argument registers of both guests.</summary>
    internal GuestThread* Args(params uint[] a)
    {
        Array.Resize(ref a, 7);
        Thread->I386.ebx = a[0];
        Thread->I386.ecx = a[1];
        Thread->I386.edx = a[2];
        Thread->I386.esi = a[3];
        Thread->I386.edi = a[4];
        Thread->I386.ebp = a[5];
        Thread->Arm.orig_r0 = a[0];
        for (int i = 0; i < 7; i++)
        {
            Thread->Arm.r[i] = a[i];
        }

        return Thread;
    }

    public void Dispose()
    {
        Host.Syscall(Nr.munmap, (long)_memory, (Pages + 1) * PageSize);
        NativeMemory.Free(_records);
    }
}
