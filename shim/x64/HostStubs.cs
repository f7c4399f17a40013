using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Lodge.Shim;

/// <summary>
/// The machine code that C# cannot express on x86-64: starting threads, asking the processor. What runs all the time is in stubs.ld.
/// The bytes lie in the image's executable read-only data and are called through function pointers with the C calling convention (rdi, rsi, rdx, rcx, r8, r9, stack).
/// None pushes anything, so a signal handler may redirect the program counter inside them without touching the stack.
/// </summary>
internal static unsafe partial class Stubs
{
    // (flags, stack, ptid, ctid, tls, fn, arg): the parent returns; the child calls fn(arg) on its new stack and never returns.
    private static ReadOnlySpan<byte> CloneCode =>
    [
        0x48, 0x83, 0xEE, 0x10,                    // 00: sub rsi, 16
        0x4C, 0x89, 0x0E,                          // 04: mov qword ptr [rsi], r9
        0x48, 0x8B, 0x44, 0x24, 0x08,              // 07: mov rax, qword ptr [rsp + 8]
        0x48, 0x89, 0x46, 0x08,                    // 0c: mov qword ptr [rsi + 8], rax
        0x49, 0x89, 0xCA,                          // 10: mov r10, rcx
        0xB8, 0x38, 0x00, 0x00, 0x00,              // 13: mov eax, 56
        0x0F, 0x05,                                // 18: syscall
        0x48, 0x85, 0xC0,                          // 1a: test rax, rax
        0x74, 0x01,                                // 1d: je 0x20
        0xC3,                                      // 1f: ret
        0x31, 0xED,                                // 20: xor ebp, ebp
        0x58,                                      // 22: pop rax
        0x5F,                                      // 23: pop rdi
        0xFF, 0xD0,                                // 24: call rax
        0x0F, 0x0B,                                // 26: ud2
    ];

    // (args, size, fn, arg): as clone, by clone3's own argument structure, whose stack must be set.
    private static ReadOnlySpan<byte> Clone3Code =>
    [
        0x49, 0x89, 0xC8,                          // 00: mov r8, rcx
        0xB8, 0xB3, 0x01, 0x00, 0x00,              // 03: mov eax, 435
        0x0F, 0x05,                                // 08: syscall
        0x48, 0x85, 0xC0,                          // 0a: test rax, rax
        0x74, 0x01,                                // 0d: je 0x10
        0xC3,                                      // 0f: ret
        0x31, 0xED,                                // 10: xor ebp, ebp
        0x4C, 0x89, 0xC7,                          // 12: mov rdi, r8
        0xFF, 0xD2,                                // 15: call rdx
        0x0F, 0x0B,                                // 17: ud2
    ];

    // (address, length, status): frees the caller's own stack and ends the thread.
    private static ReadOnlySpan<byte> UnmapAndExitCode =>
    [
        0x41, 0x89, 0xD0,                          // 00: mov r8d, edx
        0xB8, 0x0B, 0x00, 0x00, 0x00,              // 03: mov eax, 11
        0x0F, 0x05,                                // 08: syscall
        0x44, 0x89, 0xC7,                          // 0a: mov edi, r8d
        0xB8, 0x3C, 0x00, 0x00, 0x00,              // 0d: mov eax, 60
        0x0F, 0x05,                                // 12: syscall
        0x0F, 0x0B,                                // 14: ud2
    ];

    // Where a host signal handler returns to: rt_sigreturn.
    private static ReadOnlySpan<byte> RestorerCode =>
    [
        0xB8, 0x0F, 0x00, 0x00, 0x00,              // 00: mov eax, 15
        0x0F, 0x05,                                // 05: syscall
        0x0F, 0x0B,                                // 07: ud2
    ];

    // (leaf, subleaf, result): eax, ebx, ecx, edx to result[0..3].
    private static ReadOnlySpan<byte> CpuIdCode =>
    [
        0x49, 0x89, 0xD0,                          // 00: mov r8, rdx
        0x49, 0x89, 0xD9,                          // 03: mov r9, rbx
        0x89, 0xF8,                                // 06: mov eax, edi
        0x89, 0xF1,                                // 08: mov ecx, esi
        0x0F, 0xA2,                                // 0a: cpuid
        0x41, 0x89, 0x00,                          // 0c: mov dword ptr [r8], eax
        0x41, 0x89, 0x58, 0x04,                    // 0f: mov dword ptr [r8 + 4], ebx
        0x41, 0x89, 0x48, 0x08,                    // 13: mov dword ptr [r8 + 8], ecx
        0x41, 0x89, 0x50, 0x0C,                    // 17: mov dword ptr [r8 + 12], edx
        0x4C, 0x89, 0xCB,                          // 1b: mov rbx, r9
        0xC3,                                      // 1e: ret
    ];

    // (): limit of the segment (__CPUNODE_SEG) that the kernel describes the CPU with, for the vDSO's getcpu; -1 without one.
    private static ReadOnlySpan<byte> CpuNodeCode =>
    [
        0xB9, 0x7B, 0x00, 0x00, 0x00,              // 00: mov ecx, 123
        0x83, 0xC8, 0xFF,                          // 05: or eax, -1
        0x0F, 0x03, 0xC1,                          // 08: lsl eax, ecx
        0xC3,                                      // 0b: ret
    ];

    // (): XCR0.
    private static ReadOnlySpan<byte> XGetBvCode =>
    [
        0x31, 0xC9,                                // 00: xor ecx, ecx
        0x0F, 0x01, 0xD0,                          // 02: xgetbv
        0x48, 0xC1, 0xE2, 0x20,                    // 05: shl rdx, 32
        0x48, 0x09, 0xD0,                          // 09: or rax, rdx
        0xC3,                                      // 0c: ret
    ];

    // (): a moment's rest in a spin loop.
    private static ReadOnlySpan<byte> SpinHintCode =>
    [
        0xF3, 0x90,                                // 00: pause
        0xC3,                                      // 02: ret
    ];

    /// <summary>Sets FS base by arch_prctl: the kernel call works on every CPU, and it happens once per thread.</summary>
    internal static void WriteThread(GuestThread* thread) => Host.Syscall(Nr.arch_prctl, 0x1002, (long)thread);

    /// <summary>CPUID.</summary>
    internal static void CpuId(uint leaf, uint subleaf, uint* result) => ((delegate*<uint, uint, uint*, void>)At(CpuIdCode))(leaf, subleaf, result);

    /// <summary>Number of the CPU that the thread runs on, without entering the kernel (arch/x86/include/asm/segment.h, __CPUNODE_SEG); -1 where it is not to be had.</summary>
    internal static int CpuNumber()
    {
        const int CpuMask = 0xFFF;
        int limit = ((delegate*<int>)At(CpuNodeCode))();
        return limit < 0 ? -1 : limit & CpuMask;
    }

    /// <summary>XCR0; call only when CPUID reports OSXSAVE.</summary>
    internal static ulong XGetBv() => ((delegate*<ulong>)At(XGetBvCode))();

    /// <summary>Instruction and data caches are coherent here.</summary>
    internal static void SynchroniseCode(void* start, void* end)
    {
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static byte* At(ReadOnlySpan<byte> code) => (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(code));
}
