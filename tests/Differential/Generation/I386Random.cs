using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.IO;
using Lodge.Translator.I386;
using Lodge.Translator.Tables;
using K = Lodge.Translator.I386.I386OperandKind;

namespace Lodge.Differential.Generation;

/// <summary>Encodes random instructions of a chosen table row. Every row can be reached; what comes out decodes to that row again.</summary>
public static class I386Random
{
    /// <summary>Rows as parsed, by number; 0 is null.</summary>
    public static IReadOnlyList<TableRow?> Rows { get; } = Load();

    /// <summary>Encodes one instruction.</summary>
    /// <param name="rng">Source of all choices.</param>
    /// <param name="row">Row number, from 1.</param>
    /// <param name="code">Where; at least 16 bytes.</param>
    /// <param name="policy">What is allowed.</param>
    /// <returns>Length; 0 when the policy forbids the row or no encoding was found.</returns>
    public static unsafe int Encode(ref Rng rng, ushort row, Span<byte> code, in RandomPolicy policy)
    {
        TableRow r = Rows[row]!;
        if ((policy.Features >> (int)r.Feature & 1) == 0 || (policy.Classes >> (int)r.Class & 1) == 0)
        {
            return 0;
        }
        byte* check = stackalloc byte[32];
        for (int attempt = 0; attempt < 24; attempt++)
        {
            // Decorations may select another row (F3 BC is TZCNT, not BSF): later attempts go without.
            var writer = new Writer(code, r, policy, plain: attempt >= 16);
            int length = writer.Write(ref rng);
            code[length..16].Clear();
            new Span<byte>(check, 32).Clear();
            code[..16].CopyTo(new Span<byte>(check, 32));
            if (I386Decoder.Decode(check, 32, 0, out I386Insn insn) == length && insn.Row == row)
            {
                return length;
            }
        }
        return 0;
    }

    private static List<TableRow?> Load()
    {
        using Stream stream = typeof(I386Random).Assembly.GetManifestResourceStream("i386.table")!;
        using var reader = new StreamReader(stream);
        var lines = new List<string>();
        while (reader.ReadLine() is { } line)
        {
            lines.Add(line);
        }
        return [null, .. TableParser.Parse(lines)];
    }

