using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Lodge.Translator.X64;

namespace Lodge.TranslatorTests;

/// <summary>A translated unit, copied out of the translator's buffers.</summary>
internal sealed record Translation(uint Pc, byte[] Guest, byte[] Host, Boundary[] Boundaries, UnitExit[] Exits, UnitEntry[] Entries, int[] Landings,
    int Instructions, UnitOptions Options)
{
    /// <summary>Where the unit's first byte lies in the code cache.</summary>
    internal int HostOffset => Options.HostOffset;

    /// <summary>The jump table whose shadow the unit uses, or 0, and its bytes.</summary>
    internal uint Table { get; init; }

    /// <inheritdoc cref="Table"/>
    internal uint TableLength { get; init; }

    /// <summary>The thunk of another page that went into the unit, or 0.</summary>
    internal uint Thunk { get; init; }

    /// <summary>Exit stubs, where they have a buffer of their own.</summary>
    internal byte[] Cold { get; init; } = [];

    /// <summary>True when nothing differs.</summary>
    internal bool SameAs(Translation other) => Host.AsSpan().SequenceEqual(other.Host) && Guest.AsSpan().SequenceEqual(other.Guest)
        && Bytes<Boundary>(Boundaries).SequenceEqual(Bytes<Boundary>(other.Boundaries)) && Exits.AsSpan().SequenceEqual(other.Exits, s_sameExit)
        && Bytes<UnitEntry>(Entries).SequenceEqual(Bytes<UnitEntry>(other.Entries)) && Landings.AsSpan().SequenceEqual(other.Landings)
        && Instructions == other.Instructions;

    // Field by field: the structure has padding.
    private static readonly EqualityComparer<UnitExit> s_sameExit = EqualityComparer<UnitExit>.Create(
        (a, b) => (a.PatchOffset, a.StubOffset, a.Target, a.Kind) == (b.PatchOffset, b.StubOffset, b.Target, b.Kind));

    private static ReadOnlySpan<byte> Bytes<T>(T[] values)
        where T : unmanaged => MemoryMarshal.AsBytes<T>(values);
}

/// <summary>How a unit is translated.</summary>
internal readonly record struct UnitOptions(bool Segmented, bool Checked, int MaxInstructions, int HostOffset)
{
    /// <summary>Code cache offset of a buffer for exit stubs; 0 puts them behind the code.</summary>
    internal int ColdOffset { get; init; }

    /// <summary>Features that the guest's CPU does not have.</summary>
    internal ulong HiddenFeatures { get; init; }

    internal static UnitOptions Plain { get; } = new(false, false, UnitTranslator.MaxUnitInstructions, 0x10000);

    internal static UnitOptions[] All { get; } =
        [Plain, Plain with { Segmented = true }, Plain with { Checked = true, HostOffset = 0x12340 }, Plain with { MaxInstructions = 1, HostOffset = 0x1FFF0 }];
}

