using System.Runtime.CompilerServices;
using Lodge.Translator.I386;

namespace Lodge.Translator.X64;

/// <summary>
/// Memory operands and re-encoding. The guest's addresses are 32-bit sums; the 67h prefix makes the host compute the same. It is left
/// out where a 64-bit sum is provably the same or faults as well (docs/translator.md, Addresses).
/// </summary>
public unsafe partial struct UnitTranslator
{
    /// <summary>Displacements for which [base+disp] needs no 67h: nothing is ever mapped below 64 KiB or in the top 8 KiB of the 4 GiB.</summary>
    private const int SafeDispMin = -8192, SafeDispMax = 65535;

    /// <summary>A memory operand in host terms.</summary>
    private struct MemRef
    {
        internal int Base;
        internal int Index;
        internal int Scale;
        internal int Disp;
        internal bool Address32;
        internal bool GsPrefix;
        internal bool IndexIsVector;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool HasMemory(in I386Insn insn) => (insn.Prefixes & I386Prefixes.ModRM) != 0 && insn.ModRM < 0xC0;

    /// <summary>
    /// Finds the host operand for the instruction's ModRM memory operand. May emit address arithmetic into r8 (and use r9), flag-neutral
    /// and before any visible effect of the instruction.
    /// </summary>
    private MemRef Resolve(in I386Insn insn, bool accessed)
    {
        MemRef m = default;
        m.Base = -1;
        m.Index = -1;
        m.IndexIsVector = (I386Table.Operands(insn.Row) & I386Operands.Vsib) != 0;
        int mod = insn.ModRM >> 6;
        int rm = insn.ModRM & 7;
        bool stackBase = false;
        if ((insn.Prefixes & I386Prefixes.AddressSize) != 0)
        {
            return ResolveAddress16(insn, accessed, mod, rm);
        }

        m.Disp = insn.DispSize != 0 ? (int)insn.Disp : 0;
        if (rm == 4)
        {
            int b = insn.Sib & 7;
            int i = (insn.Sib >> 3) & 7;
            if (i != 4 || m.IndexIsVector)
            {
                m.Index = i;
                m.Scale = insn.Sib >> 6;
            }

            if (b != 5 || mod != 0)
            {
                m.Base = b;
            }
        }
        else if (rm != 5 || mod != 0)
        {
            m.Base = rm;
        }

        if (m.Base == HostReg.Rsp)
        {
            m.Base = HostReg.Esp;
            m.Disp += _delta;
            stackBase = true;
        }
        else if (m.Base == HostReg.Rbp)
        {
            stackBase = true;
        }

        if (!accessed)
        {
            // Address arithmetic only (LEA): the 32-bit result truncates the sum.
            return m;
        }

        int segmentBase = SegmentBase(insn.Segment, stackBase);
        if (segmentBase != 0)
        {
            if (insn.Segment == I386Segment.Gs && m.Base < 0 && m.Index < 0)
            {
                // gs:[disp32] is the TLS idiom. The host sign-extends disp32, which is right for glibc's negative offsets.
                m.GsPrefix = true;
                return m;
            }

            AddSegmentBase(ref m, segmentBase);
            return m;
        }

        m.Address32 = NeedsAddress32(m);
        return m;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool NeedsAddress32(in MemRef m)
    {
        if (m.Index >= 0)
        {
            return true;
        }

        return m.Base < 0 ? m.Disp < 0 : m.Disp is < SafeDispMin or > SafeDispMax;
    }

    /// <summary>Offset of the segment's base in the thread record, or 0 when the segment is flat.</summary>
    private readonly int SegmentBase(I386Segment segment, bool stackBase)
    {
        switch (segment)
        {
            case I386Segment.Gs:
                return _layout.GsBase;
            case I386Segment.Fs:
                return _layout.FsBase;
            default:
                break;
        }

        if (!_request.Segmented)
        {
            return 0;
        }

        return segment switch
        {
            I386Segment.Es => _layout.EsBase,
            I386Segment.Cs => _layout.CsBase,
            I386Segment.Ss => _layout.SsBase,
            I386Segment.Ds => _layout.DsBase,
            _ => stackBase ? _layout.SsBase : _layout.DsBase,
        };
    }

    /// <summary>Replaces the operand by [r8(+vector index)] with r8d = 32-bit effective address + segment base.</summary>
    private void AddSegmentBase(ref MemRef m, int segmentBase)
    {
        int vectorIndex = m.IndexIsVector ? m.Index : -1;
        if (vectorIndex >= 0)
        {
            m.Index = -1;
        }

        EmitLea(HostReg.Target, m);
        _code.Load32(HostReg.R9, HostReg.Thread, segmentBase);

        // lea r8d, [r8+r9]
        _code.U8(0x47);
        _code.U8(0x8D);
        _code.U8(0x04);
        _code.U8(0x08);
        if (segmentBase == _layout.FsBase || segmentBase == _layout.GsBase)
        {
            // A null selector: the sum becomes non-canonical. mov r9, [r14+trap]; lea r8, [r8+r9]
            _code.Load64(HostReg.R9, HostReg.Thread, segmentBase == _layout.FsBase ? _layout.FsTrap : _layout.GsTrap);
            _code.U8(0x4F);
            _code.U8(0x8D);
            _code.U8(0x04);
            _code.U8(0x08);
        }

        m.Base = HostReg.Target;
        m.Index = vectorIndex;
        m.Disp = 0;
        m.Address32 = vectorIndex >= 0;
    }

    private void EmitLea(int dst, in MemRef m)
    {
        int b = m.Base < 0 ? 0 : m.Base;
        int x = m.Index < 0 ? 0 : m.Index;
        _code.Rex(0, dst, x, b);
        _code.U8(0x8D);
        EmitOperand(dst, m);
    }

    /// <summary>16-bit address forms do not exist in 64-bit mode: the offset is computed into r8w and zero-extended.</summary>
    private MemRef ResolveAddress16(in I386Insn insn, bool accessed, int mod, int rm)
    {
        MemRef a = default;
        a.Base = -1;
        a.Index = -1;
        a.Disp = insn.DispSize != 0 ? (int)insn.Disp : 0;
        bool stackBase = false;
        switch (rm)
        {
            case 0: a.Base = HostReg.Rbx; a.Index = HostReg.Rsi; break;
            case 1: a.Base = HostReg.Rbx; a.Index = HostReg.Rdi; break;
            case 2: a.Base = HostReg.Rbp; a.Index = HostReg.Rsi; stackBase = true; break;
            case 3: a.Base = HostReg.Rbp; a.Index = HostReg.Rdi; stackBase = true; break;
            case 4: a.Base = HostReg.Rsi; break;
            case 5: a.Base = HostReg.Rdi; break;
            case 6 when mod != 0: a.Base = HostReg.Rbp; stackBase = true; break;
            case 7: a.Base = HostReg.Rbx; break;
            default: break;
        }

        EmitLea(HostReg.Target, a);

        // movzx r8d, r8w
        _code.U8(0x45);
        _code.U8(0x0F);
        _code.U8(0xB7);
        _code.U8(0xC0);
        MemRef m = default;
        m.Base = HostReg.Target;
        m.Index = -1;
        int segmentBase = accessed ? SegmentBase(insn.Segment, stackBase) : 0;
        if (segmentBase != 0)
        {
            AddSegmentBase(ref m, segmentBase);
        }

        return m;
    }

    /// <summary>ModRM, SIB and displacement for a host operand. REX or VEX bits are the caller's.</summary>
    private void EmitOperand(int reg, in MemRef m)
    {
        int r = (reg & 7) << 3;
        if (m.Base < 0)
        {
            // No base: the SIB form; ModRM 00/101 alone would be RIP-relative.
            _code.U8(r | 4);
            _code.U8((m.Scale << 6) | ((m.Index < 0 ? 4 : m.Index & 7) << 3) | 5);
            _code.U32((uint)m.Disp);
            return;
        }

        int low = m.Base & 7;
        int mod = m.Disp == 0 && low != 5 ? 0 : m.Disp is >= -128 and <= 127 ? 1 : 2;
        if (m.Index >= 0 || low == 4)
        {
            _code.U8((mod << 6) | r | 4);
            _code.U8((m.Scale << 6) | ((m.Index < 0 ? 4 : m.Index & 7) << 3) | low);
        }
        else
        {
            _code.U8((mod << 6) | r | low);
        }

        if (mod == 1)
        {
            _code.U8(m.Disp);
        }
        else if (mod == 2)
        {
            _code.U32((uint)m.Disp);
        }
    }

    /// <summary>Writes the instruction with the given register numbers and, for memory forms, the given operand.</summary>
    private void EmitEncoded(in I386Insn insn, int reg, int rm, bool memory, in MemRef m)
    {
        int b = memory ? (m.Base < 0 ? 0 : m.Base) : rm;
        int x = memory && m.Index >= 0 ? m.Index : 0;
        if (memory && m.Address32)
        {
            _code.U8(0x67);
        }

        if (memory && m.GsPrefix)
        {
            _code.U8(0x65);
        }

        if ((insn.Prefixes & I386Prefixes.Vex) != 0)
        {
            EmitVex(insn, reg, x, b);
        }
        else
        {
            EmitLegacyPrefixes(insn);
            _code.Rex(0, reg, x, b);
            if (insn.Map != 0)
            {
                _code.U8(0x0F);
                if (insn.Map == 2)
                {
                    _code.U8(0x38);
                }
                else if (insn.Map == 3)
                {
                    _code.U8(0x3A);
                }
            }
        }

        // 82h is 80h's alias in 32-bit mode only.
        int opcode = insn.Opcode == 0x82 && insn.Map == 0 ? 0x80 : insn.Opcode;
        bool hasModRM = (insn.Prefixes & I386Prefixes.ModRM) != 0;
        _code.U8(hasModRM ? opcode : (opcode & ~7) | ((opcode & 7) == 4 && b >= 8 ? b & 7 : opcode & 7));
        if (hasModRM)
        {
            if (memory)
            {
                EmitOperand(reg, m);
            }
            else
            {
                _code.U8(0xC0 | ((reg & 7) << 3) | (rm & 7));
            }
        }

        EmitImmediate(insn);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void EmitLegacyPrefixes(in I386Insn insn)
    {
        if ((insn.Prefixes & (I386Prefixes.OperandSize | I386Prefixes.Lock | I386Prefixes.Rep | I386Prefixes.Repne)) == 0)
        {
            return;
        }

        if ((insn.Prefixes & I386Prefixes.OperandSize) != 0)
        {
            _code.U8(0x66);
        }

        if ((insn.Prefixes & I386Prefixes.Lock) != 0)
        {
            _code.U8(0xF0);
        }

        if ((insn.Prefixes & I386Prefixes.Repne) != 0)
        {
            _code.U8(0xF2);
        }
        else if ((insn.Prefixes & I386Prefixes.Rep) != 0)
        {
            _code.U8(0xF3);
        }
    }

    private void EmitVex(in I386Insn insn, int reg, int index, int b)
    {
        I386Operands ops = I386Table.Operands(insn.Row);
        int vvvv = insn.VexVvvv & 7;
        if (vvvv == HostReg.Rsp && (ops & I386Operands.VvvvGpr) != 0)
        {
            vvvv = HostReg.Esp;
        }

        // W selects 64-bit general registers in 64-bit mode; in 32-bit mode forms with general registers ignore it.
        bool general = (ops & (I386Operands.RegGpr | I386Operands.RmGpr | I386Operands.VvvvGpr)) != 0;
        int w = (insn.Prefixes & I386Prefixes.VexW) != 0 && !general ? 0x80 : 0;
        int l = (insn.Prefixes & I386Prefixes.VexL) != 0 ? 4 : 0;
        int tail = w | ((~vvvv & 15) << 3) | l | insn.Pp;
        if (insn.Map == 1 && w == 0 && index < 8 && b < 8)
        {
            _code.U8(0xC5);
            _code.U8((reg < 8 ? 0x80 : 0) | tail);
        }
        else
        {
            _code.U8(0xC4);
            _code.U8((reg < 8 ? 0x80 : 0) | (index < 8 ? 0x40 : 0) | (b < 8 ? 0x20 : 0) | insn.Map);
            _code.U8(tail);
        }
    }

    private void EmitImmediate(in I386Insn insn)
    {
        switch (insn.ImmSize)
        {
            case 1:
                // The fourth operand of VBLENDV*: bit 7 of the register number does not exist in 32-bit mode.
                bool registerImmediate = insn.Map == 3 && (insn.Prefixes & I386Prefixes.Vex) != 0 && insn.Opcode is >= 0x4A and <= 0x4C;
                _code.U8((int)(registerImmediate ? insn.Imm & 0x7F : insn.Imm));
                break;
            case 2:
                _code.U16((int)insn.Imm);
                break;
            case 4:
                _code.U32(insn.Imm);
                break;
            default:
                break;
        }
    }
}
