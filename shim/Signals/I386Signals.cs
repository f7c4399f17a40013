namespace Lodge.Shim;

/// <summary>Signal frames of i386 guests, as the 64-bit kernel makes them for 32-bit programs (arch/x86/kernel/signal_32.c).</summary>
internal static unsafe class I386Signals
{
    private const uint UserCs = 0x23, UserDs = 0x2b;
    private const uint FlagTF = 0x100, FlagDF = 0x400, FlagRF = 0x10000;

    // What a frame may change: AC, RF, OF, DF, TF, SF, ZF, AF, PF, CF (FIX_EFLAGS).
    private const uint FixEflags = 0x40000 | FlagRF | 0x800 | FlagDF | FlagTF | 0x80 | 0x40 | 0x10 | 0x4 | 0x1;
    private const uint UcFpXstate = 1;

    // popl %eax; movl $119, %eax; int $0x80 - and movl $173, %eax; int $0x80; nothing runs them, debuggers know them.
    private const ulong RetCode = 0x80cd_0000_0077_b858, RtRetCode = 0x0080_cd00_0000_adb8;

    /// <summary>Builds the frame and turns the registers to the handler. False when the stack cannot take it.</summary>
    internal static bool SetupFrame(GuestThread* t, int signal, SigAction* action, byte* info, ulong savedMask)
    {
        bool rt = (action->Flags & Sig.SA_SIGINFO) != 0;
        uint frameSize = rt ? (uint)sizeof(I386RtSigFrame) : (uint)sizeof(I386SigFrame);
        if (!Place(t, action, frameSize, out uint frame, out uint fpstate) || !I386FpState.Save(t, fpstate))
        {
            return false;
        }

        I386SigContext context;
        FillContext(t, &context, fpstate, (uint)savedMask);
        bool written = rt ? WriteRt(t, signal, action, info, savedMask, frame, &context) : Write(t, signal, action, savedMask, frame, &context);
        if (!written)
        {
            return false;
        }

        ref I386Frame r = ref t->I386;
        r.esp = frame;
        r.eip = action->Handler;
        r.eax = (uint)signal;
        r.edx = rt ? frame + 16 : 0;
        r.ecx = rt ? frame + 16 + Sig.InfoSize : 0;
        r.cs = (ushort)UserCs;
        r.ss = (ushort)UserDs;
        r.ds = (ushort)UserDs;
        r.es = (ushort)UserDs;
        r.cs_base = r.ss_base = r.ds_base = r.es_base = 0;
        r.eflags &= ~(FlagDF | FlagRF | FlagTF);
        I386FpState.Reset(t);
        return true;
    }

    /// <summary>sigreturn. Returns the EAX to go on with; a bad frame forces SIGSEGV.</summary>
    internal static int SigReturn(GuestThread* t)
    {
        uint address = t->I386.esp - 8;
        I386SigContext context;
        uint extra = 0;
        if (!User.CopyIn(&context, address + 8, (nuint)sizeof(I386SigContext)) || !User.Get(address + 720, out extra))
        {
            return Bad(t);
        }

        if (!Signals.SetMaskForReturn(t, context.oldmask | ((ulong)extra << 32)))
        {
            return -Errno.ERESTARTSYS;
        }

        return Load(t, &context) ? (int)t->I386.eax : Bad(t);
    }

    /// <summary>rt_sigreturn.</summary>
    internal static int RtSigReturn(GuestThread* t)
    {
        uint address = t->I386.esp - 4;
        I386UContext uc;
        if (!User.CopyIn(&uc, address + 16 + Sig.InfoSize, (nuint)sizeof(I386UContext)))
        {
            return Bad(t);
        }

        if (!Signals.SetMaskForReturn(t, uc.uc_sigmask_lo | ((ulong)uc.uc_sigmask_hi << 32)))
        {
            return -Errno.ERESTARTSYS;
        }

        if (!Load(t, &uc.uc_mcontext))
        {
            return Bad(t);
        }

        AltStack.Set(&t->Signals, uc.uc_stack, t->I386.esp);
        return (int)t->I386.eax;
    }

    private static int Bad(GuestThread* t)
    {
        t->I386.orig_eax = uint.MaxValue;
        Signals.Force(t, Sig.SIGSEGV, Sig.SI_KERNEL, 0);
        return 0;
    }

