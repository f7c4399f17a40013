using System;
using Compat = Lodge.Abi.Compat;

namespace Lodge.Shim;

/// <summary>
/// --strace: one line a system call, "TID name(arguments) = result", decoded with the generated tables, written by one write(2) to a
/// descriptor of its own: one named with --strace-fd, or a copy of the standard error that the first program was started with; programs that it executes
/// inherit it. The dispatcher calls it only when <see cref="ThreadGroup.Trace"/> is set.
/// Calls that do not come back are written before they are made, all others afterwards, when the memory they filled can be shown.
/// </summary>
public static unsafe class Strace
{
    private const int LineLength = 1024;

    // Kept free at the end of a line for the result, the time and the line feed.
    private const int TailLength = 96;
    private const int ShownBytes = 64;
    private const int CLOCK_MONOTONIC = 1;

    /// <summary>Value of <see cref="ThreadGroup.Trace"/> for lines that end in the call's duration, " &lt;SECONDS&gt;".</summary>
    public const int WithTimes = 2;

    /// <summary>
    /// Takes <paramref name="fd"/> for traces, out of the guest's sight; of descriptor 2, which stays the guest's, a copy. Called once, before the guest
    /// runs. A descriptor or -errno (then traces go to descriptor 2, whatever that is).
    /// </summary>
    public static int Start(FilesStruct* files, int fd)
        => fd == 2 ? HiddenFiles.AdoptCopy(files, HiddenFile.Trace, fd) : HiddenFiles.Adopt(files, HiddenFile.Trace, fd);

    /// <summary>Where traces go.</summary>
    public static int Descriptor(FilesStruct* files)
    {
        int fd = FilesStruct.GetHidden(files, HiddenFile.Trace);
        return fd >= 0 ? fd : 2;
    }

    /// <summary>Before call <paramref name="nr"/> of an i386 guest. Returns what <see cref="Leave"/> wants to know: when it began, in ns.</summary>
    public static long Enter(GuestThread* t, uint nr)
    {
        ReadOnlySpan<byte> name = Name(true, nr);
        if (name.SequenceEqual("exit"u8) || name.SequenceEqual("exit_group"u8) || name.SequenceEqual("execve"u8) || name.SequenceEqual("execveat"u8)
            || name.SequenceEqual("sigreturn"u8) || name.SequenceEqual("rt_sigreturn"u8))
        {
            Write<I386Abi>(t, nr, 0, false, 0);
        }

        return t->Group->Trace == WithTimes ? Now(t) : 0;
    }

    /// <summary>After call <paramref name="nr"/> of an i386 guest, with its result and what <see cref="Enter"/> returned.</summary>
    public static void Leave(GuestThread* t, uint nr, int result, long began)
    {
        ReadOnlySpan<byte> name = Name(true, nr);
        if (!name.SequenceEqual("sigreturn"u8) && !name.SequenceEqual("rt_sigreturn"u8))
        {
            Write<I386Abi>(t, nr, result, true, began);
        }
    }

    /// <summary>One line about an ioctl that the shim does not know, in the trace.</summary>
    public static void UnknownIoctl(GuestThread* t, int descriptor, uint request)
    {
        Line line = new(stackalloc byte[128]);
        line.Dec(t->Tid);
        line.Add(" lodge: ioctl "u8);
        line.Hex(request, 8);
        line.Add(" on descriptor "u8);
        line.Dec(descriptor);
        line.Add(" is not known: ENOTTY\n"u8);
        line.Flush(Descriptor(t->Files));
    }

    private static ReadOnlySpan<byte> Name(bool i386, uint nr) => SyscallTables.Name(i386, nr);

    private static long Now(GuestThread* t)
    {
        Compat.__kernel_timespec now;
        _ = HostVdso.ClockGettime(t, CLOCK_MONOTONIC, &now);
        return (now.tv_sec * 1_000_000_000) + now.tv_nsec;
    }

    private static void Write<TAbi>(GuestThread* t, uint nr, int result, bool returned, long began)
        where TAbi : unmanaged, IGuestAbi
    {
        Span<byte> buffer = stackalloc byte[LineLength];
        Line call = new(buffer.Slice(0, LineLength - TailLength));
        call.Dec(t->Tid);
        call.Byte((byte)' ');
        Call<TAbi>(t, nr, result, returned, ref call);
        int length = call.Text.Length;
        Line line = new(buffer.Slice(length, TailLength));
        line.Add(" = "u8);
        if (returned)
        {
            Result(nr, TAbi.IsI386, result, ref line);
        }
        else
        {
            line.Byte((byte)'?');
        }

        if (returned && t->Group->Trace == WithTimes)
        {
            Duration(Now(t) - began, ref line);
        }

        line.Byte((byte)'\n');
        Out.Write(Descriptor(t->Files), buffer.Slice(0, length + line.Text.Length));
    }

