using Lodge.Protocol;

namespace Lodge.Shim;

/// <summary>Finds out about an open program what a configuration file asks for.</summary>
public static unsafe class ProgramFacts
{
    /// <summary>Room for <see cref="Collect"/>, bytes.</summary>
    public const int Room = PathRoom + PathRoom + BuildIdRoom;

    private const int PathRoom = 4096, BuildIdRoom = 256, AtFdCwd = -100;
    private const int MaxSegments = 64, MaxNotes = 4096, MaxBuildId = 64;
    private const uint PtNote = 4, NtGnuBuildId = 3, GnuName = 0x00554E47;

    /// <summary>Fills in what the kinds need; what cannot be found out stays null, and matches nothing.</summary>
    /// <param name="fd">The program.</param>
    /// <param name="named">How it was named.</param>
    /// <param name="kinds">One bit for each <see cref="MatchKind"/>.</param>
    /// <param name="room">Memory for the texts, which has to stay while they are used.</param>
    /// <param name="program">The facts.</param>
    public static void Collect(int fd, byte* named, uint kinds, byte* room, out ProgramIdentity program)
    {
        program = default;
        program.Named = named;
        if (Uses(kinds, MatchKind.Path))
        {
            byte* link = stackalloc byte[32];
            ExecTarget.Descriptor(link, "/proc/self/fd/"u8, fd);
            long length = Host.Syscall(Nr.readlinkat, AtFdCwd, (long)link, (long)room, PathRoom - 1);
            if (length > 0)
            {
                room[length] = 0;
                program.Real = room;
            }
        }

        if (Uses(kinds, MatchKind.BuildId) || Uses(kinds, MatchKind.Interpreter))
        {
            ReadElf(fd, room + PathRoom, ref program);
        }
    }

    private static bool Uses(uint kinds, MatchKind kind) => (kinds >> (int)kind & 1) != 0;

    // The kernel checks the file when it is loaded; here anything odd only means that nothing is known.
    private static void ReadElf(int fd, byte* room, ref ProgramIdentity program)
    {
        Elf32_Ehdr header = default;
        Elf32_Phdr* segments = stackalloc Elf32_Phdr[MaxSegments];
        if (!ReadAt(fd, &header, (uint)sizeof(Elf32_Ehdr), 0) || header.e_phentsize != sizeof(Elf32_Phdr) || header.e_phnum > MaxSegments
            || !ReadAt(fd, segments, header.e_phnum * (uint)sizeof(Elf32_Phdr), header.e_phoff))
        {
            return;
        }

        for (int i = 0; i < header.e_phnum; i++)
        {
            ref Elf32_Phdr segment = ref segments[i];
            if (segment.p_type == ElfFile.PtInterp && program.Interpreter == null && segment.p_filesz is > 1 and < PathRoom
                && ReadAt(fd, room, segment.p_filesz, segment.p_offset))
            {
                room[segment.p_filesz] = 0;
                program.Interpreter = room;
            }
            else if (segment.p_type == PtNote && program.BuildId == null)
            {
                ReadNotes(fd, segment, room + PathRoom, ref program);
            }
        }
    }

    private static void ReadNotes(int fd, in Elf32_Phdr segment, byte* room, ref ProgramIdentity program)
    {
        byte* notes = stackalloc byte[MaxNotes];
        uint size = segment.p_filesz < MaxNotes ? segment.p_filesz : MaxNotes;
        if (!ReadAt(fd, notes, size, segment.p_offset))
        {
            return;
        }

        // Elf32_Nhdr: sizes of name and descriptor, type; both are padded to four bytes.
        for (ulong at = 0; at + 12 <= size;)
        {
            uint nameSize = *(uint*)(notes + at);
            uint size32 = *(uint*)(notes + at + 4);
            uint type = *(uint*)(notes + at + 8);
            ulong text = at + 12 + ((nameSize + 3ul) & ~3ul);
            if (text + size32 > size)
            {
                return;
            }

            if (type == NtGnuBuildId && nameSize == 4 && *(uint*)(notes + at + 12) == GnuName && size32 is > 0 and <= MaxBuildId)
            {
                for (uint i = 0; i < size32; i++)
                {
                    room[i * 2] = "0123456789abcdef"u8[notes[text + i] >> 4];
                    room[(i * 2) + 1] = "0123456789abcdef"u8[notes[text + i] & 15];
                }

                room[size32 * 2] = 0;
                program.BuildId = room;
                return;
            }

            at = text + ((size32 + 3ul) & ~3ul);
        }
    }

    private static bool ReadAt(int fd, void* to, uint bytes, uint offset)
        => Host.Syscall(Nr.pread64, fd, (long)to, bytes, offset) == bytes;
}
