namespace Lodge.Shim;

/// <summary>What threads and signals need of the dispatcher on this host.</summary>
internal static unsafe class GuestEntry
{
    /// <summary>
    /// Where a thread interrupted at <paramref name="pc"/> must go on so that the dispatcher gets it with a recoverable frame;
    /// 0 = the PC is not in guest code. Async-signal-safe.
    /// </summary>
    internal static ulong InterruptTarget(GuestThread* t, ulong pc) => Recovery.InterruptTarget(t, pc);

    /// <summary>Runs the thread from its register frame; does not return.</summary>
    internal static void Run(GuestThread* t) => Dispatcher.Run(t);
}
