using System;
using System.Runtime.InteropServices;
using System.Text;
using Lodge.Abi;
using Lodge.Shim;
using Xunit;

namespace Lodge.UnitTests.Files;

/// <summary>
/// A guest thread without guest code: memory below 4 GiB, register frames, empty records. Calls are made by setting argument registers and
/// calling the method; they reach the kernel of the machine that runs the tests.
/// </summary>
public sealed unsafe class GuestCalls : IDisposable
{
    private const int Size = 64 * 4096;
    private uint next;

    public GuestCalls()
    {
        T = Zeroed<GuestThread>();
        T->Self = T;
        T->Tid = (int)Host.Syscall(Nr.gettid);
        T->Mm = Zeroed<Mm>();
        T->Files = Zeroed<FilesStruct>();
        T->Fs = Zeroed<FsStruct>();
        T->Group = Zeroed<ThreadGroup>();
        T->Sighand = Zeroed<Sighand>();
        // PROT_READ|WRITE, MAP_PRIVATE|ANONYMOUS|32BIT; the last page cannot be touched.
        Base = (uint)Host.Syscall(Nr.mmap, 0, Size + 4096, 3, 0x62, -1, 0);
        Host.Syscall(Nr.mprotect, Base + Size, 4096, 0);
        next = Base;
        Directory = System.IO.Directory.CreateTempSubdirectory("lodge-files-").FullName;
    }

    public GuestThread* T { get; }

    /// <summary>First byte of the guest's memory; <see cref="End"/> is the first that cannot be touched.</summary>
    public uint Base { get; }

    public uint End => Base + Size;

    /// <summary>A directory of the test's own.</summary>
    public string Directory { get; }

    /// <summary>Room in guest memory, 16-byte aligned.</summary>
    public uint Room(int bytes)
    {
        uint at = (next + 15) & ~15u;
        next = at + (uint)bytes;
        Assert.True(next <= End);
        return at;
    }

    public uint Text(string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text + "\0");
        uint at = Room(bytes.Length);
        bytes.CopyTo(new Span<byte>((void*)at, bytes.Length));
        return at;
    }

    public uint Put<T1>(T1 value)
        where T1 : unmanaged
    {
        uint at = Room(sizeof(T1));
        *(T1*)at = value;
        return at;
    }

    /// <summary>Calls with i386 argument registers.</summary>
    public int I386(delegate*<GuestThread*, int> call, params ReadOnlySpan<uint> arguments)
    {
        T->I386.ebx = At(arguments, 0);
        T->I386.ecx = At(arguments, 1);
        T->I386.edx = At(arguments, 2);
        T->I386.esi = At(arguments, 3);
        T->I386.edi = At(arguments, 4);
        T->I386.ebp = At(arguments, 5);
        return call(T);
    }

    /// <summary>Calls with arm argument registers.</summary>
    public int Arm(delegate*<GuestThread*, int> call, params ReadOnlySpan<uint> arguments)
    {
        T->Arm.orig_r0 = At(arguments, 0);
        for (int i = 0; i < 7; i++)
        {
            T->Arm.r[i] = At(arguments, i);
        }

        return call(T);
    }

    public string Path(string name) => System.IO.Path.Combine(Directory, name);

    /// <summary>Opens (and makes) a file of the test's directory; close it with <see cref="Close"/>.</summary>
    public int Open(string name, uint flags = FileConstants.O_RDWR | FileConstants.O_CREAT | OpenFlags.X86LargeFile)
    {
        int fd = I386(&Syscalls<I386Abi>.sys_open, Text(Path(name)), flags, 0x180);
        Assert.True(fd >= 0, $"open {name}: {fd}");
        return fd;
    }

    public void Close(int fd) => Assert.Equal(0, I386(&Syscalls<I386Abi>.sys_close, (uint)fd));

    public void Dispose()
    {
        for (int i = 0; i < FilesStruct.HiddenSlots; i++)
        {
            int fd = FilesStruct.GetHidden(T->Files, (HiddenFile)i);
            if (fd >= 0)
            {
                Host.Syscall(Nr.close, fd);
            }
        }

        Host.Syscall(Nr.munmap, Base, Size + 4096);
        System.IO.Directory.Delete(Directory, true);
        NativeMemory.Free(T->Mm);
        NativeMemory.Free(T->Files);
        NativeMemory.Free(T->Fs);
        NativeMemory.Free(T->Group);
        NativeMemory.Free(T->Sighand);
        NativeMemory.Free(T);
    }

    private static uint At(ReadOnlySpan<uint> arguments, int index) => index < arguments.Length ? arguments[index] : 0;

    private static T1* Zeroed<T1>()
        where T1 : unmanaged => (T1*)NativeMemory.AllocZeroed((nuint)sizeof(T1));
}
