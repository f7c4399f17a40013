using System.Numerics;
using Lodge.Translator.X64;

namespace Lodge.Shim;

/// <summary>What is known of a guest page that units lie on or depend on: 24 bytes in the record area, and eight for each of its lines of 64 bytes in which a unit begins.</summary>
public struct CodePage
{
    /// <summary>The lines in which units begin, the lowest one in bit 0.</summary>
    public ulong Lines;
    /// <summary>First unit of the page's list; 0 = none.</summary>
    public uint Units;
    /// <summary>Where units begin within those lines: a word for each bit of <see cref="Lines"/>, a bit for each address. There is room for the next power of two, at least <see cref="FirstRoom"/>.</summary>
    public uint Starts;
    /// <summary>For each KiB of the page, which is a page of the target table, a byte: how often an indirect branch met an address in it that is not in the table.</summary>
    public uint Met;

    /// <summary>Words that a page begins with.</summary>
    public const int FirstRoom = 4;
}

/// <summary>Guest pages with translated code. What is kept of them lies together, in the order of translation: pages of code lie far apart.</summary>
public unsafe partial struct CodeCache
{
    /// <summary>Pages that a unit can be on: two of its own, that of a thunk, that of a jump table.</summary>
    private const int MaxUnitPages = 4;

    private CodePage* _lastPage;
    private uint _lastPageNumber;

    private CodePage* PageAt(uint page)
    {
        // A translation asks for its page several times.
        if (_lastPage == null || _lastPageNumber != page)
        {
            uint reference = _pages.Find(page);
            if (reference == 0)
            {
                return null;
            }

            _lastPage = (CodePage*)(_records + reference);
            _lastPageNumber = page;
        }

        return _lastPage;
    }

    private CodePage* MakePage(uint page)
    {
        CodePage* p = PageAt(page);
        if (p == null)
        {
            p = (CodePage*)(_records + _recordsUsed);
            _pages.Add(page, _recordsUsed);
            _recordsUsed += (uint)sizeof(CodePage) / 4;
            *p = default;
            p->Starts = _recordsUsed;
            _recordsUsed += CodePage.FirstRoom * 2;
        }

        return p;
    }

    /// <summary>Puts a unit in front of a page's list.</summary>
    /// <returns>What comes behind it there.</returns>
    private static uint Enlist(CodePage* page, uint unit)
    {
        uint next = page->Units;
        page->Units = unit;
        return next;
    }

    /// <summary>Notes that an indirect branch met the address. True when the target table's page for it is worth what it costs, or is there already.</summary>
    private bool IsMetOften(uint pc)
    {
        CodePage* page = PageAt(pc >> 12);
        if (page == null)
        {
            return true;
        }

        byte* met = (byte*)&page->Met + ((pc >> 10) & 3);
        if (*met < MeetingsWorthAPage - 1)
        {
            ++*met;
            return false;
        }

        return true;
    }

    /// <summary>A page that is written takes as long as this many rounds through the dispatcher, and more at every fork.</summary>
    private const int MeetingsWorthAPage = 6;

    private readonly ulong* StartsOf(CodePage* page) => (ulong*)(_records + page->Starts);

    private static int WordsBefore(CodePage* page, int line) => BitOperations.PopCount(page->Lines & ((1ul << line) - 1));

    /// <summary>Notes that a unit begins at the address.</summary>
    private void AddStart(CodePage* page, uint pc)
    {
        int line = (int)(pc >> 6) & 63;
        int at = WordsBefore(page, line);
        ulong* words = StartsOf(page);
        if ((page->Lines >> line & 1) == 0)
        {
            int count = BitOperations.PopCount(page->Lines);
            ulong* from = words;
            if (count >= CodePage.FirstRoom && (count & (count - 1)) == 0)
            {
                page->Starts = _recordsUsed;
                _recordsUsed += (uint)count * 4;
                words = StartsOf(page);
                for (int i = 0; i < at; i++)
                {
                    words[i] = from[i];
                }
            }

            for (int i = count; i > at; i--)
            {
                words[i] = from[i - 1];
            }

            words[at] = 0;
            page->Lines |= 1ul << line;
        }

        words[at] |= 1ul << (int)(pc & 63);
    }

