using System;

namespace Lodge.DecoderTests;

/// <summary>Enumerations of encodings.</summary>
internal static class OpcodeSweeps
{
    /// <summary>Prefix strings of the legacy sweep; the last of F2/F3 wins, and 66 may stand on either side.</summary>
    private static readonly byte[][] Prefixes =
    [
        [], [0x66], [0xF3], [0xF2], [0x67], [0xF0], [0x66, 0xF3], [0xF2, 0x66], [0xF3, 0xF2], [0xF2, 0xF3], [0x66, 0x67], [0xF0, 0x66],
        [0x26], [0x65, 0x3E], [0xF0, 0xF2], [0xF3, 0xF0], [0x66, 0xF0, 0x67],
    ];

    /// <summary>SIB bytes: every base and index once or more, every scale, the special cases (base 5, index 4).</summary>
    private static readonly byte[] Sibs = [0x25, 0x8D, 0xD3, 0x00, 0x24, 0x65, 0x5E, 0xEF];

    /// <summary>Every prefix string × legacy map × opcode × ModRM × SIB class.</summary>
    public static void Legacy(IcedComparer comparer)
    {
        Span<byte> code = stackalloc byte[24];
        foreach (byte[] prefix in Prefixes)
        {
            for (int map = 0; map < 4; map++)
            {
                for (int opcode = 0; opcode < 256; opcode++)
                {
                    Fill(code, opcode);
                    prefix.CopyTo(code);
                    int n = prefix.Length;
                    if (map > 0)
                    {
                        code[n++] = 0x0F;
                    }
                    if (map > 1)
                    {
                        code[n++] = map == 2 ? (byte)0x38 : (byte)0x3A;
                    }
                    code[n++] = (byte)opcode;
                    ModRM(comparer, code, n, Sibs);
                }
            }
        }
    }

    /// <summary>Three- and two-byte VEX × map × pp × L × W × vvvv classes × opcode × ModRM × SIB class.</summary>
    public static void Vex(IcedComparer comparer)
    {
        Span<byte> code = stackalloc byte[24];
        foreach (int vvvv in (ReadOnlySpan<int>)[15, 9])
        {
            for (int opcode = 0; opcode < 256; opcode++)
            {
                for (int last = 0; last < 16; last++)
                {
                    // last = W L pp
                    byte payload = (byte)(((last & 8) << 4) | (vvvv << 3) | (last & 7));
                    for (int map = 0; map < 32; map++)
                    {
                        Fill(code, opcode + map);
                        code[0] = 0xC4;
                        code[1] = (byte)(0xC0 | ((opcode & 1) << 5) | map);
                        code[2] = payload;
                        code[3] = (byte)opcode;
                        if (map is < 1 or > 3)
                        {
                            comparer.Check(code);
                            continue;
                        }
                        ModRM(comparer, code, 4, Sibs[..3]);
                    }
                    Fill(code, opcode);
                    code[0] = 0xC5;
                    code[1] = payload;
                    code[2] = (byte)opcode;
                    ModRM(comparer, code, 3, Sibs[..3]);
                }
            }
        }
    }

    /// <summary>Prefixes before VEX, and prefix strings up to and beyond 15 bytes before anything.</summary>
    public static void Lengths(IcedComparer comparer)
    {
        Span<byte> code = stackalloc byte[32];
        foreach (byte p in (ReadOnlySpan<byte>)[0x66, 0x67, 0xF2, 0xF3, 0xF0, 0x26, 0x64])
        {
            for (int count = 0; count <= 16; count++)
            {
                for (int opcode = 0; opcode < 256; opcode++)
                {
                    Fill(code, opcode);
                    code[..count].Fill(p);
                    code[count] = (byte)opcode;
                    comparer.Check(code);
                    code[count] = 0x0F;
                    code[count + 1] = (byte)opcode;
                    comparer.Check(code);
                    code[count] = 0xC5;
                    code[count + 1] = 0xF8;
                    code[count + 2] = (byte)opcode;
                    comparer.Check(code);
                }
            }
        }
    }

    /// <summary>Random bytes behind random prefixes: operands of all kinds.</summary>
    public static void Random(IcedComparer comparer, int seed, int count)
    {
        var random = new Random(seed);
        Span<byte> code = stackalloc byte[24];
        ReadOnlySpan<byte> prefixes = [0x66, 0x67, 0xF2, 0xF3, 0xF0, 0x26, 0x2E, 0x36, 0x3E, 0x64, 0x65, 0x0F, 0xC4, 0xC5];
        for (int i = 0; i < count; i++)
        {
            random.NextBytes(code);
            int n = random.Next(4);
            for (int k = 0; k < n; k++)
            {
                code[k] = prefixes[random.Next(prefixes.Length)];
            }
            comparer.Check(code);
        }
    }

    private static void ModRM(IcedComparer comparer, Span<byte> code, int at, byte[] sibs)
    {
        for (int modrm = 0; modrm < 256; modrm++)
        {
            code[at] = (byte)modrm;
            if (modrm < 0xC0 && (modrm & 7) == 4)
            {
                byte kept = code[at + 1];
                foreach (byte sib in sibs)
                {
                    code[at + 1] = sib;
                    comparer.Check(code);
                }
                code[at + 1] = kept;
            }
            else
            {
                comparer.Check(code);
            }
        }
    }

    private static void Fill(Span<byte> code, int seed)
    {
        for (int i = 0; i < code.Length; i++)
        {
            code[i] = (byte)(0x91 + (i * 29) + (seed * 7));
        }
    }
}
