namespace Lodge.Translator.I386;

/// <summary>
/// Class, operand flags and flag use of a row in one word: the translator needs all of them for every instruction, and they
/// lie in one cache line so. Written by the table generator.
/// </summary>
public readonly struct I386Translation
{
    /// <summary>Position of <see cref="Operands"/>; the class is in the lowest 8 bits.</summary>
    public const int OperandsShift = 8;
    /// <summary>Position of <see cref="FlagsRead"/>.</summary>
    public const int ReadShift = 24;
    /// <summary>Position of <see cref="FlagsKilled"/>.</summary>
    public const int KilledShift = 36;
    /// <summary>Bit: <see cref="FlagsKilled"/> depends on the shift count.</summary>
    public const ulong ShiftCount = 1ul << 48;
    /// <summary>Bit: class Copy, not a VEX form.</summary>
    public const ulong Plain = 1ul << 49;

    /// <summary>Position of <see cref="Rules"/>, 12 bits.</summary>
    public const int RulesShift = 50;

    /// <summary>Bit: branches, calls, and what never reaches the next instruction.</summary>
    public const ulong Transfer = 1ul << 62;

    private readonly ulong _word;

    /// <summary>Wraps a word of the table.</summary>
    public I386Translation(ulong word) => _word = word;

    /// <summary>How the translator treats the row.</summary>
    public I386Class Class => (I386Class)(byte)_word;

    /// <summary>GPR and memory operand flags.</summary>
    public I386Operands Operands => (I386Operands)(ushort)(_word >> OperandsShift);

    /// <summary>Flags that the row looks at; all of them where the dispatcher or a called function may.</summary>
    public I386Flags FlagsRead => (I386Flags)(ushort)((_word >> ReadShift) & 0xFFF);

    /// <summary>
    /// Flags whose old value is certainly gone, as CPUs do it: AND, OR, XOR and TEST end AF's life, which the manual leaves open. When
    /// <see cref="KilledByCount"/> is true, only by a count that is not zero modulo 32.
    /// </summary>
    public I386Flags FlagsKilled => (I386Flags)(ushort)((_word >> KilledShift) & 0xFFF);

    /// <summary>Decoder rules and further facts.</summary>
    public I386Rules Rules => (I386Rules)(ushort)(_word >> RulesShift);

    /// <summary>True when the flags killed depend on the shift count.</summary>
    public bool KilledByCount => (_word & ShiftCount) != 0;

    /// <summary>True for branches, calls, and what never reaches the next instruction.</summary>
    public bool IsTransfer => (_word & Transfer) != 0;

    /// <summary>True for legacy encodings of class Copy.</summary>
    public bool IsPlain => (_word & Plain) != 0;
}
