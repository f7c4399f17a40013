using System;

namespace Lodge.Shim;

/// <summary>
/// /proc/self/maps and smaps of the guest: ranges, rights and offsets from our tree, names and file identity from the host's text, which
/// has the same files mapped at the same addresses. Formats: fs/proc/task_mmu.c.
/// </summary>
public static unsafe class ProcMaps
{
    /// <summary>Column at which names begin, on every 64-bit kernel.</summary>
    private const int NameColumn = 73;
    private const int LongestLine = 128 + 4096;

    /// <summary>Bytes that the guest has mapped, for VmSize and the like.</summary>
    public static ulong MappedBytes(GuestThread* t) => (ulong)t->Mm->Map.TotalPages * GuestMap.PageSize;

    /// <summary>
    /// Writes the guest's mappings.
    /// </summary>
    /// <param name="t">The calling thread; the text is about its own process.</param>
    /// <param name="hostText">What the host's file of the same name says.</param>
    /// <param name="length">Its length.</param>
    /// <param name="smaps">Whether it is smaps.</param>
    /// <param name="output">Buffer.</param>
    /// <param name="capacity">Its size; lines that do not fit are left out whole.</param>
    /// <returns>Bytes written.</returns>
    public static long Write(GuestThread* t, byte* hostText, long length, bool smaps, byte* output, long capacity)
    {
        Mm* mm = t->Mm;
        byte* end = hostText + length;
        byte* at = output;
        byte* limit = output + capacity - LongestLine;
        mm->Lock.Acquire(t);
        mm->SyncStackFor(0, uint.MaxValue);
        bool more = HostMapsLine.Next(hostText, end, out HostMapsLine line);
        for (GuestMapping* mapping = mm->Map.FirstMapping(); mapping != null && at < limit; mapping = mm->Map.Next(mapping))
        {
            while (more && line.End <= mapping->Start)
            {
                more = HostMapsLine.Next(line.Rest, end, out line);
            }

            bool known = more && line.Start <= mapping->Start;
            at = Header(at, mm, *mapping, line, known);
            if (smaps)
            {
                at = SmapsDetails.Write(at, limit, *mapping, line, more, end);
            }
        }

        mm->Lock.Release(t);
        return at - output;
    }

    private static byte* Header(byte* at, Mm* mm, in GuestMapping mapping, in HostMapsLine line, bool known)
    {
        byte* start = at;
        bool hasFile = (mapping.Flags & (MappingFlags.File | MappingFlags.Shared)) != 0 && known && line.HasInode;
        at = Hex(at, mapping.Start, 8);
        *at++ = (byte)'-';
        at = Hex(at, mapping.End, 8);
        *at++ = (byte)' ';
        *at++ = (byte)((mapping.Flags & MappingFlags.Read) != 0 ? 'r' : '-');
        *at++ = (byte)((mapping.Flags & MappingFlags.Write) != 0 ? 'w' : '-');
        *at++ = (byte)((mapping.Flags & MappingFlags.Exec) != 0 ? 'x' : '-');
        *at++ = (byte)((mapping.Flags & MappingFlags.Shared) != 0 ? 's' : 'p');
        *at++ = (byte)' ';
        at = Hex(at, hasFile ? line.Offset + (mapping.Start - line.Start) : 0, 8);
        *at++ = (byte)' ';
        at = hasFile ? Text(at, new ReadOnlySpan<byte>(line.Identity, line.IdentityLength)) : Text(at, "00:00 0"u8);
        *at++ = (byte)' ';
        ReadOnlySpan<byte> name = hasFile ? new ReadOnlySpan<byte>(line.Name, line.NameLength) : AnonymousName(mm, mapping, line, known);
        if (name.Length != 0)
        {
            while (at - start < NameColumn)
            {
                *at++ = (byte)' ';
            }

            at = Text(at, name);
        }

        *at++ = (byte)'\n';
        return at;
    }

    private static ReadOnlySpan<byte> AnonymousName(Mm* mm, in GuestMapping mapping, in HostMapsLine line, bool known)
    {
        if ((mapping.Flags & MappingFlags.Vdso) != 0)
        {
            return "[vdso]"u8;
        }

        if (mapping.Start < mm->Brk && mapping.End > mm->StartBrk)
        {
            return "[heap]"u8;
        }

        if (mapping.Start <= mm->StartStack && mapping.End > mm->StartStack)
        {
            return "[stack]"u8;
        }

        // PR_SET_VMA_ANON_NAME: the host keeps these.
        bool named = known && line.NameLength > 5 && line.Name[0] == '[' && line.Name[1] == 'a' && line.Name[5] == ':';
        return named ? new ReadOnlySpan<byte>(line.Name, line.NameLength) : default;
    }

    internal static byte* Text(byte* at, ReadOnlySpan<byte> text)
    {
        int length = text.Length < 4096 ? text.Length : 4096;
        for (int i = 0; i < length; i++)
        {
            at[i] = text[i];
        }

        return at + length;
    }

    private static byte* Hex(byte* at, ulong value, int digits)
    {
        int count = digits;
        while (count < 16 && value >> (4 * count) != 0)
        {
            count++;
        }

        for (int i = count - 1; i >= 0; i--)
        {
            uint digit = (uint)(value >> (4 * i)) & 15;
            *at++ = (byte)(digit < 10 ? '0' + digit : 'a' + digit - 10);
        }

        return at;
    }
}
