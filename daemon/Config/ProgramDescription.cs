using System;
using System.Buffers.Binary;
using System.IO;
using System.Text;

namespace Lodge.Config;

/// <summary>What a program can be matched by.</summary>
/// <param name="Named">Path by which it is started.</param>
/// <param name="Real">Path of the file with all links resolved.</param>
/// <param name="Interpreter">PT_INTERP; null for static programs and for files that are no 32-bit ELF.</param>
/// <param name="BuildId">GNU build-id, lower-case hexadecimal; null without one.</param>
public sealed record ProgramDescription(string Named, string Real, string? Interpreter, string? BuildId)
{
    private const int ProgramHeaderSize = 32, HeaderSize = 52, MaxSegments = 64, MaxNotes = 4096;
    private const int PtInterp = 3, PtNote = 4, NtGnuBuildId = 3;

    /// <summary>Last part of the path by which it is started.</summary>
    public string Name => Named[(Named.LastIndexOf('/') + 1)..];

    /// <summary>Looks at a file, as the shim does when it starts it. A file that is no 32-bit ELF has neither interpreter nor build-id.</summary>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static ProgramDescription Of(string path)
    {
        string real = Path.GetFullPath(path);
        real = Mono.Unix.UnixPath.GetCompleteRealPath(real);
        using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        string? interpreter = null;
        string? buildId = null;
        byte[] header = ReadAt(file, 0, HeaderSize);
        if (header.Length == HeaderSize && header.AsSpan().StartsWith("\x7f\x45LF"u8) && header[4] == 1)
        {
            int count = BinaryPrimitives.ReadUInt16LittleEndian(header.AsSpan(44));
            byte[] segments = count > MaxSegments ? [] : ReadAt(file, BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(28)), count * ProgramHeaderSize);
            for (int at = 0; at + ProgramHeaderSize <= segments.Length; at += ProgramHeaderSize)
            {
                uint type = BinaryPrimitives.ReadUInt32LittleEndian(segments.AsSpan(at));
                uint offset = BinaryPrimitives.ReadUInt32LittleEndian(segments.AsSpan(at + 4));
                uint size = BinaryPrimitives.ReadUInt32LittleEndian(segments.AsSpan(at + 16));
                if (type == PtInterp && size is > 1 and < 4096)
                {
                    interpreter ??= Encoding.UTF8.GetString(ReadAt(file, offset, (int)size)).TrimEnd('\0');
                }
                else if (type == PtNote)
                {
                    buildId ??= FindBuildId(ReadAt(file, offset, (int)Math.Min(size, MaxNotes)));
                }
            }
        }

        return new ProgramDescription(path, real, interpreter, buildId);
    }

    private static string? FindBuildId(ReadOnlySpan<byte> notes)
    {
        while (notes.Length >= 12)
        {
            int nameSize = BinaryPrimitives.ReadInt32LittleEndian(notes);
            int size = BinaryPrimitives.ReadInt32LittleEndian(notes[4..]);
            int type = BinaryPrimitives.ReadInt32LittleEndian(notes[8..]);
            long text = 12 + ((nameSize + 3L) & ~3L);
            if (nameSize < 0 || size < 0 || text + size > notes.Length)
            {
                return null;
            }

            if (type == NtGnuBuildId && nameSize == 4 && notes.Slice(12, 4).SequenceEqual("GNU\0"u8) && size is > 0 and <= 64)
            {
                return Convert.ToHexStringLower(notes.Slice((int)text, size));
            }

            long next = text + ((size + 3L) & ~3L);
            notes = next >= notes.Length ? default : notes[(int)next..];
        }

        return null;
    }

    private static byte[] ReadAt(FileStream file, long offset, int count)
    {
        byte[] bytes = new byte[count];
        file.Position = offset;
        int got = file.ReadAtLeast(bytes, count, throwOnEndOfStream: false);
        return bytes[..got];
    }
}
