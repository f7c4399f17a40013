using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using Lodge.Translator.I386;
using Lodge.Translator.Tables;
using K = Lodge.Translator.I386.I386OperandKind;

namespace Lodge.Differential.Generation;

/// <summary>
/// Random sequences of 5 to 30 instructions. Branches go forwards only, so that every sequence ends: by a jump through
/// <see cref="CaseFile.ExitCell"/>, or by a fault, which is a result like any other.
/// </summary>
public sealed class SequenceGenerator
{
    /// <summary>Registers: EBX, EBP, ESP point into the data window, EDX is a small number.</summary>
    private const uint EbxValue = CaseFile.Data + 512, EbpValue = CaseFile.Data + 768, EspValue = CaseFile.Data + 1536;

    /// <summary>Rows whose results differ from run to run or from machine to machine, or that call the kernel.</summary>
    private static readonly string[] Excluded =
    [
        "rdtsc", "rdtscp", "rdpmc", "rdrand", "rdseed", "rdpid", "cpuid", "xgetbv", "sysenter", "syscall", "xsave", "xsaveopt", "xsavec", "xsaves", "xrstor", "xrstors",
        // Under a hypervisor the address that INT1 reports depends on it.
        "int1",
        // Selector 7Bh's limit is the CPU's number.
        "lsl",
        "sgdt", "sidt", "sldt", "str", "smsw",
    ];

    private readonly List<Item> items = [];
    private readonly List<Fixup> fixups = [];
    private readonly List<ushort> ordinary = [];
    private readonly List<ushort> integer = [];
    private readonly List<ushort> quiet = [];
    private RandomPolicy policy = RandomPolicy.Everything;

    /// <summary>Prepares the choice of rows.</summary>
    public SequenceGenerator()
    {
        policy.BaseRegisters |= 1 << 4;
        policy.AbsoluteLow = CaseFile.Data;
        policy.AbsoluteHigh = CaseFile.Data + 1024;
        for (ushort i = 1; i < I386Random.Rows.Count; i++)
        {
            TableRow r = I386Random.Rows[i]!;
            if (!IsExcluded(i))
            {
                Forced.Add(i);
            }
            else
            {
                continue;
            }
            bool faults = (r.Rules & I386Rules.Privileged) != 0 || r.Class is I386Class.Ud or I386Class.Int1 or I386Class.Int3 or I386Class.IntImm or I386Class.Bound
                or I386Class.Into or I386Class.PopSeg or I386Class.MovToSeg or I386Class.LoadFarPointer or I386Class.Popf or I386Class.Iret or I386Class.RetFar
                or I386Class.CallFar or I386Class.JmpFar;
            if (!faults)
            {
                ordinary.Add(i);
                if (r.Space < 2 && r.Feature is I386Feature.Base or I386Feature.Cmov)
                {
                    integer.Add(i);
                    if (r.Class == I386Class.Copy && (r.OperandFlags & (I386Operands.MemRead | I386Operands.MemWrite)) == 0 && r.Mnemonic is not ("div" or "idiv" or "xchg"))
                    {
                        quiet.Add(i);
                    }
                }
            }
        }
    }

    /// <summary>Rows that are tested, in table order.</summary>
    public List<ushort> Forced { get; } = [];

    /// <summary>The instructions of the last sequence; its last item is the final jump.</summary>
    public IReadOnlyList<Item> Items => items;

    /// <summary>Is the row left out?</summary>
    public static bool IsExcluded(ushort row) => Array.IndexOf(Excluded, I386Random.Rows[row]!.Mnemonic) >= 0;

    /// <summary>Writes one sequence.</summary>
    /// <param name="rng">All choices; a case depends on its own generator only.</param>
    /// <param name="forced">A row that must be among the instructions.</param>
    /// <param name="address">Guest address of the sequence.</param>
    /// <param name="code">Where it is written.</param>
    /// <param name="start">Start state.</param>
    /// <param name="hits">Rows encoded are counted here.</param>
    /// <returns>Bytes written.</returns>
    public unsafe int Generate(ref Rng rng, ushort forced, uint address, Span<byte> code, out CaseRecord start, Span<int> hits)
    {
        items.Clear();
        fixups.Clear();
        int count = 5 + rng.Below(26), at = count / 3 + rng.Below(count / 3 + 1);
        bool vectors = rng.Chance(50);
        int written = 0;
        for (int i = 0; i < count; i++)
        {
            ushort row = i == at ? forced : Pick(ref rng, vectors);
            written = Instruction(ref rng, row, code, written, i == at);
            hits[row]++;
            if (rng.Chance(8))
            {
                written = Subroutine(ref rng, code, written, hits);
            }
            if (rng.Chance(6))
            {
                written = Repair(ref rng, code, written);
            }
        }
        items.Add(new Item(written, 0));
        written = PutExit(code, written);
        Link(ref rng, address, code);
        start = default;
        start.Entry = address;
        start.Registers[0] = rng.Interesting();
        start.Registers[1] = rng.Chance(50) ? (uint)rng.Below(40) : rng.Interesting();
        start.Registers[2] = (uint)rng.Below(8);
        start.Registers[3] = EbxValue;
        start.Registers[4] = EspValue;
        start.Registers[5] = EbpValue;
        start.Registers[6] = rng.Chance(70) ? CaseFile.Data + (uint)rng.Below(1024) : rng.Interesting();
        start.Registers[7] = rng.Chance(70) ? CaseFile.Data + (uint)rng.Below(1024) : rng.Interesting();
        start.Eflags = 0x202 | (rng.Next32() & (uint)I386Flags.Arith) | (rng.Chance(10) ? (uint)I386Flags.DF : 0);
        start.Vectors = (uint)rng.Below(CaseFile.ImageCount);
        start.Memory = (uint)rng.Below(CaseFile.ImageCount);
        return written;
    }

