using System;

namespace Lodge.Translator.I386;

/// <summary>
/// What the translator wants to know about an encoding without prefixes: what follows from ModRM by table, and what a SIB byte adds. The
/// first bits are where <see cref="I386Operands"/> has what they are about.
/// </summary>
[Flags]
public enum I386Shape : uint
{
    /// <summary>ModRM.reg is 4: ESP, if it is a GPR.</summary>
    Reg4 = I386Operands.RegGpr,
    /// <summary>ModRM.reg is 4 to 7: AH to BH, if it is an 8-bit GPR.</summary>
    RegHighByte = I386Operands.RegGpr8,
    /// <summary>Register form, and ModRM.rm is 4.</summary>
    Rm4 = I386Operands.RmGpr,
    /// <summary>A SIB byte follows.</summary>
    Sib = 1 << 6,
    /// <summary>The memory operand has other bytes in 64-bit mode, be ESP its base, or has no need for its SIB byte.</summary>
    Changes = 1 << 7,
    /// <summary>A SIB byte follows, and there is no base when it names EBP.</summary>
    MayLackBase = 1 << 8,
    /// <summary>Displacement of 32 bits.</summary>
    Disp32 = 1 << 9,
    /// <summary>There is an index.</summary>
    Index = 1 << 10,
    /// <summary>The base is ESP.</summary>
    Base4 = 1 << 11,
    /// <summary>There is a ModRM byte.</summary>
    ModRM = 1 << 16,
}

/// <summary>Numbers in <see cref="I386Shape"/> and in the table of opcodes that it is made by.</summary>
public static class I386Shapes
{
    /// <summary>Shape: position of the bytes of SIB and displacement, 3 bits, the highest of a table entry.</summary>
    public const int AddressShift = 13;

    /// <summary>Shape: position of the slot, above everything else.</summary>
    public const int SlotShift = 20;

    /// <summary>Opcode: bits of the slot.</summary>
    public const uint SlotMask = 0xFFF;

    /// <summary>Opcode: position of the bits of ModRM's mod and reg that are added to the slot, 5 bits.</summary>
    public const int MaskShift = 12;

    /// <summary>Opcode: position of the length without SIB byte and displacement, 4 bits.</summary>
    public const int LengthShift = 17;

    /// <summary>Opcode: the rows differ in their immediates, which the length does not contain.</summary>
    public const uint ImmVaries = 1u << 21;

    /// <summary>Opcode: a ModRM byte follows.</summary>
    public const uint HasModRM = 1u << 31;
}
