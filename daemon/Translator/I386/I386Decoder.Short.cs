using System.Runtime.CompilerServices;

namespace Lodge.Translator.I386;

/// <summary>
/// The short way for most instructions of compiled code: no prefix, one or two bytes of opcode, and a row that follows from them and
/// ModRM's mod and reg. The length is found by table, nearly without branches, since code that is met for the first time has the processor
/// guess every branch; the parts are cut out only when somebody asks for them.
/// </summary>
public static unsafe partial class I386Decoder
{
    /// <summary>Length of an instruction, its facts and its shape.</summary>
    /// <param name="first">The first eight bytes.</param>
    /// <param name="facts">What the translator asks of the row. Class Invalid: the short way does not lead there.</param>
    /// <param name="shape">What it asks of the encoding.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static uint Measure(ulong first, out I386Translation facts, out I386Shape shape)
    {
        ulong rest = first >> 8;
        uint opcode = (byte)first;
        if (opcode == 0x0F)
        {
            opcode = (byte)rest | 0x100u;
            rest >>= 8;
        }
        uint entry = I386Table.At(I386Table.ShortData, (int)opcode);
        uint modrm = (byte)rest;
        uint form = I386Table.At(I386Table.ShapeData, (int)modrm) & (uint)((int)entry >> 31);
        uint hasSib = (form / (uint)I386Shape.Sib) & 1;
        uint sib = (byte)(rest >> 8);
        form |= I386Table.At(I386Table.SibShapeData, (int)sib) & (0 - hasSib);
        if ((form & (uint)I386Shape.MayLackBase) != 0 && (sib & 7) == 5)
        {
            // [index+disp32]. Seldom, unlike the rest, so it may be a branch.
            form = (form + (4u << I386Shapes.AddressShift)) | (uint)(I386Shape.Disp32 | I386Shape.Changes);
        }
        uint slot = (entry & I386Shapes.SlotMask) + ((modrm >> 3) & (entry >> I386Shapes.MaskShift) & 31);
        facts = new I386Translation(I386Table.At(I386Table.ShortFacts, (int)slot));
        shape = (I386Shape)(form | ((entry >> 31) * (uint)I386Shape.ModRM) | (slot << I386Shapes.SlotShift));

        uint length = ((entry >> I386Shapes.LengthShift) & 15) + (form >> I386Shapes.AddressShift);
        if ((entry & I386Shapes.ImmVaries) != 0)
        {
            // The unary group, of which TEST has one. The table sees to it that the kinds' numbers are the bytes.
            length += (uint)(facts.Rules & I386Rules.ImmMask);
        }

        // Slot 0, which opcodes have that are not of this kind, is invalid, too.
        return length;
    }

    /// <summary>CPUID feature that an instruction needs which <see cref="Measure"/> knows.</summary>
    internal static I386Feature FeatureOf(I386Shape shape) => I386Table.Feature(I386Table.At(I386Table.ShortRows, (int)((uint)shape >> I386Shapes.SlotShift)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint DispBytes(uint shape) => ((shape >> I386Shapes.AddressShift) & 7) - (shape / (uint)I386Shape.Sib & 1);

    /// <summary>Displacement of an instruction that <see cref="Measure"/> knows, sign-extended; 0 when there is none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int Displacement(ulong first, I386Shape shape)
    {
        // Behind opcode, ModRM and SIB. Its bits go to the top, and come down again with their sign; with none, the shifts leave nothing.
        int before = ((byte)first == 0x0F ? 3 : 2) + (int)((uint)shape / (uint)I386Shape.Sib & 1);
        int bits = (int)DispBytes((uint)shape) * 8;
        return (int)((long)(first >> (before * 8) << 32 << (32 - bits)) >> (64 - bits));
    }

    /// <summary>All parts of an instruction that <see cref="Measure"/> knows.</summary>
    /// <param name="code">Its first byte; 16 bytes are readable.</param>
    /// <param name="address">Its guest address.</param>
    /// <param name="length">What <see cref="Measure"/> said.</param>
    /// <param name="shape">What <see cref="Measure"/> said.</param>
    /// <param name="insn">The result.</param>
    internal static void Fill(byte* code, uint address, uint length, I386Shape shape, I386Insn* insn)
    {
        ulong first = Unsafe.ReadUnaligned<ulong>(code);
        uint map = (byte)first == 0x0F ? 1u : 0;
        uint slot = (uint)shape >> I386Shapes.SlotShift;
        I386Rules rules = new I386Translation(I386Table.At(I386Table.ShortFacts, (int)slot)).Rules;
        uint rest = (uint)(first >> (int)(map * 8));
        uint op = (byte)rest;
        uint present = (uint)shape / (uint)I386Shape.ModRM & 1;
        uint hasSib = (uint)shape / (uint)I386Shape.Sib & 1;
        uint modrm = (rest >> 8) & (0xFF * present);
        uint sib = (rest >> 16) & (0xFF * hasSib);
        uint dispBytes = DispBytes((uint)shape);
        uint before = 1 + map + present + hasSib + dispBytes;
        uint immBytes = length - before;
        uint imm = Unsafe.ReadUnaligned<uint>(code + before) & (uint)((1ul << (int)(immBytes * 8)) - 1);
        if ((rules & I386Rules.ImmMask) == (I386Rules)I386ImmKind.S8)
        {
            imm = (uint)(sbyte)imm;
        }

        // In the order of the structure's fields.
        uint prefixes = (present * (uint)I386Prefixes.ModRM) | (hasSib * (uint)I386Prefixes.Sib);
        ulong* words = (ulong*)insn;
        words[0] = address | ((ulong)imm << 32);
        words[1] = (uint)Displacement(first, shape) | ((ulong)I386Table.At(I386Table.ShortRows, (int)slot) << 48);
        words[2] = prefixes | (length << 16) | (map << 24) | ((ulong)(op | (modrm << 8) | (sib << 16) | (dispBytes << 24)) << 32);
        ((uint*)insn)[6] = immBytes | ((uint)I386Segment.None << 24);
    }
}
