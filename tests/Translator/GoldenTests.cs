using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Runtime.Versioning;
using System.Text;
using Iced.Intel;
using Lodge.Translator.X64;
using Xunit;
using Decoder = Iced.Intel.Decoder;

namespace Lodge.TranslatorTests;

/// <summary>
/// Host code of common instructions, as it should be: golden/*.txt. A file is a list of cases:
/// <code>
///   case NAME
///   guest HEX               the guest's bytes, at 08049000
///   with segmented checked single   options, when there are any
///   | …                     what they are, and what they become: compared, and written anew when LODGE_UPDATE_GOLDEN=1
/// </code>
/// A change of the emitter shows as a difference of these files.
/// </summary>
[SupportedOSPlatform("linux")]
public sealed class GoldenTests
{
    private const uint Base = 0x08049000;

    public static TheoryData<string> Files()
    {
        TheoryData<string> files = [];
        foreach (string path in Directory.EnumerateFiles(Folder, "*.txt").Order(StringComparer.Ordinal))
        {
            files.Add(Path.GetFileName(path));
        }

        return files;
    }

    private static string Folder { get; } = Path.Combine(Repository.Root, "tests/Translator/golden");

    [Theory]
    [MemberData(nameof(Files))]
    public void Host_code_is_as_recorded(string file)
    {
        string path = Path.Combine(Folder, file);
        string recorded = File.ReadAllText(path);
        string actual = Render(File.ReadAllLines(path), out int cases);
        Assert.True(cases > 0);
        if (Environment.GetEnvironmentVariable("LODGE_UPDATE_GOLDEN") == "1")
        {
            File.WriteAllText(path, actual);
            return;
        }

        Assert.Equal(recorded, actual);
    }

    [Fact]
    public void Every_family_has_a_file() => Assert.True(Files().Count >= 8);

    /// <summary>The file with its results written anew. Every unit must keep the rules, too.</summary>
    private static string Render(string[] lines, out int cases)
    {
        using TranslationRun run = new();
        UnitChecker checker = new();
        StringBuilder text = new();
        cases = 0;
        byte[]? guest = null;
        UnitOptions options = UnitOptions.Plain;
        foreach (string line in lines.Append(""))
        {
            if (line.StartsWith("| ", StringComparison.Ordinal))
            {
                continue;
            }

            if (guest != null && !line.StartsWith("with ", StringComparison.Ordinal))
            {
                using GuestMemory memory = new(Base, 4096);
                guest.CopyTo(memory.At(Base));
                Translation unit = run.Translate(memory, Base, options, Base + (ulong)guest.Length) ?? throw new InvalidDataException(Convert.ToHexString(guest));
                IReadOnlyList<string> problems = checker.Check(unit);
                Assert.True(problems.Count == 0, string.Join('\n', problems));

                // Near the end of what may be fetched the decoder goes another way than with bytes enough behind.
                Translation amid = run.Translate(memory, Base, options with { MaxInstructions = unit.Instructions })!;
                Assert.True(unit.SameAs(amid), $"{Convert.ToHexString(unit.Host)} {Convert.ToHexString(amid.Host)} {Convert.ToHexString(guest)}");
                UnitText.Append(text, unit);
                guest = null;
                cases++;
            }

            if (line.StartsWith("guest ", StringComparison.Ordinal))
            {
                guest = Convert.FromHexString(line["guest ".Length..].Replace(" ", "", StringComparison.Ordinal));
                options = UnitOptions.Plain;
            }
            else if (line.StartsWith("with ", StringComparison.Ordinal))
            {
                string[] words = line.Split(' ');
                options = options with
                {
                    Segmented = words.Contains("segmented"), Checked = words.Contains("checked"),
                    MaxInstructions = words.Contains("single") ? 1 : options.MaxInstructions,
                };
            }

            text.Append(line).Append('\n');
        }

        return text.ToString().TrimEnd('\n') + "\n";
    }

