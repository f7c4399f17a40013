using System.Collections.Generic;
using Lodge.Shim;

namespace Lodge.UnitTests.Memory;

/// <summary>
/// The address space as an array of pages: no tree, no joining, placement by looking at every page. Addresses are page numbers of a window.
/// </summary>
internal sealed class PageModel(uint firstPage, int pages)
{
    private const uint PageSize = 4096, GuardPages = 256;

    /// <summary>What one page is: its mapping's flags, file and page of the file.</summary>
    public readonly record struct Page(MappingFlags Flags, ulong Inode, ulong FilePage);

    private readonly Page?[] _pages = new Page?[pages];

    public uint Start => firstPage * PageSize;

    public uint End => (firstPage + (uint)_pages.Length) * PageSize;

    public Page? this[uint address] => _pages[(address / PageSize) - firstPage];

    public void Put(uint start, uint length, MappingFlags flags, ulong inode, ulong offset)
    {
        for (uint i = 0; i < length / PageSize; i++)
        {
            _pages[(start / PageSize) - firstPage + i] = new Page(
                flags | (inode != 0 ? MappingFlags.File : 0), inode, inode != 0 ? (offset / PageSize) + i : 0);
        }
    }

    public void Remove(uint start, uint length)
    {
        for (uint i = 0; i < length / PageSize; i++)
        {
            _pages[(start / PageSize) - firstPage + i] = null;
        }
    }

    public void Change(uint start, uint length, MappingFlags clear, MappingFlags set)
    {
        for (uint i = 0; i < length / PageSize; i++)
        {
            ref Page? page = ref _pages[(start / PageSize) - firstPage + i];
            if (page is Page known)
            {
                page = known with { Flags = (known.Flags & ~clear) | set };
            }
        }
    }

    public int Count(bool dataOnly)
    {
        int count = 0;
        foreach (Page? page in _pages)
        {
            const MappingFlags Kind = MappingFlags.Write | MappingFlags.Shared | MappingFlags.GrowsDown;
            if (page is Page known && (!dataOnly || (known.Flags & Kind) == MappingFlags.Write))
            {
                count++;
            }
        }

        return count;
    }

    /// <summary>A page may be given out when nothing is mapped there and no growing mapping keeps it as its guard.</summary>
    private bool IsFree(int index)
    {
        if (_pages[index] != null)
        {
            return false;
        }

        // The next mapping above keeps its guard free; mappings beyond it do not matter, their guard ends at its end.
        for (int above = index + 1; above < _pages.Length && above <= index + GuardPages; above++)
        {
            if (_pages[above] is Page page)
            {
                return (page.Flags & MappingFlags.GrowsDown) == 0;
            }
        }

        return true;
    }

    /// <summary>Every free start for a range, lowest first.</summary>
    public IEnumerable<uint> Candidates(uint low, uint high, uint length)
    {
        int needed = (int)(length / PageSize), run = 0;
        uint first = low > Start ? low : Start, last = high < End ? high : End;
        for (uint address = first; address < last; address += PageSize)
        {
            run = IsFree((int)((address / PageSize) - firstPage)) ? run + 1 : 0;
            if (run >= needed)
            {
                yield return address - ((uint)(needed - 1) * PageSize);
            }
        }
    }
}
