using System;
using System.Collections.Generic;
using System.Linq;
using System.Runtime.InteropServices;
using Lodge.Protocol;

namespace Lodge.Service;

/// <summary>Answers to the question for guests, a page at a time.</summary>
internal static class GuestPages
{
    private const int MaxExamined = 20_000;

    /// <summary>One page: guests with ids above the question's, of one user or (null) of all.</summary>
    public static byte[] Make(GuestTable table, in QueryGuestsMessage query, uint? uid)
    {
        byte[] packet = new byte[MessageHeader.MaxReply];
        int length = GuestsMessage.Size;
        GuestsMessage page = new() { NextAfter = query.AfterId, NowMicroseconds = Clock.Microseconds };
        int examined = 0;
        foreach (GuestRecord guest in Candidates(table, query))
        {
            int size = GuestEntry.TotalSize(guest.Program.Length);
            if (length + size > packet.Length || ++examined > MaxExamined)
            {
                page.More = 1;
                break;
            }

            page.NextAfter = guest.Entry.Id;
            if (uid != null && guest.Entry.Uid != uid)
            {
                continue;
            }

            MemoryMarshal.Write(packet.AsSpan(length), in guest.Entry);
            guest.Program.CopyTo(packet, length + GuestEntry.Size);
            length += size;
            page.Count++;
        }

        page.Header = new MessageHeader(MessageType.Guests, length, query.Header.Sequence);
        MemoryMarshal.Write(packet, in page);
        Array.Resize(ref packet, length);
        return packet;
    }

    private static IEnumerable<GuestRecord> Candidates(GuestTable table, QueryGuestsMessage query)
    {
        bool live = (query.Which & GuestQuery.Live) != 0;
        if ((query.Which & GuestQuery.Ended) == 0)
        {
            return live ? table.LiveAfter(query.AfterId) : [];
        }

        IEnumerable<GuestRecord> ended = table.Past.Where(g => g.Entry.Id > query.AfterId).OrderBy(g => g.Entry.Id);
        return live ? Merge(table.LiveAfter(query.AfterId), ended) : ended;
    }

    private static IEnumerable<GuestRecord> Merge(IEnumerable<GuestRecord> first, IEnumerable<GuestRecord> second)
    {
        using IEnumerator<GuestRecord> a = first.GetEnumerator(), b = second.GetEnumerator();
        bool hasA = a.MoveNext(), hasB = b.MoveNext();
        while (hasA || hasB)
        {
            if (hasA && (!hasB || a.Current.Entry.Id < b.Current.Entry.Id))
            {
                yield return a.Current;
                hasA = a.MoveNext();
            }
            else
            {
                yield return b.Current;
                hasB = b.MoveNext();
            }
        }
    }
}
