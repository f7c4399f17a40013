namespace Lodge.Shim;

/// <summary>The address space's translated code: there is no translator for AArch64 hosts yet.</summary>
public static unsafe class Dispatcher
{
    /// <summary>Says so and ends the process with status 70.</summary>
    public static void Run(GuestThread* t) => Fatal.Stop("this build has no translator for AArch64 hosts yet"u8);
}

/// <summary>Drops translations of guest memory that has changed: without a translator there are none.</summary>
public static unsafe class CodeInvalidation
{
    /// <inheritdoc cref="Dispatcher"/>
    public static void Range(Mm* mm, uint start, uint length)
    {
    }

    /// <summary>No translation depends on anything.</summary>
    public static bool UsesData(in Mm mm, uint start, uint end) => false;

    /// <inheritdoc cref="Dispatcher"/>
    public static void Pause(GuestThread* t)
    {
    }
}

/// <summary>Stops in translated code: without a translator there are none.</summary>
public static unsafe class Recovery
{
    /// <summary>0: no program counter lies in translated code.</summary>
    public static ulong InterruptTarget(GuestThread* t, ulong pc) => 0;

    /// <summary>No translation to take back.</summary>
    public static void OnCodeWritten(GuestThread* t, uint address)
    {
    }
}

/// <summary>The CPU that i386 guests see.</summary>
public static unsafe class GuestCpu
{
    /// <summary>No XSAVE: signal frames end with the FXSAVE area.</summary>
    public static void DescribeXstate(GuestThread* t) => t->Group->XstateSize = 512;

    /// <summary>Nothing is asked that others could know.</summary>
    public static void Inherit(GuestThread* t, byte* answers)
    {
    }

    /// <summary>Hides features from the program.</summary>
    public static void Hide(GuestThread* t, ulong hidden) => t->Group->HiddenFeatures = hidden;
}

/// <summary>Names of translated code for perf: there is none.</summary>
public static unsafe class PerfMap
{
    /// <summary>Nothing to write.</summary>
    public static void Setup(ThreadGroup* group, byte* value)
    {
    }

    /// <summary>Nothing to write.</summary>
    public static void Write(GuestThread* t)
    {
    }
}
