using Lodge.Translator.X64;

namespace Lodge.Shim;

/// <summary>
/// The machine code between C# and translated code, written at start into the first page of the code cache: entry, exits, the miss stub
/// at offset 0 that empty target table entries lead to, and the return stack's sentinel. docs/dispatch.md draws the states.
/// </summary>
public unsafe struct DispatchStubs
{
    /// <summary>void(GuestThread*, host address): enters guest code and returns when it is left.</summary>
    public delegate*<GuestThread*, ulong, void> Enter;
    /// <summary>A signal handler puts this into RIP to take a thread out of translated code.</summary>
    public ulong InterruptExit;
    /// <summary>From here to <see cref="EntryWindowEnd"/> guest registers are partly loaded; a signal goes to <see cref="NotEntered"/>.</summary>
    public ulong EntryWindowStart;
    /// <summary>End of the entry window.</summary>
    public ulong EntryWindowEnd;
    /// <summary>Leaves the entry stub without touching the frame.</summary>
    public ulong NotEntered;
    /// <summary>The shared indirect branch: state is TargetInR8 between these two addresses.</summary>
    public ulong IndirectStart;
    /// <summary>End of the shared indirect branch.</summary>
    public ulong IndirectEnd;
    /// <summary>Code cache offset of the exit of jump tables: target in r8d, shadow in r9d.</summary>
    public uint JumpTableExit;
    /// <summary>Return address at the bottom of every return stack.</summary>
    public ulong Sentinel;

    private const uint UnsafeFlags = 0x40500;

    /// <summary>Writes the stubs to <paramref name="memory"/> and reports the offsets that translated code uses.</summary>
    public static DispatchStubs Build(byte* memory, int size, ref EmitLayout layout)
    {
        DispatchStubs s = default;
        CodeBuffer c = new(memory, size);
        ThreadOffsets o = ThreadOffsets.Compute();
        layout.FsBase = o.Frame + o.FsBase;
        layout.FsTrap = o.FsTrap;
        layout.GsTrap = o.GsTrap;
        layout.GsBase = o.Frame + o.GsBase;
        layout.DsBase = o.Frame + o.DsBase;
        layout.EsBase = o.Frame + o.EsBase;
        layout.SsBase = o.Frame + o.SsBase;
        layout.CsBase = o.Frame + o.CsBase;

        // Offset 0: a target table entry of zero means "not translated".
        c.Store32(HostReg.Thread, o.Frame + o.Eip, HostReg.Target);
        c.Store32Imm(HostReg.Thread, o.Reason, (uint)ExitReason.Miss);
        int missJump = Forward(ref c);

        layout.LinkExit = c.Position;
        c.Store32(HostReg.Thread, o.Argument, HostReg.R9);
        c.Store32Imm(HostReg.Thread, o.Reason, (uint)ExitReason.Link);
        int linkJump = Forward(ref c);

        layout.SyscallExit = c.Position;
        c.Store32(HostReg.Thread, o.Frame + o.Eip, HostReg.R9);
        c.Store32Imm(HostReg.Thread, o.Reason, (uint)ExitReason.Syscall);
        int saveAll = c.Position;
        Patch(ref c, missJump);
        Patch(ref c, linkJump);
        EmitSaveAll(ref c, o);

        layout.EmulateExit = c.Position;
        c.Store32(HostReg.Thread, o.Frame + o.Eip, HostReg.R9);
        c.Store32Imm(HostReg.Thread, o.Reason, (uint)ExitReason.Emulate);
        c.JmpTo(saveAll);

        layout.X87Exit = c.Position;
        c.Store32(HostReg.Thread, o.Frame + o.Eip, HostReg.R9);
        c.Store32Imm(HostReg.Thread, o.Reason, (uint)ExitReason.X87State);
        c.JmpTo(saveAll);

        s.JumpTableExit = (uint)c.Position;
        c.Store32(HostReg.Thread, o.Frame + o.Eip, HostReg.Target);
        c.Store32(HostReg.Thread, o.Argument, HostReg.R9);
        c.Store32Imm(HostReg.Thread, o.Reason, (uint)ExitReason.JumpTable);
        c.JmpTo(saveAll);

        s.InterruptExit = (ulong)c.Next;
        c.Store32Imm(HostReg.Thread, o.Reason, (uint)ExitReason.Interrupted);
        c.JmpTo(saveAll);

        s.Sentinel = (ulong)c.Next;
        s.IndirectStart = (ulong)c.Next;
        c.Lea64(HostReg.Rsp, HostReg.Rsp, -8);
        layout.IndirectJump = c.Position;

        if (layout.NestedTargets)
        {
            EmitNestedLookup(ref c, o);
        }
        else
        {
            // mov r9d, [r13+r8*4]
            c.U8(0x47);
            c.U8(0x8B);
            c.U8(0x4C);
            c.U8(0x85);
            c.U8(0);
        }

        // lea r9, [r12+r9]; jmp r9
        c.U8(0x4F);
        c.U8(0x8D);
        c.U8(0x0C);
        c.U8(0x0C);
        c.U8(0x41);
        c.U8(0xFF);
        c.U8(0xE1);
        s.IndirectEnd = (ulong)c.Next;

        while ((c.Position & 15) != 0)
        {
            c.U8(0xCC);
        }

        s.Enter = (delegate*<GuestThread*, ulong, void>)c.Next;
        EmitEnter(ref c, o, ref s);
        return s;
    }

