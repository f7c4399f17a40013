using System.Runtime.CompilerServices;
using System.Threading;

namespace Lodge.Shim;

/// <summary>
/// Target tables: from a guest address to the code cache offset of its translation, 0 = none. Flat, four bytes for each of the 4 GiB of
/// addresses, where address space costs nothing; nested where a limit counts it:
/// <code>
/// start             level 1: 65,536 words, by the upper half of the address: distance of a node
/// + 256 KiB         nodes of 1 KiB: 256 words, by the next byte distances of nodes, by the last byte code cache offsets
/// </code>
/// Distances are from the first node, which stays empty: an address that is nowhere finds 0 at its end, with as many loads as any other.
/// Read without a lock, also by the shared indirect branch (see <c>DispatchStubs</c>); written under the cache's lock, a word at a time.
/// </summary>
public static unsafe class TargetTables
{
    /// <summary>Bytes of a flat table: four for every guest address.</summary>
    public const ulong FlatBytes = 16ul << 30;

    /// <summary>Bytes in front of the first node of a nested table.</summary>
    public const uint Level1Bytes = 65536 * 4;

    /// <summary>Bytes of a node.</summary>
    public const uint NodeBytes = 1024;

    /// <summary>Bytes of a table with at most so many nodes; 0 = flat.</summary>
    public static ulong Bytes(uint nodes) => nodes == 0 ? FlatBytes : Level1Bytes + (nodes * (ulong)NodeBytes);

    /// <summary>The word for a guest address. Any thread.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Read(byte* table, uint pc, bool nested) =>
        nested ? Nested(table, pc) : Volatile.Read(ref ((uint*)table)[pc]);

    /// <summary>Sets the word for a guest address; <paramref name="used"/> counts the nodes in use, at most <paramref name="nodes"/> (0 = flat). Under the lock.</summary>
    public static void Write(byte* table, uint pc, uint offset, uint nodes, ref uint used)
    {
        if (nodes == 0)
        {
            ((uint*)table)[pc] = offset;
            return;
        }

        uint* first = (uint*)table + (pc >> 16);
        uint* second = Step(table, first, (pc >> 8) & 0xFF, nodes, ref used);
        uint* last = second == null ? null : Step(table, second, pc & 0xFF, nodes, ref used);
        if (last != null)
        {
            *last = offset;
        }
    }

    /// <summary>Takes the word for a guest address out if it has this value. Under the lock.</summary>
    public static void Remove(byte* table, uint pc, uint offset, bool nested)
    {
        if (!nested)
        {
            if (((uint*)table)[pc] == offset)
            {
                ((uint*)table)[pc] = 0;
            }

            return;
        }

        if (Nested(table, pc) == offset)
        {
            byte* nodes = table + Level1Bytes;
            uint node = ((uint*)(nodes + ((uint*)table)[pc >> 16]))[(pc >> 8) & 0xFF];
            ((uint*)(nodes + node))[pc & 0xFF] = 0;
        }
    }

    private static uint Nested(byte* table, uint pc)
    {
        byte* nodes = table + Level1Bytes;
        uint node = Volatile.Read(ref ((uint*)table)[pc >> 16]);
        node = Volatile.Read(ref ((uint*)(nodes + node))[(pc >> 8) & 0xFF]);
        return Volatile.Read(ref ((uint*)(nodes + node))[pc & 0xFF]);
    }

    /// <summary>The word in the node that <paramref name="link"/> leads to; a new node when there is none. Null when none is left.</summary>
    private static uint* Step(byte* table, uint* link, uint index, uint nodes, ref uint used)
    {
        if (*link == 0)
        {
            if (used >= nodes)
            {
                return null;
            }

            Volatile.Write(ref *link, used++ * NodeBytes);
        }

        return (uint*)(table + Level1Bytes + *link) + index;
    }
}
