#if !ARM64
using System.Runtime.CompilerServices;

namespace System.Runtime.Intrinsics.X86
{
    /// <summary>What every x86-64 CPU has; the compiler makes one instruction of each. Undefined for 0.</summary>
    [Intrinsic]
    internal abstract class X86Base
    {
        [Intrinsic]
        internal abstract class X64
        {
            internal static ulong BitScanForward(ulong value) => BitScanForward(value);

            internal static ulong BitScanReverse(ulong value) => BitScanReverse(value);
        }
    }
}
#endif
