using System;
using System.Runtime.InteropServices;

namespace Lodge.Translator.I386;

/// <summary>Prefixes and encoding parts met while decoding (Intel SDM vol. 2, chapter 2).</summary>
[Flags]
public enum I386Prefixes : ushort
{
    /// <summary>None.</summary>
    None = 0,
    /// <summary>66h.</summary>
    OperandSize = 1 << 0,
    /// <summary>67h: 16-bit addressing forms.</summary>
    AddressSize = 1 << 1,
    /// <summary>F0h.</summary>
    Lock = 1 << 2,
    /// <summary>F3h (the last of F2h/F3h wins).</summary>
    Rep = 1 << 3,
    /// <summary>F2h (the last of F2h/F3h wins).</summary>
    Repne = 1 << 4,
    /// <summary>A ModRM byte is present.</summary>
    ModRM = 1 << 5,
    /// <summary>A SIB byte is present.</summary>
    Sib = 1 << 6,
    /// <summary>Two- or three-byte VEX prefix.</summary>
    Vex = 1 << 7,
    /// <summary>VEX.L = 1 (256 bit).</summary>
    VexL = 1 << 8,
    /// <summary>VEX.W = 1. Cleared where it has no meaning in 32-bit mode, because 64-bit mode would widen the operation.</summary>
    VexW = 1 << 9,
}

/// <summary>Segment override in force; <see cref="None"/> when no override byte was met.</summary>
public enum I386Segment : byte
{
    /// <summary>ES.</summary>
    Es = 0,
    /// <summary>CS.</summary>
    Cs = 1,
    /// <summary>SS.</summary>
    Ss = 2,
    /// <summary>DS.</summary>
    Ds = 3,
    /// <summary>FS.</summary>
    Fs = 4,
    /// <summary>GS.</summary>
    Gs = 5,
    /// <summary>No override.</summary>
    None = 0xFF,
}

/// <summary>
/// One decoded i386 instruction: where its bytes are and which table row it is. A plain value without pointers, filled by
/// <c>I386Decoder</c>; it holds what the emitter needs in order to write the same instruction again for 64-bit mode.
/// </summary>
/// <remarks>28 bytes; <c>I386Decoder.Fill</c> writes the fields in this order, several at a time.</remarks>
[StructLayout(LayoutKind.Sequential, Pack = 4)]
public struct I386Insn
{
    /// <summary>Guest address of the first byte (prefixes included).</summary>
    public uint Address;
    /// <summary>Immediate, sign-extended to 32 bits where the instruction sign-extends it; the relative displacement of branches; the offset of far pointers.</summary>
    public uint Imm;
    /// <summary>Displacement of the memory operand (ModRM or moffs), sign-extended from <see cref="DispSize"/>.</summary>
    public uint Disp;
    /// <summary>Selector of a far pointer, or ENTER's nesting level.</summary>
    public ushort Imm2;
    /// <summary>Index of the row in the instruction table (<c>I386Table</c>); <c>I386Table.InvalidRow</c> when the bytes are no instruction (#UD).</summary>
    public ushort Row;
    /// <summary>Prefixes met.</summary>
    public I386Prefixes Prefixes;
    /// <summary>Total length in bytes, 1 to 15.</summary>
    public byte Length;
    /// <summary>Opcode map: 0 one-byte, 1 0F, 2 0F38, 3 0F3A (also for VEX forms).</summary>
    public byte Map;
    /// <summary>Last opcode byte. 82h is given as 80h, whose copy it is, because 64-bit mode lacks it.</summary>
    public byte Opcode;
    /// <summary>ModRM byte, when <see cref="I386Prefixes.ModRM"/> is set. MOV to and from control and debug registers ignores mod: given as 3.</summary>
    public byte ModRM;
    /// <summary>SIB byte, when <see cref="I386Prefixes.Sib"/> is set.</summary>
    public byte Sib;
    /// <summary>Bytes of displacement as encoded: 0, 1, 2 or 4.</summary>
    public byte DispSize;
    /// <summary>Bytes of immediate as encoded, not counting <see cref="Imm2"/>: 0, 1, 2 or 4.</summary>
    public byte ImmSize;
    /// <summary>VEX.vvvv as a register number (already inverted), 0 to 7.</summary>
    public byte VexVvvv;
    /// <summary>VEX.pp: 0 none, 1 66, 2 F3, 3 F2. For legacy encodings, the mandatory prefix of the row in the same code.</summary>
    public byte Pp;
    /// <summary>Segment override.</summary>
    public I386Segment Segment;
}

