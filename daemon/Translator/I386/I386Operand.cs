using System;

namespace Lodge.Translator.I386;

/// <summary>Where an operand of a table row comes from. "V" sizes are 32 bits, 16 with the 66h prefix; "Vec" is XMM, YMM with VEX.L.</summary>
public enum I386OperandKind : byte
{
    /// <summary>No operand.</summary>
    None,
    /// <summary>ModRM.reg, 8-bit register.</summary>
    RegGpr8,
    /// <summary>ModRM.reg, 16-bit register.</summary>
    RegGpr16,
    /// <summary>ModRM.reg, 32-bit register.</summary>
    RegGpr32,
    /// <summary>ModRM.reg, 16/32-bit register.</summary>
    RegGprV,
    /// <summary>ModRM.rm, 8-bit register or memory.</summary>
    RmGpr8,
    /// <summary>ModRM.rm, 16-bit register or memory.</summary>
    RmGpr16,
    /// <summary>ModRM.rm, 32-bit register or memory.</summary>
    RmGpr32,
    /// <summary>ModRM.rm, 16/32-bit register or memory.</summary>
    RmGprV,
    /// <summary>ModRM.rm, memory only.</summary>
    Mem,
    /// <summary>ModRM.reg, MMX register.</summary>
    RegMmx,
    /// <summary>ModRM.rm, MMX register or memory.</summary>
    RmMmx,
    /// <summary>ModRM.reg, XMM.</summary>
    RegXmm,
    /// <summary>ModRM.reg, YMM.</summary>
    RegYmm,
    /// <summary>ModRM.reg, XMM or YMM by VEX.L.</summary>
    RegVec,
    /// <summary>ModRM.rm, XMM or memory.</summary>
    RmXmm,
    /// <summary>ModRM.rm, YMM or memory.</summary>
    RmYmm,
    /// <summary>ModRM.rm, XMM or YMM by VEX.L, or memory.</summary>
    RmVec,
    /// <summary>VEX.vvvv, 32-bit register.</summary>
    VvvvGpr32,
    /// <summary>VEX.vvvv, XMM.</summary>
    VvvvXmm,
    /// <summary>VEX.vvvv, YMM.</summary>
    VvvvYmm,
    /// <summary>VEX.vvvv, XMM or YMM by VEX.L.</summary>
    VvvvVec,
    /// <summary>Bits 6-4 of the immediate byte, XMM or YMM by VEX.L.</summary>
    Is4Vec,
    /// <summary>Low opcode bits, 8-bit register.</summary>
    OpGpr8,
    /// <summary>Low opcode bits, 32-bit register.</summary>
    OpGpr32,
    /// <summary>Low opcode bits, 16/32-bit register.</summary>
    OpGprV,
    /// <summary>ModRM.reg, segment register.</summary>
    SegReg,
    /// <summary>ModRM.reg, control register.</summary>
    ControlReg,
    /// <summary>ModRM.reg, debug register.</summary>
    DebugReg,
    /// <summary>Memory with a SIB byte whose index is an XMM.</summary>
    VsibXmm,
    /// <summary>Memory with a SIB byte whose index is a YMM.</summary>
    VsibYmm,
    /// <summary>Memory with a SIB byte whose index is an XMM or YMM by VEX.L.</summary>
    VsibVec,
    /// <summary>Immediate byte.</summary>
    Imm8,
    /// <summary>Immediate byte, sign-extended to the operand size.</summary>
    Imm8Sx,
    /// <summary>Immediate word.</summary>
    Imm16,
    /// <summary>Immediate of 4 bytes, 2 with 66h.</summary>
    ImmZ,
    /// <summary>ENTER's second immediate, a byte.</summary>
    ImmLevel,
    /// <summary>The constant 1.</summary>
    One,
    /// <summary>Branch displacement byte.</summary>
    Rel8,
    /// <summary>Branch displacement of 4 bytes, 2 with 66h.</summary>
    RelZ,
    /// <summary>Far pointer: offset of 4 bytes (2 with 66h), then the selector.</summary>
    Far,
    /// <summary>Absolute address of 4 bytes, 2 with 67h.</summary>
    Moffs,
    /// <summary>AL.</summary>
    Al,
    /// <summary>AX.</summary>
    Ax,
    /// <summary>EAX, AX with 66h.</summary>
    AxV,
    /// <summary>CL.</summary>
    Cl,
    /// <summary>DX.</summary>
    Dx,
    /// <summary>ES.</summary>
    Es,
    /// <summary>CS.</summary>
    Cs,
    /// <summary>SS.</summary>
    Ss,
    /// <summary>DS.</summary>
    Ds,
    /// <summary>FS.</summary>
    Fs,
    /// <summary>GS.</summary>
    Gs,
    /// <summary>ST(0).</summary>
    St0,
    /// <summary>ModRM.rm, x87 register.</summary>
    StI,
    /// <summary>XMM0, implied.</summary>
    Xmm0,
}

/// <summary>What an instruction does with an operand.</summary>
public enum I386Access : byte
{
    /// <summary>Reads it.</summary>
    Read,
    /// <summary>Writes all of it without looking at it.</summary>
    Write,
    /// <summary>Reads and writes it, or writes only a part, or writes only sometimes.</summary>
    ReadWrite,
    /// <summary>Uses its address only.</summary>
    Address,
}

/// <summary>What the decoder still has to check or fetch once the row is known.</summary>
[Flags]
public enum I386Rules : ushort
{
    /// <summary>Nothing.</summary>
    None = 0,
    /// <summary>Bits 0-2: layout of what follows the addressing bytes (<see cref="I386ImmKind"/>).</summary>
    ImmMask = 7,
    /// <summary>LOCK is legal with a memory operand.</summary>
    Lockable = 1 << 3,
    /// <summary>VEX.vvvv must be 1111b.</summary>
    VvvvUnused = 1 << 4,
    /// <summary>Vector SIB: SIB byte required, destination, index and mask must differ, no 16-bit addressing.</summary>
    Gather = 1 << 5,
    /// <summary>The immediate byte is a shift count: no flag is written when it is zero modulo 32.</summary>
    ShiftCount = 1 << 6,
    /// <summary>Needs kernel privilege: the CPU raises #GP or #UD in user mode.</summary>
    Privileged = 1 << 7,
    /// <summary>Encoding that the manuals do not list, or a second encoding of another row.</summary>
    Alias = 1 << 8,
    /// <summary>The register operand is a bit number that reaches beyond the memory operand (BT, BTS, BTR, BTC with a register).</summary>
    BitString = 1 << 9,
    /// <summary>The mnemonic depends on the operand size.</summary>
    TwoNames = 1 << 10,
    /// <summary>VEX.W has no meaning.</summary>
    WIgnored = 1 << 11,
}

/// <summary>Immediate layouts.</summary>
public enum I386ImmKind : byte
{
    /// <summary>None.</summary>
    None,
    /// <summary>One byte, zero-extended.</summary>
    U8,
    /// <summary>One byte, sign-extended.</summary>
    S8,
    /// <summary>Two bytes.</summary>
    U16,
    /// <summary>Four bytes, two with 66h.</summary>
    Z,
    /// <summary>Far pointer.</summary>
    Far,
    /// <summary>Two bytes, then one (ENTER).</summary>
    Enter,
    /// <summary>Four-byte address, two with 67h.</summary>
    Moffs,
}