    /// <summary>Writes <c>jmp [ExitCell]</c>.</summary>
    private static int PutExit(Span<byte> code, int at)
    {
        code[at] = 0xFF;
        code[at + 1] = 0x25;
        BinaryPrimitives.WriteUInt32LittleEndian(code[(at + 2)..], CaseFile.ExitCell);
        return at + 6;
    }

    /// <summary>An instruction with what prepares it.</summary>
    public readonly record struct Item(int Offset, ushort Row);

    /// <summary>Bytes that get the address of a later instruction: the displacement to it, or the address itself.</summary>
    private readonly record struct Fixup(int At, int Size, bool Absolute, int Item, int End);

    private ushort Pick(ref Rng rng, bool vectors)
    {
        List<ushort> from = vectors && rng.Chance(70) ? ordinary : integer;
        return from[rng.Below(from.Count)];
    }

    /// <summary>Gives one of the pointer registers its value back.</summary>
    private int Repair(ref Rng rng, Span<byte> code, int at)
    {
        items.Add(new Item(at, 0));
        (int register, uint value) = rng.Below(4) switch { 0 => (3, EbxValue), 1 => (5, EbpValue), 2 => (4, EspValue), _ => (2, (uint)rng.Below(8)) };
        return MoveImmediate(code, at, register, value);
    }

    /// <summary>A call, the code behind it, and the subroutine that comes back: returns as compilers make them, with live flags.</summary>
    private int Subroutine(ref Rng rng, Span<byte> code, int at, Span<int> hits)
    {
        items.Add(new Item(at, 0));
        // call +5; jmp over
        code[at] = 0xE8;
        BinaryPrimitives.WriteUInt32LittleEndian(code[(at + 1)..], 5);
        int over = at + 6;
        code[at + 5] = 0xE9;
        at += 10;
        RandomPolicy kept = policy;
        policy.AnyRegisterPercent = 0;
        policy.LockPercent = 0;
        for (int n = 1 + rng.Below(3); n > 0; n--)
        {
            ushort row = quiet[rng.Below(quiet.Count)];
            Span<byte> one = code.Slice(at, 16);
            at += I386Random.Encode(ref rng, row, one, policy);
            hits[row]++;
        }
        policy = kept;
        code[at++] = 0xC3;
        BinaryPrimitives.WriteUInt32LittleEndian(code[over..], (uint)(at - (over + 4)));
        return at;
    }

    private static int MoveImmediate(Span<byte> code, int at, int register, uint value)
    {
        code[at] = (byte)(0xB8 + register);
        BinaryPrimitives.WriteUInt32LittleEndian(code[(at + 1)..], value);
        return at + 5;
    }

    private static int PushImmediate(Span<byte> code, int at, uint value)
    {
        code[at] = 0x68;
        BinaryPrimitives.WriteUInt32LittleEndian(code[(at + 1)..], value);
        return at + 5;
    }

    private int PushTarget(Span<byte> code, int at)
    {
        code[at] = 0x68;
        fixups.Add(new Fixup(at + 1, 4, true, items.Count, 0));
        return at + 5;
    }

