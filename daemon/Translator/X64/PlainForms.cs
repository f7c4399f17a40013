using System.Runtime.CompilerServices;
using Lodge.Translator.I386;

namespace Lodge.Translator.X64;

/// <summary>
/// The short way for most copied instructions: no branch for each part of the encoding, no operand record in between. Writes the same
/// bytes as <see cref="EmitCopy"/>, which does what is left: ESP as a register operand, FS and GS, based segments, 16-bit addresses, VEX.
/// </summary>
public unsafe partial struct UnitTranslator
{
    private const int AbsoluteSib = 0x25;

    /// <summary>
    /// Copies the current instruction's own bytes, and those of the instructions behind it as long as it is as simple with them. The side table
    /// has the first one's entry already. The last one is the current one afterwards.
    /// </summary>
    private void EmitAsIs()
    {
        byte* p = _code.Next;
        Scanned* s = _scan + _index;
        Scanned* last = _scan + _count - 1;
        Boundary* boundary = _nextBoundary;
        int delta = _delta;
        ulong common = (ulong)(ushort)delta << 32;
        uint pc = _request.Pc;
        byte* start = _code.Start;
        while (true)
        {
            *p = 0x67;
            p += s->Form == EmitForm.Address32 ? 1 : 0;
            *(ulong*)p = s->First;
            *(ulong*)(p + 8) = s->Second;
            p += s->Insn.Length;
            if (s == last || !s[1].IsPlainCopy || (delta != 0 && s + 1 != last && s[2].Class == I386Class.Jcc))
            {
                break;
            }

            s++;
            uint host = (ushort)(p - start);
            s->HostOffset = (ushort)host;
            *(ulong*)boundary++ = host | ((ulong)(ushort)(s->Insn.Address - pc) << 16) | common;
        }

        if (boundary != _nextBoundary)
        {
            _nextBoundary = boundary;
            _lastBoundaryAt = s->HostOffset;
        }

        _index = (int)(s - _scan);
        _code.Next = p;
    }

    /// <summary>Copies an instruction with [ESP+disp]: [r15+delta+disp] needs REX and no SIB byte.</summary>
    private void EmitStackOperand(ref Scanned s)
    {
        int disp = I386Decoder.Displacement(s.First, s.Shape);
        if (_delta != 0)
        {
            if (NextIsBranch())
            {
                CommitEsp();
                Mark(BoundaryKind.Normal);
            }

            disp += _delta;
        }

        // Opcode and ModRM; the rest is behind SIB byte and displacement.
        int map = (byte)s.First == 0x0F ? 1 : 0;
        int opcodes = (int)(s.First & (map != 0 ? 0xFFFFu : 0xFF));
        int modrm = (int)(s.First >> (8 + (8 * map)));
        int before = 3 + map + (modrm >> 6 & 1) + (modrm >> 5 & 4);
        int mod = disp == 0 ? 0 : disp is >= -128 and <= 127 ? 1 : 2;
        byte* p = _code.Next;
        *p = 0x67;
        p += disp is < SafeDispMin or > SafeDispMax && (s.Facts.Operands & I386Operands.MemAddressOnly) == 0 ? 1 : 0;
        *(uint*)p = 0x41u | ((uint)opcodes << 8);
        p += 2 + map;
        *p = (byte)((mod << 6) | (modrm & 0x38) | (HostReg.Esp & 7));
        *(int*)(p + 1) = disp;
        p += 1 + mod + (mod & 2);
        fixed (ulong* bytes = &s.First)
        {
            *(uint*)p = Unsafe.ReadUnaligned<uint>((byte*)bytes + before);
        }

        _code.Next = p + s.Insn.Length - before;
    }