    /// <summary>get_sigframe: where the frame and the floating-point state go. False when it would leave the alternate stack.</summary>
    private static bool Place(GuestThread* t, SigAction* action, uint frameSize, out uint frame, out uint fpstate)
    {
        ThreadSignals* s = &t->Signals;
        uint sp = t->I386.esp;
        bool nested = AltStack.IsOn(s, sp);
        bool entering = false;
        if ((action->Flags & Sig.SA_ONSTACK) != 0)
        {
            if (AltStack.State(s, sp) == 0)
            {
                sp = s->AltStack + s->AltStackSize;
                entering = true;
            }
        }
        else if (!nested && t->I386.ss != UserDs && (action->Flags & Sig.SA_RESTORER) == 0 && action->Restorer != 0)
        {
            // A program on a stack segment of its own names the flat stack in sa_restorer.
            sp = action->Restorer;
            entering = true;
        }

        uint area = (sp - I386FpState.AreaSize(t->Group)) & ~63u;
        fpstate = area - I386FpState.LegacySize;
        frame = (((fpstate - frameSize) + 4) & ~15u) - 4;
        return !(nested || entering) || AltStack.Holds(s, frame);
    }

    private static void FillContext(GuestThread* t, I386SigContext* sc, uint fpstate, uint oldmask)
    {
        ref I386Frame r = ref t->I386;
        sc->gs = r.gs;
        sc->fs = r.fs;
        sc->es = r.es;
        sc->ds = r.ds;
        sc->di = r.edi;
        sc->si = r.esi;
        sc->bp = r.ebp;
        sc->sp = r.esp;
        sc->bx = r.ebx;
        sc->dx = r.edx;
        sc->cx = r.ecx;
        sc->ax = r.eax;
        sc->trapno = t->Signals.TrapNumber;
        sc->err = t->Signals.ErrorCode;
        sc->ip = r.eip;
        sc->cs = r.cs;
        sc->flags = r.eflags;
        sc->sp_at_signal = r.esp;
        sc->ss = r.ss;
        sc->fpstate = fpstate;
        sc->oldmask = oldmask;
        sc->cr2 = t->Signals.FaultAddress;
    }

    private static bool Write(GuestThread* t, int signal, SigAction* action, ulong mask, uint frame, I386SigContext* context)
    {
        // The room of the unused fpstate is left as it is, as in the kernel.
        uint* head = stackalloc uint[2];
        uint trampoline = t->Group->SigreturnTrampoline != 0 ? t->Group->SigreturnTrampoline : frame + 724;
        head[0] = (action->Flags & Sig.SA_RESTORER) != 0 ? action->Restorer : trampoline;
        head[1] = (uint)signal;
        ulong code = RetCode;
        uint extra = (uint)(mask >> 32);
        return User.CopyOut(frame, head, 8) && User.CopyOut(frame + 8, context, (nuint)sizeof(I386SigContext)) &&
            User.Put(frame + 720, extra) && User.Put(frame + 724, code);
    }

    private static bool WriteRt(GuestThread* t, int signal, SigAction* action, byte* info, ulong mask, uint frame, I386SigContext* context)
    {
        I386RtSigFrame f = default;
        uint trampoline = t->Group->RtSigreturnTrampoline != 0 ? t->Group->RtSigreturnTrampoline : frame + 260;
        f.pretcode = (action->Flags & Sig.SA_RESTORER) != 0 ? action->Restorer : trampoline;
        f.sig = signal;
        f.pinfo = frame + 16;
        f.puc = frame + 16 + Sig.InfoSize;
        SigInfo.ToGuest(f.info, info);
        f.uc.uc_flags = t->Group->XstateFeatures != 0 ? UcFpXstate : 0;
        f.uc.uc_stack = AltStack.Saved(&t->Signals);
        f.uc.uc_mcontext = *context;
        f.uc.uc_sigmask_lo = (uint)mask;
        f.uc.uc_sigmask_hi = (uint)(mask >> 32);
        *(ulong*)f.retcode = RtRetCode;
        return User.CopyOut(frame, &f, (nuint)sizeof(I386RtSigFrame));
    }

    /// <summary>ia32_restore_sigcontext.</summary>
    private static bool Load(GuestThread* t, I386SigContext* sc)
    {
        ref I386Frame r = ref t->I386;
        r.ebx = sc->bx;
        r.ecx = sc->cx;
        r.edx = sc->dx;
        r.esi = sc->si;
        r.edi = sc->di;
        r.ebp = sc->bp;
        r.eax = sc->ax;
        r.esp = sc->sp;
        r.eip = sc->ip;
        r.eflags = (r.eflags & ~FixEflags) | (sc->flags & FixEflags);
        r.orig_eax = uint.MaxValue;
        Segments.Reload(t, sc->cs, sc->ss, sc->ds, sc->es, sc->fs, sc->gs);
        return I386FpState.Restore(t, sc->fpstate);
    }
}
