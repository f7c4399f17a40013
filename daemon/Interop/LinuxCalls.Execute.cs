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

    /// <summary>
    /// posix_spawn(3): starts a program with arguments and environment byte for byte; descriptors that are not close-on-exec are its own, too.
    /// SIGPIPE is the default in it. Returns the pid or -errno. Not to be mixed with System.Diagnostics.Process, which reaps children.
    /// </summary>
    public static int Spawn(string path, ReadOnlySpan<byte[]> arguments, ReadOnlySpan<byte[]> environment)
    {
        const short POSIX_SPAWN_SETSIGDEF = 4;

        // posix_spawnattr_t is 336 bytes, sigset_t 128 in glibc and musl.
        byte* attributes = stackalloc byte[512];
        byte* signals = stackalloc byte[128];
        new Span<byte>(signals, 128).Clear();
        signals[(SIGPIPE - 1) / 8] = 1 << ((SIGPIPE - 1) % 8);
        _ = posix_spawnattr_init(attributes);
        _ = posix_spawnattr_setsigdefault(attributes, signals);
        _ = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGDEF);
        byte** argv = Vector(arguments), envp = Vector(environment);
        int pid = 0;
        int error = posix_spawn(&pid, path, null, attributes, argv, envp);
        Free(argv);
        Free(envp);
        return error != 0 ? -error : pid;
    }

    /// <summary>waitpid(2), again after EINTR. Returns the pid or -errno; the status as the kernel gives it.</summary>
    public static int WaitForChild(int pid, out int status)
    {
        const int EINTR = 4;
        int value = 0;
        int result;
        do
        {
            result = Result(waitpid(pid, &value, 0));
        }
        while (result == -EINTR);
        status = value;
        return result;
    }

    /// <summary>kill(2). 0 or -errno.</summary>
    public static int SendSignal(int pid, int number) => Result(kill(pid, number));

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

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int posix_spawn(int* pid, string path, void* actions, void* attributes, byte** argv, byte** envp);

    [LibraryImport("libc")]
    private static partial int posix_spawnattr_init(void* attributes);

    [LibraryImport("libc")]
    private static partial int posix_spawnattr_setflags(void* attributes, short flags);

    [LibraryImport("libc")]
    private static partial int posix_spawnattr_setsigdefault(void* attributes, void* signals);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int waitpid(int pid, int* status, int options);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int kill(int pid, int number);

    [LibraryImport("libc")]
    private static partial nint signal(int number, nint handler);
}
