namespace Lodge.Shim;

/// <summary>
/// Places the shim's own descriptors. They lie just above the guest's soft limit on descriptors, where the kernel never
/// allocates for the guest; the table of a process grows with its highest descriptor and fork copies it, so not higher than need be.
/// Any thread; not from signal handlers.
/// </summary>
public static unsafe class HiddenFiles
{
    /// <summary>Soft limits above this do not push our descriptors further up.</summary>
    private const ulong Highest = 1024;

    private struct Limit
    {
        public ulong Soft;
        public ulong Hard;
    }

    /// <summary>Where descriptors of ours go now, and the limit that was widened to get them there.</summary>
    private struct Room
    {
        public long From;
        public Limit Old;
        public bool IsRaised;
    }

    /// <summary>
    /// Moves <paramref name="fd"/> out of the guest's sight, close-on-exec, and enters it in its slot. The original is closed.
    /// Returns the new descriptor or -errno (the original stays open then).
    /// </summary>
    public static int Adopt(FilesStruct* files, HiddenFile slot, int fd)
    {
        Room room = Open();
        int moved = Adopt(files, slot, fd, room);
        Close(room);
        return moved;
    }

    /// <summary>At start: the shim's own image, if there is one, and the program, which may be where they belong by what execve handed over.</summary>
    public static void AdoptFirst(FilesStruct* files, int image, int program)
    {
        Room room = Open();
        if (image >= 0)
        {
            Settle(files, HiddenFile.ShimImage, image, room);
        }

        Settle(files, HiddenFile.Program, program, room);
        Close(room);
    }

    /// <summary>As <see cref="Adopt(FilesStruct*, HiddenFile, int)"/>, but the original stays open for the guest.</summary>
    public static int AdoptCopy(FilesStruct* files, HiddenFile slot, int fd)
    {
        Room room = Open();
        int copy = MoveUp(fd, 0, room);
        Close(room);
        if (copy >= 0)
        {
            FilesStruct.SetHidden(files, slot, copy);
        }

        return copy;
    }

    /// <summary>True when a relative (or empty, AT_EMPTY_PATH) name is to be looked up from a descriptor of ours: for the guest there is none.</summary>
    public static bool IsStart(GuestThread* t, int dirfd, uint path) =>
        FilesStruct.IsHidden(t->Files, dirfd) && !(User.Get(path, out byte first) && first == (byte)'/');

    /// <summary>Makes way for the guest, which wants exactly this number (dup2 onto it). 0 or -errno.</summary>
    public static int Evade(FilesStruct* files, int fd)
    {
        int index = FilesStruct.HiddenIndex(files, fd);
        if (index < 0)
        {
            return 0;
        }

        Room room = Open();
        int moved = MoveUp(fd, fd + 1, room);
        Close(room);
        if (moved < 0)
        {
            return moved;
        }

        FilesStruct.SetHidden(files, (HiddenFile)index, moved);
        return 0;
    }

    private static void Settle(FilesStruct* files, HiddenFile slot, int fd, in Room room)
    {
        if (fd >= room.From && Host.Syscall(Nr.fcntl, fd, FileConstants.F_SETFD, FileConstants.FD_CLOEXEC) == 0)
        {
            FilesStruct.SetHidden(files, slot, fd);
            return;
        }

        _ = Adopt(files, slot, fd, room);
    }

    private static int Adopt(FilesStruct* files, HiddenFile slot, int fd, in Room room)
    {
        int moved = MoveUp(fd, 0, room);
        if (moved >= 0)
        {
            FilesStruct.SetHidden(files, slot, moved);
            _ = Host.Syscall(Nr.close, fd);
            FilesStruct.Forget(files, fd);
        }

        return moved;
    }

    private static Room Open()
    {
        Room room = default;
        Limit old;
        bool known = Host.Syscall(Nr.prlimit64, 0, FileConstants.RLIMIT_NOFILE, 0, (long)&old) == 0;
        ulong soft = known ? old.Soft : Highest;
        ulong wanted = soft < Highest ? soft : Highest;
        if (known && old.Hard >= wanted + 64 && soft < wanted + 64)
        {
            Limit wider = old;
            wider.Soft = wanted + 64;
            room.Old = old;
            room.IsRaised = Host.Syscall(Nr.prlimit64, 0, FileConstants.RLIMIT_NOFILE, (long)&wider, 0) == 0;
        }
        else if (soft < wanted + 64)
        {
            // No room above: the last numbers below the limit have to do.
            wanted = soft > FilesStruct.HiddenSlots * 2 ? soft - (FilesStruct.HiddenSlots * 2) : 0;
        }

        room.From = (long)wanted;
        return room;
    }

    private static void Close(in Room room)
    {
        if (room.IsRaised)
        {
            Limit old = room.Old;
            _ = Host.Syscall(Nr.prlimit64, 0, FileConstants.RLIMIT_NOFILE, (long)&old, 0);
        }
    }

    private static int MoveUp(int fd, int atLeast, in Room room)
    {
        long from = atLeast > room.From ? atLeast : room.From;
        long moved = Host.Syscall(Nr.fcntl, fd, FileConstants.F_DUPFD_CLOEXEC, from);
        return (int)(moved < 0 ? Host.Syscall(Nr.fcntl, fd, FileConstants.F_DUPFD_CLOEXEC, 3) : moved);
    }
}
