// Interim definitions until shim/Trace and shim/Vdso bring the real ones: whoever adds one deletes its line here.
#pragma warning disable
namespace Lodge.Shim;
public unsafe partial struct ThreadGroup { public uint VdsoLandingPad; }