/// <summary>
/// Runs the translator on buffers of exactly the size that it asks for. Behind each lie bytes that must not change; before each run the
/// buffers are filled with a byte of the caller's, so that nothing left over can be taken for a result.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed unsafe class TranslationRun : IDisposable
{
    private const int Guard = 4096;
    private const byte GuardByte = 0xA5;

    private readonly List<(nint Start, int Size)> _buffers = [];
    private readonly byte* _code;
    private readonly byte* _cold;
    private readonly Boundary* _boundaries;
    private readonly UnitExit* _exits;
    private readonly UnitEntry* _entries;
    private readonly int* _landings;
    private UnitScratch _scratch;

    internal TranslationRun()
    {
        _code = Buffer(UnitTranslator.MaxUnitHostBytes);
        _cold = Buffer(UnitTranslator.MaxUnitColdBytes);
        _boundaries = (Boundary*)Buffer(UnitTranslator.MaxUnitBoundaries * sizeof(Boundary));
        _exits = (UnitExit*)Buffer(UnitTranslator.MaxUnitParts * sizeof(UnitExit));
        _entries = (UnitEntry*)Buffer(UnitTranslator.MaxUnitParts * sizeof(UnitEntry));
        _landings = (int*)Buffer(UnitTranslator.MaxUnitParts * sizeof(int));
        _scratch.Scan = Buffer(UnitScratch.ScanBytes);
        _scratch.PendingJumps = Buffer(UnitScratch.PendingBytes);
    }

    /// <summary>Asked for the shadows of jump tables.</summary>
    internal delegate*<void*, uint, int, int> JumpTable { get; set; }

    /// <summary>Exit id of every unit's first exit.</summary>
    internal const uint FirstExitId = 0x1000;

    /// <summary>Distance between the ids of a unit's exits.</summary>
    internal const uint ExitIdStep = 5;

    /// <summary>Offsets as consistent as any: nothing overlaps.</summary>
    internal static EmitLayout Layout { get; } = new()
    {
        FsBase = 200, FsTrap = 224, GsTrap = 232, GsBase = 204, DsBase = 208, EsBase = 212, SsBase = 216, CsBase = 220,
        LinkExit = 0x20, IndirectJump = 0x40, SyscallExit = 0x60, EmulateExit = 0x80, X87Exit = 0xC0,
    };

    /// <summary>The unit at <paramref name="pc"/>; null when its first instruction cannot be fetched.</summary>
    internal Translation? Translate(GuestMemory memory, uint pc, UnitOptions options, ulong fetchEnd = ulong.MaxValue, byte fill = 0xCC, ThunkRecord[]? thunks = null, ulong[]? known = null)
    {
        foreach ((nint start, int size) in _buffers)
        {
            new Span<byte>((byte*)start, size).Fill(fill);
        }

        UnitRequest request = default;
        request.Pc = pc;
        request.GuestBase = memory.Base;
        request.FetchEnd = Math.Min(memory.End, fetchEnd);
        request.MaxInstructions = options.MaxInstructions;
        request.HostOffset = options.HostOffset;
        request.FirstExitId = FirstExitId;
        request.ExitIdStep = ExitIdStep;
        request.Segmented = options.Segmented;
        request.Checked = options.Checked;
        request.HiddenFeatures = options.HiddenFeatures;
        UnitResult result = default;
        result.Code = new CodeBuffer(_code, UnitTranslator.MaxUnitHostBytes);
        if (options.ColdOffset != 0)
        {
            request.ColdOffset = options.ColdOffset;
            result.Cold = new CodeBuffer(_cold, UnitTranslator.MaxUnitColdBytes);
        }

        result.Boundaries = _boundaries;
        result.Exits = _exits;
        result.Entries = _entries;
        result.Landings = _landings;
        request.JumpTable = JumpTable;
        int count;
        fixed (ThunkRecord* table = thunks)
        fixed (ulong* bits = known)
        {
            request.Thunks = table;
            request.Known = bits;
            count = UnitTranslator.Translate(request, Layout, &result, ref _scratch);
        }

        CheckGuards(pc);
        if (count == 0)
        {
            return null;
        }

        return new Translation(pc, memory.At(pc)[..(int)result.GuestLength].ToArray(), new Span<byte>(_code, result.Code.Position).ToArray(),
            new Span<Boundary>(_boundaries, result.BoundaryCount).ToArray(), new Span<UnitExit>(_exits, result.ExitCount).ToArray(),
            new Span<UnitEntry>(_entries, result.EntryCount).ToArray(), new Span<int>(_landings, result.LandingCount).ToArray(), count, options)
        {
            Thunk = result.Thunk,
            Table = result.Table,
            TableLength = result.TableLength,
            Cold = options.ColdOffset != 0 ? new Span<byte>(_cold, result.Cold.Position).ToArray() : [],
        };
    }

    public void Dispose()
    {
        foreach ((nint start, _) in _buffers)
        {
            NativeMemory.Free((byte*)start - Guard);
        }
    }

    private byte* Buffer(int size)
    {
        byte* start = (byte*)NativeMemory.Alloc((nuint)(size + (2 * Guard)));
        new Span<byte>(start, size + (2 * Guard)).Fill(GuardByte);
        _buffers.Add(((nint)start + Guard, size));
        return start + Guard;
    }

    private void CheckGuards(uint pc)
    {
        foreach ((nint start, int size) in _buffers)
        {
            if (new Span<byte>((byte*)start - Guard, Guard).ContainsAnyExcept(GuardByte) || new Span<byte>((byte*)start + size, Guard).ContainsAnyExcept(GuardByte))
            {
                throw new InvalidOperationException($"translating {pc:x8} wrote outside a buffer of {size} bytes");
            }
        }
    }
}
