using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Lodge.Shim;

/// <summary>Machine code for changing stacks and ending threads, on arm64. Called with the C calling convention.</summary>
internal static unsafe class ThreadStubs
{
    // (use, status): clears *use, after which the stack may belong to somebody else, and ends the thread.
    private static ReadOnlySpan<uint> ExitCode =>
    [
        0xAA0003E2,                                // 00: mov x2, x0
        0x2A0103E0,                                // 04: mov w0, w1
        0xD2800BA8,                                // 08: mov x8, #93
        0xC89FFC5F,                                // 0c: stlr xzr, [x2]
        0xD4000001,                                // 10: svc #0
        0xD4200000,                                // 14: brk #0
    ];

    // (stack, fn, arg): goes on with fn(arg) on another stack; what lies on the old one stays readable. fn does not return.
    private static ReadOnlySpan<uint> RunOnCode =>
    [
        0x9100001F,                                // 00: mov sp, x0
        0xAA1F03FD,                                // 04: mov x29, xzr
        0xAA1F03FE,                                // 08: mov x30, xzr
        0xAA0203E0,                                // 0c: mov x0, x2
        0xD63F0020,                                // 10: blr x1
        0xD4200000,                                // 14: brk #0
    ];

    /// <summary>Ends the calling thread; its stack is free from the moment <paramref name="use"/> reads 0.</summary>
    internal static void Exit(long* use, int status) => ((delegate*<long*, int, void>)At(ExitCode))(use, status);

    /// <summary>Goes on on another stack, whose end is 16-byte aligned. <paramref name="run"/> must not return.</summary>
    internal static void RunOn(void* stackEnd, delegate*<void*, void> run, void* argument) =>
        ((delegate*<void*, delegate*<void*, void>, void*, void>)At(RunOnCode))(stackEnd, run, argument);

    /// <summary>Guest floating-point state lives in memory here: an empty state, for frames.</summary>
    internal static void SaveExtended(byte* area, uint components)
    {
        for (int i = 0; i < 512; i++)
        {
            area[i] = 0;
        }

        *(ushort*)area = 0x37f;
    }

    /// <summary>Nothing lives in the CPU.</summary>
    internal static void RestoreExtended(byte* area, uint components)
    {
    }

    private static byte* At(ReadOnlySpan<uint> code) => (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(code));
}