    // " <0.000123>": seconds with microseconds.
    private static void Duration(long nanoseconds, ref Line line)
    {
        long microseconds = (nanoseconds < 0 ? 0 : nanoseconds) / 1000;
        line.Add(" <"u8);
        line.Dec(microseconds / 1_000_000);
        line.Byte((byte)'.');
        for (long digit = 100_000, rest = microseconds % 1_000_000; digit != 0; digit /= 10)
        {
            line.Byte((byte)('0' + (rest / digit % 10)));
        }

        line.Byte((byte)'>');
    }

    private static void Call<TAbi>(GuestThread* t, uint nr, int result, bool returned, ref Line line)
        where TAbi : unmanaged, IGuestAbi
    {
        ReadOnlySpan<byte> name = Name(TAbi.IsI386, nr);
        if (name.Length == 0)
        {
            line.Add("syscall_"u8);
            line.Hex(nr);
            line.Add("()"u8);
            return;
        }

        line.Add(name);
        line.Byte((byte)'(');
        int count = SyscallTables.ArgumentCount(TAbi.IsI386, nr);
        if (count >= SyscallTables.Hole)
        {
            count = 0;
        }

        bool first = true;
        for (int i = 0; i < count; i++)
        {
            ArgumentKind kind = SyscallTables.Kind(TAbi.IsI386, nr, i);
            if (kind == ArgumentKind.Pad)
            {
                continue;
            }

            if (!first)
            {
                line.Add(", "u8);
            }

            first = false;
            uint value = TAbi.Arg(t, i);
            if (kind is ArgumentKind.Lo or ArgumentKind.Hi && i + 1 < count)
            {
                uint other = TAbi.Arg(t, ++i);
                line.Dec((long)(kind == ArgumentKind.Lo ? ((ulong)other << 32) | value : ((ulong)value << 32) | other));
                continue;
            }

            StraceForm form = StraceForms.Of(name, i);
            uint next = i + 1 < count ? TAbi.Arg(t, i + 1) : 0;
            Argument<TAbi>(value, next, kind, form, returned ? result : -1, ref line);
        }

        line.Byte((byte)')');
    }

    private static void Argument<TAbi>(uint value, uint next, ArgumentKind kind, StraceForm form, int result, ref Line line)
        where TAbi : unmanaged, IGuestAbi
    {
        switch (form)
        {
            case StraceForm.OpenFlags:
                Open(TAbi.IsI386 ? value : Lodge.Shim.OpenFlags.ArmToX86(value), ref line);
                break;
            case StraceForm.Protection:
                Bits(value, 0, StraceNames.ProtectionBits, "PROT_NONE"u8, ref line);
                break;
            case StraceForm.MapFlags:
                Bits(value, 0, StraceNames.MapBits, "0"u8, ref line);
                break;
            case StraceForm.CloneFlags:
                Bits(value & ~0xffu, 8, StraceNames.CloneBits, "0"u8, ref line);
                line.Byte((byte)'|');
                Named(value & 0xff, StraceNames.Signals, ref line);
                break;
            case StraceForm.AtFlags:
                Bits(value, 8, StraceNames.AtBits, "0"u8, ref line);
                break;
            case StraceForm.Signal:
                Named(value, StraceNames.Signals, ref line);
                break;
            case StraceForm.Whence:
                Named(value, StraceNames.Whence, ref line);
                break;
            case StraceForm.FcntlCommand:
                Named(value, StraceNames.Fcntl, ref line);
                break;
            case StraceForm.FutexOperation:
                Named(value & 0x7f, StraceNames.Futex, ref line);
                line.Add((value & 0x80) != 0 ? "|FUTEX_PRIVATE_FLAG"u8 : default);
                line.Add((value & 0x100) != 0 ? "|FUTEX_CLOCK_REALTIME"u8 : default);
                break;
            case StraceForm.MaskHow:
                Named(value, StraceNames.MaskHow, ref line);
                break;
            case StraceForm.Family:
                Named(value, StraceNames.Families, ref line);
                break;
            case StraceForm.Hex:
                line.Hex(value);
                break;
            case StraceForm.Octal:
                Octal(value, ref line);
                break;
            case StraceForm.BytesIn:
                Bytes(value, next, ref line);
                break;
            case StraceForm.BytesOut when result > 0:
                Bytes(value, (uint)result, ref line);
                break;
            default:
                ByKind(value, kind, ref line);
                break;
        }
    }

    private static void ByKind(uint value, ArgumentKind kind, ref Line line)
    {
        switch (kind)
        {
            case ArgumentKind.Fd:
                if ((int)value == FileConstants.AT_FDCWD)
                {
                    line.Add("AT_FDCWD"u8);
                    return;
                }

                line.Dec((int)value);
                return;
            case ArgumentKind.Int:
            case ArgumentKind.Long:
                line.Dec((int)value);
                return;
            case ArgumentKind.Str:
                String(value, ref line);
                return;
            case ArgumentKind.Ptr:
                Pointer(value, ref line);
                return;
            default:
                if (value >= 0x10000)
                {
                    line.Hex(value);
                    return;
                }

                line.UDec(value);
                return;
        }
    }