    /// <summary>Copies the instruction, or returns false without having written anything.</summary>
    private bool EmitPlain(ref Scanned s)
    {
        I386Prefixes prefixes = s.Insn.Prefixes;
        I386Operands ops = s.Facts.Operands;
        int modrm = s.Insn.ModRM;
        int opcode = s.Insn.Opcode;
        if ((prefixes & I386Prefixes.AddressSize) != 0 || s.Insn.Segment is I386Segment.Fs or I386Segment.Gs || _request.Segmented
            || ((ops & I386Operands.RegGpr) != 0 && (modrm & 0x38) == HostReg.Rsp << 3)
            || ((ops & I386Operands.OpcodeGpr) != 0 && (opcode & 7) == HostReg.Rsp))
        {
            return false;
        }

        int sib = 0;
        int sibBytes = 0;
        uint disp = 0;
        int dispBytes = 0;
        int rex = 0;
        bool address32 = false;
        bool branchNext = _delta != 0 && NextIsBranch();
        if ((prefixes & I386Prefixes.ModRM) != 0)
        {
            if (modrm >= 0xC0)
            {
                if ((ops & I386Operands.RmGpr) != 0 && (modrm & 7) == HostReg.Rsp)
                {
                    return false;
                }
            }
            else
            {
                int reg = modrm & 0x38;
                int low = modrm & 7;
                bool accessed = (ops & I386Operands.MemAddressOnly) == 0;
                disp = s.Insn.Disp;
                bool absolute = false;
                if (low == 4)
                {
                    sib = s.Insn.Sib;
                    sibBytes = 1;
                    address32 = (sib & 0x38) != 4 << 3;
                    low = sib & 7;
                    if (low == 5 && modrm < 0x40)
                    {
                        absolute = true;
                        if (!address32)
                        {
                            sib = AbsoluteSib;
                            address32 = (int)disp < 0;
                        }
                    }
                    else if (low == HostReg.Rsp)
                    {
                        // [ESP + …] becomes [r15 + delta + …]: its number needs no SIB byte.
                        if ((ops & I386Operands.RegGpr8) != 0 && reg >= 4 << 3)
                        {
                            return false;
                        }

                        rex = 0x41;
                        low = HostReg.Esp & 7;
                        disp += (uint)(branchNext ? 0 : _delta);
                        if (address32)
                        {
                            sib = (sib & 0xF8) | low;
                        }
                        else
                        {
                            sibBytes = 0;
                            address32 = (int)disp is < SafeDispMin or > SafeDispMax;
                        }
                    }
                    else if (!address32)
                    {
                        return false;
                    }
                }
                else if (low == 5 && modrm < 0x40)
                {
                    absolute = true;
                    sib = AbsoluteSib;
                    sibBytes = 1;
                    address32 = (int)disp < 0;
                }
                else
                {
                    address32 = (int)disp is < SafeDispMin or > SafeDispMax;
                }

                address32 &= accessed;
                if (absolute)
                {
                    modrm = reg | 4;
                    dispBytes = 4;
                }
                else
                {
                    int mod = disp == 0 && low != 5 ? 0 : (int)disp is >= -128 and <= 127 ? 1 : 2;
                    modrm = (mod << 6) | reg | (sibBytes != 0 ? 4 : low);
                    dispBytes = mod + (mod & 2);
                }
            }
        }

        if (branchNext)
        {
            // ESP is brought up to date before the compare, so that the pair stays fused.
            CommitEsp();
            Mark(BoundaryKind.Normal);
        }

        // Each part is written, then kept or not. The buffer has room behind the last instruction.
        byte* p = _code.Next;
        *p = 0x67;
        p += address32 ? 1 : 0;
        if ((prefixes & (I386Prefixes.OperandSize | I386Prefixes.Lock | I386Prefixes.Rep | I386Prefixes.Repne)) != 0)
        {
            *p = 0x66;
            p += (prefixes & I386Prefixes.OperandSize) != 0 ? 1 : 0;
            *p = 0xF0;
            p += (prefixes & I386Prefixes.Lock) != 0 ? 1 : 0;
            *p = (prefixes & I386Prefixes.Repne) != 0 ? (byte)0xF2 : (byte)0xF3;
            p += (prefixes & (I386Prefixes.Repne | I386Prefixes.Rep)) != 0 ? 1 : 0;
        }

        *p = (byte)rex;
        p += rex >> 6;
        int map = s.Insn.Map;
        if (map != 0)
        {
            *p++ = 0x0F;
            *p = map == 2 ? (byte)0x38 : (byte)0x3A;
            p += map >> 1;
        }

        *p++ = (byte)opcode;
        *p = (byte)modrm;
        p += (prefixes & I386Prefixes.ModRM) != 0 ? 1 : 0;
        *p = (byte)sib;
        p += sibBytes;
        *(uint*)p = disp;
        p += dispBytes;
        *(uint*)p = s.Insn.Imm;
        _code.Next = p + s.Insn.ImmSize;
        return true;
    }
}