    private int Instruction(ref Rng rng, ushort row, Span<byte> code, int at, bool forced)
    {
        items.Add(new Item(at, row));
        TableRow r = I386Random.Rows[row]!;
        // Flags popped by chance would hold TF, NT or AC; returns by chance lose the flags (see Continuation).
        // Selectors by chance may have a base; targets by chance may be old return addresses: a loop.
        bool prepared = r.Class is I386Class.JmpRM or I386Class.CallRM or I386Class.PopSeg or I386Class.Popf or I386Class.Iret or I386Class.RetFar or I386Class.Ret or I386Class.RetImm || rng.Chance(forced ? 80 : 95);
        if (prepared)
        {
            at = Prepare(ref rng, r, code, at);
        }
        Span<byte> one = stackalloc byte[16];
        int length = I386Random.Encode(ref rng, row, one, policy);
        if (length == 0)
        {
            throw new InvalidOperationException($"no encoding for {r.Text}");
        }
        if (r.Class == I386Class.IntImm && one[length - 1] == 0x80)
        {
            one[length - 1] = 3;
        }
        bool word = one[..length].IndexOf((byte)0x66) >= 0 && Decoded(one, out I386Insn insn) && (insn.Prefixes & I386Prefixes.OperandSize) != 0;
        if (prepared && r.Class is I386Class.JmpRM or I386Class.CallRM && !word)
        {
            at = IndirectTarget(code, at, one);
        }
        if (r.Class is I386Class.MovToSeg or I386Class.LoadFarPointer && Decoded(one, out I386Insn load))
        {
            // A null selector would be legal, and every later access a fault: 64-bit mode does not check.
            at = load.ModRM >= 0xC0 ? MoveImmediate(code, at, load.ModRM & 7, 0x2B) : StoreWord(code, at, load, r.Class == I386Class.MovToSeg ? 0 : word ? 2 : 4, 0x2B);
        }
        if (r.Class is I386Class.CallFar or I386Class.JmpFar && r.ImmKind != I386ImmKind.Far && Decoded(one, out I386Insn far) && far.ModRM < 0xC0)
        {
            // A selector by chance may be the kernel's 64-bit code segment, in which the CPU would go on in 64-bit mode.
            ReadOnlySpan<ushort> selectors = [0, 0x2B, 0x40, 0x43, 0xFFFF];
            at = StoreWord(code, at, far, word ? 2 : 4, selectors[rng.Below(selectors.Length)]);
        }
        one[..length].CopyTo(code[at..]);
        at += length;
        if (r.Class == I386Class.X87State && Decoded(one, out I386Insn store))
        {
            // The opcode of the last x87 instruction holds its ModRM byte, which the translator changes.
            at = StoreWord(code, at, store, store.Map == 0 ? 18 : 6, 0);
            // The data selector is not known for operands of older instructions.
            at = StoreWord(code, at, store, store.Map == 0 ? 24 : 20, 0);
        }
        int immediate = r.ImmKind switch { I386ImmKind.S8 => 1, I386ImmKind.Z => word ? 2 : 4, _ => 0 };
        if (r.Operands.Exists(o => o.Kind is K.Rel8 or K.RelZ))
        {
            fixups.Add(new Fixup(at - immediate, immediate, false, items.Count, at));
        }
        else if (r.Class is I386Class.Ret or I386Class.RetImm)
        {
            return Continuation(ref rng, code, at);
        }
        else if (r.ImmKind == I386ImmKind.Far && (code[at - 2] & 0xFC) == 0x30 && code[at - 1] == 0)
        {
            // The kernel's 64-bit code segment: natively, this would go on in 64-bit mode.
            code[at - 2] = 0x40;
        }
        else if (r.ImmKind == I386ImmKind.Far && prepared && !word)
        {
            fixups.Add(new Fixup(at - 6, 4, true, items.Count, 0));
            BinaryPrimitives.WriteUInt16LittleEndian(code[(at - 2)..], 0x23);
        }
        return at;
    }

    /// <summary>Marks a fixup whose item is the target itself.</summary>
    private const int Exact = -1;

    /// <summary>
    /// Where a return without a call goes: to an instruction that writes all arithmetic flags, because the translator does not keep them
    /// on a return to another place than behind the call.
    /// </summary>
    private int Continuation(ref Rng rng, Span<byte> code, int at)
    {
        for (int skipped = rng.Below(3); skipped > 0; skipped--)
        {
            code[at++] = 0xF4;
        }
        items.Add(new Item(at, 0));
        code[at] = 0x05;
        BinaryPrimitives.WriteUInt32LittleEndian(code[(at + 1)..], rng.Interesting());
        return at + 5;
    }

    private static unsafe bool Decoded(ReadOnlySpan<byte> code, out I386Insn insn)
    {
        byte* copy = stackalloc byte[32];
        new Span<byte>(copy, 32).Clear();
        code.CopyTo(new Span<byte>(copy, 32));
        return I386Decoder.Decode(copy, 32, 0, out insn) > 0;
    }

