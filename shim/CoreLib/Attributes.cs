// Attributes that the C# compiler, ILC or our own sources name. None has behaviour here.
#pragma warning disable CA1019, IDE0060, CS9113

namespace System
{
    public abstract class Attribute
    {
    }

    [AttributeUsage(AttributeTargets.Class)]
    public sealed class AttributeUsageAttribute(AttributeTargets validOn) : Attribute
    {
        public AttributeTargets ValidOn => validOn;

        public bool AllowMultiple { get; set; }

        public bool Inherited { get; set; }
    }

    [Flags]
    public enum AttributeTargets
    {
        Assembly = 1,
        Module = 2,
        Class = 4,
        Struct = 8,
        Enum = 16,
        Constructor = 32,
        Method = 64,
        Property = 128,
        Field = 256,
        Event = 512,
        Interface = 1024,
        Parameter = 2048,
        Delegate = 4096,
        ReturnValue = 8192,
        GenericParameter = 16384,
        All = 32767,
    }

    public sealed class FlagsAttribute : Attribute
    {
    }

    public sealed class ParamArrayAttribute : Attribute
    {
    }

    public sealed class ObsoleteAttribute : Attribute
    {
        public ObsoleteAttribute()
        {
        }

        public ObsoleteAttribute(string message)
        {
        }

        public ObsoleteAttribute(string message, bool error)
        {
        }
    }

    public sealed class CLSCompliantAttribute(bool isCompliant) : Attribute;
}

namespace System.Reflection
{
    public sealed class DefaultMemberAttribute(string memberName) : Attribute;
}

namespace System.Diagnostics
{
    public sealed class ConditionalAttribute(string conditionString) : Attribute;

    public sealed class StackTraceHiddenAttribute : Attribute;

    public sealed class DebuggerDisplayAttribute(string value) : Attribute;
}

namespace System.Diagnostics.CodeAnalysis
{
    public sealed class UnscopedRefAttribute : Attribute;

    public sealed class DoesNotReturnAttribute : Attribute;

    public sealed class SuppressMessageAttribute(string category, string checkId) : Attribute
    {
        public string? Justification { get; set; }

        public string? Scope { get; set; }

        public string? Target { get; set; }
    }
}

namespace System.Runtime
{
    /// <summary>Gives a method a symbol in the object file, with the host's C calling convention (managed and C agree on both hosts).</summary>
    public sealed class RuntimeExportAttribute(string entry) : Attribute;

    public sealed class RuntimeImportAttribute(string dllName, string entryPoint) : Attribute;
}

namespace System.Runtime.InteropServices
{
    public enum LayoutKind
    {
        Sequential = 0,
        Explicit = 2,
        Auto = 3,
    }

    public enum CharSet
    {
        None = 1,
        Ansi = 2,
        Unicode = 3,
        Auto = 4,
    }

    public enum CallingConvention
    {
        Winapi = 1,
        Cdecl = 2,
        StdCall = 3,
        ThisCall = 4,
        FastCall = 5,
    }

    public sealed class StructLayoutAttribute(LayoutKind layoutKind) : Attribute
    {
        public int Pack;
        public int Size;
        public CharSet CharSet;
    }

    public sealed class FieldOffsetAttribute(int offset) : Attribute;

    public sealed class InAttribute : Attribute;

    public sealed class OutAttribute : Attribute;

    public sealed class UnmanagedCallersOnlyAttribute : Attribute
    {
        public Type[]? CallConvs;
        public string? EntryPoint;
    }

    public sealed class DllImportAttribute(string dllName) : Attribute
    {
        public string? EntryPoint;
        public CallingConvention CallingConvention;
    }

    public static class UnmanagedType
    {
    }
}

namespace System.Runtime.CompilerServices
{
    [Flags]
    public enum MethodImplOptions
    {
        NoInlining = 8,
        NoOptimization = 64,
        AggressiveInlining = 256,
        AggressiveOptimization = 512,
        InternalCall = 4096,
    }

    public sealed class MethodImplAttribute(MethodImplOptions methodImplOptions) : Attribute;

    public sealed class IntrinsicAttribute : Attribute;

    public sealed class IsReadOnlyAttribute : Attribute;

    public sealed class IsByRefLikeAttribute : Attribute;

    public sealed class IsUnmanagedAttribute : Attribute;

    public sealed class ScopedRefAttribute : Attribute;

    public sealed class RequiresLocationAttribute : Attribute;

    public sealed class RefSafetyRulesAttribute(int version) : Attribute;

    public sealed class SkipLocalsInitAttribute : Attribute;

    public sealed class CompilerGeneratedAttribute : Attribute;

    public sealed class UnsafeValueTypeAttribute : Attribute;

    public sealed class EagerStaticClassConstructionAttribute : Attribute;

    public sealed class InlineArrayAttribute(int length) : Attribute;

    public sealed class ExtensionAttribute : Attribute;

    public sealed class TupleElementNamesAttribute(string?[] transformNames) : Attribute;

    public sealed class DecimalConstantAttribute : Attribute;

    public sealed class CompilationRelaxationsAttribute(int relaxations) : Attribute;

    public sealed class RuntimeCompatibilityAttribute : Attribute
    {
        public bool WrapNonExceptionThrows { get; set; }
    }

    public sealed class FixedBufferAttribute(Type elementType, int length) : Attribute;

    public sealed class InternalsVisibleToAttribute(string assemblyName) : Attribute;

    public sealed class CallerArgumentExpressionAttribute(string parameterName) : Attribute;

    public sealed class NullableAttribute : Attribute
    {
        public NullableAttribute(byte flag)
        {
        }

        public NullableAttribute(byte[] flags)
        {
        }
    }

    public sealed class NullableContextAttribute(byte flag) : Attribute;

    public sealed class CallConvCdecl;

    public sealed class CallConvSuppressGCTransition;

    public static class IsVolatile
    {
    }

    public static class IsExternalInit
    {
    }

    public enum UnmanagedCallConv
    {
    }

    /// <summary>What the language may use against this core library.</summary>
    public static class RuntimeFeature
    {
        public const string ByRefFields = nameof(ByRefFields);
        public const string DefaultImplementationsOfInterfaces = nameof(DefaultImplementationsOfInterfaces);
        public const string ByRefLikeGenerics = nameof(ByRefLikeGenerics);
        public const string UnmanagedSignatureCallingConvention = nameof(UnmanagedSignatureCallingConvention);
        public const string VirtualStaticsInInterfaces = nameof(VirtualStaticsInInterfaces);
        public const string NumericIntPtr = nameof(NumericIntPtr);
    }
}
