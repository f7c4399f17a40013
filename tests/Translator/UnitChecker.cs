using System.Collections.Generic;
using System.Runtime.Versioning;
using Iced.Intel;
using Lodge.Translator.I386;
using Lodge.Translator.X64;

namespace Lodge.TranslatorTests;

/// <summary>
/// The rules that every translated unit keeps, checked on its bytes with Iced, which shares no code with the translator:
/// shape (this file), meaning of copied instructions (<c>UnitChecker.Meaning.cs</c>), flags (<c>UnitChecker.Flags.cs</c>).
/// One instance checks units one after the other; not thread-safe.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed partial class UnitChecker
{
    private readonly InstructionInfoFactory _info = new();
    private readonly List<string> _problems = [];
    private readonly List<HostInstruction> _host = [];
    private readonly List<GuestInstruction> _guest = [];
    private readonly Dictionary<int, int> _hostAt = [];
    private readonly Dictionary<int, int> _guestAt = [];
    private Translation _unit = null!;

    /// <summary>A host instruction, and the side table entry that it lies under.</summary>
    private readonly record struct HostInstruction(int Offset, Instruction Iced, Boundary Boundary);

    /// <summary>A guest instruction; Iced's view is invalid where only our decoder knows it (as #UD).</summary>
    private readonly record struct GuestInstruction(int Offset, Instruction Iced, I386Class Class);

    /// <summary>Host instructions compared with guest instructions so far.</summary>
    internal long Compared { get; private set; }

    /// <summary>What is wrong with the unit; empty when nothing is.</summary>
    internal IReadOnlyList<string> Check(Translation unit)
    {
        _unit = unit;
        _problems.Clear();
        DecodeGuest();
        if (DecodeHost())
        {
            CheckBoundaries();
            CheckExits();
            CheckEntries();
            foreach (HostInstruction h in _host)
            {
                CheckBranch(h);
                CheckRegisters(h);
            }

            CheckMeaning();
        }

        return _problems;
    }

    private void Report(int hostOffset, string what) => _problems.Add($"unit {_unit.Pc:x8} +{hostOffset:x4}: {what}");

    private unsafe void DecodeGuest()
    {
        _guest.Clear();
        _guestAt.Clear();
        byte[] bytes = _unit.Guest;
        fixed (byte* start = bytes)
        {
            for (int at = 0; at < bytes.Length;)
            {
                int length = I386Decoder.Decode(start + at, bytes.Length - at, _unit.Pc + (uint)at, out I386Insn insn);
                I386Class c = length < 0 ? I386Class.Invalid : I386Table.Class(insn.Row);
                int step = length < 0 ? bytes.Length - at : insn.Length == 0 ? 1 : insn.Length;
                Decoder decoder = Decoder.Create(32, new ByteArrayCodeReader(bytes, at, step));
                decoder.IP = _unit.Pc + (uint)at;
                decoder.Decode(out Instruction iced);
                if (!iced.IsInvalid && iced.Length != step)
                {
                    iced = default;
                }

                _guestAt[at] = _guest.Count;
                _guest.Add(new GuestInstruction(at, iced, c));
                at += step;
            }
        }

        if (_guest.Count != _unit.Instructions)
        {
            Report(0, $"{_unit.Instructions} instructions translated, {_guest.Count} in the bytes");
        }
    }

    private bool DecodeHost()
    {
        _host.Clear();
        _hostAt.Clear();
        Decoder decoder = Decoder.Create(64, new ByteArrayCodeReader(_unit.Host));
        decoder.IP = (ulong)_unit.HostOffset;
        int entry = -1;
        for (int at = 0; at < _unit.Host.Length;)
        {
            decoder.Decode(out Instruction iced);
            while (entry + 1 < _unit.Boundaries.Length && _unit.Boundaries[entry + 1].HostOffset <= at)
            {
                entry++;
            }

            if (iced.IsInvalid)
            {
                Report(at, "no instruction in 64-bit mode");
                return false;
            }

            if (entry < 0)
            {
                Report(at, "no side table entry");
                return false;
            }

            _hostAt[at] = _host.Count;
            _host.Add(new HostInstruction(at, iced, _unit.Boundaries[entry]));
            at += iced.Length;
        }

        return true;
    }

    private void CheckBoundaries()
    {
        int last = -1;
        foreach (Boundary b in _unit.Boundaries)
        {
            if (b.HostOffset <= last)
            {
                Report(b.HostOffset, "side table not in order");
            }

            last = b.HostOffset;
            if (b.HostOffset != _unit.Host.Length && !_hostAt.ContainsKey(b.HostOffset))
            {
                Report(b.HostOffset, "side table entry inside an instruction");
            }

            if (b.Kind != BoundaryKind.Leaving && b.GuestOffset != _unit.Guest.Length && !_guestAt.ContainsKey(b.GuestOffset) && !IsBranchTarget(b.GuestOffset))
            {
                Report(b.HostOffset, $"side table entry names guest +{b.GuestOffset:x}, which is no instruction");
            }
        }

        // Not always the first instruction's: one that only moves the delta emits nothing, so the unit's first byte is the next one's.
        if (_unit.Boundaries[0].HostOffset != 0 || _unit.Boundaries[0].Kind != BoundaryKind.Normal)
        {
            Report(0, "the side table does not begin at the unit's start");
        }
    }

    /// <summary>A taken LOOP has counted and is on its way: its state is the target's.</summary>
    private bool IsBranchTarget(ushort offset)
    {
        foreach (GuestInstruction g in _guest)
        {
            if (g.Class is I386Class.Loop or I386Class.Jecxz && g.Iced.NearBranchTarget == _unit.Pc + offset)
            {
                return true;
            }
        }

        return false;
    }

    private void CheckExits()
    {
        EmitLayout layout = TranslationRun.Layout;
        for (int i = 0; i < _unit.Exits.Length; i++)
        {
            UnitExit exit = _unit.Exits[i];
            if (exit.PatchOffset < 1 || exit.PatchOffset + 4 > _unit.Host.Length)
            {
                Report(exit.PatchOffset, "exit outside of the unit");
                continue;
            }

            int target = exit.PatchOffset + 4 + System.BitConverter.ToInt32(_unit.Host, exit.PatchOffset);
            if (target != exit.StubOffset || !_hostAt.TryGetValue(target, out int stub) || stub + 1 >= _host.Count)
            {
                Report(exit.PatchOffset, "unlinked exit does not lead to its stub");
                continue;
            }

            Instruction load = _host[stub].Iced;
            if (load.Code != Code.Mov_r32_imm32 || load.Op0Register != Register.R9D || load.Immediate32 != TranslationRun.FirstExitId + ((uint)i * TranslationRun.ExitIdStep))
            {
                Report(target, "stub does not load its exit id");
            }

            if (_host[stub + 1].Iced.NearBranchTarget != (ulong)layout.LinkExit || _host[stub].Boundary.Kind != BoundaryKind.Leaving)
            {
                Report(target, "stub does not leave");
            }

            if (((_unit.HostOffset + exit.PatchOffset) & 63) > 60)
            {
                Report(exit.PatchOffset, "exit crosses a line: it cannot be patched with one store");
            }
        }

        foreach (int landing in _unit.Landings)
        {
            int at = landing < 0 ? ~landing : landing;
            ushort start = System.BitConverter.ToUInt16(_unit.Host, at);
            if (start != (landing < 0 ? 0x8D45 : 0x850F) || ((_unit.HostOffset + at) & 63) > 62)
            {
                Report(at, "landing cannot be patched");
            }
        }
    }

    private void CheckEntries()
    {
        foreach (UnitEntry entry in _unit.Entries)
        {
            bool found = false;
            foreach (Boundary b in _unit.Boundaries)
            {
                // An instruction that only moves the delta emits nothing: its entry is the next instruction's, with the delta moved.
                uint ahead = b.GuestOffset - (entry.Address - _unit.Pc);
                found |= b.HostOffset == entry.HostOffset && b.Kind == BoundaryKind.Normal && (ahead == 0 ? b.EspDelta == 0 : ahead < (uint)_unit.Guest.Length);
            }

            if (!found || !_guestAt.ContainsKey((int)(entry.Address - _unit.Pc)))
            {
                Report(entry.HostOffset, $"entry {entry.Address:x8} without a state");
            }
        }
    }

    private void CheckBranch(in HostInstruction h)
    {
        switch (h.Iced.FlowControl)
        {
            case FlowControl.UnconditionalBranch:
            case FlowControl.ConditionalBranch:
            case FlowControl.Call:
                int target = (int)h.Iced.NearBranchTarget;
                if (!_hostAt.ContainsKey(target - _unit.HostOffset) && !IsStub(target))
                {
                    Report(h.Offset, $"branch to {target:x}, which is neither an instruction of the unit nor a stub");
                }

                break;
            case FlowControl.IndirectBranch:
            case FlowControl.IndirectCall:
                if (h.Iced.Op0Kind != OpKind.Register || h.Iced.Op0Register != Register.R9)
                {
                    Report(h.Offset, "indirect branch not through r9");
                }

                break;
            default:
                break;
        }
    }

    private static bool IsStub(int cacheOffset)
    {
        EmitLayout l = TranslationRun.Layout;
        return cacheOffset == l.LinkExit || cacheOffset == l.IndirectJump || cacheOffset == l.SyscallExit
            || cacheOffset == l.EmulateExit || cacheOffset == l.X87Exit;
    }

    /// <summary>r12 to r14 and the segment registers belong to the shim; RSP moves by calls and returns only; ESP moves at boundaries only.</summary>
    private void CheckRegisters(in HostInstruction h)
    {
        if (h.Iced.IsPrivileged)
        {
            // Faults before it does anything.
            return;
        }

        bool movesEsp = false;
        foreach (UsedRegister used in _info.GetInfo(h.Iced).GetUsedRegisters())
        {
            if (used.Access is OpAccess.Read or OpAccess.CondRead or OpAccess.None or OpAccess.NoMemAccess)
            {
                continue;
            }

            switch (used.Register.GetFullRegister())
            {
                case Register.RSP when h.Iced.Mnemonic is Mnemonic.Call or Mnemonic.Ret or Mnemonic.Push or Mnemonic.Pop or Mnemonic.Pushfq or Mnemonic.Popfq:
                    break;
                case Register.RSP or Register.R12 or Register.R13 or Register.R14:
                case >= Register.ES and <= Register.GS:
                    Report(h.Offset, $"{h.Iced}: writes {used.Register}");
                    break;
                case Register.R15:
                    movesEsp = true;
                    break;
                default:
                    break;
            }
        }

        int next = h.Offset + h.Iced.Length;
        if (movesEsp && h.Boundary.Kind != BoundaryKind.Leaving && next < _unit.Host.Length && !HasBoundary(next))
        {
            Report(h.Offset, $"{h.Iced}: moves ESP without a side table entry behind it");
        }
    }

    private bool HasBoundary(int hostOffset)
    {
        foreach (Boundary b in _unit.Boundaries)
        {
            if (b.HostOffset == hostOffset)
            {
                return true;
            }
        }

        return false;
    }
}