/// <summary>How the translator treats a row. Everything the two modes share is <see cref="Copy"/>.</summary>
public enum I386Class : byte
{
    /// <summary>Not an instruction, or one the guest's CPU model does not have: #UD, SIGILL.</summary>
    Invalid,
    /// <summary>Same bytes in 64-bit mode, after re-encoding the memory operand and ESP. Includes privileged forms, which fault by themselves.</summary>
    Copy,
    /// <summary>INC/DEC r32 short forms 40-4F.</summary>
    IncDecReg,
    /// <summary>A0-A3.</summary>
    Moffs,
    /// <summary>PUSH r.</summary>
    PushReg,
    /// <summary>PUSH imm.</summary>
    PushImm,
    /// <summary>PUSH r/m.</summary>
    PushRM,
    /// <summary>POP r.</summary>
    PopReg,
    /// <summary>POP r/m.</summary>
    PopRM,
    /// <summary>PUSH sreg.</summary>
    PushSeg,
    /// <summary>POP sreg.</summary>
    PopSeg,
    /// <summary>PUSHA(D).</summary>
    Pusha,
    /// <summary>POPA(D).</summary>
    Popa,
    /// <summary>PUSHF(D).</summary>
    Pushf,
    /// <summary>POPF(D).</summary>
    Popf,
    /// <summary>ENTER.</summary>
    Enter,
    /// <summary>LEAVE.</summary>
    Leave,
    /// <summary>CALL rel.</summary>
    CallRel,
    /// <summary>CALL r/m (near).</summary>
    CallRM,
    /// <summary>CALL ptr16:32 and CALL m16:32.</summary>
    CallFar,
    /// <summary>RET.</summary>
    Ret,
    /// <summary>RET imm16.</summary>
    RetImm,
    /// <summary>RETF, RETF imm16.</summary>
    RetFar,
    /// <summary>IRET(D).</summary>
    Iret,
    /// <summary>JMP rel.</summary>
    JmpRel,
    /// <summary>JMP r/m (near).</summary>
    JmpRM,
    /// <summary>JMP ptr16:32 and JMP m16:32.</summary>
    JmpFar,
    /// <summary>Jcc rel8/rel32.</summary>
    Jcc,
    /// <summary>LOOPNE, LOOPE, LOOP (E0-E2).</summary>
    Loop,
    /// <summary>JECXZ/JCXZ (E3).</summary>
    Jecxz,
    /// <summary>MOV r/m, sreg.</summary>
    MovFromSeg,
    /// <summary>MOV sreg, r/m.</summary>
    MovToSeg,
    /// <summary>LES, LDS, LSS, LFS, LGS.</summary>
    LoadFarPointer,
    /// <summary>DAA, DAS, AAA, AAS.</summary>
    BcdAdjust,
    /// <summary>AAM imm, AAD imm.</summary>
    BcdAxImm,
    /// <summary>SALC (D6).</summary>
    Salc,
    /// <summary>BOUND.</summary>
    Bound,
    /// <summary>ARPL.</summary>
    Arpl,
    /// <summary>INTO.</summary>
    Into,
    /// <summary>INT3 (CC).</summary>
    Int3,
    /// <summary>INT1/ICEBP (F1).</summary>
    Int1,
    /// <summary>INT imm8; 80h is the system call.</summary>
    IntImm,
    /// <summary>SYSENTER.</summary>
    Sysenter,
    /// <summary>SYSCALL (AMD, legal in compatibility mode there).</summary>
    Syscall,
    /// <summary>String instructions with implicit ESI/EDI (MOVS, CMPS, STOS, LODS, SCAS, INS, OUTS).</summary>
    StringOp,
    /// <summary>XLAT.</summary>
    Xlat,
    /// <summary>MASKMOVQ, (V)MASKMOVDQU: implicit [EDI].</summary>
    Maskmov,
    /// <summary>CPUID.</summary>
    Cpuid,
    /// <summary>XGETBV.</summary>
    Xgetbv,
    /// <summary>LAR, LSL, VERR, VERW: answer from the guest's descriptors.</summary>
    Descriptor,
    /// <summary>SGDT, SIDT, SLDT, STR, SMSW: what the kernel shows user mode.</summary>
    SystemTable,
    /// <summary>FNSTENV, FNSAVE, FXSAVE, XSAVE*: stores carry the x87 instruction pointer, which must be the guest's.</summary>
    X87State,
    /// <summary>UD0, UD1, UD2: #UD by definition.</summary>
    Ud,
}

