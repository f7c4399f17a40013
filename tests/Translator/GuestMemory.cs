using System;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Lodge.TranslatorTests;

/// <summary>
/// Bytes that a translator may read as guest code, between two pages that nobody may touch: a fetch outside ends the test run.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed unsafe partial class GuestMemory : IDisposable
{
    private const int Page = 4096, ProtNone = 0, ProtReadWrite = 3, MapPrivateAnonymous = 0x22;
    private readonly byte* _map;
    private readonly nuint _mapped;

    /// <summary>Whole pages that hold guest addresses from <paramref name="start"/> (rounded down) on.</summary>
    internal GuestMemory(uint start, int length)
    {
        Start = start & ~(uint)(Page - 1);
        int pages = (int)((start - Start) + (uint)length + Page - 1) / Page;
        Length = pages * Page;
        _mapped = (nuint)Length + (2 * Page);
        _map = Map(null, _mapped, ProtNone, MapPrivateAnonymous, -1, 0);
        if ((nint)_map == -1 || Protect(_map + Page, (nuint)Length, ProtReadWrite) != 0)
        {
            throw new InvalidOperationException("no memory for guest code");
        }
    }

    /// <summary>First guest address, and bytes.</summary>
    internal uint Start { get; }

    internal int Length { get; }

    /// <summary>First guest address behind the memory.</summary>
    internal ulong End => Start + (ulong)Length;

    /// <summary>Host address minus guest address.</summary>
    internal long Base => (long)(_map + Page) - Start;

    /// <summary>The bytes at a guest address up to the end.</summary>
    internal Span<byte> At(uint address) => new((byte*)(address + Base), (int)(End - address));

    public void Dispose() => _ = Unmap(_map, _mapped);

    [LibraryImport("libc", EntryPoint = "mmap")]
    private static partial byte* Map(byte* address, nuint length, int protection, int flags, int fd, long offset);

    [LibraryImport("libc", EntryPoint = "mprotect")]
    private static partial int Protect(byte* address, nuint length, int protection);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Unmap(byte* address, nuint length);
}
