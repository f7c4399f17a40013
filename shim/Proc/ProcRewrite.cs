using System;

namespace Lodge.Shim;

/// <summary>
/// Host texts of /proc in the guest's wording. Pure functions from text to text.
/// </summary>
public static unsafe class ProcRewrite
{
    private const int PageShift = 12;

    /// <summary>
    /// status: VmPeak and VmSize count guest memory instead of the reservation of all 4 GiB; VmPeak is at least VmSize.
    /// </summary>
    public static void Status(byte* text, long length, ulong guestBytes, ref ProcWriter writer)
    {
        for (long at = 0; at < length;)
        {
            long end = LineEnd(text, at, length);
            bool peak = Starts(text + at, end - at, "VmPeak:"u8);
            if (peak || Starts(text + at, end - at, "VmSize:"u8))
            {
                writer.Text(peak ? "VmPeak:\t"u8 : "VmSize:\t"u8);
                writer.Decimal(guestBytes >> 10, 8);
                writer.Text(" kB\n"u8);
            }
            else
            {
                writer.Bytes(text + at, end - at);
            }

            at = end;
        }
    }

    /// <summary>stat: field 23, vsize, in bytes. Fields are counted from behind the command's closing bracket.</summary>
    public static void Stat(byte* text, long length, ulong guestBytes, ref ProcWriter writer)
    {
        const int VsizeField = 23;
        long at = length;
        while (at > 0 && text[at - 1] != ')')
        {
            at--;
        }

        // Behind the bracket comes a space, then field 3.
        int field = 2;
        long start = at;
        while (start < length && field < VsizeField)
        {
            if (text[start++] == ' ')
            {
                field++;
            }
        }

        long end = start;
        while (end < length && text[end] != ' ' && text[end] != '\n')
        {
            end++;
        }

        writer.Bytes(text, start);
        writer.Decimal(guestBytes);
        writer.Bytes(text + end, length - end);
    }

    /// <summary>statm: the first number, total size in pages.</summary>
    public static void Statm(byte* text, long length, ulong guestBytes, ref ProcWriter writer)
    {
        long end = 0;
        while (end < length && text[end] != ' ' && text[end] != '\n')
        {
            end++;
        }

        writer.Decimal(guestBytes >> PageShift);
        writer.Bytes(text + end, length - end);
    }

    /// <summary>cpuinfo of an x86 host: features that translated code does not have are taken out of the flags lines.</summary>
    public static void CpuInfo(byte* text, long length, ref ProcWriter writer)
    {
        for (long at = 0; at < length;)
        {
            long end = LineEnd(text, at, length);
            if (Starts(text + at, end - at, "flags\t"u8))
            {
                Flags(text + at, end - at, ref writer);
            }
            else
            {
                writer.Bytes(text + at, end - at);
            }

            at = end;
        }
    }

    private static void Flags(byte* line, long length, ref ProcWriter writer)
    {
        long at = 0;
        while (at < length && line[at] != ':')
        {
            at++;
        }

        writer.Bytes(line, at + 1);
        at++;
        while (at < length)
        {
            if (line[at] is (byte)' ' or (byte)'\n')
            {
                at++;
                continue;
            }

            long start = at;
            while (at < length && line[at] != ' ' && line[at] != '\n')
            {
                at++;
            }

            if (!IsUntranslated(line + start, at - start))
            {
                writer.Byte((byte)' ');
                writer.Bytes(line + start, at - start);
            }
        }

        writer.Byte((byte)'\n');
    }

    // Names as in the kernel's cpufeatures.h. A name with a star stands for all that begin so.
    private static ReadOnlySpan<byte> Untranslated =>
        "avx512* amx* avx10* avx_* avx_vnni* avx_ifma* avx_ne_convert* gfni vaes vpclmulqdq sha_ni sha512 sm3 sm4 pku ospke rtm hle umip user_shstk ibt rdpid waitpkg cldemote movdiri movdir64b enqcmd serialize uintr xsavec xgetbv1 xsaves fsgsbase sse4a xop fma4 tbm lwp 3dnow 3dnowext 3dnowprefetch "u8;

    /// <summary>True for a feature name that the translator does not offer.</summary>
    public static bool IsUntranslated(byte* name, long length)
    {
        ReadOnlySpan<byte> list = Untranslated;
        int at = 0;
        while (at < list.Length)
        {
            int end = at;
            while (list[end] != ' ')
            {
                end++;
            }

            bool prefix = list[end - 1] == '*';
            int count = prefix ? end - at - 1 : end - at;
            if (length == count || (prefix && length > count))
            {
                int i = 0;
                while (i < count && list[at + i] == name[i])
                {
                    i++;
                }

                if (i == count)
                {
                    return true;
                }
            }

            at = end + 1;
        }

        return false;
    }

    private static long LineEnd(byte* text, long at, long length)
    {
        while (at < length && text[at] != '\n')
        {
            at++;
        }

        return at < length ? at + 1 : length;
    }

    private static bool Starts(byte* text, long length, ReadOnlySpan<byte> with)
    {
        if (length < with.Length)
        {
            return false;
        }

        for (int i = 0; i < with.Length; i++)
        {
            if (text[i] != with[i])
            {
                return false;
            }
        }

        return true;
    }
}
