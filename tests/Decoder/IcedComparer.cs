using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;
using Iced.Intel;
using Lodge.Translator.I386;

namespace Lodge.DecoderTests;

/// <summary>Decodes the same bytes with both decoders and reports what differs, one word per fact.</summary>
internal sealed unsafe class IcedComparer
{
    private readonly byte[] bytes = new byte[48];
    private readonly Iced.Intel.Decoder iced;
    private readonly ByteArrayCodeReader reader;
    private readonly InstructionInfoFactory info = new();
    private readonly int[] asked = new int[I386Table.RowCount];

    public IcedComparer()
    {
        reader = new ByteArrayCodeReader(bytes);
        iced = Iced.Intel.Decoder.Create(32, reader, DecoderOptions.None);
    }

    /// <summary>Rows met in valid instructions.</summary>
    public bool[] RowsHit { get; } = new bool[I386Table.RowCount];
    /// <summary>Instructions compared.</summary>
    public long Compared { get; private set; }
    /// <summary>Differences: "fact | our row or - | Iced code" → how many, and the first example.</summary>
    public Dictionary<string, (long Count, string Example)> Deviations { get; } = new(StringComparer.Ordinal);

    /// <summary>Compares one instruction.</summary>
    /// <param name="code">Bytes; zeros follow.</param>
    public void Check(ReadOnlySpan<byte> code)
    {
        Array.Clear(bytes);
        code.CopyTo(bytes);
        Compared++;
        reader.Position = 0;
        iced.IP = 0x1000;
        iced.Decode(out Instruction theirs);
        int length;
        I386Insn ours;
        fixed (byte* p = bytes)
        {
            length = I386Decoder.Decode(p, bytes.Length, 0x1000, out ours);
        }
        bool valid = length > 0 && ours.Row != I386Table.InvalidRow;
        if (valid)
        {
            RowsHit[ours.Row] = true;
        }
        if (valid == theirs.IsInvalid)
        {
            Report(valid ? "only-ours" : "only-iced", ours.Row, theirs.Code);
            return;
        }
        if (!valid)
        {
            return;
        }
        if (length != theirs.Length)
        {
            Report("length", ours.Row, theirs.Code);
            return;
        }
        CheckMnemonic(ours, theirs);
        CheckFlags(ours, theirs);
        CheckOperands(ours, theirs);
    }

    private void CheckMnemonic(in I386Insn ours, in Instruction theirs)
    {
        ReadOnlySpan<byte> name = I386Decoder.Name(ours);
        Span<char> chars = stackalloc char[name.Length];
        Encoding.ASCII.GetChars(name, chars);
        if (!MemoryExtensions.Equals(chars, Names.Of(theirs.Mnemonic), StringComparison.OrdinalIgnoreCase))
        {
            Report("mnemonic", ours.Row, theirs.Code);
        }
    }

    private void CheckFlags(in I386Insn ours, in Instruction theirs)
    {
        I386Flags read = Flags(theirs.RflagsRead);
        I386Flags undefined = Flags(theirs.RflagsUndefined);
        I386Flags modified = Flags(theirs.RflagsModified);
        if ((I386Decoder.FlagsKilled(ours) & ~modified) != 0)
        {
            Report("flags-killed", ours.Row, theirs.Code, modified);
        }
        if (I386Table.FlagsKilled(ours.Row) == I386Flags.None && I386Table.FlagsWritten(ours.Row) != I386Flags.None && ours.ImmSize == 1)
        {
            // Shifts and rotates by a constant. Iced looks at the constant, our row cannot: a count of zero touches nothing, and a rotate by
            // one defines OF. The row must claim at least as much.
            if ((modified & ~I386Table.FlagsWritten(ours.Row)) != 0 || (undefined & ~I386Table.FlagsUndefined(ours.Row)) != 0 || (read & ~I386Table.FlagsRead(ours.Row)) != 0)
            {
                Report("flags-shift", ours.Row, theirs.Code, modified);
            }
            return;
        }
        if (I386Table.FlagsRead(ours.Row) != read)
        {
            Report("flags-read", ours.Row, theirs.Code, read);
        }
        if (I386Table.FlagsWritten(ours.Row) != modified)
        {
            Report("flags-written", ours.Row, theirs.Code, modified);
        }
        else if (I386Table.FlagsUndefined(ours.Row) != undefined)
        {
            Report("flags-undefined", ours.Row, theirs.Code, undefined);
        }
    }

