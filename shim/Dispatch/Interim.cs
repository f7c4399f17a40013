// Interim definitions until shim/Signals, shim/Threads and shim/Trace bring the real ones: whoever adds one deletes its line here.
#pragma warning disable
namespace Lodge.Shim;
public static unsafe partial class Signals {
 public static void ExitToGuest(GuestThread* t) {}
 public static void OnInterrupted(GuestThread* t) {}
 public static void ForceFault(GuestThread* t, int sig, int code, uint addr, uint trap, uint err) { Out.Write(2, "fault\n"u8); Host.ExitGroup(139); }
}
public static class SegmentAccess { public const uint Present=0x8000, Code=0x800, Readable=0x200, Writable=0x200; }
public static unsafe class Segments { public static bool Query(GuestThread* t, ushort s, out uint b, out uint limit, out uint access) { b=0;limit=0;access=0; return false; } }
public static unsafe class Strace { public static void Enter(GuestThread* t, uint nr){} public static void Leave(GuestThread* t, uint nr, int r){} }
public unsafe partial struct ThreadGroup { public uint VdsoLandingPad; }
