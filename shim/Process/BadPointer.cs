namespace Lodge.Shim;

/// <summary>
/// A pointer that no user mapping can ever hold. A handler whose copy of a guest structure failed passes it on instead of answering
/// EFAULT at once: then the host kernel, which checks in the same order as its 32-bit entry does, decides between EFAULT and an
/// error that comes first (a bad descriptor, an unknown clock).
/// </summary>
internal static class BadPointer
{
    /// <summary>The last page of the address space: outside the user half on every host.</summary>
    public const long Value = -4096;

    /// <summary>The same, for members of structures.</summary>
    public const ulong Unsigned = 0xFFFF_FFFF_FFFF_F000;
}