    /// <summary>
    /// r9d = the word of a nested table for r8d. The flags are the guest's: instead of shifts, parts of the address are loaded from memory.
    /// </summary>
    private static void EmitNestedLookup(ref CodeBuffer c, in ThreadOffsets o)
    {
        c.Store32(HostReg.Thread, o.Lookup, HostReg.Target);

        // movzx r9d, word [r14+Lookup+2]; mov r9d, [r13+r9*4]
        c.Rex(0, HostReg.R9, 0, HostReg.Thread);
        c.U8(0x0F);
        c.U8(0xB7);
        c.Memory(HostReg.R9, HostReg.Thread, o.Lookup + 2);
        c.U8(0x47);
        c.U8(0x8B);
        c.U8(0x4C);
        c.U8(0x8D);
        c.U8(0);
        for (int part = 1; part >= 0; part--)
        {
            // movzx r10d, byte [r14+Lookup+part]; lea r9, [r13+r9]; mov r9d, [r9+r10*4+Level1Bytes]
            c.Rex(0, HostReg.R10, 0, HostReg.Thread);
            c.U8(0x0F);
            c.U8(0xB6);
            c.Memory(HostReg.R10, HostReg.Thread, o.Lookup + part);
            c.U8(0x4F);
            c.U8(0x8D);
            c.U8(0x4C);
            c.U8(0x0D);
            c.U8(0);
            c.U8(0x47);
            c.U8(0x8B);
            c.U8(0x8C);
            c.U8(0x91);
            c.U32(TargetTables.Level1Bytes);
        }
    }

    private static int Forward(ref CodeBuffer c)
    {
        c.JmpTo(c.Position);
        return c.Position - 4;
    }

    private static void Patch(ref CodeBuffer c, int at) => *(int*)(c.Start + at) = c.Position - (at + 4);

    private static void EmitSaveAll(ref CodeBuffer c, in ThreadOffsets o)
    {
        for (int r = 0; r < 8; r++)
        {
            c.Store32(HostReg.Thread, o.Frame + (r * 4), r == HostReg.Rsp ? HostReg.Esp : r);
        }

        c.Store64(HostReg.Thread, o.ReturnStackPointer, HostReg.Rsp);
        c.Load64(HostReg.Rsp, HostReg.Thread, o.HostStackPointer);

        // pushfq; pop r8
        c.U8(0x9C);
        c.U8(0x41);
        c.U8(0x58);
        c.Store32(HostReg.Thread, o.Frame + o.Eflags, HostReg.Target);

        // DF, AC and TF must not reach C#: test r8d, imm32; jz +; push 202h; popfq
        c.U8(0x41);
        c.U8(0xF7);
        c.U8(0xC0);
        c.U32(UnsafeFlags);
        c.U8(0x74);
        c.U8(6);
        c.U8(0x68);
        c.U32(0x202);
        c.U8(0x9D);
        EmitXmm(ref c, o, 0x11);
        EmitLeave(ref c);
    }

    private static void EmitXmm(ref CodeBuffer c, in ThreadOffsets o, int opcode)
    {
        for (int x = 0; x < 8; x++)
        {
            // movups
            c.Rex(0, x, 0, HostReg.Thread);
            c.U8(0x0F);
            c.U8(opcode);
            c.Memory(x, HostReg.Thread, o.Frame + o.Xmm + (x * 16));
        }
    }

    /// <summary>
    /// pop r15, r14, r13, r12, rbp, rbx, rcx; jmp rcx. Not RET: the return predictor's top belongs to the guest, while the jump goes to the
    /// same place every time.
    /// </summary>
    private static void EmitLeave(ref CodeBuffer c)
    {
        c.U8(0x41);
        c.U8(0x5F);
        c.U8(0x41);
        c.U8(0x5E);
        c.U8(0x41);
        c.U8(0x5D);
        c.U8(0x41);
        c.U8(0x5C);
        c.U8(0x5D);
        c.U8(0x5B);
        c.U8(0x59);
        c.U8(0xFF);
        c.U8(0xE1);
    }

