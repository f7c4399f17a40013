namespace Lodge.Shim;

/// <summary>Appends text to a buffer of fixed size; what does not fit is dropped. Own thread only.</summary>
public unsafe ref struct ProcWriter
{
    private readonly long capacity;

    /// <summary>Writes into <paramref name="capacity"/> bytes at <paramref name="start"/>.</summary>
    public ProcWriter(byte* start, long capacity)
    {
        Start = start;
        this.capacity = capacity;
        Length = 0;
    }

    /// <summary>The buffer.</summary>
    public readonly byte* Start { get; }

    /// <summary>Bytes written so far.</summary>
    public long Length { get; private set; }

    /// <summary>Appends bytes.</summary>
    public void Bytes(byte* from, long count)
    {
        for (long i = 0; i < count && Length < capacity; i++)
        {
            Start[Length++] = from[i];
        }
    }

    /// <summary>Appends a literal.</summary>
    public void Text(System.ReadOnlySpan<byte> text)
    {
        for (int i = 0; i < text.Length && Length < capacity; i++)
        {
            Start[Length++] = text[i];
        }
    }

    /// <summary>Appends one byte.</summary>
    public void Byte(byte value)
    {
        if (Length < capacity)
        {
            Start[Length++] = value;
        }
    }

    /// <summary>Appends a decimal number, right-aligned in <paramref name="width"/> columns.</summary>
    public void Decimal(ulong value, int width = 0)
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
            Byte((byte)' ');
        }

        while (count > 0)
        {
            Byte(digits[--count]);
        }
    }

    /// <summary>Appends a signed decimal number.</summary>
    public void Signed(long value)
    {
        if (value < 0)
        {
            Byte((byte)'-');
        }

        Decimal(value < 0 ? (ulong)-value : (ulong)value);
    }

    /// <summary>Appends a hexadecimal number without prefix, at least <paramref name="width"/> digits.</summary>
    public void Hex(ulong value, int width = 1)
    {
        int count = 1;
        while (count < 16 && value >> (count * 4) != 0)
        {
            count++;
        }

        for (int i = (count < width ? width : count) - 1; i >= 0; i--)
        {
            int digit = (int)((value >> (i * 4)) & 15);
            Byte((byte)(digit < 10 ? '0' + digit : 'a' + digit - 10));
        }
    }

    /// <summary>Puts a zero byte behind the text without counting it; the buffer must have room.</summary>
    public readonly void Terminate() => Start[Length] = 0;
}
