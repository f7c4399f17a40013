using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Lodge.Shim;

/// <summary>Text output without allocation.</summary>
public static unsafe class Out
{
    /// <summary>Writes all bytes, whatever the kernel takes at a time; gives up on errors other than EINTR.</summary>
    public static void Write(int fd, ReadOnlySpan<byte> text)
    {
        byte* next = (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(text));
        byte* end = next + text.Length;
        while (next < end)
        {
            long n = Host.Syscall(Nr.write, fd, (long)next, end - next);
            if (n > 0)
            {
                next += n;
            }
            else if (n != -Errno.EINTR)
            {
                return;
            }
        }
    }
}

/// <summary>One line of text, put together in the caller's buffer and written in one call. What does not fit is cut off.</summary>
public ref struct Line
{
    private readonly Span<byte> _buffer;
    private int _length;

    /// <summary>Starts an empty line in <paramref name="buffer"/>.</summary>
    public Line(Span<byte> buffer)
    {
        _buffer = buffer;
        _length = 0;
    }

    /// <summary>What has been put together.</summary>
    public readonly ReadOnlySpan<byte> Text => _buffer.Slice(0, _length);

    /// <summary>Appends one byte.</summary>
    public void Byte(byte value)
    {
        if (_length < _buffer.Length)
        {
            _buffer[_length++] = value;
        }
    }

    /// <summary>Appends text.</summary>
    public void Add(ReadOnlySpan<byte> text)
    {
        for (int i = 0; i < text.Length; i++)
        {
            Byte(text[i]);
        }
    }

    /// <summary>Appends a zero-terminated string; null gives "(null)".</summary>
    public unsafe void Add(byte* text)
    {
        if (text == null)
        {
            Add("(null)"u8);
            return;
        }

        while (*text != 0)
        {
            Byte(*text++);
        }
    }

    /// <summary>Appends a signed decimal number.</summary>
    public void Dec(long value)
    {
        if (value < 0)
        {
            Byte((byte)'-');
        }

        UDec(value < 0 ? 0 - (ulong)value : (ulong)value);
    }

    /// <summary>Appends an unsigned decimal number.</summary>
    public void UDec(ulong value)
    {
        ulong scale = 1;
        while (value / scale >= 10)
        {
            scale *= 10;
        }

        for (; scale != 0; scale /= 10)
        {
            Byte((byte)('0' + (value / scale % 10)));
        }
    }

    /// <summary>Appends 0x and the hexadecimal digits, at least <paramref name="digits"/> of them.</summary>
    public void Hex(ulong value, int digits = 1)
    {
        Add("0x"u8);
        PlainHex(value, digits);
    }

    /// <summary>Appends hexadecimal digits, at least <paramref name="digits"/> of them.</summary>
    public void PlainHex(ulong value, int digits = 1)
    {
        for (int shift = 60; shift >= 0; shift -= 4)
        {
            if (value >> shift != 0 || shift < digits * 4)
            {
                Byte("0123456789abcdef"u8[(int)(value >> shift) & 15]);
            }
        }
    }

    /// <summary>Writes the line and empties it.</summary>
    public void Flush(int fd)
    {
        Out.Write(fd, Text);
        _length = 0;
    }
}
