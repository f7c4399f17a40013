using System;
using System.Collections.Generic;
using System.IO;
using System.Runtime.InteropServices;
using System.Text;

namespace Lodge.Cli.Disasm;

/// <summary>Code of a 32-bit ELF file, at the addresses that the file gives (a position-independent one: from 0).</summary>
internal sealed class ElfCode : IGuestCode
{
    private const ushort EM_386 = 3, EM_ARM = 40;
    private const uint PT_LOAD = 1, PF_X = 1, SHT_SYMTAB = 2, SHT_DYNSYM = 11;
    private const int STT_FUNC = 2;

    private readonly byte[] _file;
    private readonly List<CodeRange> _ranges = [];
    private readonly SortedDictionary<uint, string> _symbols = [];

    /// <summary>Reads a file. Throws when it is no i386 program.</summary>
    public ElfCode(string path)
    {
        _file = File.ReadAllBytes(path);
        if (_file.Length < 52 || !_file.AsSpan(0, 4).SequenceEqual("\u007fELF"u8) || _file[4] != 1 || _file[5] != 1)
        {
            throw new CommandException(ExitCode.Failure, $"{path}: not a 32-bit little-endian ELF file");
        }

        if (Half(18) != EM_386)
        {
            throw new CommandException(ExitCode.Failure, Half(18) == EM_ARM ? $"{path}: AArch32; only i386 is disassembled"
                : $"{path}: not an i386 program (machine {Half(18)})");
        }

        try
        {
            Entry = Word(24);
            ReadSegments();
            ReadSymbols();
        }
        catch (ArgumentOutOfRangeException)
        {
            throw new CommandException(ExitCode.Failure, $"{path}: headers point outside the file");
        }
    }

    /// <inheritdoc/>
    public uint? Entry { get; }

    /// <inheritdoc/>
    public IReadOnlyDictionary<uint, string> Symbols => _symbols;

    /// <inheritdoc/>
    public CodeRange? At(uint address) => _ranges.Find(range => range.Holds(address));

    private void ReadSegments()
    {
        uint offset = Word(28);
        for (int i = 0; i < Half(44); i++, offset += 32)
        {
            if (Word(offset) == PT_LOAD && (Word(offset + 24) & PF_X) != 0)
            {
                _ranges.Add(new CodeRange(Word(offset + 8), _file.AsSpan((int)Word(offset + 4), (int)Word(offset + 16)).ToArray()));
            }
        }
    }

    private void ReadSymbols()
    {
        uint sections = Word(32), size = Half(46);
        for (uint i = 0; sections != 0 && i < Half(48); i++)
        {
            uint section = sections + (i * size);
            if (Word(section + 4) is SHT_SYMTAB or SHT_DYNSYM)
            {
                uint strings = sections + (Word(section + 24) * size);
                ReadSymbols(Word(section + 16), Word(section + 20), Word(strings + 16), Word(strings + 20));
            }
        }
    }

    private void ReadSymbols(uint table, uint length, uint strings, uint stringsLength)
    {
        ReadOnlySpan<byte> names = _file.AsSpan((int)strings, (int)stringsLength);
        for (uint symbol = table; symbol + 16 <= table + length; symbol += 16)
        {
            uint address = Word(symbol + 4);
            if ((_file[symbol + 12] & 15) == STT_FUNC && address != 0)
            {
                ReadOnlySpan<byte> name = names[(int)Word(symbol)..];
                _symbols.TryAdd(address, Encoding.UTF8.GetString(name[..Math.Max(name.IndexOf((byte)0), 0)]));
            }
        }
    }

    private ushort Half(uint offset) => MemoryMarshal.Read<ushort>(_file.AsSpan((int)offset, 2));

    private uint Word(uint offset) => MemoryMarshal.Read<uint>(_file.AsSpan((int)offset, 4));
}
