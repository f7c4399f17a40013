using System.Runtime.InteropServices;

namespace System.Runtime.CompilerServices;

/// <summary>What the C# compiler calls for data literals, and a question about types that is answered at compile time.</summary>
public static class RuntimeHelpers
{
    /// <summary>Turns <c>ReadOnlySpan&lt;uint&gt; X =&gt; [..]</c> into a view of the image's read-only data.</summary>
    [Intrinsic]
    public static ReadOnlySpan<T> CreateSpan<T>(RuntimeFieldHandle fldHandle) => default;

    [Intrinsic]
    public static extern bool IsReferenceOrContainsReferences<T>()
        where T : allows ref struct;
}

/// <summary>Runs static constructors that could not be evaluated at compile time.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct StaticClassConstructionContext
{
    public nint cctorMethodAddress;
}
