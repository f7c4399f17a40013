using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Lodge.Shim;

/// <summary>Machine code for changing stacks, ending threads and for the processor's extended state, on x86-64. Called with the C calling convention.</summary>
internal static unsafe class ThreadStubs
{
    // (use, status): clears *use, after which the stack may belong to somebody else, and ends the thread.
    private static ReadOnlySpan<byte> ExitCode =>
    [
        0x48, 0x89, 0xFA,                          // 00: mov rdx, rdi
        0x89, 0xF7,                                // 03: mov edi, esi
        0x31, 0xC0,                                // 05: xor eax, eax
        0x48, 0x89, 0x02,                          // 07: mov qword ptr [rdx], rax
        0xB8, 0x3C, 0x00, 0x00, 0x00,              // 0a: mov eax, 60
        0x0F, 0x05,                                // 0f: syscall
        0x0F, 0x0B,                                // 11: ud2
    ];

    // (stack, fn, arg): goes on with fn(arg) on another stack; what lies on the old one stays readable. fn does not return.
    private static ReadOnlySpan<byte> RunOnCode =>
    [
        0x48, 0x89, 0xFC,                          // 00: mov rsp, rdi
        0x31, 0xED,                                // 03: xor ebp, ebp
        0x48, 0x89, 0xD7,                          // 05: mov rdi, rdx
        0xFF, 0xD6,                                // 08: call rsi
        0x0F, 0x0B,                                // 0a: ud2
    ];

    // (area, components)
    private static ReadOnlySpan<byte> XSaveCode =>
    [
        0x89, 0xF0,                                // 00: mov eax, esi
        0x31, 0xD2,                                // 02: xor edx, edx
        0x48, 0x0F, 0xAE, 0x27,                    // 04: xsave64 [rdi]
        0xC3,                                      // 08: ret
    ];

    // (area, components)
    private static ReadOnlySpan<byte> XRestoreCode =>
    [
        0x89, 0xF0,                                // 00: mov eax, esi
        0x31, 0xD2,                                // 02: xor edx, edx
        0x48, 0x0F, 0xAE, 0x2F,                    // 04: xrstor64 [rdi]
        0xC3,                                      // 08: ret
    ];

    // (area)
    private static ReadOnlySpan<byte> FxSaveCode =>
    [
        0x48, 0x0F, 0xAE, 0x07,                    // 00: fxsave64 [rdi]
        0xC3,                                      // 04: ret
    ];

    // (area)
    private static ReadOnlySpan<byte> FxRestoreCode =>
    [
        0x48, 0x0F, 0xAE, 0x0F,                    // 00: fxrstor64 [rdi]
        0xC3,                                      // 04: ret
    ];

    /// <summary>Ends the calling thread; its stack is free from the moment <paramref name="use"/> reads 0.</summary>
    internal static void Exit(long* use, int status) => ((delegate*<long*, int, void>)At(ExitCode))(use, status);

    /// <summary>Goes on on another stack, whose end is 16-byte aligned. <paramref name="run"/> must not return.</summary>
    internal static void RunOn(void* stackEnd, delegate*<void*, void> run, void* argument) =>
        ((delegate*<void*, delegate*<void*, void>, void*, void>)At(RunOnCode))(stackEnd, run, argument);

    /// <summary>
    /// Stores the live x87, SSE and AVX state. xmm0 to xmm7 and MXCSR are not the guest's here: its own are in the frame.
    /// </summary>
    /// <param name="area">64-byte aligned, header zeroed.</param>
    /// <param name="components">XCR0 bits; 0 = FXSAVE only.</param>
    internal static void SaveExtended(byte* area, uint components)
    {
        if (components == 0)
        {
            ((delegate*<byte*, void>)At(FxSaveCode))(area);
        }
        else
        {
            ((delegate*<byte*, uint, void>)At(XSaveCode))(area, components);
        }
    }

    /// <summary>Loads x87, SSE and AVX state; the area must be one that the CPU accepts.</summary>
    internal static void RestoreExtended(byte* area, uint components)
    {
        if (components == 0)
        {
            ((delegate*<byte*, void>)At(FxRestoreCode))(area);
        }
        else
        {
            ((delegate*<byte*, uint, void>)At(XRestoreCode))(area, components);
        }
    }

    private static byte* At(ReadOnlySpan<byte> code) => (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(code));
}
