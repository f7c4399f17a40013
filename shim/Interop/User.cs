using System.Runtime.CompilerServices;

namespace Lodge.Shim;

/// <summary>
/// Guest memory from our side, fault-safe: an address that is not mapped, or not mapped that way, gives EFAULT instead of a crash.
/// Needs the SIGSEGV/SIGBUS handler in place. Any thread. Values of 1, 2, 4 and 8 bytes are moved in one access.
/// </summary>
public static unsafe class User
{
    /// <summary>copy_from_user: false stands for -EFAULT; part of <paramref name="dst"/> may have been written.</summary>
    public static bool CopyIn(void* dst, uint src, nuint n) => InRange(src, n) && Stubs.Copy(dst, (void*)(nuint)src, n) == 0;

    /// <summary>copy_to_user: false stands for -EFAULT; part of the guest's memory may have been written.</summary>
    public static bool CopyOut(uint dst, void* src, nuint n) => InRange(dst, n) && Stubs.Copy((void*)(nuint)dst, src, n) == 0;

    /// <summary>Copies between two guest ranges, upwards.</summary>
    public static bool CopyWithin(uint dst, uint src, nuint n) =>
        InRange(dst, n) && InRange(src, n) && Stubs.Copy((void*)(nuint)dst, (void*)(nuint)src, n) == 0;

    /// <summary>clear_user, for any byte.</summary>
    public static bool Fill(uint dst, byte value, nuint n) => InRange(dst, n) && Stubs.Fill((void*)(nuint)dst, value, n) == 0;

    /// <summary>Reads one value.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Get<T>(uint src, out T value)
        where T : unmanaged
    {
        Unsafe.SkipInit(out value);
        return CopyIn(Unsafe.AsPointer(ref value), src, (nuint)sizeof(T));
    }

    /// <summary>Writes one value.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Put<T>(uint dst, in T value)
        where T : unmanaged => CopyOut(dst, Unsafe.AsPointer(ref Unsafe.AsRef(in value)), (nuint)sizeof(T));

    /// <summary>
    /// strncpy_from_user: copies up to <paramref name="max"/> bytes including the zero byte. Returns the length without it, -EFAULT, or
    /// -ENAMETOOLONG when there is no zero byte within <paramref name="max"/>.
    /// </summary>
    public static int CopyString(byte* dst, uint src, int max)
    {
        long length = Stubs.CopyString(dst, (byte*)(nuint)src, (nuint)(uint)max);
        return length == max ? -Errno.ENAMETOOLONG : (int)length;
    }

    /// <summary>Atomic compare and exchange of a guest word (4-byte aligned). False stands for -EFAULT; <paramref name="seen"/> is the value met.</summary>
    public static bool CompareExchange(uint address, uint expected, uint desired, out uint seen)
    {
        uint value = 0;
        bool done = InRange(address, 4) && Stubs.CompareExchange((uint*)(nuint)address, expected, desired, &value) == 0;
        seen = value;
        return done;
    }

    // Nothing of the guest lies at or above 4 GiB, and the guard there faults; the check keeps very long copies from passing it.
    private static bool InRange(uint address, nuint n) => n <= 0x1_0000_0000 - (nuint)address;
}
