namespace Lodge.Shim;

/// <summary>
/// The compat kernel's system calls, one static method per call, named sys_CALL as in the kernel's table, in files by family. A method
/// reads its arguments from the register frame (<typeparamref name="TAbi"/>), returns the guest's result (-errno on error), and is
/// found by the generated dispatch by its name alone: adding the method is enough.
/// </summary>
public static unsafe partial class Syscalls<TAbi>
    where TAbi : unmanaged, IGuestAbi
{
}