    /// <summary>What an instruction needs in order to do its work rather than to fault.</summary>
    private int Prepare(ref Rng rng, TableRow r, Span<byte> code, int at)
    {
        switch (r.Class)
        {
            case I386Class.Ret or I386Class.RetImm:
                code[at] = 0x68;
                fixups.Add(new Fixup(at + 1, 4, true, items.Count, Exact));
                return at + 5;
            case I386Class.RetFar:
                return PushTarget(code, PushImmediate(code, at, 0x23));
            case I386Class.Iret:
                return PushTarget(code, PushImmediate(code, PushImmediate(code, at, PlainFlags(ref rng)), 0x23));
            case I386Class.Popf:
                return PushImmediate(code, at, PlainFlags(ref rng));
            case I386Class.PopSeg:
                return PushImmediate(code, at, 0x2B);
            case I386Class.MovToSeg:
                // All registers that may be named get the selector, one way or another: EAX is enough for a part of the cases.
                return MoveImmediate(code, at, 0, 0x2B);
            case I386Class.StringOp:
                at = MoveImmediate(code, at, 6, CaseFile.Data + 256 + (uint)rng.Below(512));
                at = MoveImmediate(code, at, 7, CaseFile.Data + 256 + (uint)rng.Below(512));
                return MoveImmediate(code, at, 1, (uint)rng.Below(20));
            case I386Class.Maskmov:
                return MoveImmediate(code, at, 7, CaseFile.Data + 256 + (uint)rng.Below(512));
            case I386Class.Loop or I386Class.Jecxz when rng.Chance(50):
                return MoveImmediate(code, at, 1, (uint)rng.Below(3));
            case I386Class.Leave:
                return MoveImmediate(code, at, 5, EspValue - (uint)(4 * rng.Below(16)));
            default:
                if (r.Mnemonic is "div" or "idiv")
                {
                    return MoveImmediate(code, at, 2, (uint)rng.Below(4));
                }
                return at;
        }
    }

    /// <summary>Arithmetic flags, DF and ID. Not TF, NT, AC: they change how the CPU runs.</summary>
    private static uint PlainFlags(ref Rng rng) => 0x202 | (rng.Next32() & ((uint)I386Flags.Arith | 0x400 | 0x200000));

    /// <summary><c>mov word [operand + offset], value</c>.</summary>
    private static int StoreWord(Span<byte> code, int at, in I386Insn insn, int offset, ushort value)
    {
        int mod = insn.ModRM >> 6, rm = insn.ModRM & 7;
        bool sib = (insn.Prefixes & I386Prefixes.Sib) != 0, absolute = mod == 0 && (sib ? (insn.Sib & 7) == 5 : rm == 5);
        code[at++] = 0x66;
        code[at++] = 0xC7;
        code[at++] = (byte)((absolute ? 0 : 0x80) | rm);
        if (sib)
        {
            code[at++] = insn.Sib;
        }
        BinaryPrimitives.WriteUInt32LittleEndian(code[at..], insn.Disp + (uint)offset);
        BinaryPrimitives.WriteUInt16LittleEndian(code[(at + 4)..], value);
        return at + 6;
    }

    /// <summary>Puts a later instruction's address into the operand of an indirect branch.</summary>
    private int IndirectTarget(Span<byte> code, int at, ReadOnlySpan<byte> branch)
    {
        Decoded(branch, out I386Insn insn);
        if (insn.ModRM >= 0xC0)
        {
            int register = insn.ModRM & 7;
            fixups.Add(new Fixup(at + 1, 4, true, items.Count, 0));
            return MoveImmediate(code, at, register, 0);
        }
        // mov dword [the same operand], target
        int opcode = branch.IndexOf((byte)0xFF), tail = 1 + ((insn.Prefixes & I386Prefixes.Sib) != 0 ? 1 : 0) + insn.DispSize;
        branch[..opcode].CopyTo(code[at..]);
        code.Slice(at, opcode).Replace((byte)0x2E, (byte)0x3E);
        code[at + opcode] = 0xC7;
        branch.Slice(opcode + 1, tail).CopyTo(code[(at + opcode + 1)..]);
        code[at + opcode + 1] &= 0xC7;
        at += opcode + 1 + tail;
        fixups.Add(new Fixup(at, 4, true, items.Count, 0));
        return at + 4;
    }

    private void Link(ref Rng rng, uint address, Span<byte> code)
    {
        foreach (Fixup f in fixups)
        {
            // One of the next few instructions, at most the final jump, and within reach.
            int target = Math.Min(f.Item + (f.End == Exact ? 0 : rng.Below(4)), items.Count - 1);
            while (f.Size == 1 && items[target].Offset - f.End > 127)
            {
                target--;
            }
            uint value = f.Absolute ? address + (uint)items[target].Offset : (uint)(items[target].Offset - f.End);
            for (int i = 0; i < f.Size; i++)
            {
                code[f.At + i] = (byte)(value >> (8 * i));
            }
        }
    }
}
