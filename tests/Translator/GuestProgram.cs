using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.IO;
using System.Runtime.Versioning;

namespace Lodge.TranslatorTests;

/// <summary>The executable segment of an i386 program among the guest tests.</summary>
[SupportedOSPlatform("linux")]
internal sealed class GuestProgram : IDisposable
{
    private GuestProgram(string name, GuestMemory code, int length)
    {
        Name = name;
        Code = code;
        Length = length;
    }

    internal string Name { get; }

    /// <summary>The segment's memory, and how many bytes of it come from the file.</summary>
    internal GuestMemory Code { get; }

    internal int Length { get; }

    public void Dispose() => Code.Dispose();

    /// <summary>Paths of all i386 guest programs that are built, in order.</summary>
    internal static IReadOnlyList<string> Paths()
    {
        string folder = Path.Combine(Repository.Root, "out/guest/i386");
        List<string> paths = [];
        if (Directory.Exists(folder))
        {
            foreach (string path in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
            {
                paths.Add(path);
            }
        }

        paths.Sort(string.CompareOrdinal);
        return paths;
    }

    /// <summary>Reads the first executable segment; null when the file is no i386 program.</summary>
    internal static GuestProgram? Load(string path)
    {
        byte[] file = File.ReadAllBytes(path);
        if (file.Length < 52 || !file.AsSpan(0, 5).SequenceEqual("\u007fELF\u0001"u8) || Read16(file, 18) != 3)
        {
            return null;
        }

        int at = (int)Read32(file, 28);
        for (int i = 0; i < Read16(file, 44); i++, at += 32)
        {
            if (at + 32 > file.Length)
            {
                return null;
            }

            (uint offset, uint address, uint size) = (Read32(file, at + 4), Read32(file, at + 8), Read32(file, at + 16));
            if (Read32(file, at) == 1 && (Read32(file, at + 24) & 1) != 0 && size > 0 && offset + (ulong)size <= (ulong)file.Length)
            {
                GuestMemory memory = new(address, (int)size);
                file.AsSpan((int)offset, (int)size).CopyTo(memory.At(address));
                return new GuestProgram(Path.GetFileName(path), memory, (int)(address - memory.Start) + (int)size);
            }
        }

        return null;
    }

    private static ushort Read16(byte[] file, int at) => BinaryPrimitives.ReadUInt16LittleEndian(file.AsSpan(at));

    private static uint Read32(byte[] file, int at) => BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(at));
}
