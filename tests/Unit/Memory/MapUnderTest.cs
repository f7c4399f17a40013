using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using Lodge.Shim;

namespace Lodge.UnitTests.Memory;

/// <summary>A <see cref="GuestMap"/> with an arena of its own, and the list of its mappings as the tree gives them.</summary>
internal sealed unsafe class MapUnderTest : IDisposable
{
    private const int ArenaBytes = 1 << 20;
    private void* _arena = NativeMemory.AllocZeroed(ArenaBytes);

    public GuestMap Map;

    public MapUnderTest() => Map.Initialize((byte*)_arena, ArenaBytes);

    public void Dispose()
    {
        NativeMemory.Free(_arena);
        _arena = null;
    }

    public List<GuestMapping> ToList()
    {
        List<GuestMapping> list = [];
        for (GuestMapping* node = Map.FirstMapping(); node != null; node = Map.Next(node))
        {
            list.Add(*node);
        }

        return list;
    }

    public void Put(uint start, uint length, MappingFlags flags, ulong inode = 0, ulong offset = 0)
    {
        Map.Remove(start, start + length);
        GuestMapping mapping = default;
        mapping.Start = start;
        mapping.End = start + length;
        mapping.Flags = flags | (inode != 0 ? MappingFlags.File : 0);
        mapping.Inode = inode;
        mapping.Offset = offset;
        Map.Insert(mapping);
    }
}
