using System.Numerics;

namespace Lodge.Shim;

/// <summary>
/// Answers of the host's CPUID on one CPU: under a hypervisor each costs microseconds, and a C library's start-up asks some forty times, mostly
/// the same. The thread's own.
/// </summary>
public unsafe struct CpuidAnswers
{
    private const int Capacity = 16, Words = 6;

    /// <summary>The CPU's number + 1; 0 = none.</summary>
    public int Cpu;
    /// <summary>Answers in use.</summary>
    public int Count;
    private fixed uint _answers[Capacity * Words];

    /// <summary>Copies the answer to EAX, EBX, ECX, EDX if it is there.</summary>
    public readonly bool Find(uint leaf, uint subleaf, uint* r)
    {
        for (int i = 0; i < Count; i++)
        {
            if (_answers[i * Words] == leaf && (_answers[(i * Words) + 1] == subleaf || !HasSubleaves(leaf)))
            {
                for (int k = 0; k < 4; k++)
                {
                    r[k] = _answers[(i * Words) + 2 + k];
                }

                return true;
            }
        }

        return false;
    }

    /// <summary>Keeps an answer while there is room.</summary>
    public void Add(uint leaf, uint subleaf, uint* r)
    {
        if (Count == Capacity)
        {
            return;
        }

        int at = Count++ * Words;
        _answers[at] = leaf;
        _answers[at + 1] = subleaf;
        for (int k = 0; k < 4; k++)
        {
            _answers[at + 2 + k] = r[k];
        }
    }

    /// <summary>Room that <see cref="Write"/> needs.</summary>
    public const int MaxText = Capacity * Words * 9;

    /// <summary>
    /// Writes those answers that are the same on all CPUs of a machine, for the program that is executed: features and sizes, nothing about caches
    /// or topology. Six words each, hexadecimal, each behind a semicolon; returns the end.
    /// </summary>
    public readonly byte* Write(byte* to)
    {
        for (int i = 0; i < Count; i++)
        {
            if (!IsTheSameOnAll(_answers[i * Words]))
            {
                continue;
            }

            for (int k = 0; k < Words; k++)
            {
                *to++ = (byte)';';
                uint word = _answers[(i * Words) + k];
                for (int shift = word == 0 ? 0 : BitOperations.Log2(word) & ~3; shift >= 0; shift -= 4)
                {
                    uint digit = word >> shift & 15;
                    *to++ = (byte)(digit < 10 ? '0' + digit : 'a' + digit - 10);
                }
            }
        }

        return to;
    }

    /// <summary>Takes answers that <see cref="Write"/> wrote, up to where the text is something else.</summary>
    public void Read(byte* text)
    {
        uint* words = stackalloc uint[Words];
        while (true)
        {
            for (int k = 0; k < Words; k++)
            {
                if (*text++ != ';')
                {
                    return;
                }

                words[k] = 0;
                for (int digit; (digit = Digit(*text)) >= 0; text++)
                {
                    words[k] = (words[k] << 4) | (uint)digit;
                }
            }

            if (IsTheSameOnAll(words[0]))
            {
                Add(words[0], words[1], words + 2);
            }
        }
    }

    private static int Digit(byte text) => text is >= (byte)'0' and <= (byte)'9' ? text - '0' : text is >= (byte)'a' and <= (byte)'f' ? text - 'a' + 10 : -1;

    /// <summary>Vendor, features, extended state, sizes of addresses. Leaf 1, which names the CPU, is not among them.</summary>
    private static bool IsTheSameOnAll(uint leaf) => leaf is 0 or 7 or 0xD or 0x80000000 or 0x80000001 or 0x80000007 or 0x80000008;

    /// <summary>False where ECX certainly does not matter (Intel SDM vol. 2 and AMD APM vol. 3, CPUID).</summary>
    private static bool HasSubleaves(uint leaf) => leaf is not (0 or 1 or 0x80000000 or 0x80000001 or >= 0x80000002 and <= 0x80000008);
}