    private static void Pointer(uint value, ref Line line)
    {
        if (value == 0)
        {
            line.Add("NULL"u8);
            return;
        }

        line.Hex(value);
    }

    private static void String(uint address, ref Line line)
    {
        byte* text = stackalloc byte[256];
        int length = address == 0 ? -Errno.EFAULT : User.CopyString(text, address, 256);
        if (length == -Errno.EFAULT)
        {
            Pointer(address, ref line);
            return;
        }

        Quote(text, length < 0 ? 256 : length, length < 0, ref line);
    }

    private static void Bytes(uint address, uint count, ref Line line)
    {
        byte* text = stackalloc byte[ShownBytes];
        uint shown = count < ShownBytes ? count : ShownBytes;
        if (address == 0 || !User.CopyIn(text, address, shown))
        {
            Pointer(address, ref line);
            return;
        }

        Quote(text, (int)shown, shown < count, ref line);
    }

    private static void Quote(byte* text, int length, bool cut, ref Line line)
    {
        line.Byte((byte)'"');
        for (int i = 0; i < length; i++)
        {
            byte c = text[i];
            switch (c)
            {
                case (byte)'\n':
                    line.Add("\\n"u8);
                    break;
                case (byte)'\t':
                    line.Add("\\t"u8);
                    break;
                case (byte)'\r':
                    line.Add("\\r"u8);
                    break;
                case (byte)'"':
                case (byte)'\\':
                    line.Byte((byte)'\\');
                    line.Byte(c);
                    break;
                case >= 0x20 and < 0x7f:
                    line.Byte(c);
                    break;
                default:
                    line.Add("\\x"u8);
                    line.Byte("0123456789abcdef"u8[c >> 4]);
                    line.Byte("0123456789abcdef"u8[c & 15]);
                    break;
            }
        }

        line.Byte((byte)'"');
        if (cut)
        {
            line.Add("..."u8);
        }
    }

    private static void Named(uint value, ReadOnlySpan<byte> names, ref Line line)
    {
        ReadOnlySpan<byte> word = value < 256 ? StraceNames.Word(names, (int)value) : default;
        if (word.Length == 0)
        {
            line.Dec((int)value);
            return;
        }

        line.Add(word);
    }

    private static void Bits(uint value, int firstBit, ReadOnlySpan<byte> names, ReadOnlySpan<byte> none, ref Line line)
    {
        if (value == 0)
        {
            line.Add(none);
            return;
        }

        bool more = false;
        for (int bit = firstBit; bit < 32; bit++)
        {
            ReadOnlySpan<byte> word = (value >> bit & 1) != 0 ? StraceNames.Word(names, bit - firstBit) : default;
            if (word.Length != 0)
            {
                line.Add(more ? "|"u8 : default);
                line.Add(word);
                value &= ~(1u << bit);
                more = true;
            }
        }

        if (value != 0)
        {
            line.Add(more ? "|"u8 : default);
            line.Hex(value);
        }
    }

    private static void Open(uint flags, ref Line line)
    {
        line.Add((flags & FileConstants.O_ACCMODE) switch
        {
            FileConstants.O_RDONLY => "O_RDONLY"u8,
            FileConstants.O_WRONLY => "O_WRONLY"u8,
            FileConstants.O_RDWR => "O_RDWR"u8,
            _ => "O_ACCMODE"u8,
        });
        uint rest = flags & ~FileConstants.O_ACCMODE;
        if (rest != 0)
        {
            line.Byte((byte)'|');
            Bits(rest, 6, StraceNames.OpenBits, default, ref line);
        }
    }

    private static void Octal(uint value, ref Line line)
    {
        line.Byte((byte)'0');
        for (int shift = 30; shift >= 0; shift -= 3)
        {
            if (value >> shift != 0)
            {
                line.Byte((byte)('0' + (value >> shift & 7)));
            }
        }
    }

    private static void Result(uint nr, bool i386, int result, ref Line line)
    {
        if (result == -Errno.ERESTARTSYS)
        {
            line.Add("? (signal)"u8);
            return;
        }

        if ((uint)result > unchecked((uint)-4096))
        {
            line.Add("-1 "u8);
            ReadOnlySpan<byte> word = StraceNames.Word(StraceNames.Errors, -result);
            if (word.Length != 0)
            {
                line.Add(word);
            }
            else
            {
                line.Dec(-result);
            }

            return;
        }

        ReadOnlySpan<byte> name = Name(i386, nr);
        if ((uint)result >= 0x10000
            && (name.SequenceEqual("brk"u8) || name.SequenceEqual("mmap2"u8) || name.SequenceEqual("mmap"u8) || name.SequenceEqual("mremap"u8)
                || name.SequenceEqual("shmat"u8)))
        {
            line.Hex((uint)result);
            return;
        }

        line.Dec(result);
    }
}
