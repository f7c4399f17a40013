using System;
using System.Collections.Generic;
using System.Linq;
using System.Runtime.Versioning;
using Xunit;
using Xunit.Abstractions;

namespace Lodge.TranslatorTests;

/// <summary>The rules of <see cref="UnitChecker"/> over all code of the guest programs and over random bytes.</summary>
[SupportedOSPlatform("linux")]
public sealed class RuleTests(ITestOutputHelper output)
{
    private const uint Base = 0x08049000;
    private const int MaxReports = 20;

    [Fact]
    public void All_code_of_the_guest_programs_keeps_the_rules()
    {
        using Sweep sweep = new();
        int programs = 0;
        foreach (string path in GuestProgram.Paths())
        {
            using GuestProgram? program = GuestProgram.Load(path);
            if (program != null)
            {
                programs++;
                sweep.Program(program);
            }
        }

        output.WriteLine($"{programs} programs, {sweep.Units} units, {sweep.Instructions} instructions, {sweep.Compared} compared");
        Assert.True(programs > 50, $"{programs} programs in out/guest/i386: run make guests");
        AssertKept(sweep.Problems);
        Assert.True(sweep.Compared > 1_000_000);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Random_bytes_keep_the_rules(int seed)
    {
        using Sweep sweep = new();
        Random random = new(seed);
        using GuestMemory memory = new(Base, 4096);
        for (int round = 0; round < 300; round++)
        {
            random.NextBytes(memory.At(Base));
            for (int at = 0; at < 4096; at += random.Next(1, 60))
            {
                sweep.At(memory, Base + (uint)at, UnitOptions.All[random.Next(UnitOptions.All.Length)]);
            }
        }

        AssertThorough(sweep);
    }

    /// <summary>Opcodes that random bytes seldom put together: every prefix and map before random rest, and short jumps that stay inside.</summary>
    [Theory]
    [InlineData(5)]
    [InlineData(6)]
    public void Likely_instructions_keep_the_rules(int seed)
    {
        byte[][] starts = [[0x0F], [0x0F, 0x38], [0x0F, 0x3A], [0x66], [0x66, 0x0F], [0xF3, 0x0F], [0xF2, 0x0F], [0x67], [0xF0], [0x64], [0x65], [0xC5], [0xC4, 0xE2],
            [0x83, 0xEC], [0x8B, 0x44, 0x24], [0x74], [0x75], [0xEB], [0xE8], [0x50], [0x58], [0x9C], [0x9D], [0xC9], [0x8A, 0x64, 0x24], [0x02], [0xD9], [0xDD], []];
        using Sweep sweep = new();
        Random random = new(seed);
        using GuestMemory memory = new(Base, 4096);
        for (int round = 0; round < 400; round++)
        {
            Span<byte> bytes = memory.At(Base);
            random.NextBytes(bytes);
            for (int at = 0; at + 16 < bytes.Length;)
            {
                byte[] start = starts[random.Next(starts.Length)];
                start.CopyTo(bytes[at..]);
                at += start.Length;
                if (start.Length == 1 && start[0] is 0x74 or 0x75 or 0xEB)
                {
                    bytes[at] = (byte)random.Next(-40, 40);
                }
                else if (start.Length == 1 && start[0] == 0xE8)
                {
                    BitConverter.TryWriteBytes(bytes[at..], random.Next(-3000, 3000));
                    at += 3;
                }

                at += random.Next(1, 5);
            }

            for (int at = 0; at < 4096; at += random.Next(1, 60))
            {
                sweep.At(memory, Base + (uint)at, UnitOptions.All[random.Next(UnitOptions.All.Length)]);
            }
        }

        AssertThorough(sweep);
    }

    /// <summary>Nothing is fetched from behind the end, wherever the end cuts: the page there may not be touched.</summary>
    [Theory]
    [InlineData(0x08049000u)]
    [InlineData(0xFFFFD000u)]
    public void Units_end_where_fetching_does(uint start)
    {
        using TranslationRun run = new();
        using GuestMemory memory = new(start, 4096);
        Random random = new((int)(start >> 12));
        UnitChecker checker = new();
        for (int round = 0; round < 3000; round++)
        {
            int length = random.Next(1, 40);
            uint pc = (uint)(memory.End - (ulong)length);
            random.NextBytes(memory.At(pc));
            Translation? unit = run.Translate(memory, pc, UnitOptions.All[round % UnitOptions.All.Length]);
            if (unit != null)
            {
                Assert.True(unit.Guest.Length <= length);
                AssertKept(checker.Check(unit), Convert.ToHexString(unit.Guest));
            }

            // The same bytes with the end drawn nearer: what does not fit is not translated.
            ulong end = pc + (ulong)random.Next(0, length);
            unit = run.Translate(memory, pc, UnitOptions.Plain, end);
            Assert.True(unit == null || pc + (ulong)unit.Guest.Length <= end);
        }
    }

    [Fact]
    public void The_longest_units_fit_into_their_buffers()
    {
        using TranslationRun run = new();
        using GuestMemory memory = new(Base, 8192);
        UnitChecker checker = new();

        // Each expands to the most that its kind can: pusha, 66h pusha, gather-free segment forms, xchg with a high byte, calls.
        foreach (string repeated in new[] { "60", "6660", "61", "6564FF3485785634129090", "64c7848578563412efcdab89", "64016c85f0", "86642404", "f0640fb0a48578563412", "0fb0642404", "e8fbffffff", "ffd0", "9d", "ff742404", "8f442404", "40cd80" })
        {
            byte[] bytes = Convert.FromHexString(repeated);
            Span<byte> code = memory.At(Base);
            for (int i = 0; i < code.Length; i++)
            {
                code[i] = bytes[i % bytes.Length];
            }

            foreach (UnitOptions options in UnitOptions.All)
            {
                Translation? unit = run.Translate(memory, Base, options);
                Assert.NotNull(unit);
                AssertKept(checker.Check(unit), Convert.ToHexString(unit.Guest));
            }
        }
    }

    private static void AssertKept(IReadOnlyList<string> problems, string context = "") =>
        Assert.True(problems.Count == 0, string.Join('\n', problems.Append(context)));

    private void AssertThorough(Sweep sweep)
    {
        output.WriteLine($"{sweep.Units} units, {sweep.Instructions} instructions, {sweep.Compared} compared");
        AssertKept(sweep.Problems);
        Assert.True(sweep.Units > 10_000);
    }

    /// <summary>Translates and checks, twice, with different leftovers in the buffers.</summary>
    private sealed class Sweep : IDisposable
    {
        private readonly TranslationRun _run = new();
        private readonly UnitChecker _checker = new();
        private readonly HashSet<int> _seen = [];

        internal List<string> Problems { get; } = [];

        internal int Units { get; private set; }

        internal long Instructions { get; private set; }

        internal long Compared => _checker.Compared;

        public void Dispose() => _run.Dispose();

        /// <summary>All of a program's code in a row; units that another program had, too, are translated but not checked again.</summary>
        internal void Program(GuestProgram program)
        {
            uint pc = program.Code.Start;
            ulong end = program.Code.Start + (ulong)program.Length;
            while (pc < end && Problems.Count < MaxReports)
            {
                Translation? unit = At(program.Code, pc, UnitOptions.Plain, onlyNew: true);
                pc += unit == null ? 1 : (uint)unit.Guest.Length;
            }
        }

        internal Translation? At(GuestMemory memory, uint pc, UnitOptions options, bool onlyNew = false)
        {
            Translation? unit = _run.Translate(memory, pc, options, fill: 0xCC);
            if (unit == null || Problems.Count >= MaxReports)
            {
                return unit;
            }

            HashCode hash = default;
            hash.AddBytes(unit.Guest);
            if (onlyNew && !_seen.Add(hash.ToHashCode()))
            {
                return unit;
            }

            Units++;
            Instructions += unit.Instructions;
            Translation? again = _run.Translate(memory, pc, options, fill: 0x00);
            if (again == null || !unit.SameAs(again))
            {
                Problems.Add($"unit {pc:x8}: another translation the second time");
            }

            Problems.AddRange(_checker.Check(unit).Select(p => $"{p} [{Convert.ToHexString(unit.Guest)}]"));
            return unit;
        }
    }
}
