using System.Runtime.CompilerServices;

namespace Lodge.Translator.I386;

/// <summary>
/// Decodes i386 instructions as a CPU in 32-bit protected mode does (Intel SDM vol. 2, chapter 2; AMD APM vol. 3, chapter 1).
/// Pure: reads the bytes it is given and the table, nothing else. Safe in signal handlers.
/// </summary>
public static unsafe partial class I386Decoder
{
    /// <summary>The instruction goes on beyond the bytes available: fetch more, or raise the page fault.</summary>
    public const int OutOfBytes = -1;
    /// <summary>Longer than 15 bytes: #GP.</summary>
    public const int TooLong = -2;
    /// <summary>Longest instruction.</summary>
    public const int MaxLength = 15;

    /// <summary>Bytes that decoding may look at, whatever they are: 15 prefixes, then at most opcode, ModRM, SIB, displacement, immediate.</summary>
    internal const int Window = 32;

    /// <summary>Decodes one instruction.</summary>
    /// <param name="code">Its first byte.</param>
    /// <param name="available">Readable bytes from there on; at least 1.</param>
    /// <param name="address">Its guest address; recorded only.</param>
    /// <param name="insn">The result. <see cref="I386Insn.Row"/> is <see cref="I386Table.InvalidRow"/> for #UD; then the length is what was
    /// consumed until that was certain.</param>
    /// <returns>Length in bytes (1 to 15), <see cref="OutOfBytes"/> or <see cref="TooLong"/>.</returns>
    public static int Decode(byte* code, int available, uint address, out I386Insn insn) => Decode(code, available, address, out insn, out _);

    /// <summary>The same, with what the translator asks of the row.</summary>
    /// <inheritdoc cref="Decode(byte*, int, uint, out I386Insn)"/>
    public static int Decode(byte* code, int available, uint address, out I386Insn insn, out I386Translation facts)
    {
        if (available < Window)
        {
            return DecodeNearEnd(code, available, address, out insn, out facts);
        }
        return DecodeWhole(code, address, out insn, out facts);
    }

    /// <summary>The same from a padded copy, so that what follows needs no checks.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int DecodeNearEnd(byte* code, int available, uint address, out I386Insn insn, out I386Translation facts)
    {
        byte* copy = stackalloc byte[Window];
        for (int i = 0; i < Window; i++)
        {
            copy[i] = i < available ? code[i] : (byte)0;
        }
        int length = DecodeWhole(copy, address, out insn, out facts);
        return available < MaxLength && (length > available || length == TooLong) ? OutOfBytes : length;
    }

    /// <summary>The same with <see cref="Window"/> readable bytes.</summary>
    private static int DecodeWhole(byte* code, uint address, out I386Insn insn, out I386Translation facts)
    {
        uint brief = Measure(Unsafe.ReadUnaligned<ulong>(code), out facts, out I386Shape shape);
        if (facts.Class != I386Class.Invalid)
        {
            I386Insn found;
            Fill(code, address, brief, shape, &found);
            insn = found;
            return (int)brief;
        }
        insn = default;
        insn.Address = address;
        insn.Segment = I386Segment.None;
        int length = Body(code, ref insn, out facts);
        if (length > MaxLength)
        {
            return TooLong;
        }
        insn.Length = (byte)length;
        return length;
    }

    /// <summary>Bits of a <c>Root</c> entry above the row or node.</summary>
    private const uint HasModRM = 1u << 16;
    private const uint ModIgnored = 1u << 17;
    private const uint Special = 1u << 18;