    /// <summary>Takes back <see cref="AddStart"/>, if there was one. The line keeps its word.</summary>
    private void RemoveStart(uint pc)
    {
        CodePage* page = PageAt(pc >> 12);
        int line = (int)(pc >> 6) & 63;
        if (page != null && (page->Lines >> line & 1) != 0)
        {
            StartsOf(page)[WordsBefore(page, line)] &= ~(1ul << (int)(pc & 63));
        }
    }

    /// <summary>How far before an address a unit that holds it may begin.</summary>
    private const uint StartReach = 768;

    /// <summary>The nearest beginning of a unit before an address, or <paramref name="pc"/> when there is none within reach of that.</summary>
    private uint StartBefore(uint address, uint pc)
    {
        uint lowest = pc > StartReach ? pc - StartReach : 0;
        while (address > lowest)
        {
            uint pageStart = (address - 1) & ~4095u;
            CodePage* page = PageAt(pageStart >> 12);
            int within = page == null ? -1 : LastStart(page, (int)(address - pageStart));
            if (within >= 0)
            {
                uint found = pageStart + (uint)within;
                return found >= lowest ? found : pc;
            }

            address = pageStart;
        }

        return pc;
    }

    /// <summary>The last beginning of a unit before an offset (1-4096) within the page; -1 = none.</summary>
    private readonly int LastStart(CodePage* page, int before)
    {
        int last = before - 1;
        ulong lines = page->Lines & (~0ul >> (63 - (last >> 6)));
        if (lines == 0)
        {
            return -1;
        }

        ulong* word = StartsOf(page) + BitOperations.PopCount(lines);
        ulong mask = ~0ul >> (63 - (last & 63));
        while (lines != 0)
        {
            int line = 63 - BitOperations.LeadingZeroCount(lines);
            ulong bits = *--word & (line == last >> 6 ? mask : ~0ul);
            if (bits != 0)
            {
                return (line * 64) + 63 - BitOperations.LeadingZeroCount(bits);
            }

            lines &= ~(1ul << line);
        }

        return -1;
    }

    /// <summary>Fills in <see cref="UnitRequest.Known"/>: what is there already is linked to, not translated again.</summary>
    private void FindKnown(uint pc, bool segmented, ulong* known)
    {
        for (int i = 0; i < UnitRequest.KnownBytes / 64; i++)
        {
            known[i] = 0;
        }

        if (segmented)
        {
            return;
        }

        AddKnown(pc, pc >> 12, known);
        uint last = (pc + UnitRequest.KnownBytes - 1) >> 12;
        if (last != pc >> 12)
        {
            AddKnown(pc, last, known);
        }

        known[0] &= ~1ul;
    }

    private void AddKnown(uint pc, uint number, ulong* known)
    {
        CodePage* page = PageAt(number);
        if (page == null)
        {
            return;
        }

        // What lies before on the page does not matter.
        int first = number == pc >> 12 ? (int)(pc >> 6) & 63 : 0;
        ulong lines = page->Lines & (~0ul << first);
        for (ulong* word = StartsOf(page) + WordsBefore(page, first); lines != 0; word++, lines &= lines - 1)
        {
            // Distance of the word's first bit: the first line may begin before.
            int line = BitOperations.TrailingZeroCount(lines);
            int at = (int)((number << 12) + ((uint)line * 64) - pc);
            if (at >= UnitRequest.KnownBytes)
            {
                break;
            }

            if (at < 0)
            {
                known[0] |= *word >> -at;
                continue;
            }

            known[at >> 6] |= *word << (at & 63);
            if ((at & 63) != 0 && at < UnitRequest.KnownBytes - 64)
            {
                known[(at >> 6) + 1] |= *word >> (64 - (at & 63));
            }
        }
    }
}
