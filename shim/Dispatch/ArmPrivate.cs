namespace Lodge.Shim;

/// <summary>The private calls of AArch32 (__ARM_NR_*, arch/arm/kernel/traps.c arm_syscall, arch/arm64/kernel/sys_compat.c).</summary>
public static unsafe partial class Syscalls<TAbi>
{
    /// <summary>
    /// cacheflush(start, end, flags): guest code that changed is noticed by the protection of its pages, so only the arguments are
    /// looked at. -EINVAL for a reversed range or any flag.
    /// </summary>
    public static int sys_cacheflush(GuestThread* t) =>
        TAbi.Arg(t, 1) < TAbi.Arg(t, 0) || TAbi.Arg(t, 2) != 0 ? -Errno.EINVAL : 0;

    /// <summary>set_tls(value): the thread pointer that user code reads from TPIDRURO.</summary>
    public static int sys_set_tls(GuestThread* t)
    {
        t->Arm.tls = TAbi.Arg(t, 0);
        return 0;
    }

    /// <summary>get_tls(): the thread pointer itself, whatever number it is.</summary>
    public static int sys_get_tls(GuestThread* t) => (int)t->Arm.tls;
}
