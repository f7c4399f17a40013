using System;
using System.Runtime.InteropServices;
using Lodge.Protocol;
using HostUsage = Lodge.Abi.Host.rusage;

namespace Lodge.Shim;

/// <summary>
/// What a guest tells the service: that it runs, unknown ioctls, its counters. Whether anybody listens makes no difference to the guest. Not
/// from signal handlers.
/// </summary>
public static unsafe class ServiceClient
{
    /// <summary>Version of the shim as the service is told it: major &lt;&lt; 16 | minor.</summary>
    private const uint ShimVersion = 1;
    private const int PathRoom = 4096;

    /// <summary>
    /// Looks for the service: before the root directory is changed, behind which its socket may be out of reach. A connection or -1.
    /// </summary>
    public static int Connect(GuestThread* t, in StartInfo start)
    {
        // Gives null for programs that trust nothing of their caller's. The environment goes away with the initial stack.
        byte* directory = start.Environment(ServicePaths.RuntimeDirectoryVariable);
        uint bytes = directory == null ? 0 : Loader.Length(directory) + 1;
        byte* copy = bytes is 0 or > PathRoom ? null : (byte*)Mm.Allocate(t, bytes);
        if (copy != null)
        {
            Buffer.MemoryCopy(directory, copy, bytes, bytes);
        }

        t->Group->Service.RuntimeDirectory = copy;
        return ServiceSocket.Open(t->Group->Service.RuntimeDirectory, mayWait: true);
    }

    /// <summary>
    /// Registers the program that has just been loaded. <paramref name="program"/> is its descriptor. A program with privileges of its own
    /// (AT_SECURE) is told to the system's service only. Called once, before the first guest instruction. <paramref name="connection"/> is what
    /// <see cref="Connect"/> gave where it was called before, else -1.
    /// </summary>
    public static void Register(GuestThread* t, in StartInfo start, in Options options, int program, int connection)
    {
        ThreadGroup* group = t->Group;
        int fd = connection >= 0 ? connection : Connect(t, start);
        if (fd < 0)
        {
            return;
        }

        ReadOnlySpan<byte> name = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(options.Program);
        if (options.Program[0] != '/')
        {
            byte* path = stackalloc byte[PathRoom];
            name = FullPath(program, path, name);
        }

        GuestFlags flags = start.FromBinfmt ? GuestFlags.Binfmt : GuestFlags.None;
        flags |= start.IsSecure ? GuestFlags.Secure : 0;
        flags |= group->Trace != 0 ? GuestFlags.Traced : 0;
        flags |= options.HasRecord ? GuestFlags.ByExec : 0;
        flags |= group->HasRoot != 0 ? GuestFlags.Rooted : 0;
        if (name.Length > RegisterMessage.MaxProgram)
        {
            name = name.Slice(name.Length - RegisterMessage.MaxProgram);
            flags |= GuestFlags.ProgramTruncated;
        }

        byte* packet = stackalloc byte[RegisterMessage.Size + RegisterMessage.MaxProgram];
        RegisterMessage* message = (RegisterMessage*)packet;
        *message = default;
        message->Header = new MessageHeader(MessageType.Register, RegisterMessage.Size + name.Length, 0);
        message->Abi = group->IsArm != 0 ? GuestAbi.Arm : GuestAbi.I386;
        message->Host = Architecture;
        message->Flags = flags;
        message->ShimVersion = ShimVersion;
        message->ProgramLength = (ushort)name.Length;
        name.CopyTo(new Span<byte>(packet + RegisterMessage.Size, name.Length));
        if (ServiceSocket.Send(fd, packet, RegisterMessage.Size + name.Length))
        {
            group->Service.Registered = t->Links.Tgid;
            group->Service.Known = 1;
        }
    }

