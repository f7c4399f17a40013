using System;

namespace Lodge.Translator.I386;

/// <summary>Appends ASCII to a buffer and stops at its end.</summary>
internal ref struct AsciiText
{
    private readonly Span<byte> buffer;

    public AsciiText(Span<byte> buffer)
    {
        this.buffer = buffer;
        Length = 0;
    }

    /// <summary>Bytes written.</summary>
    public int Length { get; private set; }

    public void Add(scoped ReadOnlySpan<byte> text)
    {
        for (int i = 0; i < text.Length && Length < buffer.Length; i++)
        {
            buffer[Length++] = text[i];
        }
    }

    /// <summary>One decimal digit.</summary>
    public void Digit(int value)
    {
        if (Length < buffer.Length)
        {
            buffer[Length++] = (byte)('0' + value);
        }
    }

    /// <summary>Hexadecimal with 0x; below ten without.</summary>
    public void Hex(uint value)
    {
        if (value < 10)
        {
            Digit((int)value);
            return;
        }
        Add("0x"u8);
        int shift = 28;
        while (value >> shift == 0)
        {
            shift -= 4;
        }
        for (; shift >= 0 && Length < buffer.Length; shift -= 4)
        {
            int digit = (int)(value >> shift) & 15;
            buffer[Length++] = (byte)(digit < 10 ? '0' + digit : 'a' + digit - 10);
        }
    }
}
