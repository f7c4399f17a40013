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

    /// <summary>False where ECX certainly does not matter (Intel SDM vol. 2 and AMD APM vol. 3, CPUID).</summary>
    private static bool HasSubleaves(uint leaf) => leaf is not (0 or 1 or 0x80000000 or 0x80000001 or >= 0x80000002 and <= 0x80000008);
}
