using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Lodge.Shim;

/// <summary>
/// The machine code that C# cannot express on arm64: starting threads, asking the processor. What runs all the time is in stubs.ld.
/// The bytes lie in the image's executable read-only data and are called through function pointers with the C calling convention (x0 to x7).
/// None pushes anything, so a signal handler may redirect the program counter inside them without touching the stack.
/// </summary>
internal static unsafe partial class Stubs
{
    // (flags, stack, ptid, ctid, tls, fn, arg): the parent returns; the child calls fn(arg) on its new stack and never returns.
    private static ReadOnlySpan<uint> CloneCode =>
    [
        0xAA0303E7,                                // 00: mov x7, x3
        0xAA0403E3,                                // 04: mov x3, x4
        0xAA0703E4,                                // 08: mov x4, x7
        0xD2801B88,                                // 0c: mov x8, #220
        0xD4000001,                                // 10: svc #0
        0xB4000040,                                // 14: cbz x0, 0x1c
        0xD65F03C0,                                // 18: ret
        0xAA1F03FD,                                // 1c: mov x29, xzr
        0xAA1F03FE,                                // 20: mov x30, xzr
        0xAA0603E0,                                // 24: mov x0, x6
        0xD63F00A0,                                // 28: blr x5
        0xD4200000,                                // 2c: brk #0
    ];

    // (args, size, fn, arg): as clone, by clone3's own argument structure, whose stack must be set.
    private static ReadOnlySpan<uint> Clone3Code =>
    [
        0xD2803668,                                // 00: mov x8, #435
        0xD4000001,                                // 04: svc #0
        0xB4000040,                                // 08: cbz x0, 0x10
        0xD65F03C0,                                // 0c: ret
        0xAA1F03FD,                                // 10: mov x29, xzr
        0xAA1F03FE,                                // 14: mov x30, xzr
        0xAA0303E0,                                // 18: mov x0, x3
        0xD63F0040,                                // 1c: blr x2
        0xD4200000,                                // 20: brk #0
    ];

    // (address, length, status): frees the caller's own stack and ends the thread.
    private static ReadOnlySpan<uint> UnmapAndExitCode =>
    [
        0xAA0203E9,                                // 00: mov x9, x2
        0xD2801AE8,                                // 04: mov x8, #215
        0xD4000001,                                // 08: svc #0
        0xAA0903E0,                                // 0c: mov x0, x9
        0xD2800BA8,                                // 10: mov x8, #93
        0xD4000001,                                // 14: svc #0
        0xD4200000,                                // 18: brk #0
    ];

    // Where a host signal handler returns to: rt_sigreturn.
    private static ReadOnlySpan<uint> RestorerCode =>
    [
        0xD2801168,                                // 00: mov x8, #139
        0xD4000001,                                // 04: svc #0
        0xD4200000,                                // 08: brk #0
    ];

    // (thread): sets the thread register.
    private static ReadOnlySpan<uint> WriteThreadCode =>
    [
        0xD51BD040,                                // 00: msr TPIDR_EL0, x0
        0xD65F03C0,                                // 04: ret
    ];

    // (start, end): writes back the data cache and drops the instruction cache, by the line sizes in CTR_EL0.
    private static ReadOnlySpan<uint> SynchroniseCodeCode =>
    [
        0xD53B0023,                                // 00: mrs x3, CTR_EL0
        0xD3504C64,                                // 04: ubfx x4, x3, #16, #4
        0xD2800085,                                // 08: mov x5, #4
        0x9AC420A4,                                // 0c: lsl x4, x5, x4
        0xD1000486,                                // 10: sub x6, x4, #1
        0x8A260006,                                // 14: bic x6, x0, x6
        0xEB0100DF,                                // 18: cmp x6, x1
        0x54000082,                                // 1c: b.hs 0x2c
        0xD50B7B26,                                // 20: dc cvau, x6
        0x8B0400C6,                                // 24: add x6, x6, x4
        0x17FFFFFC,                                // 28: b 0x18
        0xD5033B9F,                                // 2c: dsb ish
        0x92400C64,                                // 30: and x4, x3, #0xf
        0x9AC420A4,                                // 34: lsl x4, x5, x4
        0xD1000486,                                // 38: sub x6, x4, #1
        0x8A260006,                                // 3c: bic x6, x0, x6
        0xEB0100DF,                                // 40: cmp x6, x1
        0x54000082,                                // 44: b.hs 0x54
        0xD50B7526,                                // 48: ic ivau, x6
        0x8B0400C6,                                // 4c: add x6, x6, x4
        0x17FFFFFC,                                // 50: b 0x40
        0xD5033B9F,                                // 54: dsb ish
        0xD5033FDF,                                // 58: isb
        0xD65F03C0,                                // 5c: ret
    ];

    // (): a moment's rest in a spin loop.
    private static ReadOnlySpan<uint> SpinHintCode =>
    [
        0xD503203F,                                // 00: yield
        0xD65F03C0,                                // 04: ret
    ];

    /// <summary>Sets TPIDR_EL0.</summary>
    internal static void WriteThread(GuestThread* thread) => ((delegate*<GuestThread*, void>)At(WriteThreadCode))(thread);

    /// <summary>Makes code written to [start, end) visible to instruction fetch on every core.</summary>
    internal static void SynchroniseCode(void* start, void* end) => ((delegate*<void*, void*, void>)At(SynchroniseCodeCode))(start, end);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static byte* At(ReadOnlySpan<uint> code) => (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(code));
}
