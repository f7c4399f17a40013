namespace Lodge.Shim;

/// <summary>
/// Files of /proc that the guest reads in our wording: what the host says, with the shim taken out. The guest gets a sealed memory file with
/// the text of the moment of opening.
/// </summary>
public static unsafe class ProcText
{
    private const uint MFD_CLOEXEC = 1;
    private const uint MFD_ALLOW_SEALING = 2;
    private const int F_ADD_SEALS = 1033;
    /// <summary>F_SEAL_SEAL, SHRINK, GROW, WRITE.</summary>
    private const int AllSeals = 15;
    private const ulong Capacity = 4 << 20;

    /// <summary>Opens the guest's view of a file; false when the host's is right (or cannot be had).</summary>
    public static bool Open(GuestThread* t, in ProcName name, uint flags, out int result)
    {
        result = 0;
        switch (name.File)
        {
            case ProcFile.CpuInfo:
            case ProcFile.Stat:
            case ProcFile.Statm:
            case ProcFile.Status:
            case ProcFile.Maps:
            case ProcFile.Smaps:
                break;
            default:
                return false;
        }

        long memory = Host.Syscall(Nr.mmap, 0, (long)(2 * Capacity), 3, 0x4022, -1, 0);
        if (Host.IsError(memory))
        {
            return false;
        }

        byte* text = (byte*)memory;
        byte* path = stackalloc byte[64];
        HostPath(in name, path);
        long length = ReadAll(path, text, (long)Capacity);
        bool done = length > 0;
        if (done)
        {
            if (name.File is ProcFile.Maps or ProcFile.Smaps)
            {
                long written = ProcMaps.Write(t, text, length, name.File == ProcFile.Smaps, text + Capacity, (long)Capacity);
                result = ToFile(text + Capacity, written, flags);
            }
            else
            {
                ProcWriter writer = new(text + Capacity, (long)Capacity);
                Rewrite(t, in name, text, length, ref writer);
                result = ToFile(writer.Start, writer.Length, flags);
            }
        }

        _ = Host.Syscall(Nr.munmap, memory, (long)(2 * Capacity));
        return done;
    }

    private static void Rewrite(GuestThread* t, in ProcName name, byte* text, long length, ref ProcWriter writer)
    {
        ProcMemory.Measure(t, out MemoryFigures figures);
        switch (name.File)
        {
            case ProcFile.Status:
                SignalFigures.Collect(t, name.TaskNumber != 0 ? name.TaskNumber : name.Number, out SignalFigures signals);
                ProcRewrite.Status(text, length, in figures, in signals, ref writer);
                break;
            case ProcFile.Stat:
                ProcRewrite.Stat(text, length, in figures, ref writer);
                break;
            case ProcFile.Statm:
                ProcRewrite.Statm(text, length, in figures, ref writer);
                break;
            default:
                ProcRewrite.CpuInfo(text, length, t->Group->HiddenFeatures, ref writer);
                break;
        }
    }

    /// <summary>Makes a read-only memory file at the lowest free descriptor. The descriptor or -errno.</summary>
    public static int ToFile(byte* text, long length, uint flags)
    {
        byte* label = stackalloc byte[8];
        label[0] = (byte)'p';
        label[1] = (byte)'r';
        label[2] = (byte)'o';
        label[3] = (byte)'c';
        label[4] = 0;
        uint closeOnExec = (flags & FileConstants.O_CLOEXEC) != 0 ? MFD_CLOEXEC : 0;
        int fd = (int)Host.Syscall(Nr.memfd_create, (long)label, MFD_ALLOW_SEALING | closeOnExec);
        if (fd < 0)
        {
            return fd;
        }

        for (long done = 0; done < length;)
        {
            long some = Host.Syscall(Nr.write, fd, (long)(text + done), length - done);
            if (some <= 0)
            {
                _ = Host.Syscall(Nr.close, fd);
                return some < 0 ? (int)some : -Errno.EIO;
            }

            done += some;
        }

        _ = Host.Syscall(Nr.lseek, fd, 0, FileConstants.SEEK_SET);
        _ = Host.Syscall(Nr.fcntl, fd, F_ADD_SEALS, AllSeals);
        return fd;
    }

    /// <summary>Reads a whole file; its length or -errno. What goes beyond <paramref name="capacity"/> is left out.</summary>
    public static long ReadAll(byte* path, byte* to, long capacity)
    {
        long fd = Host.Syscall(Nr.openat, FileConstants.AT_FDCWD, (long)path, FileConstants.O_CLOEXEC, 0);
        if (fd < 0)
        {
            return fd;
        }

        long length = 0;
        while (length < capacity)
        {
            long some = Host.Syscall(Nr.read, fd, (long)(to + length), capacity - length);
            if (some == -Errno.EINTR)
            {
                continue;
            }

            if (some <= 0)
            {
                break;
            }

            length += some;
        }

        _ = Host.Syscall(Nr.close, fd);
        return length;
    }

    private static void HostPath(in ProcName name, byte* path)
    {
        ProcWriter writer = new(path, 63);
        writer.Text("/proc/"u8);
        if (name.File == ProcFile.CpuInfo)
        {
            writer.Text("cpuinfo"u8);
            writer.Terminate();
            return;
        }

        writer.Text("self/"u8);
        if (name.TaskNumber != 0)
        {
            writer.Text("task/"u8);
            writer.Decimal((ulong)name.TaskNumber);
            writer.Text("/"u8);
        }

        writer.Text(name.File switch
        {
            ProcFile.Status => "status"u8,
            ProcFile.Statm => "statm"u8,
            ProcFile.Maps => "maps"u8,
            ProcFile.Smaps => "smaps"u8,
            _ => "stat"u8,
        });
        writer.Terminate();
    }
}
