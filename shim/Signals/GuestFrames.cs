namespace Lodge.Shim;

/// <summary>Chooses the guest's own code for registers and frames. Signals are rare enough for a test at run time.</summary>
internal static unsafe class GuestFrames
{
    /// <summary>Result register of the system call that has just ended.</summary>
    internal static int Result(GuestThread* t) => t->Group->IsArm != 0 ? (int)t->Arm.r[0] : (int)t->I386.eax;

    /// <summary>False on the way out of sigreturn, whose result is the interrupted code's register and no error number.</summary>
    internal static bool IsInSystemCall(GuestThread* t)
    {
        bool inside = t->Group->IsArm != 0 ? t->Signals.NoRestart == 0 : t->I386.orig_eax != uint.MaxValue;
        t->Signals.NoRestart = 0;
        return inside;
    }

    /// <summary>Puts the guest back to the system call instruction, with the registers it was made with.</summary>
    internal static void RestartSystemCall(GuestThread* t)
    {
        if (t->Group->IsArm != 0)
        {
            t->Arm.r[0] = t->Arm.orig_r0;
            t->Arm.r[15] -= (t->Arm.cpsr & ArmSignals.Thumb) != 0 ? 2u : 4u;
        }
        else
        {
            t->I386.eax = t->I386.orig_eax;
            t->I386.eip -= 2;
        }
    }

    /// <summary>Makes the host's siginfo of a fault that of the guest: addresses of instructions are the guest's.</summary>
    internal static void FixFaultInfo(GuestThread* t, int signal, byte* info)
    {
        int code = *(int*)(info + 8);
        ulong* address = (ulong*)(info + 16);
        if (code is <= 0 or >= Sig.SI_KERNEL)
        {
            return;
        }

        if (signal is Sig.SIGILL or Sig.SIGFPE or Sig.SIGTRAP)
        {
            *address = t->Group->IsArm != 0 ? t->Arm.r[15] : t->I386.eip;
        }
        else if (signal == Sig.SIGSEGV && code == Sig.SEGV_ACCERR && !GuestPages.IsMapped(t, *address))
        {
            // The host may hold a place without access that the guest has not mapped.
            *(int*)(info + 8) = Sig.SEGV_MAPERR;
        }
    }

    /// <summary>Builds the frame and turns the registers to the handler. False when guest memory could not be written.</summary>
    internal static bool SetupFrame(GuestThread* t, int signal, SigAction* action, byte* info, ulong savedMask) =>
        t->Group->IsArm != 0 ? ArmSignals.SetupFrame(t, signal, action, info, savedMask) : I386Signals.SetupFrame(t, signal, action, info, savedMask);
}