    private static void EmitEnter(ref CodeBuffer c, in ThreadOffsets o, ref DispatchStubs s)
    {
        // push rbx, rbp, r12, r13, r14, r15
        c.U8(0x53);
        c.U8(0x55);
        c.U8(0x41);
        c.U8(0x54);
        c.U8(0x41);
        c.U8(0x55);
        c.U8(0x41);
        c.U8(0x56);
        c.U8(0x41);
        c.U8(0x57);
        c.Mov64(HostReg.Thread, HostReg.Rdi);
        c.Store64(HostReg.Thread, o.HostStackPointer, HostReg.Rsp);
        c.Mov64(HostReg.R10, HostReg.Rsi);
        c.Load64(HostReg.CodeBase, HostReg.Thread, o.CodeBase);
        c.Load64(HostReg.TargetTable, HostReg.Thread, o.TargetTable);
        EmitXmm(ref c, o, 0x10);
        s.EntryWindowStart = (ulong)c.Next;

        // cmp dword [r14+SignalPending], 0; jne NotEntered
        c.U8(0x41);
        c.U8(0x83);
        c.Memory(7, HostReg.Thread, o.SignalPending);
        c.U8(0);
        c.JccTo(5, c.Position);
        int notEntered = c.Position - 4;
        c.Load32(HostReg.Rax, HostReg.Thread, o.Frame + o.Eflags);
        c.U8(0x50);
        c.U8(0x9D);
        c.Load64(HostReg.Rsp, HostReg.Thread, o.ReturnStackPointer);
        for (int r = 0; r < 8; r++)
        {
            c.Load32(r == HostReg.Rsp ? HostReg.Esp : r, HostReg.Thread, o.Frame + (r * 4));
        }

        // jmp r10
        c.U8(0x41);
        c.U8(0xFF);
        c.U8(0xE2);
        s.EntryWindowEnd = (ulong)c.Next;
        Patch(ref c, notEntered);
        s.NotEntered = (ulong)c.Next;
        c.Store32Imm(HostReg.Thread, o.Reason, (uint)ExitReason.NotEntered);
        c.Load64(HostReg.Rsp, HostReg.Thread, o.HostStackPointer);

        // Guest flags may be loaded already: push 202h; popfq
        c.U8(0x68);
        c.U32(0x202);
        c.U8(0x9D);
        EmitLeave(ref c);
    }
}

/// <summary>Offsets of thread record fields, taken from the structures themselves.</summary>
public unsafe struct ThreadOffsets
{
    /// <summary>Offsets from the start of the record.</summary>
    public int SignalPending, Frame, HostStackPointer, ReturnStackPointer, CodeBase, TargetTable, Reason, Argument, FsTrap, GsTrap, Lookup;
    /// <summary>Offsets within the i386 frame.</summary>
    public int Eip, Eflags, Xmm, FsBase, GsBase, DsBase, EsBase, SsBase, CsBase;

    /// <summary>Computes the offsets.</summary>
    public static ThreadOffsets Compute()
    {
        GuestThread sample;
        GuestThread* t = &sample;
        byte* start = (byte*)t;
        byte* frame = (byte*)&t->I386;
        ThreadOffsets o = default;
        o.SignalPending = (int)((byte*)&t->SignalPending - start);
        o.Frame = (int)(frame - start);
        o.HostStackPointer = (int)((byte*)&t->Exec.HostStackPointer - start);
        o.ReturnStackPointer = (int)((byte*)&t->Exec.ReturnStackPointer - start);
        o.CodeBase = (int)((byte*)&t->Exec.CodeBase - start);
        o.TargetTable = (int)((byte*)&t->Exec.TargetTable - start);
        o.Reason = (int)((byte*)&t->Exec.Reason - start);
        o.FsTrap = (int)((byte*)&t->Exec.FsTrap - start);
        o.GsTrap = (int)((byte*)&t->Exec.GsTrap - start);
        o.Lookup = (int)((byte*)&t->Exec.Lookup - start);
        o.Argument = (int)((byte*)&t->Exec.Argument - start);
        o.Eip = (int)((byte*)&t->I386.eip - frame);
        o.Eflags = (int)((byte*)&t->I386.eflags - frame);
        o.Xmm = (int)(t->I386.xmm - frame);
        o.FsBase = (int)((byte*)&t->I386.fs_base - frame);
        o.GsBase = (int)((byte*)&t->I386.gs_base - frame);
        o.DsBase = (int)((byte*)&t->I386.ds_base - frame);
        o.EsBase = (int)((byte*)&t->I386.es_base - frame);
        o.SsBase = (int)((byte*)&t->I386.ss_base - frame);
        o.CsBase = (int)((byte*)&t->I386.cs_base - frame);
        return o;
    }
}