    private static I386Flags Flags(RflagsBits bits)
    {
        I386Flags f = I386Flags.None;
        f |= (bits & RflagsBits.OF) != 0 ? I386Flags.OF : 0;
        f |= (bits & RflagsBits.SF) != 0 ? I386Flags.SF : 0;
        f |= (bits & RflagsBits.ZF) != 0 ? I386Flags.ZF : 0;
        f |= (bits & RflagsBits.AF) != 0 ? I386Flags.AF : 0;
        f |= (bits & RflagsBits.CF) != 0 ? I386Flags.CF : 0;
        f |= (bits & RflagsBits.PF) != 0 ? I386Flags.PF : 0;
        f |= (bits & RflagsBits.DF) != 0 ? I386Flags.DF : 0;
        return f;
    }

    private void CheckOperands(in I386Insn ours, in Instruction theirs)
    {
        int count = 0;
        while (count < 4 && I386Table.OperandKind(ours.Row, count) != I386OperandKind.None)
        {
            count++;
        }
        if (count != theirs.OpCount)
        {
            // String instructions, XLAT and MASKMOV: Iced lists the implied operands.
            if (!(I386Table.Class(ours.Row) is I386Class.StringOp or I386Class.Xlat or I386Class.Maskmov) && Names.ListsOperands(theirs.Mnemonic))
            {
                Report("operand-count", ours.Row, theirs.Code);
            }
            return;
        }
        // Accesses belong to the form, not to its operands: asking for them is slow, so ask a few times only.
        bool ask = asked[ours.Row]++ < 100;
        InstructionInfo facts = ask ? info.GetInfo(theirs) : default;
        for (int i = 0; i < count; i++)
        {
            CheckOperand(ours, theirs, i);
            if (ask)
            {
                CheckAccess(ours, theirs, i, facts.GetOpAccess(i));
            }
        }
    }

    private void CheckOperand(in I386Insn ours, in Instruction theirs, int i)
    {
        OpKind kind = theirs.GetOpKind(i);
        I386OperandKind ourKind = I386Table.OperandKind(ours.Row, i);
        bool memory = I386Decoder.HasMemory(ours) && Operands.MayBeMemory(ourKind);
        if (memory || ourKind == I386OperandKind.Moffs)
        {
            if (kind != OpKind.Memory)
            {
                Report("operand-kind", ours.Row, theirs.Code, i);
                return;
            }
            CheckMemory(ours, theirs);
            if (I386Decoder.MemSize(ours) != theirs.MemorySize.GetSize())
            {
                Report("memory-size", ours.Row, theirs.Code, theirs.MemorySize.GetSize());
            }
        }
        else if (kind == OpKind.Register)
        {
            Register ourRegister = Operands.RegisterOf(ours, ourKind);
            if (ourRegister != theirs.GetOpRegister(i))
            {
                Report("register", ours.Row, theirs.Code, ourRegister);
            }
        }
        else
        {
            CheckImmediate(ours, theirs, i, kind, ourKind);
        }
    }

    private void CheckAccess(in I386Insn ours, in Instruction theirs, int i, OpAccess access)
    {
        I386Access expected = access switch
        {
            OpAccess.Read or OpAccess.CondRead => I386Access.Read,
            OpAccess.Write => I386Access.Write,
            OpAccess.ReadWrite or OpAccess.ReadCondWrite or OpAccess.CondWrite => I386Access.ReadWrite,
            OpAccess.NoMemAccess => I386Access.Address,
            _ => (I386Access)99,
        };
        // Iced knows that a register minus or xor itself is zero: it is not read then.
        bool zeroing = theirs.OpCount >= 2 && theirs.GetOpKind(i) == OpKind.Register && theirs.GetOpKind(theirs.OpCount - 1) == OpKind.Register
            && access is OpAccess.Write or OpAccess.None && theirs.GetOpRegister(theirs.OpCount - 1) == theirs.GetOpRegister(theirs.OpCount - 2);
        if (I386Table.Access(ours.Row, i) != expected && !zeroing)
        {
            Report("access", ours.Row, theirs.Code, $"{i}:{access}");
        }
    }

