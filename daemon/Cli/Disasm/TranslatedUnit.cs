using System;
using System.Runtime.InteropServices;
using Lodge.Translator.X64;

namespace Lodge.Cli.Disasm;

/// <summary>One unit as the shim translates it, apart from places that only a running shim knows (offsets of its stubs and records).</summary>
internal sealed unsafe record TranslatedUnit(uint Pc, byte[] Guest, byte[] Host, Boundary[] Boundaries, UnitExit[] Exits, UnitEntry[] Entries)
{
    /// <summary>Offset of the unit in the code cache that the host code is made for.</summary>
    public const int HostOffset = 0x10000;

    /// <summary>Any consistent layout: stubs in front of the unit, bases in the thread record.</summary>
    public static EmitLayout Layout { get; } = new()
    {
        FsBase = 200, FsTrap = 224, GsTrap = 232, GsBase = 204, DsBase = 208, EsBase = 212, SsBase = 216, CsBase = 220,
        LinkExit = 0x20, IndirectJump = 0x40, SyscallExit = 0x60, EmulateExit = 0x80, X87Exit = 0xC0,
    };

    /// <summary>Translates what is at <paramref name="pc"/>; null when no instruction can be fetched there.</summary>
    public static TranslatedUnit? At(CodeRange code, uint pc)
    {
        // One block for everything: freed at once, whatever happens.
        int[] sizes =
        [
            UnitTranslator.MaxUnitHostBytes, UnitTranslator.MaxUnitBoundaries * sizeof(Boundary), UnitTranslator.MaxUnitParts * sizeof(UnitExit),
            UnitTranslator.MaxUnitParts * sizeof(UnitEntry), UnitTranslator.MaxUnitParts * sizeof(int), UnitScratch.ScanBytes,
                UnitScratch.PendingBytes,
        ];
        nuint total = 0;
        foreach (int size in sizes)
        {
            total += Aligned(size);
        }

        byte* block = (byte*)NativeMemory.AllocZeroed(total);
        try
        {
            byte* next = block;
            byte* Take(int size)
            {
                byte* taken = next;
                next += Aligned(size);
                return taken;
            }

            UnitResult result = default;
            result.Code = new CodeBuffer(Take(sizes[0]), sizes[0]);
            result.Boundaries = (Boundary*)Take(sizes[1]);
            result.Exits = (UnitExit*)Take(sizes[2]);
            result.Entries = (UnitEntry*)Take(sizes[3]);
            result.Landings = (int*)Take(sizes[4]);
            UnitScratch scratch = default;
            scratch.Scan = Take(sizes[5]);
            scratch.PendingJumps = Take(sizes[6]);
            fixed (byte* bytes = code.Bytes)
            {
                UnitRequest request = default;
                request.Pc = pc;
                request.GuestBase = (long)bytes - code.Start;
                request.FetchEnd = code.End;
                request.MaxInstructions = UnitTranslator.MaxUnitInstructions;
                request.HostOffset = HostOffset;
                request.ExitIdStep = 1;
                if (UnitTranslator.Translate(request, Layout, &result, ref scratch) == 0)
                {
                    return null;
                }
            }

            return new TranslatedUnit(pc, code.Bytes.AsSpan((int)(pc - code.Start), (int)result.GuestLength).ToArray(),
                new Span<byte>(result.Code.Start, result.Code.Position).ToArray(), new Span<Boundary>(result.Boundaries,
                    result.BoundaryCount).ToArray(),
                new Span<UnitExit>(result.Exits, result.ExitCount).ToArray(), new Span<UnitEntry>(result.Entries, result.EntryCount).ToArray());
        }
        finally
        {
            NativeMemory.Free(block);
        }
    }

    private static nuint Aligned(int size) => ((nuint)size + 63) & ~(nuint)63;
}