    /// <summary>A unit as text: guest instructions, then host instructions under the side table entries that they belong to.</summary>
    private static class UnitText
    {
        internal static void Append(StringBuilder text, Translation unit)
        {
            NasmFormatter formatter = new(new Symbols(unit));
            formatter.Options.HexPrefix = "0x";
            formatter.Options.HexSuffix = null;
            formatter.Options.UppercaseHex = false;
            formatter.Options.BranchLeadingZeros = false;
            formatter.Options.SpaceAfterOperandSeparator = true;
            formatter.Options.ShowBranchSize = false;
            StringOutput output = new();
            NasmFormatter plain = new(formatter.Options, null);
            Decoder guest = Decoder.Create(32, new ByteArrayCodeReader(unit.Guest));
            guest.IP = unit.Pc;
            text.Append(CultureInfo.InvariantCulture, $"| guest {unit.Guest.Length} bytes:");
            for (string separator = " "; guest.IP < unit.Pc + (ulong)unit.Guest.Length; separator = "; ")
            {
                guest.Decode(out Instruction i);
                plain.Format(i, output);
                text.Append(separator).Append(output.ToStringAndReset());
            }

            text.Append(CultureInfo.InvariantCulture, $"\n| host {unit.Host.Length} bytes\n");
            Decoder host = Decoder.Create(64, new ByteArrayCodeReader(unit.Host));
            host.IP = (ulong)unit.HostOffset;
            int entry = 0;
            for (int at = 0; at < unit.Host.Length; at = (int)host.IP - unit.HostOffset)
            {
                for (; entry < unit.Boundaries.Length && unit.Boundaries[entry].HostOffset <= at; entry++)
                {
                    AppendState(text, unit.Boundaries[entry]);
                }

                host.Decode(out Instruction i);
                formatter.Format(i, output);
                text.Append(CultureInfo.InvariantCulture, $"|   {at:x4}  {output.ToStringAndReset()}\n");
            }

            foreach (UnitEntry e in unit.Entries)
            {
                text.Append(CultureInfo.InvariantCulture, $"| entry +{e.Address - unit.Pc:x} at {e.HostOffset:x4}\n");
            }

            foreach (UnitExit e in unit.Exits)
            {
                text.Append(CultureInfo.InvariantCulture, $"| exit {(e.Kind == UnitExitKind.Call ? "call" : "jump")} {e.Target:x8} patched at {e.PatchOffset:x4}\n");
            }
        }

        private static void AppendState(StringBuilder text, Boundary b)
        {
            string esp = b.EspDelta == 0 ? "esp = r15d" : string.Create(CultureInfo.InvariantCulture, $"esp = r15d{b.EspDelta:+0;-0}");
            string state = b.Kind switch
            {
                BoundaryKind.Leaving => "leaving",
                BoundaryKind.TargetInR8 => "eip = r8d, " + esp,
                BoundaryKind.TargetInR8RcxInR9 => "eip = r8d, ecx = r9d, " + esp,
                BoundaryKind.EbpInR8 => string.Create(CultureInfo.InvariantCulture, $"eip +{b.GuestOffset:x}, {esp}, ebp = r8d"),
                BoundaryKind.Pushed => string.Create(CultureInfo.InvariantCulture, $"eip +{b.GuestOffset:x}, {esp}, one word on the return stack"),
                BoundaryKind.SwappedBytes => string.Create(CultureInfo.InvariantCulture, $"eip +{b.GuestOffset:x}, {esp}, {"acdb"[b.Register]}l and {"acdb"[b.Register]}h exchanged"),
                _ => string.Create(CultureInfo.InvariantCulture, $"eip +{b.GuestOffset:x}, {esp}"),
            };
            text.Append("|  ").Append(state).Append('\n');
        }
    }

    /// <summary>Names of the stubs, and offsets inside the unit.</summary>
    private sealed class Symbols(Translation unit) : ISymbolResolver
    {
        public bool TryGetSymbol(in Instruction instruction, int operand, int instructionOperand, ulong address, int addressSize, out SymbolResult symbol)
        {
            EmitLayout l = TranslationRun.Layout;
            string? name = null;
            if (instruction.IsJccShortOrNear || instruction.IsJmpShortOrNear || instruction.IsCallNear || instruction.IsJcxShort || instruction.IsLoop || instruction.IsLoopcc)
            {
                int offset = (int)address;
                name = offset == l.LinkExit ? "link_exit" : offset == l.IndirectJump ? "indirect_jump" : offset == l.SyscallExit ? "syscall_exit"
                    : offset == l.EmulateExit ? "emulate_exit" : offset == l.X87Exit ? "x87_exit"
                    : string.Create(CultureInfo.InvariantCulture, $"{offset - unit.HostOffset:x4}");
            }

            symbol = name == null ? default : new SymbolResult(address, name);
            return name != null;
        }
    }
}