/// <summary>Which GPR operand kinds a row names, so that ESP (number 4 of a 16- or 32-bit GPR) can be moved and AH-BH (number 4-7 of an 8-bit GPR) protected from REX.</summary>
[Flags]
public enum I386Operands : ushort
{
    /// <summary>None.</summary>
    None = 0,
    /// <summary>ModRM.reg is a 16/32-bit GPR.</summary>
    RegGpr = 1 << 0,
    /// <summary>ModRM.reg is an 8-bit GPR.</summary>
    RegGpr8 = 1 << 1,
    /// <summary>ModRM.rm, when mod = 3, is a 16/32-bit GPR.</summary>
    RmGpr = 1 << 2,
    /// <summary>ModRM.rm, when mod = 3, is an 8-bit GPR.</summary>
    RmGpr8 = 1 << 3,
    /// <summary>VEX.vvvv is a GPR (BMI).</summary>
    VvvvGpr = 1 << 4,
    /// <summary>The low three opcode bits name a 16/32-bit GPR (90-97, B8-BF, BSWAP).</summary>
    OpcodeGpr = 1 << 5,
    /// <summary>The low three opcode bits name an 8-bit GPR (B0-B7).</summary>
    OpcodeGpr8 = 1 << 6,
    /// <summary>ModRM.rm, when mod != 3, is a memory operand that is read.</summary>
    MemRead = 1 << 7,
    /// <summary>ModRM.rm, when mod != 3, is a memory operand that is written.</summary>
    MemWrite = 1 << 8,
    /// <summary>The memory operand is an address only (LEA, prefetch, NOP): never accessed.</summary>
    MemAddressOnly = 1 << 9,
    /// <summary>SIB index is a vector register (gathers).</summary>
    Vsib = 1 << 10,
    /// <summary>LOCK is allowed with a memory destination.</summary>
    Lockable = 1 << 11,
    /// <summary>ModRM.reg is written (a GPR when RegGpr/RegGpr8 is set).</summary>
    RegWrite = 1 << 12,
    /// <summary>ModRM.rm as a register is written.</summary>
    RmWrite = 1 << 13,
}

/// <summary>Arithmetic flags, at their EFLAGS bit positions.</summary>
[Flags]
public enum I386Flags : ushort
{
    /// <summary>None.</summary>
    None = 0,
    /// <summary>Carry.</summary>
    CF = 1 << 0,
    /// <summary>Parity.</summary>
    PF = 1 << 2,
    /// <summary>Adjust.</summary>
    AF = 1 << 4,
    /// <summary>Zero.</summary>
    ZF = 1 << 6,
    /// <summary>Sign.</summary>
    SF = 1 << 7,
    /// <summary>Direction.</summary>
    DF = 1 << 10,
    /// <summary>Overflow.</summary>
    OF = 1 << 11,
    /// <summary>The six arithmetic flags.</summary>
    Arith = CF | PF | AF | ZF | SF | OF,
}