    private void CheckMemory(in I386Insn ours, in Instruction theirs)
    {
        Operands.Memory m = Operands.MemoryOf(ours);
        if (m.Base != theirs.MemoryBase || m.Index != theirs.MemoryIndex || (m.Index != Register.None && m.Scale != theirs.MemoryIndexScale))
        {
            Report("memory-registers", ours.Row, theirs.Code);
        }
        uint mask = (ours.Prefixes & I386Prefixes.AddressSize) != 0 && m.Base is not Register.EAX ? 0xFFFFu : 0xFFFFFFFFu;
        if (((ours.Disp ^ theirs.MemoryDisplacement32) & mask) != 0)
        {
            Report("displacement", ours.Row, theirs.Code);
        }
        Register segment = ours.Segment == I386Segment.None ? Register.None : Operands.Segment((int)ours.Segment);
        if (segment != theirs.SegmentPrefix)
        {
            Report("segment", ours.Row, theirs.Code, theirs.SegmentPrefix);
        }
    }

    private void CheckImmediate(in I386Insn ours, in Instruction theirs, int i, OpKind kind, I386OperandKind ourKind)
    {
        uint size = (ours.Prefixes & I386Prefixes.OperandSize) != 0 ? 0xFFFFu : 0xFFFFFFFFu;
        bool same = (kind, ourKind) switch
        {
            (OpKind.Immediate8, I386OperandKind.One) => theirs.Immediate8 == 1,
            (OpKind.Immediate8, I386OperandKind.Imm8) => theirs.Immediate8 == ours.Imm && ours.ImmSize == 1,
            (OpKind.Immediate8_2nd, I386OperandKind.ImmLevel) => theirs.Immediate8_2nd == ours.Imm2,
            (OpKind.Immediate16, I386OperandKind.Imm16) => theirs.Immediate16 == ours.Imm && ours.ImmSize == 2,
            (OpKind.Immediate16, I386OperandKind.ImmZ) => theirs.Immediate16 == ours.Imm && ours.ImmSize == 2,
            (OpKind.Immediate32, I386OperandKind.ImmZ) => theirs.Immediate32 == ours.Imm && ours.ImmSize == 4,
            (OpKind.Immediate8to16 or OpKind.Immediate8to32, I386OperandKind.Imm8Sx) => ((theirs.GetImmediate(i) ^ ours.Imm) & size) == 0 && ours.ImmSize == 1,
            (OpKind.NearBranch16 or OpKind.NearBranch32, I386OperandKind.Rel8 or I386OperandKind.RelZ) =>
                theirs.NearBranchTarget == ((ours.Address + ours.Length + ours.Imm) & (kind == OpKind.NearBranch16 ? 0xFFFFu : 0xFFFFFFFFu)),
            (OpKind.FarBranch16 or OpKind.FarBranch32, I386OperandKind.Far) =>
                (kind == OpKind.FarBranch16 ? theirs.FarBranch16 : theirs.FarBranch32) == ours.Imm && theirs.FarBranchSelector == ours.Imm2,
            _ => false,
        };
        if (!same)
        {
            Report("immediate", ours.Row, theirs.Code, kind);
        }
    }

    private void Report(string fact, ushort row, Code code, object? detail = null)
    {
        string key = $"{fact} | {InstructionTable.Rows[row]?.Text ?? "-"} | {code}";
        Deviations.TryGetValue(key, out (long Count, string Example) seen);
        string example = seen.Example ?? Convert.ToHexString(bytes.AsSpan(0, 15)) + (detail is null ? "" : string.Create(CultureInfo.InvariantCulture, $" ({detail})"));
        Deviations[key] = (seen.Count + 1, example);
    }
}
