namespace Lodge.Shim;

/// <summary>What threads and signals need of the dispatcher on this host, which has none yet.</summary>
internal static unsafe class GuestEntry
{
    /// <summary>No translated code: 0.</summary>
    internal static ulong InterruptTarget(GuestThread* t, ulong pc) => 0;

    /// <summary>Stops: there is nothing that could run a guest here.</summary>
    internal static void Run(GuestThread* t) => Fatal.Stop("no translator for this host"u8);
}
