using System.Runtime.InteropServices;
using System.Text;
using Lodge.Shim;
using Xunit;

namespace Lodge.UnitTests.Memory;

/// <summary>The guest's maps and smaps from a tree and a host's text.</summary>
public unsafe class ProcMapsTests
{
    private const string HostMaps =
        """
        00010000-08048000 ---p 00000000 00:00 0 
        08048000-080e9000 r--p 00000000 fe:00 11657506                           /bin/a name with spaces
        080e9000-080ee000 rw-p 000a0000 fe:00 11657506                           /bin/a name with spaces
        080ee000-080f1000 rw-p 00000000 00:00 0                                  [anon:mine]
        080f1000-f7ffd000 ---p 00000000 00:00 0 
        f7ffd000-f7ffe000 r--p 00000000 00:00 0 
        ff7fe000-ffffe000 rw-p 00000000 00:00 0                                  [stack]
        7ffff7ffd000-7ffff7fff000 r-xp 00000000 00:00 0                          [vdso]

        """;

    private static GuestMapping Mapping(uint start, uint end, MappingFlags flags)
    {
        GuestMapping mapping = default;
        mapping.Start = start;
        mapping.End = end;
        mapping.Flags = flags;
        return mapping;
    }

    private static string Write(string host, bool smaps, params GuestMapping[] mappings)
    {
        const int ArenaBytes = 65536, OutputBytes = 65536;
        Mm* mm = (Mm*)NativeMemory.AllocZeroed((nuint)sizeof(Mm));
        GuestThread* thread = (GuestThread*)NativeMemory.AllocZeroed((nuint)sizeof(GuestThread));
        byte* arena = (byte*)NativeMemory.AllocZeroed(ArenaBytes);
        byte* output = (byte*)NativeMemory.AllocZeroed(OutputBytes);
        try
        {
            thread->Mm = mm;
            thread->Tid = 1;
            mm->Map.Initialize(arena, ArenaBytes);
            mm->StartBrk = 0x09000000;
            mm->Brk = 0x09000800;
            mm->StartStack = 0xFFFFD000;
            foreach (GuestMapping mapping in mappings)
            {
                mm->Map.Insert(mapping);
            }

            byte[] text = Encoding.ASCII.GetBytes(host);
            fixed (byte* p = text)
            {
                return Encoding.ASCII.GetString(output, (int)ProcMaps.Write(thread, p, text.Length, smaps, output, OutputBytes));
            }
        }
        finally
        {
            NativeMemory.Free(output);
            NativeMemory.Free(arena);
            NativeMemory.Free(thread);
            NativeMemory.Free(mm);
        }
    }

    [Fact]
    public void RightsComeFromTheTreeAndNamesFromTheHost()
    {
        const MappingFlags Rx = MappingFlags.Read | MappingFlags.Exec, Rw = MappingFlags.Read | MappingFlags.Write;
        string text = Write(
            HostMaps,
            false,
            Mapping(0x08048000, 0x08049000, MappingFlags.Read | MappingFlags.File),
            Mapping(0x08049000, 0x080E9000, Rx | MappingFlags.File),
            Mapping(0x080E9000, 0x080EE000, Rw | MappingFlags.File),
            Mapping(0x080EE000, 0x080F1000, Rw),
            Mapping(0x09000000, 0x09001000, Rw | MappingFlags.Heap),
            Mapping(0xF7FFD000, 0xF7FFE000, Rx | MappingFlags.Vdso),
            Mapping(0xFFFDD000, 0xFFFFE000, Rw | MappingFlags.GrowsDown));
        Assert.Equal(
            """
            08048000-08049000 r--p 00000000 fe:00 11657506                           /bin/a name with spaces
            08049000-080e9000 r-xp 00001000 fe:00 11657506                           /bin/a name with spaces
            080e9000-080ee000 rw-p 000a0000 fe:00 11657506                           /bin/a name with spaces
            080ee000-080f1000 rw-p 00000000 00:00 0                                  [anon:mine]
            09000000-09001000 rw-p 00000000 00:00 0                                  [heap]
            f7ffd000-f7ffe000 r-xp 00000000 00:00 0                                  [vdso]
            fffdd000-ffffe000 rw-p 00000000 00:00 0                                  [stack]

            """,
            text);
    }

    [Fact]
    public void SharedMemoryKeepsItsNameAndOffset() => Assert.Equal(
        "e0001000-e0002000 -w-s 00401000 00:01 77                                 /dev/zero (deleted)\n",
        Write(
            "e0000000-e0004000 rw-s 00400000 00:01 77                                 /dev/zero (deleted)\n",
            false,
            Mapping(0xE0001000, 0xE0002000, MappingFlags.Write | MappingFlags.Shared)));

    [Fact]
    public void SmapsAddsUpWhatTheHostHasCut()
    {
        const string Host =
            """
            50000000-50001000 r--p 00000000 00:00 0 
            Size:                  4 kB
            KernelPageSize:        4 kB
            Rss:                   4 kB
            THPeligible:           0
            VmFlags: rd mr mw me 
            50001000-50003000 rw-p 00000000 00:00 0 
            Size:                  8 kB
            KernelPageSize:        4 kB
            Rss:                   8 kB
            THPeligible:           0
            VmFlags: rd wr mr mw me 

            """;
        Assert.Equal(
            """
            50000000-50003000 rwxp 00000000 00:00 0 
            Size:                 12 kB
            KernelPageSize:        4 kB
            Rss:                  12 kB
            THPeligible:           0
            VmFlags: rd mr mw me 

            """,
            Write(Host, true, Mapping(0x50000000, 0x50003000, MappingFlags.Access)));
    }

    [Fact]
    public void WithoutHostTextFilesAreNameless() => Assert.Equal(
        "50000000-50003000 r--p 00000000 00:00 0 \n", Write(string.Empty, false, Mapping(0x50000000, 0x50003000, MappingFlags.Read | MappingFlags.File)));
}
