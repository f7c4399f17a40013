using System;
using System.Collections.Generic;
using System.Linq;
using System.Runtime.Versioning;
using Lodge.Translator.X64;
using Xunit;
using Xunit.Abstractions;

namespace Lodge.TranslatorTests;

/// <summary>The checks can fail: units with a fault put in are found.</summary>
[SupportedOSPlatform("linux")]
public sealed class SeededFaultTests(ITestOutputHelper output)
{
    private const uint Base = 0x08049000;

    // push ebp; mov ebp,esp; push ebx; mov eax,[esp+12]; add eax,[ebx+ecx*4+8]; cmp eax,5; jne +2; inc ecx; dec edx; mov [ebp-4],ecx;
    // call 8050000; je +1; nop; movaps xmm1,[esi]; ret
    private const string Code = "55 89e5 53 8b44240c 03448b08 83f805 7502 41 4a 894dfc e8de6f0000 7401 90 0f280e c3";

    private static Translation Unit()
    {
        using TranslationRun run = new();
        using GuestMemory memory = new(Base, 4096);
        byte[] guest = Convert.FromHexString(Code.Replace(" ", "", StringComparison.Ordinal));
        guest.CopyTo(memory.At(Base));
        Translation? unit = run.Translate(memory, Base, UnitOptions.Plain, Base + (ulong)guest.Length);
        Assert.NotNull(unit);
        Assert.Empty(new UnitChecker().Check(unit));
        return unit;
    }

    private static bool Found(Translation unit)
    {
        try
        {
            return new UnitChecker().Check(unit).Count != 0;
        }
        catch (Exception e) when (e is ArgumentException or IndexOutOfRangeException)
        {
            return true;
        }
    }

    /// <summary>Finds the host bytes of an instruction and changes one of them.</summary>
    private static Translation Replace(Translation unit, string hex, int index, byte value)
    {
        byte[] pattern = Convert.FromHexString(hex);
        int at = unit.Host.AsSpan().IndexOf(pattern);
        Assert.True(at >= 0, $"{hex} is not in {Convert.ToHexString(unit.Host)}");
        byte[] host = [.. unit.Host];
        host[at + index] = value;
        return unit with { Host = host };
    }

    [Theory]
    [InlineData("6703448B08", 2, 0x4C)] // add eax,… as add ecx,…
    [InlineData("6703448B08", 0, 0x90)] // without the 32-bit address
    [InlineData("6703448B08", 4, 0x0C)] // another displacement
    [InlineData("83F805", 2, 6)]        // another immediate
    [InlineData("83F805", 1, 0xE8)]     // sub for cmp
    [InlineData("0F280E", 1, 0x10)]     // movups for movaps
    [InlineData("FFC1", 1, 0xC9)]       // dec for inc
    public void A_wrong_copy_is_found(string hex, int index, byte value) => Assert.True(Found(Replace(Unit(), hex, index, value)));

    [Fact]
    public void A_wrong_stack_delta_is_found()
    {
        Translation unit = Unit();
        Boundary[] boundaries = [.. unit.Boundaries];
        int at = Array.FindIndex(boundaries, b => b.EspDelta != 0 && b.GuestOffset == 4);
        boundaries[at].EspDelta += 4;
        Assert.True(Found(unit with { Boundaries = boundaries }));
    }

    [Fact]
    public void Side_tables_out_of_order_or_off_an_instruction_are_found()
    {
        Translation unit = Unit();
        Assert.True(Found(unit with { Boundaries = [.. unit.Boundaries.Reverse()] }));
        Boundary[] boundaries = [.. unit.Boundaries];
        boundaries[2].HostOffset++;
        Assert.True(Found(unit with { Boundaries = boundaries }));
        boundaries = [.. unit.Boundaries];
        boundaries[Array.FindIndex(boundaries, b => b.GuestOffset == 4)].GuestOffset++;
        Assert.True(Found(unit with { Boundaries = boundaries }));
    }

    [Fact]
    public void A_stack_pointer_moved_without_a_side_table_entry_is_found()
    {
        Translation unit = Unit();
        bool any = false;
        for (int i = 1; i < unit.Boundaries.Length; i++)
        {
            if (unit.Boundaries[i - 1].EspDelta != 0 && unit.Boundaries[i].EspDelta == 0 && unit.Boundaries[i].Kind == BoundaryKind.Normal
                && unit.Boundaries[i].GuestOffset == unit.Boundaries[i - 1].GuestOffset)
            {
                any = true;
                Assert.True(Found(unit with { Boundaries = [.. unit.Boundaries.Where((_, index) => index != i)] }));
            }
        }

        Assert.True(any);
    }

    [Fact]
    public void A_wrong_exit_is_found()
    {
        Translation unit = Unit();
        UnitExit[] exits = [.. unit.Exits];
        exits[0].StubOffset += 2;
        Assert.True(Found(unit with { Exits = exits }));
        exits = [.. unit.Exits];
        exits[0].PatchOffset += 1;
        Assert.True(Found(unit with { Exits = exits }));
    }

    [Theory]
    [InlineData("4D31E4")] // xor r12,r12
    [InlineData("4154")]   // push r12 is harmless, pop r14 not: see below
    [InlineData("415E")]   // pop r14
    [InlineData("4883EC08")] // sub rsp,8
    [InlineData("8EE8")]   // mov gs,eax
    [InlineData("0F05")]   // syscall
    [InlineData("CD80")]   // int 80h
    [InlineData("FFE0")]   // jmp rax
    [InlineData("31C9")]   // flags written between cmp and jne
    public void A_forbidden_instruction_is_found(string hex)
    {
        byte[] added = Convert.FromHexString(hex);
        Translation unit = Unit();

        // Before the first instruction, everything behind moved along.
        Boundary[] boundaries = [.. unit.Boundaries];
        for (int i = 1; i < boundaries.Length; i++)
        {
            boundaries[i].HostOffset += (ushort)added.Length;
        }

        Translation worse = unit with
        {
            Host = [.. added, .. unit.Host], Boundaries = boundaries, Options = unit.Options with { HostOffset = unit.HostOffset - added.Length },
            Exits = [.. unit.Exits.Select(e => e with { PatchOffset = e.PatchOffset + added.Length, StubOffset = e.StubOffset + added.Length })],
            Landings = [.. unit.Landings.Select(l => l < 0 ? ~(~l + added.Length) : l + added.Length)],
            Entries = [.. unit.Entries.Select(e => e with { HostOffset = e.HostOffset + added.Length })],
        };
        Assert.Equal(hex != "4154", Found(worse));
    }

    /// <summary>Every bit of the unit, turned over alone. Those that are not found lie in the translator's own moves, which golden code shows.</summary>
    [Fact]
    public void Most_flipped_bits_are_found()
    {
        Translation unit = Unit();
        int found = 0;
        List<string> missed = [];
        for (int bit = 0; bit < unit.Host.Length * 8; bit++)
        {
            byte[] host = [.. unit.Host];
            host[bit / 8] ^= (byte)(1 << (bit % 8));
            if (Found(unit with { Host = host }))
            {
                found++;
            }
            else
            {
                missed.Add($"{bit / 8:x}.{bit % 8}");
            }
        }

        output.WriteLine($"{found} of {unit.Host.Length * 8} found; not {string.Join(' ', missed)}");
        Assert.True(found * 100 >= unit.Host.Length * 8 * 65, $"{found} of {unit.Host.Length * 8}");
    }
}
