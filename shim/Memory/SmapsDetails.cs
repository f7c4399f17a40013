using System;

namespace Lodge.Shim;

/// <summary>
/// The lines below a header of smaps. The host may have cut a guest mapping into several (pages with translated code), or joined several to
/// one: figures of host mappings that begin inside the guest mapping are added up; a mapping in which none begins shows zeros.
/// </summary>
internal static unsafe class SmapsDetails
{
    private const int MaxFields = 40;
    /// <summary>Column behind the last digit of every value.</summary>
    private const int ValueColumn = 24;

    /// <summary>Writes the details of one mapping.</summary>
    /// <param name="at">Where to write.</param>
    /// <param name="limit">Where to stop.</param>
    /// <param name="mapping">The guest mapping.</param>
    /// <param name="line">First host mapping that ends above the guest mapping's start.</param>
    /// <param name="more">Whether there is such a one.</param>
    /// <param name="end">End of the host's text.</param>
    public static byte* Write(byte* at, byte* limit, in GuestMapping mapping, HostMapsLine line, bool more, byte* end)
    {
        ulong* sums = stackalloc ulong[MaxFields];
        for (int i = 0; i < MaxFields; i++)
        {
            sums[i] = 0;
        }

        byte* names = more ? line.Rest : null;
        byte* flags = null;
        while (more && line.Start < mapping.End)
        {
            if (line.Start >= mapping.Start || line.End <= mapping.End)
            {
                byte* found = Sum(line.Rest, end, sums);
                flags = flags == null ? found : flags;
            }

            more = HostMapsLine.Next(line.Rest, end, out line);
        }

        byte* field = names;
        for (int i = 0; field != null && i < MaxFields && at < limit && IsDetail(field, end, out byte* colon); i++)
        {
            byte* stop = LineEnd(field, end);
            if (*field == 'V')
            {
                break;
            }

            ulong value = i == 0 ? mapping.Length / 1024 : sums[i];
            // KernelPageSize and MMUPageSize are not sums.
            bool fixedValue = colon - field > 8 && colon[-8] == 'P' && colon[-4] == 'S';
            at = ProcMaps.Text(at, new ReadOnlySpan<byte>(field, (int)(colon - field) + 1));
            int column = (int)(colon - field) + 1;
            bool kilobytes = stop - field > 3 && stop[-1] == 'B';
            at = Decimal(at, fixedValue ? 4 : value, ValueColumn - column);
            if (kilobytes)
            {
                at = ProcMaps.Text(at, " kB"u8);
            }

            *at++ = (byte)'\n';
            field = stop < end ? stop + 1 : end;
        }

        if (flags != null && at < limit)
        {
            at = ProcMaps.Text(at, new ReadOnlySpan<byte>(flags, (int)(LineEnd(flags, end) - flags)));
            *at++ = (byte)'\n';
        }

        return at;
    }

    /// <summary>Adds the numbers of one host mapping to <paramref name="sums"/>; returns its VmFlags line, or null.</summary>
    private static byte* Sum(byte* field, byte* end, ulong* sums)
    {
        for (int i = 0; i < MaxFields && IsDetail(field, end, out byte* colon); i++)
        {
            if (*field == 'V')
            {
                return field;
            }

            ulong value = 0;
            byte* stop = LineEnd(field, end);
            for (byte* digit = colon; digit < stop; digit++)
            {
                if (*digit is >= (byte)'0' and <= (byte)'9')
                {
                    value = (value * 10) + (uint)(*digit - '0');
                }
            }

            sums[i] += value;
            field = stop < end ? stop + 1 : end;
        }

        return null;
    }

    /// <summary>Detail lines begin with a capital letter, headers with a hexadecimal digit.</summary>
    private static bool IsDetail(byte* field, byte* end, out byte* colon)
    {
        colon = field;
        if (field >= end || *field is < (byte)'A' or > (byte)'Z')
        {
            return false;
        }

        while (colon < end && *colon != ':' && *colon != '\n')
        {
            colon++;
        }

        return colon < end && *colon == ':';
    }

    private static byte* LineEnd(byte* at, byte* end)
    {
        while (at < end && *at != '\n')
        {
            at++;
        }

        return at;
    }

    private static byte* Decimal(byte* at, ulong value, int width)
    {
        byte* digits = stackalloc byte[20];
        int count = 0;
        do
        {
            digits[count++] = (byte)('0' + (value % 10));
            value /= 10;
        }
        while (value != 0);
        for (int i = count; i < width; i++)
        {
            *at++ = (byte)' ';
        }

        while (count > 0)
        {
            *at++ = digits[--count];
        }

        return at;
    }
}
