using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Lodge.Translator.I386;

/// <summary>
/// The i386 instruction table: what is known about each row. The data (<c>I386Table.g.cs</c>) is generated from <c>i386.table</c>.
/// Row numbers come from <see cref="I386Decoder"/> and are not checked again. Safe in signal handlers: read-only data.
/// </summary>
public static partial class I386Table
{
    /// <summary>The row of bytes that are no instruction: #UD.</summary>
    public const ushort InvalidRow = 0;

    /// <summary>How the translator treats the row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static I386Class Class(ushort row) => (I386Class)At(ClassData, row);

    /// <summary>CPUID feature that the row needs.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static I386Feature Feature(ushort row) => (I386Feature)At(FeatureData, row);

    /// <summary>GPR and memory operand flags.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static I386Operands Operands(ushort row) => (I386Operands)At(OperandsData, row);

    /// <summary>Decoder rules and further facts.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static I386Rules Rules(ushort row) => (I386Rules)At(RulesData, row);

    /// <summary>Flags that the row looks at.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static I386Flags FlagsRead(ushort row) => (I386Flags)At(FlagsReadData, row);

    /// <summary>Flags that the row may change, the undefined ones and conditional writes included.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static I386Flags FlagsWritten(ushort row) => (I386Flags)At(FlagsWrittenData, row);

    /// <summary>Those of <see cref="FlagsWritten"/> that the manual leaves undefined (a CPU may set, clear or keep them).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static I386Flags FlagsUndefined(ushort row) => (I386Flags)At(FlagsUndefinedData, row);

    /// <summary>
    /// Flags whose old value is certainly gone afterwards: written, defined, and unconditionally (not by a shift whose count may be
    /// zero, nor by REP CMPS with ECX = 0). See <see cref="I386Decoder.FlagsKilled"/> for the sharper answer about one instruction.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static I386Flags FlagsKilled(ushort row) => (I386Flags)At(FlagsKilledData, row);

    /// <summary>What the translator asks of every row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static I386Translation Translation(ushort row) => new(At(TranslationData, row));

    /// <summary>Bytes of the memory operand with 32-bit operand size and VEX.L = 0; 0 when none, unknown or variable (XSAVE).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int MemSize(ushort row) => At(MemSizeData, row);

    /// <summary>Bytes of the memory operand with the 66h prefix (legacy forms) or VEX.L = 1 (VEX forms).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int MemSizeAlt(ushort row) => At(MemSizeAltData, row);

    /// <summary>Kind of an operand, in Intel order.</summary>
    /// <param name="row">Row.</param>
    /// <param name="index">0 to 3.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static I386OperandKind OperandKind(ushort row, int index) => (I386OperandKind)(byte)(At(OperandKindsData, row) >> (index * 8));

    /// <summary>What is done with an operand.</summary>
    /// <param name="row">Row.</param>
    /// <param name="index">0 to 3.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static I386Access Access(ushort row, int index) => (I386Access)((At(AccessData, row) >> (index * 2)) & 3);

    /// <summary>Mnemonic in lower-case ASCII.</summary>
    /// <param name="row">Row.</param>
    /// <param name="operandSize16">The 66h prefix is present (cwde is cbw then).</param>
    public static ReadOnlySpan<byte> Name(ushort row, bool operandSize16)
    {
        uint packed = operandSize16 ? At(Name16Data, row) : At(NameData, row);
        return NameText.Slice((int)(packed & 0xFFFF), (int)(packed >> 16));
    }

    /// <summary>Table element without a bounds check: row numbers are the decoder's own.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static T At<T>(ReadOnlySpan<T> data, int index)
        where T : unmanaged => Unsafe.Add(ref MemoryMarshal.GetReference(data), (nint)(uint)index);
}
