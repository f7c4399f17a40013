using System.Collections.Generic;
using Lodge.Translator.I386;

namespace Lodge.Translator.Tables;

/// <summary>One operand of a row.</summary>
/// <param name="Kind">Where it comes from.</param>
/// <param name="Access">What is done with it.</param>
public readonly record struct TableOperand(I386OperandKind Kind, I386Access Access);

/// <summary>One line of an instruction table, parsed.</summary>
public sealed class TableRow
{
    /// <summary>Row number, from 1 (0 is the invalid row).</summary>
    public int Index { get; init; }
    /// <summary>The line as written.</summary>
    public required string Text { get; init; }
    /// <summary>Line number in the file.</summary>
    public int Line { get; init; }

    /// <summary>Opcode space: 0-3 legacy maps (one-byte, 0F, 0F38, 0F3A), 4-6 VEX maps 1-3.</summary>
    public int Space { get; set; }
    /// <summary>First opcode byte.</summary>
    public int Opcode { get; set; }
    /// <summary>Opcodes covered: 1 or 8.</summary>
    public int OpcodeCount { get; set; } = 1;
    /// <summary>A ModRM byte follows.</summary>
    public bool HasModRM { get; set; }
    /// <summary>ModRM.mod is ignored and taken as 3.</summary>
    public bool ModIgnored { get; set; }
    /// <summary>Prefixes that select the row: bit 0 none, 1 66, 2 F3, 3 F2.</summary>
    public int PpMask { get; set; } = 15;
    /// <summary>66 changes the operand size (it is not part of the encoding).</summary>
    public bool OperandSize66 { get; set; } = true;
    /// <summary>Bit 0 memory, bit 1 register.</summary>
    public int ModMask { get; set; } = 3;
    /// <summary>Values of ModRM.reg.</summary>
    public int RegMask { get; set; } = 0xFF;
    /// <summary>Values of ModRM.rm (register form only).</summary>
    public int RmMask { get; set; } = 0xFF;
    /// <summary>VEX.L values.</summary>
    public int LMask { get; set; } = 3;
    /// <summary>VEX.W values.</summary>
    public int WMask { get; set; } = 3;

    /// <summary>Mnemonic (32-bit operand size).</summary>
    public string Mnemonic { get; set; } = "";
    /// <summary>Mnemonic with 66h; the same when it does not matter.</summary>
    public string Mnemonic16 { get; set; } = "";
    /// <summary>Operands in Intel order.</summary>
    public List<TableOperand> Operands { get; } = [];
    /// <summary>Memory operand size in bytes; 0 unknown, variable or none.</summary>
    public int MemSize { get; set; }
    /// <summary>The same with 66h (legacy) or VEX.L (VEX).</summary>
    public int MemSizeAlt { get; set; }

    /// <summary>Class.</summary>
    public I386Class Class { get; set; } = I386Class.Copy;
    /// <summary>Feature.</summary>
    public I386Feature Feature { get; set; }
    /// <summary>Operand flags for the emitter.</summary>
    public I386Operands OperandFlags { get; set; }
    /// <summary>Decoder rules.</summary>
    public I386Rules Rules { get; set; }
    /// <summary>Flags read.</summary>
    public I386Flags FlagsRead { get; set; }
    /// <summary>Flags written, the undefined ones included.</summary>
    public I386Flags FlagsWritten { get; set; }
    /// <summary>Flags that the manual leaves undefined.</summary>
    public I386Flags FlagsUndefined { get; set; }
    /// <summary>The flag write may not happen.</summary>
    public bool FlagsConditional { get; set; }

    /// <summary>Is it a VEX form?</summary>
    public bool IsVex => Space >= 4;
    /// <summary>Immediate layout.</summary>
    public I386ImmKind ImmKind => (I386ImmKind)(Rules & I386Rules.ImmMask);
}