    /// <summary>Returns the length, or more than 15. Reads at most <see cref="Window"/> bytes.</summary>
    private static int Body(byte* code, ref I386Insn insn, out I386Translation facts)
    {
        byte* p = code;
        I386Prefixes prefixes = I386Prefixes.None;
        int space = 0;
        uint pp = 0, op = *p++;
        uint entry = I386Table.At(I386Table.Root, (int)op);
        while ((entry & Special) != 0)
        {
            switch (op)
            {
                case 0x26 or 0x2E or 0x36 or 0x3E:
                    insn.Segment = (I386Segment)((op >> 3) & 3);
                    break;
                case 0x64 or 0x65:
                    insn.Segment = (I386Segment)(op & 7);
                    break;
                case 0x66:
                    prefixes |= I386Prefixes.OperandSize;
                    break;
                case 0x67:
                    prefixes |= I386Prefixes.AddressSize;
                    break;
                case 0xF0:
                    prefixes |= I386Prefixes.Lock;
                    break;
                case 0xF2:
                    prefixes = (prefixes & ~I386Prefixes.Rep) | I386Prefixes.Repne;
                    break;
                case 0xF3:
                    prefixes = (prefixes & ~I386Prefixes.Repne) | I386Prefixes.Rep;
                    break;
                case 0x0F:
                    op = *p++;
                    space = 1;
                    if (op is 0x38 or 0x3A)
                    {
                        space = op == 0x38 ? 2 : 3;
                        op = *p++;
                    }
                    entry = I386Table.At(I386Table.Root, (space << 8) | (int)op);
                    goto opcode;
                default:
                    // C4, C5: VEX where the next byte would be a ModRM byte with mod = 3, else LES and LDS.
                    if (*p >= 0xC0)
                    {
                        int vex = VexBody(code, p, op, prefixes, ref insn);
                        facts = I386Table.Translation(insn.Row);
                        return vex;
                    }
                    goto opcode;
            }
            if (p - code >= MaxLength)
            {
                facts = default;
                return MaxLength + 1;
            }
            op = *p++;
            entry = I386Table.At(I386Table.Root, (int)op);
        }

    opcode:
        if (prefixes != 0)
        {
            pp = (prefixes & I386Prefixes.Rep) != 0 ? 2u : (prefixes & I386Prefixes.Repne) != 0 ? 3 : (prefixes & I386Prefixes.OperandSize) != 0 ? 1u : 0;
        }
        insn.Map = (byte)space;
        insn.Opcode = (byte)op;
        insn.Pp = (byte)pp;
        uint mod = 0;
        if ((entry & HasModRM) != 0)
        {
            uint modrm = *p++;
            prefixes |= I386Prefixes.ModRM;
            if ((entry & ModIgnored) != 0)
            {
                modrm |= 0xC0;
            }
            insn.ModRM = (byte)modrm;
            mod = modrm >> 6;
            if (mod != 3)
            {
                p = Address(p, modrm, ref prefixes, ref insn);
            }
        }
        entry &= 0xFFFF;
        if (entry >= 0x8000)
        {
            entry = Select(entry, insn.ModRM, pp, 0, 0);
        }
        insn.Prefixes = prefixes;
        facts = I386Table.Translation((ushort)entry);
        if ((prefixes & I386Prefixes.Lock) != 0 && ((facts.Rules & I386Rules.Lockable) == 0 || mod == 3))
        {
            entry = I386Table.InvalidRow;
            facts = I386Table.Translation(I386Table.InvalidRow);
        }
        insn.Row = (ushort)entry;
        if (op == 0x82 && space == 0)
        {
            // 82 is 80 once more, but only here: 64-bit mode lacks it.
            insn.Opcode = 0x80;
        }
        I386ImmKind kind = (I386ImmKind)(facts.Rules & I386Rules.ImmMask);
        if (kind != I386ImmKind.None)
        {
            p = Immediate(p, kind, (int)entry, ref insn);
        }
        return (int)(p - code);
    }

    /// <summary>Walks from a node entry to the row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Select(uint entry, uint modrm, uint pp, uint l, uint w)
    {
        do
        {
            int node = (int)(entry & 0x7FFF);
            uint value = I386Table.At(I386Table.Nodes, node) switch
            {
                0 => pp,
                1 => modrm >= 0xC0 ? 1u : 0u,
                2 => (modrm >> 3) & 7,
                3 => modrm & 7,
                4 => l,
                _ => w,
            };
            entry = I386Table.At(I386Table.Nodes, node + 1 + (int)value);
        }
        while (entry >= 0x8000);
        return entry;
    }

    /// <summary>SIB and displacement of a memory operand. <paramref name="p"/> is behind the ModRM byte.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static byte* Address(byte* p, uint modrm, ref I386Prefixes prefixes, ref I386Insn insn)
    {
        if ((prefixes & I386Prefixes.AddressSize) != 0)
        {
            return Address16(p, modrm, ref insn);
        }
        uint mod = modrm >> 6, rm = modrm & 7;
        if (rm == 4)
        {
            rm = *p++;
            insn.Sib = (byte)rm;
            prefixes |= I386Prefixes.Sib;
            rm &= 7;
        }
        if (mod == 1)
        {
            insn.Disp = (uint)(sbyte)*p;
            insn.DispSize = 1;
            return p + 1;
        }
        if (mod == 2 || rm == 5)
        {
            insn.Disp = Unsafe.ReadUnaligned<uint>(p);
            insn.DispSize = 4;
            return p + 4;
        }
        return p;
    }

    private static byte* Address16(byte* p, uint modrm, ref I386Insn insn)
    {
        uint mod = modrm >> 6;
        if (mod == 1)
        {
            insn.Disp = (uint)(sbyte)*p;
            insn.DispSize = 1;
            return p + 1;
        }
        if (mod == 2 || (modrm & 7) == 6)
        {
            insn.Disp = (uint)(short)Unsafe.ReadUnaligned<ushort>(p);
            insn.DispSize = 2;
            return p + 2;
        }
        return p;
    }

