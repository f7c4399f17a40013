namespace Lodge.Shim;

/// <summary>The guest's own memory figures for /proc.</summary>
public static unsafe class ProcMemory
{
    /// <summary>Bytes of guest address space in use.</summary>
    public static ulong GuestBytes(GuestThread* t) => ProcMaps.MappedBytes(t);
}
