// Entry points that ILC looks up by name. It compiles or roots them whether the program needs them or not.
#pragma warning disable IDE0060, CA1822

using System;
using System.Runtime;
using System.Runtime.CompilerServices;

namespace Internal.Runtime.CompilerHelpers
{
    /// <summary>Ends of the road: a failed bounds check, an overflow, a missing body. There are no exceptions, so the process stops with a message.</summary>
    internal static class ThrowHelpers
    {
        internal static void ThrowIndexOutOfRangeException() => Lodge.Shim.Fatal.Stop("index out of range"u8);

        internal static void ThrowOverflowException() => Lodge.Shim.Fatal.Stop("arithmetic overflow"u8);

        internal static void ThrowDivideByZeroException() => Lodge.Shim.Fatal.Stop("division by zero"u8);

        internal static void ThrowNullReferenceException() => Lodge.Shim.Fatal.Stop("null reference"u8);

        internal static void ThrowPlatformNotSupportedException() => Lodge.Shim.Fatal.Stop("instruction set not supported"u8);

        internal static void ThrowNotSupportedException() => Lodge.Shim.Fatal.Stop("not supported"u8);

        internal static void ThrowArgumentException() => Lodge.Shim.Fatal.Stop("bad argument"u8);

        internal static void ThrowArgumentOutOfRangeException() => Lodge.Shim.Fatal.Stop("argument out of range"u8);

        internal static void ThrowInvalidProgramException() => Lodge.Shim.Fatal.Stop("invalid program"u8);

        internal static void ThrowInvalidProgramExceptionWithArgument() => Lodge.Shim.Fatal.Stop("invalid program"u8);

        internal static void ThrowFeatureBodyRemoved() => Lodge.Shim.Fatal.Stop("feature removed"u8);

        internal static void ThrowBodyRemoved() => Lodge.Shim.Fatal.Stop("body removed"u8);

        internal static void ThrowInstanceBodyRemoved() => Lodge.Shim.Fatal.Stop("body removed"u8);

        internal static void ThrowUnavailableType() => Lodge.Shim.Fatal.Stop("type not available"u8);
    }

    /// <summary>Type of a token load. Field tokens appear only as arguments of RuntimeHelpers.CreateSpan, where they vanish.</summary>
    internal static class LdTokenHelpers
    {
        internal static RuntimeTypeHandle GetRuntimeTypeHandle(nint type) => default;

        internal static RuntimeMethodHandle GetRuntimeMethodHandle(nint signature) => default;

        internal static RuntimeFieldHandle GetRuntimeFieldHandle(nint signature) => default;
    }
}
