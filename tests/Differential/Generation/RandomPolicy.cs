using Lodge.Translator.I386;

namespace Lodge.Differential.Generation;

/// <summary>What random instructions may be and touch. Register masks have bit n for register number n (0 EAX … 4 ESP … 7 EDI).</summary>
public struct RandomPolicy
{
    /// <summary>Registers that hold an address from which <see cref="DisplacementLow"/> to <see cref="DisplacementHigh"/> may be accessed.</summary>
    public uint BaseRegisters;
    /// <summary>Registers that may serve as index: they hold 0 to <see cref="IndexLimit"/> (their values may be changed by earlier instructions).</summary>
    public uint IndexRegisters;
    /// <summary>Lowest displacement from a base register.</summary>
    public int DisplacementLow;
    /// <summary>First displacement beyond the window.</summary>
    public int DisplacementHigh;
    /// <summary>Lowest address that an operand without base may use.</summary>
    public uint AbsoluteLow;
    /// <summary>First address beyond that window.</summary>
    public uint AbsoluteHigh;
    /// <summary>Largest value expected in an index register.</summary>
    public int IndexLimit;
    /// <summary>Registers that explicit operands may write.</summary>
    public uint WritableRegisters;
    /// <summary>Percentage of operands that may break <see cref="WritableRegisters"/> (an ESP destination, for example).</summary>
    public int AnyRegisterPercent;
    /// <summary>Percentage of accesses without regard for alignment; the others are aligned to the operand's size.</summary>
    public int UnalignedPercent;
    /// <summary>Percentage of instructions with a useless segment prefix (DS, ES, SS, CS) or repeat prefix.</summary>
    public int RedundantPrefixPercent;
    /// <summary>Percentage of 66h where it selects the 16-bit form.</summary>
    public int OperandSizePercent;
    /// <summary>Percentage of lockable memory forms that get LOCK.</summary>
    public int LockPercent;
    /// <summary>Percentage of memory forms where a row has both.</summary>
    public int MemoryPercent;
    /// <summary>Are 16-bit addresses (67h) allowed? They reach the first 64 KiB only, where normally nothing is mapped.</summary>
    public bool Address16;
    /// <summary>Displacement put into relative branches.</summary>
    public int Relative;
    /// <summary>Features allowed: bit n for <see cref="I386Feature"/> n.</summary>
    public ulong Features;
    /// <summary>Classes allowed: bit n for <see cref="I386Class"/> n.</summary>
    public ulong Classes;

    /// <summary>Everything, in a window of 512 bytes around EBX and EBP, EDX as index.</summary>
    public static RandomPolicy Everything => new()
    {
        BaseRegisters = 1 << 3 | 1 << 5,
        IndexRegisters = 1 << 2,
        DisplacementLow = -256,
        DisplacementHigh = 256,
        AbsoluteLow = 0x10000000,
        AbsoluteHigh = 0x10000400,
        IndexLimit = 7,
        WritableRegisters = 0xFF & ~(1u << 3 | 1 << 4 | 1 << 5),
        AnyRegisterPercent = 4,
        UnalignedPercent = 10,
        RedundantPrefixPercent = 5,
        OperandSizePercent = 25,
        LockPercent = 15,
        MemoryPercent = 50,
        Features = ulong.MaxValue,
        Classes = ulong.MaxValue,
    };
}
