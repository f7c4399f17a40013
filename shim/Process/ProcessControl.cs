namespace Lodge.Shim;

/// <summary>
/// prctl and arch_prctl. Options are admitted one by one: an unknown option is EINVAL, as on a kernel that does not have it, because
/// what a future option does to the host process (which is ours, not the guest's) cannot be known.
/// </summary>
public static unsafe partial class Syscalls<TAbi>
    where TAbi : unmanaged, IGuestAbi
{
    private const uint PrGetPdeathsig = 2;
    private const uint PrGetName = 16;
    private const uint PrGetSeccomp = 21;
    private const uint PrSetSeccomp = 22;
    private const uint PrGetTsc = 25;
    private const uint PrSetTsc = 26;
    private const uint PrSetMm = 35;
    private const uint PrGetChildSubreaper = 37;
    private const uint PrGetTidAddress = 40;
    private const uint PrSetSyscallUserDispatch = 59;
    private const uint PrSchedCore = 62;
    private const uint PrSetMdwe = 65;
    private const uint PrGetMdwe = 66;
    private const uint PrSetVma = 0x53564d41;
    private const uint PrGetAuxv = 0x41555856;
    private const uint PrSetPtracer = 0x59616d61;

    /// <summary>
    /// Options below 64 that the host kernel may answer with the guest's own arguments, one bit each: they concern credentials, names,
    /// signals and scheduling, not the layout or the instruction set of the process.
    /// 1-4 PDEATHSIG, DUMPABLE; 7, 8 KEEPCAPS; 13, 14 TIMING; 15, 16 NAME; 23, 24 CAPBSET; 27, 28 SECUREBITS;
    /// 29, 30 TIMERSLACK; 31, 32 TASK_PERF_EVENTS; 33, 34 MCE_KILL; 36, 37 CHILD_SUBREAPER; 38, 39 NO_NEW_PRIVS; 40 GET_TID_ADDRESS;
    /// 41, 42 THP_DISABLE; 47 CAP_AMBIENT; 52, 53 SPECULATION_CTRL; 57, 58 IO_FLUSHER; 62 SCHED_CORE.
    /// </summary>
    private const ulong PrctlPassed =
        (0xFul << 1) | (3ul << 7) | (3ul << 13) | (3ul << 15) | (3ul << 23) | (3ul << 27) | (3ul << 29) | (3ul << 31)
        | (3ul << 33) | (3ul << 36) | (3ul << 38) | (1ul << 40) | (3ul << 41) | (1ul << 47) | (3ul << 52) | (3ul << 57) | (1ul << 62);

    /// <summary>Options from 64 on, the same: 67, 68 MEMORY_MERGE; 77 TIMER_CREATE_RESTORE_IDS.</summary>
    private const ulong PrctlPassedFrom64 = (3ul << (67 - 64)) | (1ul << (77 - 64));

    /// <summary>
    /// prctl. Refused, each for a reason that docs/compat-kernel.md repeats: seccomp (filters are written for the guest's call numbers
    /// and would judge, or kill, the shim's 64-bit calls), the marks of PR_SET_MM that memory depends on (brk, auxv, program), TSC faulting and
    /// system call dispatch (would hit the shim's own instructions), memory-deny-write-execute (translated code needs both).
    /// </summary>
    public static int sys_prctl(GuestThread* t)
    {
        uint option = TAbi.Arg(t, 0);
        uint argument = TAbi.Arg(t, 1);
        switch (option)
        {
            case PrSetMm:
                if (argument >= 64 || (SetMmPassed >> (int)argument & 1) == 0)
                {
                    return -Errno.EPERM;
                }

                break;
            case PrGetTsc:
                // PR_TSC_ENABLE: translated code reads the time stamp counter freely.
                return User.Put(argument, 1) ? 0 : -Errno.EFAULT;
            case PrSetTsc:
                return argument == 1 ? 0 : -Errno.EINVAL;
            case PrGetMdwe:
                return (argument | TAbi.Arg(t, 2) | TAbi.Arg(t, 3) | TAbi.Arg(t, 4)) == 0 ? 0 : -Errno.EINVAL;
            case PrGetSeccomp:
            case PrSetSeccomp:
            case PrSetSyscallUserDispatch:
            case PrSetMdwe:
                return -Errno.EINVAL;
            case PrGetAuxv:
                return GetAuxv(t, argument, TAbi.Arg(t, 2), TAbi.Arg(t, 3) | TAbi.Arg(t, 4));
            case PrSetVma:
            case PrSetPtracer:
                break;
            case PrGetPdeathsig:
            case PrGetChildSubreaper:
                Mm.PrepareWrite(t, argument, 4);
                break;
            case PrGetTidAddress:
                // The 64-bit kernel writes a 64-bit pointer for 32-bit callers, too.
                Mm.PrepareWrite(t, argument, 8);
                break;
            case PrGetName:
                Mm.PrepareWrite(t, argument, 16);
                break;
            case PrSchedCore:
                Mm.PrepareWrite(t, TAbi.Arg(t, 4), 8);
                break;
            default:
                bool passed = option < 64 ? (PrctlPassed >> (int)option & 1) != 0
                    : option < 128 && (PrctlPassedFrom64 >> (int)(option - 64) & 1) != 0;
                if (!passed)
                {
                    return -Errno.EINVAL;
                }

                break;
        }

        return (int)Host.Syscall(Nr.prctl, option, argument, TAbi.Arg(t, 2), TAbi.Arg(t, 3), TAbi.Arg(t, 4));
    }

    /// <summary>
    /// Marks that only /proc shows and that hold guest addresses: code and data (1 to 4), stack (5), arguments and environment (8 to 11),
    /// and the question for the size of the record (15).
    /// </summary>
    private const ulong SetMmPassed = (0x1Ful << 1) | (0xFul << 8) | (1ul << 15);

    /// <summary>
    /// The auxiliary vector the guest was started with. The result is the size of the kernel's record, also where the buffer is
    /// shorter; the record is longer than any vector and ends in zeros.
    /// </summary>
    private static int GetAuxv(GuestThread* t, uint to, uint length, uint mustBeZero)
    {
        // saved_auxv of a 64-bit kernel: 56 longs (include/linux/auxvec.h, arch/x86/include/asm/elf.h).
        const uint Size = 448;
        if (mustBeZero != 0)
        {
            return -Errno.EINVAL;
        }

        byte* record = stackalloc byte[(int)Size];
        uint known = t->Mm->AuxvLength < Size ? t->Mm->AuxvLength : Size;
        for (uint i = 0; i < Size / 4; i++)
        {
            ((uint*)record)[i] = i < known / 4 ? t->Mm->SavedAuxv[i] : 0;
        }

        return User.CopyOut(to, record, length < Size ? length : Size) ? (int)Size : -Errno.EFAULT;
    }

    /// <summary>
    /// arch_prctl of i386 knows what concerns both widths (do_arch_prctl_common): CPUID faulting, which the guest's CPU does not have,
    /// and the extended state components, of which translated code has x87, SSE and AVX and can request no more.
    /// </summary>
    public static int sys_arch_prctl(GuestThread* t)
    {
        const uint ArchGetCpuid = 0x1011;
        const uint ArchSetCpuid = 0x1012;
        const uint ArchGetXcompSupp = 0x1021;
        const uint ArchGetXcompPerm = 0x1022;
        const uint ArchReqXcompPerm = 0x1023;
        const ulong Components = 7;
        const uint XfeatureXtileData = 18;
        uint argument = TAbi.Arg(t, 1);
        switch (TAbi.Arg(t, 0))
        {
            case ArchGetCpuid:
                return 1;
            case ArchSetCpuid:
                return -Errno.ENODEV;
            case ArchGetXcompSupp:
            case ArchGetXcompPerm:
                return User.Put(argument, Components) ? 0 : -Errno.EFAULT;
            case ArchReqXcompPerm:
                return argument > XfeatureXtileData ? -Errno.EINVAL : -Errno.EOPNOTSUPP;
            default:
                return -Errno.EINVAL;
        }
    }
}
