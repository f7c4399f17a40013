using Compat = Lodge.Abi.Compat;

namespace Lodge.Shim;

/// <summary>What translation cost (<c>--stats</c>): counted always, timed and printed only when asked for.</summary>
public unsafe partial struct CodeCache
{
    /// <summary>Units, guest bytes and host bytes of all translations so far.</summary>
    public ulong TranslatedUnits, TranslatedBytes, EmittedBytes;
    /// <summary>Nanoseconds spent in translation so far, the clock's own cost included; 0 unless <see cref="ThreadGroup.Statistics"/> is set.</summary>
    public ulong TranslationTime;

    /// <summary>CPU time of the calling thread in nanoseconds: what other programs do to the machine does not count.</summary>
    private static ulong Now()
    {
        const int ClockThreadCpuTime = 3;
        Compat.__kernel_timespec now;
        Host.Syscall(Nr.clock_gettime, ClockThreadCpuTime, (long)&now);
        return ((ulong)now.tv_sec * 1_000_000_000) + (ulong)now.tv_nsec;
    }

    /// <summary>A forked child counts from the start again.</summary>
    internal void ForgetStatistics()
    {
        TranslatedInstructions = 0;
        TranslatedUnits = 0;
        TranslatedBytes = 0;
        EmittedBytes = 0;
        TranslationTime = 0;
    }

    /// <summary>One line for the process, to standard error. Reads the clock a few hundred times to take its cost off.</summary>
    internal void PrintStatistics(GuestThread* t)
    {
        const int Rounds = 256;
        ulong start = Now();
        for (int i = 0; i < Rounds; i++)
        {
            Now();
        }

        ulong clock = (Now() - start) * TranslatedUnits / Rounds;
        ulong time = TranslationTime > clock ? TranslationTime - clock : 0;
        Line line = new(stackalloc byte[256]);
        line.Add("lodge-shim: "u8);
        line.Dec(t->Links.Tgid);
        line.Add(": translated "u8);
        line.UDec(TranslatedInstructions);
        line.Add(" instructions, "u8);
        line.UDec(TranslatedBytes);
        line.Add(" bytes, to "u8);
        line.UDec(TranslatedUnits);
        line.Add(" units, "u8);
        line.UDec(EmittedBytes);
        line.Add(" bytes and "u8);
        line.UDec((_recordsUsed - _recordsSkipped) * 4ul);
        line.Add(" of records, in "u8);
        line.UDec(time / 1000);
        line.Add(" us; "u8);
        line.UDec(time == 0 ? 0 : TranslatedInstructions * 1_000_000 / time);
        line.Add(" thousand instructions a second\n"u8);
        line.Flush(2);
    }
}
