namespace Lodge.Shim;

/// <summary>
/// The vDSO of i386 guests: a one-page ELF object (linux-gate.so.1) with the system call entry, the signal trampolines and the clock
/// functions, and unwind tables for them. Source: vdso-i386.S.
/// </summary>
public static unsafe partial class VdsoImage
{
    /// <summary>Bytes to map: whole pages.</summary>
    public const uint Size = GuestMap.PageSize;

    /// <summary>Copies the image to a fresh, zeroed page.</summary>
    public static void CopyTo(byte* page) => Image.CopyTo(new System.Span<byte>(page, (int)Size));
}