    private static byte* Immediate(byte* p, I386ImmKind kind, int row, ref I386Insn insn)
    {
        bool word = (insn.Prefixes & I386Prefixes.OperandSize) != 0;
        switch (kind)
        {
            case I386ImmKind.U8:
                insn.Imm = *p;
                insn.ImmSize = 1;
                return p + 1;
            case I386ImmKind.S8:
                insn.Imm = (uint)(sbyte)*p;
                insn.ImmSize = 1;
                return p + 1;
            case I386ImmKind.U16:
                insn.Imm = Unsafe.ReadUnaligned<ushort>(p);
                insn.ImmSize = 2;
                return p + 2;
            case I386ImmKind.Z when word:
                // Displacements of branches are signed; 16-bit immediates have no other half.
                uint low = Unsafe.ReadUnaligned<ushort>(p);
                insn.Imm = I386Table.OperandKind((ushort)row, 0) == I386OperandKind.RelZ ? (uint)(short)low : low;
                insn.ImmSize = 2;
                return p + 2;
            case I386ImmKind.Z:
                insn.Imm = Unsafe.ReadUnaligned<uint>(p);
                insn.ImmSize = 4;
                return p + 4;
            case I386ImmKind.Far:
                insn.ImmSize = (byte)(word ? 2 : 4);
                insn.Imm = word ? Unsafe.ReadUnaligned<ushort>(p) : Unsafe.ReadUnaligned<uint>(p);
                insn.Imm2 = Unsafe.ReadUnaligned<ushort>(p + insn.ImmSize);
                return p + insn.ImmSize + 2;
            case I386ImmKind.Enter:
                insn.Imm = Unsafe.ReadUnaligned<ushort>(p);
                insn.Imm2 = p[2];
                insn.ImmSize = 2;
                return p + 3;
            default:
                bool short16 = (insn.Prefixes & I386Prefixes.AddressSize) != 0;
                insn.DispSize = (byte)(short16 ? 2 : 4);
                insn.Disp = short16 ? Unsafe.ReadUnaligned<ushort>(p) : Unsafe.ReadUnaligned<uint>(p);
                return p + insn.DispSize;
        }
    }

    /// <summary>VEX forms. <paramref name="p"/> is at the byte behind C4 or C5.</summary>
    private static int VexBody(byte* code, byte* p, uint escape, I386Prefixes prefixes, ref I386Insn insn)
    {
        uint map = 1, last = *p++, w = 0;
        if (escape == 0xC4)
        {
            map = last & 0x1F;
            last = *p++;
            w = last >> 7;
        }
        uint op = *p++;
        uint vvvv = (~last >> 3) & 15, l = (last >> 2) & 1, pp = last & 3;
        // Encoded as 1 66, 2 F3, 3 F2: the table's numbers.
        bool refused = (prefixes & (I386Prefixes.OperandSize | I386Prefixes.Rep | I386Prefixes.Repne | I386Prefixes.Lock)) != 0;
        prefixes |= I386Prefixes.Vex | (l != 0 ? I386Prefixes.VexL : 0) | (w != 0 ? I386Prefixes.VexW : 0);
        insn.Map = (byte)map;
        insn.Opcode = (byte)op;
        insn.Pp = (byte)pp;
        insn.VexVvvv = (byte)(vvvv & 7);
        if (refused || map is < 1 or > 3)
        {
            insn.Prefixes = prefixes;
            return (int)(p - code);
        }
        uint entry = I386Table.At(I386Table.Root, (int)(((map + 3) << 8) | op));
        uint modrm = 0;
        if ((entry & HasModRM) != 0)
        {
            modrm = *p++;
            prefixes |= I386Prefixes.ModRM;
            insn.ModRM = (byte)modrm;
            if (modrm < 0xC0)
            {
                p = Address(p, modrm, ref prefixes, ref insn);
            }
        }
        insn.Prefixes = prefixes;
        entry &= 0xFFFF;
        if (entry >= 0x8000)
        {
            entry = Select(entry, modrm, pp, l, w);
        }
        I386Rules rules = (I386Rules)I386Table.At(I386Table.RulesData, (int)entry);
        if ((rules & (I386Rules.VvvvUnused | I386Rules.Gather)) != 0 && !VexLegal(rules, vvvv, modrm, ref insn))
        {
            return (int)(p - code);
        }
        insn.Row = (ushort)entry;
        if ((rules & I386Rules.WIgnored) != 0)
        {
            // 64-bit mode would take W for 64-bit registers, be it implied ones (PCMPESTRI).
            insn.Prefixes &= ~I386Prefixes.VexW;
        }
        if ((rules & I386Rules.ImmMask) != 0)
        {
            p = Immediate(p, (I386ImmKind)(rules & I386Rules.ImmMask), (int)entry, ref insn);
        }
        return (int)(p - code);
    }

    private static bool VexLegal(I386Rules rules, uint vvvv, uint modrm, ref I386Insn insn)
    {
        if ((rules & I386Rules.VvvvUnused) != 0)
        {
            return vvvv == 0;
        }
        uint index = ((uint)insn.Sib >> 3) & 7, destination = (modrm >> 3) & 7;
        vvvv &= 7;
        return (insn.Prefixes & I386Prefixes.Sib) != 0 && index != destination && index != vvvv && destination != vvvv;
    }
}
