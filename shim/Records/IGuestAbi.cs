using System.Runtime.CompilerServices;

namespace Lodge.Shim;

/// <summary>
/// What differs between the 32-bit guests, as static abstract members so that <c>Syscalls&lt;TAbi&gt;</c> is written once and
/// compiled per guest without a run-time test. Register frame accessors here; structure layouts are added by family as partials.
/// </summary>
public unsafe partial interface IGuestAbi
{
    /// <summary>True for i386, false for AArch32.</summary>
    static abstract bool IsI386 { get; }

    /// <summary>Argument register <paramref name="index"/> (0 to 5; 6 on arm) of the call in progress.</summary>
    static abstract uint Arg(GuestThread* t, int index);

    /// <summary>A 64-bit argument whose low half is argument <paramref name="index"/> on i386; on arm it starts at the next even register.</summary>
    static abstract long LoffArg(GuestThread* t, int index);

    /// <summary>The guest's stack pointer.</summary>
    static abstract uint StackPointer(GuestThread* t);

    /// <summary>Sets the guest's stack pointer.</summary>
    static abstract void SetStackPointer(GuestThread* t, uint value);

    /// <summary>The guest's program counter.</summary>
    static abstract uint ProgramCounter(GuestThread* t);

    /// <summary>Sets the guest's program counter (arm: bit 0 selects Thumb).</summary>
    static abstract void SetProgramCounter(GuestThread* t, uint value);

    /// <summary>Sets the result register of the call in progress.</summary>
    static abstract void SetResult(GuestThread* t, int value);
}

/// <summary>The i386 ABI: arguments in ebx, ecx, edx, esi, edi, ebp; result in eax (arch/x86/entry/common.c).</summary>
public readonly unsafe partial struct I386Abi : IGuestAbi
{
    /// <inheritdoc/>
    public static bool IsI386
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => true;
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Arg(GuestThread* t, int index) => index switch
    {
        0 => t->I386.ebx,
        1 => t->I386.ecx,
        2 => t->I386.edx,
        3 => t->I386.esi,
        4 => t->I386.edi,
        _ => t->I386.ebp,
    };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static long LoffArg(GuestThread* t, int index) => (long)(((ulong)Arg(t, index + 1) << 32) | Arg(t, index));

    /// <inheritdoc/>
    public static uint StackPointer(GuestThread* t) => t->I386.esp;

    /// <inheritdoc/>
    public static void SetStackPointer(GuestThread* t, uint value) => t->I386.esp = value;

    /// <inheritdoc/>
    public static uint ProgramCounter(GuestThread* t) => t->I386.eip;

    /// <inheritdoc/>
    public static void SetProgramCounter(GuestThread* t, uint value) => t->I386.eip = value;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SetResult(GuestThread* t, int value) => t->I386.eax = (uint)value;
}

/// <summary>The AArch32 EABI: arguments in r0 to r6, 64-bit ones in even pairs; result in r0.</summary>
public readonly unsafe partial struct ArmAbi : IGuestAbi
{
    /// <inheritdoc/>
    public static bool IsI386
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => false;
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Arg(GuestThread* t, int index) => index == 0 ? t->Arm.orig_r0 : t->Arm.r[index];

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static long LoffArg(GuestThread* t, int index)
    {
        int first = (index + 1) & ~1;
        return (long)(((ulong)Arg(t, first + 1) << 32) | Arg(t, first));
    }

    /// <inheritdoc/>
    public static uint StackPointer(GuestThread* t) => t->Arm.r[13];

    /// <inheritdoc/>
    public static void SetStackPointer(GuestThread* t, uint value) => t->Arm.r[13] = value;

    /// <inheritdoc/>
    public static uint ProgramCounter(GuestThread* t) => t->Arm.r[15];

    /// <inheritdoc/>
    public static void SetProgramCounter(GuestThread* t, uint value)
    {
        t->Arm.r[15] = value & ~1u;
        t->Arm.cpsr = (t->Arm.cpsr & ~0x20u) | ((value & 1) << 5);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SetResult(GuestThread* t, int value) => t->Arm.r[0] = (uint)value;
}
