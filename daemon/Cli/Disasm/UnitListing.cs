using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text.Json.Nodes;
using Iced.Intel;
using Lodge.Translator.X64;
using Decoder = Iced.Intel.Decoder;

namespace Lodge.Cli.Disasm;

/// <summary>
/// A unit's guest instructions beside the host instructions made of them. Host code comes in its own order: what is rarely executed lies at
/// the end, under the guest instruction that it belongs to.
/// </summary>
internal sealed class UnitListing
{
    private readonly TranslatedUnit _unit;
    private readonly List<Part> _parts = [];

    /// <summary>A guest instruction (the first time it comes) or its address (again), and host instructions.</summary>
    private sealed record Part(uint Address, string Guest, bool Again, List<(int Offset, string Text)> Host);

    /// <summary>Disassembles both sides.</summary>
    public UnitListing(TranslatedUnit unit, IReadOnlyDictionary<uint, string> symbols)
    {
        _unit = unit;
        SortedDictionary<int, string> guest = Guest(symbols);
        HashSet<int> shown = [];
        Formatter formatter = Style(new NasmFormatter(new HostNames()));
        StringOutput text = new();
        Decoder host = Decoder.Create(64, new ByteArrayCodeReader(unit.Host));
        host.IP = TranslatedUnit.HostOffset;
        int entry = 0, last = -1;
        for (int at = 0; at < unit.Host.Length; at = (int)(host.IP - TranslatedUnit.HostOffset))
        {
            for (; entry < unit.Boundaries.Length && unit.Boundaries[entry].HostOffset <= at; entry++)
            {
                if (unit.Boundaries[entry].Kind != BoundaryKind.Leaving && unit.Boundaries[entry].GuestOffset != last)
                {
                    last = unit.Boundaries[entry].GuestOffset;
                    Begin(last);
                }
            }

            host.Decode(out Instruction instruction);
            formatter.Format(instruction, text);
            if (_parts.Count == 0)
            {
                Begin(0);
            }

            _parts[^1].Host.Add((at, text.ToStringAndReset()));
        }

        // Instructions that became part of others' host code, or of none.
        Begin(unit.Guest.Length);

        void Begin(int offset)
        {
            foreach (int before in guest.Keys.Where(key => key < offset && !shown.Contains(key)).ToArray())
            {
                Add(before);
            }

            if (guest.ContainsKey(offset))
            {
                Add(offset);
            }
        }

        void Add(int offset) => _parts.Add(new Part(unit.Pc + (uint)offset, guest[offset], !shown.Add(offset), []));
    }

    /// <summary>Lines of two columns.</summary>
    public IEnumerable<string> Lines()
    {
        yield return string.Create(CultureInfo.InvariantCulture,
            $"unit {_unit.Pc:x8}: {_unit.Guest.Length} guest bytes, {_unit.Host.Length} host bytes");
        int width = Math.Max(_parts.Max(part => part.Guest.Length), 24);
        foreach (Part part in _parts)
        {
            string left = string.Create(CultureInfo.InvariantCulture, $"{part.Address:x8}  {(part.Again ? "\"" : part.Guest).PadRight(width)}");
            if (part.Host.Count == 0)
            {
                yield return left.TrimEnd();
            }

            foreach ((int offset, string text) in part.Host)
            {
                yield return string.Create(CultureInfo.InvariantCulture, $"{left}  | {offset:x4}  {text}");
                left = new string(' ', left.Length);
            }
        }

        foreach (UnitExit exit in _unit.Exits)
        {
            yield return string.Create(CultureInfo.InvariantCulture,
                $"exit {(exit.Kind == UnitExitKind.Call ? "call" : "jump")} to {exit.Target:x8}, linked at {exit.PatchOffset:x4}");
        }
    }

    /// <summary>The same as JSON.</summary>
    public JsonObject Json() => new()
    {
        ["address"] = _unit.Pc,
        ["guestBytes"] = _unit.Guest.Length,
        ["hostBytes"] = _unit.Host.Length,
        ["parts"] = new JsonArray([.. _parts.Select(part => (JsonNode)new JsonObject
        {
            ["address"] = part.Address,
            ["guest"] = part.Guest,
            ["again"] = part.Again,
            ["host"] = new JsonArray([.. part.Host.Select(line => (JsonNode)new JsonObject { ["offset"] = line.Offset, ["text"] = line.Text })]),
        })]),
        ["exits"] = new JsonArray([.. _unit.Exits.Select(exit => (JsonNode)new JsonObject
        {
            ["kind"] = exit.Kind == UnitExitKind.Call ? "call" : "jump",
            ["target"] = exit.Target,
            ["patchOffset"] = exit.PatchOffset,
        })]),
    };

    private SortedDictionary<int, string> Guest(IReadOnlyDictionary<uint, string> symbols)
    {
        SortedDictionary<int, string> lines = [];
        Formatter formatter = Style(new NasmFormatter(new GuestNames(symbols)));
        StringOutput text = new();
        Decoder decoder = Decoder.Create(32, new ByteArrayCodeReader(_unit.Guest));
        decoder.IP = _unit.Pc;
        while (decoder.IP < _unit.Pc + (ulong)_unit.Guest.Length)
        {
            int offset = (int)(decoder.IP - _unit.Pc);
            decoder.Decode(out Instruction instruction);
            formatter.Format(instruction, text);
            lines.Add(offset, text.ToStringAndReset());
        }

        return lines;
    }

    private static Formatter Style(Formatter formatter)
    {
        formatter.Options.HexPrefix = "0x";
        formatter.Options.HexSuffix = null;
        formatter.Options.UppercaseHex = false;
        formatter.Options.BranchLeadingZeros = false;
        formatter.Options.SpaceAfterOperandSeparator = true;
        formatter.Options.ShowBranchSize = false;
        return formatter;
    }

    private static bool IsBranch(in Instruction instruction)
        => instruction.IsJccShortOrNear || instruction.IsJmpShortOrNear || instruction.IsCallNear || instruction.IsJcxShort || instruction.IsLoop
            || instruction.IsLoopcc;

    private sealed class GuestNames(IReadOnlyDictionary<uint, string> symbols) : ISymbolResolver
    {
        public bool TryGetSymbol(in Instruction instruction, int operand, int instructionOperand, ulong address, int addressSize,
            out SymbolResult symbol)
        {
            bool known = symbols.TryGetValue((uint)address, out string? name) && IsBranch(instruction);
            symbol = known ? new SymbolResult(address, name!) : default;
            return known;
        }
    }

    /// <summary>Names of the stubs, and offsets inside the unit.</summary>
    private sealed class HostNames : ISymbolResolver
    {
        public bool TryGetSymbol(in Instruction instruction, int operand, int instructionOperand, ulong address, int addressSize,
            out SymbolResult symbol)
        {
            EmitLayout layout = TranslatedUnit.Layout;
            int target = (int)address;
            string? name = !IsBranch(instruction) ? null
                : target == layout.LinkExit ? "link_exit" : target == layout.IndirectJump ? "indirect_jump" : target == layout.SyscallExit
                    ? "syscall_exit"
                : target == layout.EmulateExit ? "emulate_exit" : target == layout.X87Exit ? "x87_exit"
                : (target - TranslatedUnit.HostOffset).ToString("x4", CultureInfo.InvariantCulture);
            symbol = name == null ? default : new SymbolResult(address, name);
            return name != null;
        }
    }
}
