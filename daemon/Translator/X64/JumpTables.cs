using Lodge.Translator.I386;

namespace Lodge.Translator.X64;

/// <summary>
/// Jumps through tables of addresses in read-only memory, as compilers make them of switches: <c>jmp [r*4+table]</c>, or
/// <c>mov q, [r*4+table]; jmp q</c>. Where the instructions before bound the index, the target's code is found by the same index in a table
/// beside the code (docs/translator.md). The proof holds only for those who come through it, so what follows it is sealed.
/// </summary>
public unsafe partial struct UnitTranslator
{
    /// <summary>Instructions looked at for the bound.</summary>
    private const int BoundReach = 6;

    /// <summary>Most entries of a table.</summary>
    public const int MaxJumpTable = 512;

    /// <summary>True for <c>[r*4+disp32]</c> as the only memory operand, flat and 32 bits wide.</summary>
    private readonly bool IsTableOperand(in I386Insn insn) =>
        (insn.Prefixes & ~(I386Prefixes.ModRM | I386Prefixes.Sib)) == 0 && (insn.ModRM & 0xC7) == 0x04 && (insn.Sib & 0xC7) == 0x85
        && (insn.Sib >> 3 & 7) != HostReg.Rsp && insn.Segment is I386Segment.None or I386Segment.Ds && _request.JumpTable != null
        && !_request.Segmented && !_request.Checked;

    /// <summary>Before a load that the next instruction jumps to: loads the code offset of the same entry.</summary>
    private void PrepareTableJump(ref Scanned s)
    {
        if (_index + 1 >= _count || s.Insn.Map != 0 || s.Insn.Opcode != 0x8B || !IsTableOperand(s.Insn))
        {
            return;
        }

        ref Scanned jump = ref _scan[_index + 1];
        int register = s.Insn.ModRM >> 3 & 7;
        if (jump.Class == I386Class.JmpRM && !jump.IsJoin && jump.Insn.ModRM == (0xE0 | register) && register != HostReg.Rsp
            && (jump.Insn.Prefixes & ~I386Prefixes.ModRM) == 0 && LoadTableEntry(s.Insn))
        {
            _tableJump = _index + 1;
        }
    }

    /// <summary>mov r9d, [r12+index*4+shadow], when the index is bounded and there is a shadow.</summary>
    private bool LoadTableEntry(in I386Insn insn)
    {
        int register = insn.Sib >> 3 & 7;
        int count = IndexBound(register, out int proof);
        if (count == 0 || (insn.Disp >> 12) != (insn.Disp + ((uint)count * 4) - 1) >> 12 || (_result->Table != 0 && _result->Table != insn.Disp))
        {
            return false;
        }

        int shadow = _request.JumpTable(_request.Context, insn.Disp, count);
        if (shadow == 0)
        {
            return false;
        }

        _result->Table = insn.Disp;
        _result->TableLength = (uint)count * 4 > _result->TableLength ? (uint)count * 4 : _result->TableLength;
        SealFrom(proof);
        _code.U8(0x45);
        _code.U8(0x8B);
        _code.U8(0x8C);
        _code.U8(0x84 | (register << 3));
        _code.U32((uint)shadow);
        return true;
    }

    /// <summary>The side table's entries for instructions from here on are not to be entered from elsewhere.</summary>
    private readonly void SealFrom(int index)
    {
        ushort first = (ushort)(_scan[index].Insn.Address - _request.Pc);
        for (Boundary* b = _nextBoundary - 1; b >= _result->Boundaries && b->GuestOffset >= first; b--)
        {
            if (b->Kind == BoundaryKind.Normal)
            {
                b->Register = Boundary.Sealed;
            }
        }
    }

    /// <summary>
    /// How many values a register can have at the current instruction, by what comes directly before it in the unit: an extension from a
    /// byte, or a comparison with a constant and a branch away when it is above. 0 = not known, or too many.
    /// </summary>
    /// <param name="register">0-7.</param>
    /// <param name="proof">First instruction that must not be entered from elsewhere.</param>
    private readonly int IndexBound(int register, out int proof)
    {
        int bytes = 4;
        int bound = 0;
        proof = 0;
        for (int i = _index; i > 0 && i > _index - BoundReach && !_scan[i].IsJoin; i--)
        {
            ref I386Insn insn = ref Whole(i - 1);
            if ((insn.Prefixes & ~(I386Prefixes.ModRM | I386Prefixes.Sib | I386Prefixes.OperandSize)) != 0)
            {
                return bound;
            }

            bool wide = (insn.Prefixes & I386Prefixes.OperandSize) == 0;
            bool extends = insn.Map == 1 && insn.Opcode is 0xB6 or 0xB7;
            if (extends && wide && (insn.ModRM >> 3 & 7) == register)
            {
                // The whole register comes from a byte or a word; a comparison of that part in the same register may bound it further.
                if (insn.Opcode == 0xB6)
                {
                    bound = 256;
                    proof = i;
                }

                bytes = insn.Opcode == 0xB6 ? 1 : 2;
                if (insn.ModRM != (0xC0 | (register << 3) | register) || (bytes == 1 && register >= 4))
                {
                    return bound;
                }
            }
            else if (_scan[i - 1].Class == I386Class.Jcc && (insn.Opcode & 15) is 7 or 3)
            {
                int limit = i >= 2 && !_scan[i - 1].IsJoin ? ComparedWith(Whole(i - 2), register, bytes) : -1;
                int values = limit < 0 ? 0 : limit + ((insn.Opcode & 15) == 7 ? 1 : 0);
                if (values is > 0 and <= MaxJumpTable)
                {
                    proof = i - 1;
                    return values;
                }

                return bound;
            }
            else if (!Spares(insn, register, extends))
            {
                return bound;
            }
        }

        return bound;
    }

    /// <summary>A scanned instruction with all of its parts.</summary>
    private readonly ref I386Insn Whole(int index)
    {
        ref Scanned s = ref _scan[index];
        s.Complete();
        return ref s.Insn;
    }

    /// <summary>The constant that <c>cmp</c> compares the register's low bytes with; -1 when the instruction is none or the constant negative.</summary>
    private static int ComparedWith(in I386Insn insn, int register, int bytes)
    {
        const I386Prefixes Allowed = I386Prefixes.ModRM | I386Prefixes.OperandSize;
        if (insn.Map != 0 || (insn.Prefixes & ~Allowed) != 0 || (bytes == 1 && register >= 4))
        {
            return -1;
        }

        bool word = (insn.Prefixes & I386Prefixes.OperandSize) != 0;
        bool direct = insn.ModRM == (0xF8 | register);
        bool accumulator = register == HostReg.Rax;
        bool found = bytes == 1 ? (insn.Opcode == 0x80 && direct) || (insn.Opcode == 0x3C && accumulator)
            : word == (bytes == 2) && ((insn.Opcode is 0x81 or 0x83 && direct) || (insn.Opcode == 0x3D && accumulator));
        int value = bytes == 1 ? (byte)insn.Imm : (int)insn.Imm;
        return found && value is >= 0 and < MaxJumpTable ? value : -1;
    }

    /// <summary>True for a few plain instructions that leave the register alone; what they do with flags does not matter.</summary>
    private static bool Spares(in I386Insn insn, int register, bool extends)
    {
        bool loads = insn.Map == 0 && insn.Opcode is 0x8B or 0x8D;
        bool stores = insn.Map == 0 && insn.Opcode is 0x89 or 0xC7;
        return loads || extends ? (insn.ModRM >> 3 & 7) != register : stores && (insn.ModRM < 0xC0 || (insn.ModRM & 7) != register);
    }
}
