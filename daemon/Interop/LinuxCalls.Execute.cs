using System;
using System.Runtime.InteropServices;

namespace Lodge.Interop;

/// <summary>Becoming another program, with its arguments and environment byte for byte.</summary>
public static unsafe partial class LinuxCalls
{
    private const int SIGPIPE = 13;

    /// <summary>
    /// execve(2): replaces this process. Returns only -errno. The strings are bytes, without a final zero. SIGPIPE, which the .NET runtime
    /// ignores, is the default again; the calling thread's signal mask is the program's. Call it from the first thread.
    /// </summary>
    public static int Execute(string path, ReadOnlySpan<byte[]> arguments, ReadOnlySpan<byte[]> environment)
    {
        byte** argv = Vector(arguments), envp = Vector(environment);
        signal(SIGPIPE, 0);
        int error = Result(execve(path, argv, envp));
        Free(argv);
        Free(envp);
        return error;
    }

    /// <summary>Sets the soft limit on descriptors. 0 or -errno.</summary>
    public static int SetSoftDescriptorLimit(ulong soft)
    {
        ulong* limit = stackalloc ulong[2];
        int result = Result(getrlimit(RLIMIT_NOFILE, limit));
        if (result < 0)
        {
            return result;
        }

        limit[0] = Math.Min(soft, limit[1]);
        return Result(setrlimit(RLIMIT_NOFILE, limit));
    }

    private static byte** Vector(ReadOnlySpan<byte[]> strings)
    {
        byte** vector = (byte**)NativeMemory.Alloc((nuint)strings.Length + 1, (nuint)sizeof(byte*));
        for (int i = 0; i < strings.Length; i++)
        {
            vector[i] = (byte*)NativeMemory.Alloc((nuint)strings[i].Length + 1);
            strings[i].CopyTo(new Span<byte>(vector[i], strings[i].Length));
            vector[i][strings[i].Length] = 0;
        }

        vector[strings.Length] = null;
        return vector;
    }

    private static void Free(byte** vector)
    {
        for (byte** at = vector; *at != null; at++)
        {
            NativeMemory.Free(*at);
        }

        NativeMemory.Free(vector);
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int execve(string path, byte** argv, byte** envp);

    [LibraryImport("libc")]
    private static partial nint signal(int number, nint handler);
}
