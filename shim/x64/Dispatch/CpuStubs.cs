using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Lodge.Shim;

/// <summary>Single instructions that C# has no words for.</summary>
internal static unsafe class CpuStubs
{
    // Through the red zone: nothing is pushed.
    private static ReadOnlySpan<byte> StoreMxcsrCode =>
    [
        0x0F, 0xAE, 0x5C, 0x24, 0xF8,              // 00: stmxcsr [rsp - 8]
        0x8B, 0x44, 0x24, 0xF8,                    // 05: mov eax, [rsp - 8]
        0xC3,                                      // 09: ret
    ];

    // (area)
    private static ReadOnlySpan<byte> StoreX87Code =>
    [
        0x0F, 0xAE, 0x07,                          // 00: fxsave [rdi]
        0xC3,                                      // 03: ret
    ];

    // (area)
    private static ReadOnlySpan<byte> StoreEnvironmentCode =>
    [
        0xD9, 0x37,                                // 00: fnstenv [rdi]
        0xC3,                                      // 02: ret
    ];

    /// <summary>FNSTENV with 32-bit pointers: masks all exceptions. Unlike FXSAVE it stores the pointers on every CPU.</summary>
    /// <param name="area">28 bytes.</param>
    internal static void StoreX87Environment(uint* area) =>
        ((delegate*<uint*, void>)(byte*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(StoreEnvironmentCode)))(area);

    /// <summary>FXSAVE with 32-bit pointers and their selectors.</summary>
    /// <param name="area">512 bytes, 16-byte aligned.</param>
    internal static void StoreX87(byte* area) =>
        ((delegate*<byte*, void>)(byte*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(StoreX87Code)))(area);

    /// <summary>MXCSR as it is.</summary>
    internal static uint StoreMxcsr() => ((delegate*<uint>)(byte*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(StoreMxcsrCode)))();
}
