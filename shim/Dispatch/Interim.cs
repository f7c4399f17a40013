// Interim definitions until shim/Trace and shim/Vdso bring the real ones: whoever adds one deletes its line here.
#pragma warning disable
namespace Lodge.Shim;
public static unsafe class Strace { public static void Enter(GuestThread* t, uint nr){} public static void Leave(GuestThread* t, uint nr, int r){} }
public unsafe partial struct ThreadGroup { public uint VdsoLandingPad; }
