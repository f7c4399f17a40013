using System;
using Lodge.Protocol;

namespace Lodge.Shim;

/// <summary>
/// Host texts of /proc in the guest's wording. Pure functions from text to text.
/// </summary>
public static unsafe class ProcRewrite
{
    private const int PageShift = 12;

    /// <summary>
    /// status: the Vm lines that count address space (fs/proc/task_mmu.c task_mem) are the guest's instead of the host's, which count the shim's tables,
    /// and the signal sets are the guest's instead of those of the shim's own handlers.
    /// </summary>
    public static void Status(byte* text, long length, in MemoryFigures figures, in SignalFigures signals, ref ProcWriter writer)
    {
        ulong library = figures.Executable > figures.Text ? figures.Executable - figures.Text : 0;
        for (long at = 0; at < length;)
        {
            long end = LineEnd(text, at, length);
            byte* line = text + at;
            if (!Replaced(line, end - at, "VmPeak:"u8, figures.Total, ref writer)
                && !Replaced(line, end - at, "VmSize:"u8, figures.Total, ref writer)
                && !Replaced(line, end - at, "VmData:"u8, figures.Data, ref writer)
                && !Replaced(line, end - at, "VmStk:"u8, figures.Stack, ref writer)
                && !Replaced(line, end - at, "VmExe:"u8, figures.Text, ref writer)
                && !Replaced(line, end - at, "VmLib:"u8, library, ref writer)
                && !ReplacedSet(line, end - at, "SigIgn:"u8, signals.Known, signals.Ignored, ref writer)
                && !ReplacedSet(line, end - at, "SigCgt:"u8, signals.Known, signals.Caught, ref writer)
                && !ReplacedSet(line, end - at, "SigBlk:"u8, signals.HasBlocked ? ulong.MaxValue : 0, signals.Blocked, ref writer))
            {
                writer.Bytes(line, end - at);
            }

            at = end;
        }
    }

    private static bool Replaced(byte* line, long length, ReadOnlySpan<byte> name, ulong bytes, ref ProcWriter writer)
    {
        if (!Starts(line, length, name))
        {
            return false;
        }

        writer.Text(name);
        writer.Byte((byte)'\t');
        writer.Decimal(bytes >> 10, 8);
        writer.Text(" kB\n"u8);
        return true;
    }

    // A set of 16 hexadecimal digits; bits outside "known" stay the host's.
    private static bool ReplacedSet(byte* line, long length, ReadOnlySpan<byte> name, ulong known, ulong value, ref ProcWriter writer)
    {
        const int Digits = 16;
        if (!Starts(line, length, name) || length < name.Length + 1 + Digits)
        {
            return false;
        }

        ulong host = 0;
        for (int i = 0; i < Digits; i++)
        {
            byte digit = line[name.Length + 1 + i];
            host = (host << 4) | (uint)(digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10);
        }

        writer.Text(name);
        writer.Byte((byte)'\t');
        writer.Hex((host & ~known) | (value & known), Digits);
        writer.Byte((byte)'\n');
        return true;
    }

    /// <summary>stat: field 23, vsize, in bytes. Fields are counted from behind the command's closing bracket.</summary>
    public static void Stat(byte* text, long length, in MemoryFigures figures, ref ProcWriter writer)
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
        writer.Decimal(figures.Total);
        writer.Bytes(text + end, length - end);
    }

    /// <summary>statm (proc_pid_statm): size, text and data in pages are the guest's; resident and shared stay the process's.</summary>
    public static void Statm(byte* text, long length, in MemoryFigures figures, ref ProcWriter writer)
    {
        int field = 0;
        for (long at = 0; at < length;)
        {
            long end = at;
            while (end < length && text[end] != ' ' && text[end] != '\n')
            {
                end++;
            }

            switch (field++)
            {
                case 0:
                    writer.Decimal(figures.Total >> PageShift);
                    break;
                case 3:
                    writer.Decimal(figures.Text >> PageShift);
                    break;
                case 5:
                    writer.Decimal((figures.Data + figures.Stack) >> PageShift);
                    break;
                default:
                    writer.Bytes(text + at, end - at);
                    break;
            }

            writer.Bytes(text + end, end < length ? 1 : 0);
            at = end + 1;
        }
    }

    /// <summary>cpuinfo of an x86 host: features that translated code does not have are taken out of the flags lines.</summary>
    public static void CpuInfo(byte* text, long length, ulong hidden, ref ProcWriter writer)
    {
        for (long at = 0; at < length;)
        {
            long end = LineEnd(text, at, length);
            if (Starts(text + at, end - at, "flags\t"u8))
            {
                Flags(text + at, end - at, hidden, ref writer);
            }
            else
            {
                writer.Bytes(text + at, end - at);
            }

            at = end;
        }
    }

    private static void Flags(byte* line, long length, ulong hidden, ref ProcWriter writer)
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

            if (!IsUntranslated(line + start, at - start) && !IsHidden(line + start, at - start, hidden))
            {
                writer.Byte((byte)' ');
                writer.Bytes(line + start, at - start);
            }
        }

        writer.Byte((byte)'\n');
    }

    /// <summary>True for the name of a feature that the configuration hides.</summary>
    private static bool IsHidden(byte* name, long length, ulong hidden)
    {
        int feature = hidden == 0 ? -1 : Tokens.IndexOf(CpuFeatures.Names, new ReadOnlySpan<byte>(name, (int)length));
        return feature >= 0 && (hidden >> feature & 1) != 0;
    }

    // What GuestCpu takes out of CPUID; names as in the kernel's cpufeatures.h. A name with a star stands for all that begin so.
    private static ReadOnlySpan<byte> Untranslated =>
        "avx512* amx* avx10* avx_* avx_vnni* avx_ifma* avx_ne_convert* gfni vaes vpclmulqdq sha512 sm3 sm4 pku ospke rtm hle user_shstk ibt waitpkg cldemote movdiri movdir64b enqcmd serialize uintr xsaves fsgsbase mpx intel_pt sgx sgx_lc sse4a xop fma4 tbm lwp 3dnow 3dnowext "u8;

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