    /// <summary>Tells what the program did, when it is the registered one. Called just before its end.</summary>
    public static void Report(GuestThread* t, int status)
    {
        ThreadGroup* group = t->Group;
        if (group->Service.Registered == 0 || group->Service.Registered != t->Links.Tgid)
        {
            return;
        }

        int fd = ServiceSocket.Open(group->Service.RuntimeDirectory, mayWait: false);
        if (fd < 0)
        {
            return;
        }

        CountersMessage message = default;
        message.Header = new MessageHeader(MessageType.Counters, CountersMessage.Size, 0);
#if X64
        if (t->Mm->Code != null)
        {
            message.Units = t->Mm->Code->TranslatedUnits;
            message.Instructions = t->Mm->Code->TranslatedInstructions;
            message.GuestCodeBytes = t->Mm->Code->TranslatedBytes;
            message.HostCodeBytes = t->Mm->Code->EmittedBytes;
        }
#endif
        HostUsage usage;
        if (Host.Syscall(Nr.getrusage, 0, (long)&usage) == 0)
        {
            message.UserMicroseconds = ((ulong)usage.ru_utime.tv_sec * 1_000_000) + (ulong)usage.ru_utime.tv_usec;
            message.SystemMicroseconds = ((ulong)usage.ru_stime.tv_sec * 1_000_000) + (ulong)usage.ru_stime.tv_usec;
            message.MaxResidentKiB = (ulong)usage.ru_maxrss;
            message.PageFaults = (ulong)usage.ru_minflt + (ulong)usage.ru_majflt;
        }

        message.LinesSuppressed = group->Service.LinesSuppressed;
        message.ExitStatus = (uint)status & 0xFF;
        ServiceSocket.Send(fd, &message, CountersMessage.Size);
    }

    /// <summary>Tells of an ioctl that the tables do not know: each number once, and not too many.</summary>
    public static void UnknownIoctl(GuestThread* t, int fd, uint request)
    {
        ServiceLink* link = &t->Group->Service;
        if (link->Known == 0 || link->Seen.Contains(request))
        {
            return;
        }

        // A fork of another thread would copy the socket; it waits for this lock.
        if (link->Seen.Count >= ServiceLink.MaxSeen || !t->Group->ThreadsLock.TryAcquire(t))
        {
            link->LinesSuppressed++;
            return;
        }

        if (link->Seen.TryAdd(request, ServiceLink.MaxSeen))
        {
            Line line = new(stackalloc byte[96]);
            line.Add("unknown ioctl "u8);
            line.Hex(request, 8);
            line.Add(" on descriptor "u8);
            line.Dec(fd);
            line.Add(": ENOTTY"u8);
            Tell(link, GuestLogLevel.Warning, line.Text);
        }

        t->Group->ThreadsLock.Release(t);
    }

    private static void Tell(ServiceLink* link, GuestLogLevel level, ReadOnlySpan<byte> text)
    {
        int fd = ServiceSocket.Open(link->RuntimeDirectory, mayWait: false);
        if (fd < 0)
        {
            link->LinesSuppressed++;
            return;
        }

        byte* packet = stackalloc byte[LogMessage.Size + LogMessage.MaxText];
        LogMessage* message = (LogMessage*)packet;
        *message = default;
        bool cut = text.Length > LogMessage.MaxText;
        text = cut ? text.Slice(0, LogMessage.MaxText) : text;
        message->Header = new MessageHeader(MessageType.Log, LogMessage.Size + text.Length, 0);
        message->Level = level;
        message->Truncated = cut ? (byte)1 : (byte)0;
        message->TextLength = (ushort)text.Length;
        text.CopyTo(new Span<byte>(packet + LogMessage.Size, text.Length));
        if (!ServiceSocket.Send(fd, packet, LogMessage.Size + text.Length))
        {
            link->LinesSuppressed++;
        }
    }

    // A relative name says little to others; /proc knows the whole one. Without /proc the name stays.
    private static ReadOnlySpan<byte> FullPath(int program, byte* to, ReadOnlySpan<byte> otherwise)
    {
        const int AtFdCwd = -100;
        Line link = new(stackalloc byte[32]);
        link.Add("/proc/self/fd/"u8);
        link.Dec(program);
        link.Byte(0);
        fixed (byte* name = link.Text)
        {
            long length = Host.Syscall(Nr.readlinkat, AtFdCwd, (long)name, (long)to, PathRoom);
            return length > 0 && to[0] == '/' ? new ReadOnlySpan<byte>(to, (int)length) : otherwise.Length != 0 ? otherwise : "?"u8;
        }
    }

#if ARM64
    private const HostArchitecture Architecture = HostArchitecture.Arm64;
#else
    private const HostArchitecture Architecture = HostArchitecture.X64;
#endif
}
