using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Runtime.InteropServices;
using Iced.Intel;
using Xunit;
using Xunit.Abstractions;

namespace Lodge.UnitTests;

/// <summary>Properties of the built shims that the design rests on.</summary>
public class ImageTests(ITestOutputHelper output)
{
    private const ulong Base = Lodge.Shim.Home.ImageStart;
    private const ushort EtExec = 2, EmX8664 = 62, EmAArch64 = 183;

    public static TheoryData<string, int> Images => new() { { "out/bin/lodge-shim", EmX8664 }, { "out/arm64/lodge-shim", EmAArch64 } };

    [Theory]
    [MemberData(nameof(Images))]
    public void Is_static_for_its_host(string path, int machine)
    {
        ElfImage image = new(Repository.File(path));
        Assert.Equal(EtExec, image.Type);
        Assert.Equal(machine, image.Machine);
        Assert.DoesNotContain(image.Segments, s => s.Type is ElfImage.PtInterp or ElfImage.PtDynamic);
    }

    [Theory]
    [MemberData(nameof(Images))]
    public void Lies_above_the_guest_and_within_39_bits(string path, int machine)
    {
        ElfImage image = new(Repository.File(path));
        ElfImage.Segment[] loads = [.. image.Segments.Where(s => s.Type == ElfImage.PtLoad)];
        Assert.Equal(Base, loads.Min(s => s.Address));
        Assert.True(loads.Max(s => s.Address + s.MemorySize) < 1UL << 39, $"machine {machine}: image ends too high");
        Assert.InRange(image.Entry, Base, Base + (uint)image.Size);
    }

    [Theory]
    [MemberData(nameof(Images))]
    public void Is_one_mapping_that_nothing_writes(string path, int machine)
    {
        ElfImage image = new(Repository.File(path));
        ElfImage.Segment load = Assert.Single(image.Segments, s => s.Type == ElfImage.PtLoad);
        Assert.True(load.Flags == (ElfImage.Read | ElfImage.Execute), $"machine {machine}: flags {load.Flags}");
        Assert.Equal(load.FileSize, load.MemorySize);
        Assert.Contains(image.Segments, s => s.Type == ElfImage.PtGnuStack);
    }

    [Theory]
    [MemberData(nameof(Images))]
    public void Is_small(string path, int machine)
    {
        ElfImage image = new(Repository.File(path));
        output.WriteLine($"{path} (machine {machine}): {image.Size} bytes, {image.Segments.Sum(s => (long)s.MemorySize)} in memory");
        Assert.InRange(image.Size, 1, 2 << 20);
    }

    /// <summary>
    /// While our own code runs, the guest's upper vector halves stay in the CPU. Any VEX or EVEX instruction would clear or change them.
    /// </summary>
    [Fact]
    public void Compiled_code_has_no_vector_extensions()
    {
        ElfImage image = new(Repository.File("out/build/obj/Lodge.Shim/x64/lodge-shim.o.elf"));
        ulong start = image.Symbol("__code_start"), end = image.Symbol("__code_end");
        Assert.True(end - start > 1000, "code range is empty");
        List<string> found = Offenders(image.Bytes(start, end), start, out int count);
        output.WriteLine($"{count} instructions");
        Assert.Empty(found);
    }

    [Fact]
    public void The_check_for_vector_extensions_finds_them()
    {
        byte[] code = [0x90, 0xC5, 0xF8, 0x77, 0x62, 0xF1, 0x7C, 0x48, 0x58, 0xC1, 0xC3];
        Assert.Equal(["1001: vzeroupper", "1004: vaddps zmm0,zmm0,zmm1"], Offenders(code, 0x1000, out _));
        Assert.Equal(["1000: (bad)"], Offenders(new byte[] { 0x06 }, 0x1000, out _));
    }

    /// <summary>Functions lie as shim/order/order.txt lists them; <c>make shim-order</c> writes it anew when too many of its names are gone.</summary>
    [Fact]
    public void Functions_lie_in_their_order()
    {
        ElfImage image = new(Repository.File("out/build/obj/Lodge.Shim/x64/lodge-shim.o.elf"));
        string[] names = [.. File.ReadLines(Repository.File("shim/order/order.txt")).Where(l => !l.StartsWith('#'))];
        Dictionary<string, ulong> symbols = image.Symbols();
        ulong[] addresses = [.. names.Where(symbols.ContainsKey).Select(n => symbols[n])];
        output.WriteLine($"{names.Length} names, {addresses.Length} of them in the image");
        Assert.InRange(addresses.Length, Math.Max(100, names.Length * 3 / 4), names.Length);
        Assert.InRange(addresses[0] - symbols["__code_start"], 0UL, 31UL);
        Assert.Equal(addresses.Order(), addresses);
    }

    [Fact]
    public void Stripped_and_unstripped_image_are_the_same_build()
    {
        ElfImage stripped = new(Repository.File("out/bin/lodge-shim")), full = new(Repository.File("out/build/obj/Lodge.Shim/x64/lodge-shim.o.elf"));
        ElfImage.Segment code = full.Segments.First();
        Assert.Equal(full.Entry, stripped.Entry);
        ulong from = full.Symbol("__code_start"), to = full.Symbol("__code_end");
        Assert.True(MemoryMarshal.ToEnumerable(full.Bytes(from, to)).SequenceEqual(MemoryMarshal.ToEnumerable(stripped.Bytes(from, to))), $"at {code.Address:x}");
    }

    private static List<string> Offenders(ReadOnlyMemory<byte> code, ulong address, out int count)
    {
        Decoder decoder = Decoder.Create(64, new ByteArrayCodeReader(code.ToArray()));
        decoder.IP = address;
        List<string> found = [];
        NasmFormatter formatter = new();
        for (count = 0; decoder.IP < address + (uint)code.Length; count++)
        {
            decoder.Decode(out Instruction instruction);
            if (instruction.Code == Code.INVALID || instruction.Encoding is not (EncodingKind.Legacy))
            {
                StringOutput text = new();
                formatter.Format(instruction, text);
                found.Add($"{instruction.IP:x}: {text.ToStringAndReset()}");
            }
        }

        return found;
    }
}
