using System;
using System.Collections.Generic;
using System.Linq;
using System.Runtime.Versioning;
using Lodge.Translator.X64;
using Xunit;

namespace Lodge.TranslatorTests;

/// <summary>Jumps through tables: when the translator asks for a table's shadow, how it uses it, and that nobody gets behind the proof.</summary>
[SupportedOSPlatform("linux")]
public sealed unsafe class JumpTableTests
{
    private const uint Base = 0x08049000, Table = 0x08100100;
    private const int Shadow = 0x30000;

    [ThreadStatic]
    private static List<(uint Table, int Count)>? s_asked;

    private static int Ask(void* context, uint table, int count)
    {
        s_asked!.Add((table, count));
        return table == Table ? Shadow : 0;
    }

    private static Translation Translate(string hex, UnitOptions options, bool withTables = true)
    {
        s_asked = [];
        using TranslationRun run = new();
        using GuestMemory memory = new(Base, 4096);
        byte[] guest = Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));
        guest.CopyTo(memory.At(Base));
        run.JumpTable = withTables ? &Ask : null;
        Translation unit = run.Translate(memory, Base, options, Base + (ulong)guest.Length)!;
        Assert.Empty(new UnitChecker().Check(unit));
        return unit;
    }

    // T stands for the table's address.
    private static string Code(string text, uint table = Table) =>
        text.Replace("T", Convert.ToHexString(BitConverter.GetBytes(table)), StringComparison.Ordinal);

    [Theory]
    [InlineData("83f804 777f ff2485T", 5, 3)]                 // cmp eax,4; ja; jmp [eax*4+T]
    [InlineData("83f904 737f ff248dT", 4, 3)]                 // cmp ecx,4; jae; jmp [ecx*4+T]
    [InlineData("3d04010000 0f8700010000 ff2485T", 261, 5)]   // cmp eax,260; ja near
    [InlineData("83f804 777f 89c1 8b0485T ffe0", 5, 3)]       // mov ecx,eax; mov eax,[eax*4+T]; jmp eax
    [InlineData("0fb6c0 ff2485T", 256, 3)]                    // movzx eax,al
    [InlineData("0fb64304 8b1485T ffe2", 256, 4)]             // movzx eax,byte [ebx+4]
    [InlineData("3c07 777f 0fb6c0 ff2485T", 8, 2)]            // cmp al,7; ja; movzx eax,al
    [InlineData("663d0700 777f 0fb7c0 ff2485T", 8, 4)]        // cmp ax,7; ja; movzx eax,ax
    [InlineData("81fe07000000 777f 8d5001 ff24b5T", 8, 6)]    // cmp esi,7; ja; lea edx,[eax+1]
    public void A_bounded_index_asks_for_the_shadow(string hex, int count, int proof)
    {
        Translation unit = Translate(Code(hex), UnitOptions.Plain);
        Assert.Equal([(Table, count)], s_asked);
        Assert.Equal((Table, (uint)count * 4), (unit.Table, unit.TableLength));

        // mov r9d, [r12+index*4+shadow]; lea r9, [r12+r9]; jmp r9; no look at the target table.
        byte[] tail = [0x4F, 0x8D, 0x0C, 0x0C, 0x41, 0xFF, 0xE1];
        byte[] load = [0x45, 0x8B, 0x8C];
        Assert.True(unit.Host.AsSpan().IndexOf(tail) >= 0);
        int at = unit.Host.AsSpan().IndexOf(load);
        Assert.True(at >= 0);
        Assert.Equal(Shadow, BitConverter.ToInt32(unit.Host, at + 4));
        byte[] lookup = [0x47, 0x8B, 0x4C, 0x85];
        Assert.True(unit.Host.AsSpan().IndexOf(lookup) < 0);

        // Everything behind the proof is sealed, nothing before it.
        Assert.Contains(unit.Boundaries, b => b.GuestOffset == proof);
        foreach (Boundary b in unit.Boundaries.Where(b => b.Kind == BoundaryKind.Normal))
        {
            Assert.Equal(b.GuestOffset >= proof, b.Register == Boundary.Sealed);
        }
    }

    [Theory]
    [InlineData("ff2485T")]                                   // nothing before
    [InlineData("83f804 7f7f ff2485T")]                       // jg
    [InlineData("83f804 767f ff2485T")]                       // jbe: larger ones go on
    [InlineData("83f9ff 777f ff248dT")]                       // a negative constant
    [InlineData("83f904 777f ff2485T")]                       // another register compared
    [InlineData("3c07 777f ff2485T")]                         // only AL compared
    [InlineData("6683f807 777f ff2485T")]                     // only AX compared
    [InlineData("80fc07 777f 0fb6c4 ff2485T")]                // AH: bounded by the extension from a byte, but not by that comparison
    [InlineData("83f804 777f 0fb7c0 ff2485T")]                // a word of what was compared whole: not looked at
    [InlineData("83f804 777f 8b00 ff2485T")]                  // index loaded anew
    [InlineData("83f804 777f 01c8 ff2485T")]                  // index changed
    [InlineData("83f804 4190 777f ff2485T")]                  // something between comparison and branch
    [InlineData("83f804 7702 7500 ff2485T")]                  // the branch leads to the jump's own way: a join
    [InlineData("3d00100000 777f ff2485T")]                   // too many
    [InlineData("83f804 777f 3eff2445T")]                     // scale 2
    [InlineData("83f804 777f 64ff2485T")]                     // FS
    [InlineData("83f804 777f 8b0485T ffe1")]                  // jumps to another register
    public void An_unbounded_index_does_not(string hex)
    {
        Translation unit = Translate(Code(hex), UnitOptions.Plain);
        if (hex.StartsWith("80fc", StringComparison.Ordinal))
        {
            Assert.Equal([(Table, 256)], s_asked);
            return;
        }

        Assert.Empty(s_asked!);
        Assert.Equal(0u, unit.Table);
        Assert.DoesNotContain(unit.Boundaries, b => b.Kind == BoundaryKind.Normal && b.Register != 0);
    }

    [Fact]
    public void Tables_over_a_page_end_checked_units_and_refusals_take_the_ordinary_way()
    {
        const string Switch = "83f804 777f ff2485T";
        _ = Translate(Code(Switch, 0x08100FF0), UnitOptions.Plain);
        Assert.Empty(s_asked!);
        _ = Translate(Code(Switch), UnitOptions.Plain with { Checked = true });
        Assert.Empty(s_asked!);
        _ = Translate(Code(Switch), UnitOptions.Plain with { Segmented = true });
        Assert.Empty(s_asked!);
        Translation refused = Translate(Code(Switch, 0x08100200), UnitOptions.Plain);
        Assert.Single(s_asked!);
        Assert.Equal(0u, refused.Table);
        Translation without = Translate(Code(Switch), UnitOptions.Plain, withTables: false);
        Assert.Equal(without.Host.Length, refused.Host.Length);
        Assert.DoesNotContain(refused.Boundaries, b => b.Kind == BoundaryKind.Normal && b.Register != 0);
    }
}
