using System;
using System.Runtime.InteropServices;
using Lodge.Abi;
using Lodge.Shim;
using Lodge.Translator.X64;

namespace Lodge.UnitTests.Dispatch;

/// <summary>
/// A code cache with a guest thread and guest memory for it. Code is translated and installed as in the shim; it is not run.
/// </summary>
internal sealed unsafe class CacheUnderTest : IDisposable
{
    private const int ArenaBytes = 1 << 20, BitmapBytes = (1 << 20) / 8, ReturnStackBytes = 65536;
    private readonly uint _guestBytes;

    /// <param name="sizes">Of the cache.</param>
    /// <param name="guestBytes">Guest memory, whole pages.</param>
    /// <param name="writable">Whether the guest may write it: then pages are protected, or their units checked.</param>
    public CacheUnderTest(CodeCacheSizes sizes, uint guestBytes = 1 << 20, bool writable = false)
    {
        _guestBytes = guestBytes;
        T = Zeroed<GuestThread>(1);
        T->Self = T;
        T->Tid = (int)Host.Syscall(Nr.gettid);
        T->Group = Zeroed<ThreadGroup>(1);
        Mm* mm = Zeroed<Mm>(1);
        T->Mm = mm;
        mm->Users = 1;
        mm->Map.Initialize((byte*)NativeMemory.AllocZeroed(ArenaBytes), ArenaBytes);
        mm->CodePages = (ulong*)NativeMemory.AllocZeroed(2 * BitmapBytes);
        mm->GuardedPages = mm->CodePages + (BitmapBytes / 8);
        T->Links.ReturnStackLow = (ulong)NativeMemory.AllocZeroed(ReturnStackBytes);
        T->Links.ReturnStackTop = T->Links.ReturnStackLow + ReturnStackBytes;
        Host.SetThread(T);

        // PROT_READ|WRITE, MAP_PRIVATE|ANONYMOUS|NORESERVE|32BIT.
        Guest = (uint)Host.Syscall(Nr.mmap, 0, guestBytes, 3, 0x4062, -1, 0);
        GuestMapping mapping = default;
        mapping.Start = Guest;
        mapping.End = Guest + guestBytes;
        mapping.Flags = MappingFlags.Read | MappingFlags.Exec | (writable ? MappingFlags.Write : 0);
        mm->Map.Insert(mapping);
        Cache = CodeCache.Create(sizes, null, 0);
        mm->Code = Cache;
        T->Exec.CodeBase = (ulong)Cache->Base;
        T->Exec.TargetTable = (ulong)Cache->Targets;
        Dispatcher.ResetReturnStack(T);
    }

    public GuestThread* T { get; }

    public CodeCache* Cache { get; }

    /// <summary>First byte of the guest's memory.</summary>
    public uint Guest { get; }

    /// <summary>Puts code at an offset in guest memory; its address.</summary>
    public uint Put(uint offset, params ReadOnlySpan<byte> code)
    {
        code.CopyTo(new Span<byte>((void*)(Guest + offset), code.Length));
        return Guest + offset;
    }

    /// <summary>The code cache offset for a guest address, translated when needed.</summary>
    public uint Find(uint pc)
    {
        uint offset = Cache->Find(T, pc);
        T->Exec.InCache = 0;
        return offset;
    }

    /// <summary>The unit that starts at a guest address, translated when needed.</summary>
    public uint UnitOf(uint pc) => Cache->UnitAt(Find(pc));

    /// <summary>Id of a unit's exit.</summary>
    public static uint Exit(uint unit, int index) => unit + (((uint)sizeof(Unit) + ((uint)index * (uint)sizeof(LinkRecord))) / 4);

    /// <summary>Record of a unit's exit.</summary>
    public LinkRecord* LinkOf(uint unit, int index)
    {
        fixed (Unit* u = &Cache->UnitRef(unit))
        {
            return (LinkRecord*)(u + 1) + index;
        }
    }

    /// <summary>Where the exit's rel32 leads, as a code cache offset.</summary>
    public uint LeadsTo(uint exit) => (uint)(Cache->PatchOf(exit) + 4 + *(int*)(Cache->Base + Cache->PatchOf(exit)));

    /// <summary>The target table's word.</summary>
    public uint Target(uint pc) => TargetTables.Read(Cache->Targets, pc, Cache->Layout.NestedTargets);

    /// <summary>Stops the thread at a host offset, as a signal does, with r15d for ESP, and makes the frame precise.</summary>
    public void StopAt(uint hostOffset, uint r15, uint r8 = 0, uint r9 = 0)
    {
        T->Exec.InterruptedPc = (ulong)Cache->Base + hostOffset;
        T->I386.esp = r15;
        T->Exec.R8 = r8;
        T->Exec.R9 = r9;
        Recovery.Recover(T, Cache);
    }

    /// <summary>First host offset of the unit whose side table entry satisfies the condition; uint.MaxValue for none.</summary>
    public uint HostOffset(uint unit, Func<Boundary, bool> wanted)
    {
        Unit u = Cache->UnitRef(unit);
        for (uint at = u.HostStart; at < u.HostStart + u.HostLength; at++)
        {
            if (wanted(Cache->BoundaryAt(unit, at)))
            {
                return at;
            }
        }

        return uint.MaxValue;
    }

    public void Dispose()
    {
        Host.Syscall(Nr.munmap, Guest, _guestBytes);
        Host.SetThread(null);
    }

    private static TRecord* Zeroed<TRecord>(int count)
        where TRecord : unmanaged
        => (TRecord*)NativeMemory.AlignedAlloc((nuint)(sizeof(TRecord) * count), 64) is var p && Clear(p, sizeof(TRecord) * count) ? p : null;

    private static bool Clear(void* memory, int bytes)
    {
        NativeMemory.Clear(memory, (nuint)bytes);
        return memory != null;
    }
}
