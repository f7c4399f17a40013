// Names that ILC resolves before it compiles anything. Casts, boxing and type loading are outside the subset, so none of these
// is ever reached; reaching one stops the process.
#pragma warning disable IDE0060, CA1822

using Internal.Runtime.CompilerHelpers;

namespace System.Runtime
{
    internal static unsafe class TypeCast
    {
        internal static object? CheckCastAny(void* type, object value) => Refuse();

        internal static object? CheckCastInterface(void* type, object value) => Refuse();

        internal static object? CheckCastClass(void* type, object value) => Refuse();

        internal static object? CheckCastClassSpecial(void* type, object value) => Refuse();

        internal static object? IsInstanceOfAny(void* type, object value) => Refuse();

        internal static object? IsInstanceOfInterface(void* type, object value) => Refuse();

        internal static object? IsInstanceOfClass(void* type, object value) => Refuse();

        internal static bool IsInstanceOfException(void* type, object value)
        {
            Refuse();
            return false;
        }

        internal static void StelemRef(object array, nint index, object value) => Refuse();

        internal static void LdelemaRef(object array, nint index, void* type) => Refuse();

        private static object? Refuse()
        {
            ThrowHelpers.ThrowNotSupportedException();
            return null;
        }
    }
}

namespace System.Runtime.InteropServices
{
    internal interface IDynamicInterfaceCastable
    {
        internal static unsafe nint GetDynamicInterfaceImplementation(object instance, void* interfaceType, ushort slot) => 0;
    }
}