    private ref struct Writer
    {
        private readonly Span<byte> code;
        private readonly TableRow row;
        private readonly RandomPolicy policy;
        private readonly bool plain;
        private int at;
        private bool word;

        public Writer(Span<byte> code, TableRow row, in RandomPolicy policy, bool plain)
        {
            this.code = code;
            this.row = row;
            this.policy = policy;
            this.plain = plain;
        }

        public int Write(ref Rng rng)
        {
            bool memory = row.HasModRM && row.ModMask != 2 && (row.ModMask == 1 || rng.Chance(policy.MemoryPercent));
            bool address16 = policy.Address16 && (memory || row.ImmKind == I386ImmKind.Moffs) && (row.Rules & I386Rules.Gather) == 0 && rng.Chance(10);
            int l = rng.Bit((uint)row.LMask), w = rng.Bit((uint)row.WMask), pp = 0;
            if (!plain && rng.Chance(policy.RedundantPrefixPercent))
            {
                // A write through CS is #GP, whatever the address; x87 stores the selector of its operand.
                Put(rng.Below((row.OperandFlags & I386Operands.MemWrite) != 0 || row.Class is I386Class.Moffs or I386Class.Maskmov || row.Feature == I386Feature.Fpu ? 3 : 4) switch { 0 => 0x26, 1 => 0x36, 2 => 0x3E, _ => 0x2E });
            }
            if (address16)
            {
                Put(0x67);
            }
            if (memory && (row.Rules & I386Rules.Lockable) != 0 && rng.Chance(policy.LockPercent))
            {
                Put(0xF0);
            }
            if (row.IsVex)
            {
                pp = rng.Bit((uint)row.PpMask);
            }
            else
            {
                LegacyPrefixes(ref rng);
            }
            int reg = Choose(ref rng, (uint)row.RegMask, Writes(K.RegGpr8, K.RegGprV)), rm = rng.Bit((uint)row.RmMask);
            int vvvv = 0;
            if (row.IsVex)
            {
                vvvv = (row.Rules & I386Rules.VvvvUnused) != 0 ? 0 : Choose(ref rng, 0xFF, Writes(K.VvvvGpr32, K.VvvvGpr32));
                if ((row.Rules & I386Rules.Gather) != 0)
                {
                    vvvv = (reg + 1 + rng.Below(7)) & 7;
                }
                Vex(ref rng, pp, l, w, vvvv);
            }
            else
            {
                if (row.Space > 0)
                {
                    Put(0x0F);
                }
                if (row.Space > 1)
                {
                    Put(row.Space == 2 ? 0x38 : 0x3A);
                }
            }
            Put(row.Opcode + (row.OpcodeCount == 1 ? 0 : Choose(ref rng, 0xFF, Writes(K.OpGpr8, K.OpGprV))));
            if (row.HasModRM)
            {
                if (memory)
                {
                    Memory(ref rng, reg, vvvv, l == 1, address16);
                }
                else
                {
                    if (row.RmMask == 0xFF)
                    {
                        rm = Choose(ref rng, 0xFF, Writes(K.RmGpr8, K.RmGprV));
                    }
                    Put((row.ModIgnored ? rng.Below(4) << 6 : 0xC0) | reg << 3 | rm);
                }
            }
            Immediate(ref rng, address16);
            return at;
        }

        private void LegacyPrefixes(ref Rng rng)
        {
            // 1 none, 2 66, 4 F3, 8 F2.
            int mask = row.PpMask;
            if (mask == 15)
            {
                bool repeatable = row.Class == I386Class.StringOp;
                // 16-bit branches lead to the first 64 KiB, where nothing is.
                bool branch = row.Class is I386Class.Jcc or I386Class.JmpRel or I386Class.JmpRM or I386Class.CallRel or I386Class.CallRM or I386Class.Loop
                    or I386Class.Jecxz or I386Class.Ret or I386Class.RetImm;
                // 66 FNSTENV stores half an instruction pointer, which the translator does not know; 66 RETF to a selector of another ring
                // looks at the new stack first on some CPUs.
                if (row.OperandSize66 && row.Class is not (I386Class.X87State or I386Class.RetFar) && rng.Chance(branch ? policy.OperandSizePercent / 10 : policy.OperandSizePercent))
                {
                    Put(0x66);
                    word = true;
                }
                // LOOPE and LOOPNE take their condition from a repeat prefix on some CPUs (F3 E0 is LOOPE).
                if (!plain && row.Class != I386Class.Loop && rng.Chance(repeatable ? 40 : policy.RedundantPrefixPercent))
                {
                    Put(rng.Chance(50) ? 0xF3 : 0xF2);
                }
                return;
            }
            if (row.OperandSize66 && (mask & 13) != 0 && (mask == 3 || (mask & 12) != 0) && rng.Chance(policy.OperandSizePercent))
            {
                Put(0x66);
                word = true;
                mask &= ~1;
            }
            switch (rng.Bit((uint)(mask == 2 ? 2 : mask & 13)))
            {
                case 1:
                    Put(0x66);
                    break;
                case 2:
                    Put(0xF3);
                    break;
                case 3:
                    Put(0xF2);
                    break;
            }
        }

        private void Vex(ref Rng rng, int pp, int l, int w, int vvvv)
        {
            int payload = (~vvvv & 15) << 3 | l << 2 | pp;
            if (row.Space == 4 && w == 0 && rng.Chance(70))
            {
                Put(0xC5);
                Put(0x80 | payload);
                return;
            }
            Put(0xC4);
            Put(0xC0 | (rng.Chance(20) ? 0 : 0x20) | (row.Space - 3));
            Put(w << 7 | payload);
        }

        /// <summary>Is an operand of these kinds (a range) written?</summary>
        private readonly bool Writes(K first, K last)
        {
            foreach (TableOperand o in row.Operands)
            {
                if (o.Kind >= first && o.Kind <= last && o.Access is (I386Access.Write or I386Access.ReadWrite))
                {
                    return true;
                }
            }
            return false;
        }

        private readonly int Choose(ref Rng rng, uint mask, bool written)
        {
            // Byte registers 4-7 are AH-BH: parts of 0-3.
            uint allowed = mask;
            if (written && !rng.Chance(policy.AnyRegisterPercent) && (mask & policy.WritableRegisters) != 0 && (row.OperandFlags & (I386Operands.RegGpr8 | I386Operands.RmGpr8 | I386Operands.OpcodeGpr8)) == 0)
            {
                allowed &= policy.WritableRegisters;
            }
            else if (written && (row.OperandFlags & (I386Operands.RegGpr8 | I386Operands.RmGpr8 | I386Operands.OpcodeGpr8)) != 0)
            {
                uint bytes = policy.WritableRegisters & 15;
                bytes |= bytes << 4;
                allowed = (mask & bytes) != 0 && !rng.Chance(policy.AnyRegisterPercent) ? mask & bytes : mask;
            }
            return rng.Bit(allowed);
        }

        private void Memory(ref Rng rng, int reg, int vvvv, bool l, bool address16)
        {
            int size = row.IsVex && l ? row.MemSizeAlt : word ? row.MemSizeAlt : row.MemSize;
            size = Math.Max(size, row.Mnemonic.StartsWith("xsave", StringComparison.Ordinal) || row.Mnemonic.StartsWith("xrstor", StringComparison.Ordinal) ? 576 : 1);
            bool vsib = (row.OperandFlags & I386Operands.Vsib) != 0;
            if (address16)
            {
                int mod16 = rng.Below(3), rm16 = rng.Below(8);
                Put(mod16 << 6 | reg << 3 | rm16);
                Displacement(mod16 == 1 ? 1 : mod16 == 2 || rm16 == 6 ? 2 : 0, (int)rng.Next32());
                return;
            }
            bool absolute = !vsib && rng.Chance(10) || policy.BaseRegisters == 0;
            int scale = rng.Below(4);
            int index = vsib ? OtherRegister(ref rng, reg, vvvv) : policy.IndexRegisters != 0 && rng.Chance(size >= 16 && !row.IsVex ? policy.UnalignedPercent / 2 : 30) ? rng.Bit(policy.IndexRegisters) : 4;
            if (index == 4 && !vsib && rng.Chance(70))
            {
                scale = 0;
            }
            int slack = vsib ? 0 : index == 4 ? 0 : policy.IndexLimit << scale;
            if (absolute)
            {
                int address = Window(ref rng, (int)policy.AbsoluteLow, (int)policy.AbsoluteHigh - slack, size);
                if (index == 4 && rng.Chance(70))
                {
                    Put(reg << 3 | 5);
                }
                else
                {
                    Put(reg << 3 | 4);
                    Put(scale << 6 | index << 3 | 5);
                }
                Displacement(4, address);
                return;
            }
            int baseRegister = rng.Bit(policy.BaseRegisters);
            int displacement = Window(ref rng, policy.DisplacementLow, policy.DisplacementHigh - slack, size);
            int bytes = displacement == 0 && baseRegister != 5 ? 0 : displacement is >= -128 and < 128 && rng.Chance(80) ? 1 : 4;
            int mod = bytes == 0 ? 0 : bytes == 1 ? 1 : 2;
            if (index != 4 || vsib || baseRegister == 4 || rng.Chance(10))
            {
                Put(mod << 6 | reg << 3 | 4);
                Put(scale << 6 | index << 3 | baseRegister);
            }
            else
            {
                Put(mod << 6 | reg << 3 | baseRegister);
            }
            Displacement(bytes, displacement);
        }

        private static int OtherRegister(ref Rng rng, int a, int b) => rng.Bit(0xFFu & ~(1u << a | 1u << b));

        private readonly int Window(ref Rng rng, int low, int high, int size)
        {
            int room = Math.Max(1, high - size - low + 1);
            int at = low + rng.Below(room);
            int align = size >= 512 ? 64 : size >= 16 ? 16 : 1;
            if (!rng.Chance(policy.UnalignedPercent))
            {
                at &= -Math.Max(align, size is 2 or 4 or 8 or 32 ? size : align);
            }
            return Math.Max(at, low);
        }

        private void Immediate(ref Rng rng, bool address16)
        {
            bool relative = row.Operands.Exists(o => o.Kind is K.Rel8 or K.RelZ);
            uint value = relative ? (uint)policy.Relative : rng.Interesting();
            switch (row.ImmKind)
            {
                case I386ImmKind.U8 or I386ImmKind.S8:
                    Put((byte)value);
                    break;
                case I386ImmKind.U16:
                    Displacement(2, (int)value);
                    break;
                case I386ImmKind.Z:
                    Displacement(word ? 2 : 4, (int)value);
                    break;
                case I386ImmKind.Far:
                    Displacement(word ? 2 : 4, (int)value);
                    Displacement(2, (int)rng.Interesting());
                    break;
                case I386ImmKind.Enter:
                    Displacement(2, (int)(rng.Chance(80) ? value & 31 : value));
                    Put(rng.Chance(80) ? rng.Below(3) : rng.Below(256));
                    break;
                case I386ImmKind.Moffs:
                    Displacement(address16 ? 2 : 4, Window(ref rng, (int)policy.AbsoluteLow, (int)policy.AbsoluteHigh, 4));
                    break;
            }
        }

        private void Displacement(int bytes, int value)
        {
            Span<byte> v = stackalloc byte[4];
            BinaryPrimitives.WriteInt32LittleEndian(v, value);
            v[..bytes].CopyTo(code[at..]);
            at += bytes;
        }

        private void Put(int value) => code[at++] = (byte)value;
    }
}
