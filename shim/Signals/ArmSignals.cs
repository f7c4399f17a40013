namespace Lodge.Shim;

/// <summary>
/// Signal frames of AArch32 guests, as the arm64 kernel makes them for 32-bit programs (arch/arm64/kernel/signal32.c):
/// a ucontext with the registers, the VFP block in uc_regspace, then room for a return sequence that nothing runs.
/// </summary>
internal static unsafe class ArmSignals
{
    /// <summary>CPSR.T.</summary>
    internal const uint Thumb = 0x20;
    /// <summary>sizeof(struct compat_ucontext).</summary>
    internal const uint UContextSize = 744;
    /// <summary>sizeof(struct compat_sigframe): ucontext and retcode[2].</summary>
    internal const uint FrameSize = UContextSize + 8;
    /// <summary>Offsets in the ucontext: uc_stack, uc_mcontext, uc_sigmask, uc_regspace.</summary>
    internal const int Stack = 8, MContext = 20, SigMask = 104, RegSpace = 232;
    /// <summary>Offsets in the sigcontext, from uc_mcontext.</summary>
    internal const int ErrorCode = 4, OldMask = 8, Registers = 12, Cpsr = 76, FaultAddress = 80;

    private const uint VfpMagic = 0x56465001, VfpSize = 288, FpexcEnabled = 1u << 30;
    private const uint OldFrameFlags = 0x5ac3c35a;
    private const uint ItMask = 0x0600fc00, EndianBit = 0x200, ModeMask = 0x1f, UserMode = 0x10, MaskBits = 0x1c0;

    /// <summary>Builds the frame and turns the registers to the handler. False when the stack cannot take it.</summary>
    internal static bool SetupFrame(GuestThread* t, int signal, SigAction* action, byte* info, ulong savedMask)
    {
        bool rt = (action->Flags & Sig.SA_SIGINFO) != 0;
        uint size = FrameSize + (rt ? Sig.InfoSize : 0u);
        uint sp = t->Arm.r[13];
        if ((action->Flags & Sig.SA_ONSTACK) != 0 && AltStack.State(&t->Signals, sp) == 0)
        {
            sp = t->Signals.AltStack + t->Signals.AltStackSize;
        }

        uint frame = (sp - size) & ~7u;
        byte* image = stackalloc byte[(int)FrameSize + Sig.InfoSize];
        byte* uc = rt ? image + Sig.InfoSize : image;
        FillContext(t, uc, savedMask, rt);
        if (rt)
        {
            SigInfo.ToGuest(image, info);
        }

        if (!User.CopyOut(frame, image, size))
        {
            return false;
        }

        uint thumb = action->Handler & 1;
        uint cpsr = t->Arm.cpsr & ~(ItMask | EndianBit | Thumb);
        uint trampoline = t->Group->SigreturnTrampoline + (((thumb << 1) + (rt ? 3u : 0)) << 2) + thumb;
        t->Arm.cpsr = thumb != 0 ? cpsr | Thumb : cpsr;
        t->Arm.r[0] = (uint)signal;
        if (rt)
        {
            t->Arm.r[1] = frame;
            t->Arm.r[2] = frame + Sig.InfoSize;
        }

        t->Arm.r[13] = frame;
        t->Arm.r[14] = (action->Flags & Sig.SA_RESTORER) != 0 ? action->Restorer : trampoline;
        t->Arm.r[15] = action->Handler & ~1u;
        return true;
    }

    /// <summary>sigreturn. Returns the r0 to go on with; a bad frame forces SIGSEGV.</summary>
    internal static int SigReturn(GuestThread* t) => Return(t, 0);

    /// <summary>rt_sigreturn.</summary>
    internal static int RtSigReturn(GuestThread* t) => Return(t, Sig.InfoSize);

    private static int Return(GuestThread* t, uint offset)
    {
        uint frame = t->Arm.r[13];
        byte* uc = stackalloc byte[(int)UContextSize];
        if ((frame & 7) != 0 || !User.CopyIn(uc, frame + offset, UContextSize))
        {
            return Bad(t);
        }

        if (!Signals.SetMaskForReturn(t, *(ulong*)(uc + SigMask)))
        {
            return -Errno.ERESTARTSYS;
        }

        if (!LoadContext(t, uc))
        {
            return Bad(t);
        }

        if (offset != 0)
        {
            AltStack.Set(&t->Signals, *(AltStack.Stack*)(uc + Stack), t->Arm.r[13]);
        }

        return (int)t->Arm.r[0];
    }

    private static int Bad(GuestThread* t)
    {
        t->Signals.NoRestart = 1;
        Signals.Force(t, Sig.SIGSEGV, Sig.SI_KERNEL, 0);
        return 0;
    }

    /// <summary>setup_sigframe.</summary>
    internal static void FillContext(GuestThread* t, byte* uc, ulong mask, bool rt)
    {
        for (int i = 0; i < FrameSize / 8; i++)
        {
            ((ulong*)uc)[i] = 0;
        }

        byte* mc = uc + MContext;
        *(uint*)(mc + ErrorCode) = (t->Signals.ErrorCode & 2) << 10;
        *(uint*)(mc + OldMask) = (uint)mask;
        for (int i = 0; i < 16; i++)
        {
            ((uint*)(mc + Registers))[i] = t->Arm.r[i];
        }

        *(uint*)(mc + Cpsr) = t->Arm.cpsr;
        *(uint*)(mc + FaultAddress) = t->Signals.FaultAddress;
        *(ulong*)(uc + SigMask) = mask;
        if (rt)
        {
            *(AltStack.Stack*)(uc + Stack) = AltStack.Saved(&t->Signals);
        }
        else
        {
            *(uint*)uc = OldFrameFlags;
        }

        uint* vfp = (uint*)(uc + RegSpace);
        vfp[0] = VfpMagic;
        vfp[1] = VfpSize;
        for (int i = 0; i < 32; i++)
        {
            ((ulong*)(vfp + 2))[i] = t->Arm.d[i];
        }

        vfp[66] = t->Arm.fpscr;
        vfp[68] = FpexcEnabled;
    }

    /// <summary>restore_sigframe. False for registers that user mode cannot have, or a VFP block that is none.</summary>
    internal static bool LoadContext(GuestThread* t, byte* uc)
    {
        byte* mc = uc + MContext;
        uint* vfp = (uint*)(uc + RegSpace);
        uint cpsr = *(uint*)(mc + Cpsr);
        if ((cpsr & ModeMask) != UserMode || (cpsr & MaskBits) != 0 || vfp[0] != VfpMagic || vfp[1] != VfpSize)
        {
            return false;
        }

        t->Signals.NoRestart = 1;
        t->SignalPending = 1;
        for (int i = 0; i < 16; i++)
        {
            t->Arm.r[i] = ((uint*)(mc + Registers))[i];
        }

        t->Arm.cpsr = cpsr;
        for (int i = 0; i < 32; i++)
        {
            t->Arm.d[i] = ((ulong*)(vfp + 2))[i];
        }

        t->Arm.fpscr = vfp[66];
        return true;
    }
}
