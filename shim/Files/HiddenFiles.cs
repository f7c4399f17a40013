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

    /// <summary>
    /// Moves <paramref name="fd"/> out of the guest's sight, close-on-exec, and enters it in its slot. The original is closed.
    /// Returns the new descriptor or -errno (the original stays open then).
    /// </summary>
    public static int Adopt(FilesStruct* files, HiddenFile slot, int fd)
    {
        int moved = AdoptCopy(files, slot, fd);
        if (moved >= 0)
        {
            _ = Host.Syscall(Nr.close, fd);
            FilesStruct.Forget(files, fd);
        }

        return moved;
    }

    /// <summary>As <see cref="Adopt"/>, but the original stays open for the guest.</summary>
    public static int AdoptCopy(FilesStruct* files, HiddenFile slot, int fd)
    {
        int copy = MoveUp(fd, 0);
        if (copy >= 0)
        {
            FilesStruct.SetHidden(files, slot, copy);
        }

        return copy;
    }

    /// <summary>Makes way for the guest, which wants exactly this number (dup2 onto it). 0 or -errno.</summary>
    public static int Evade(FilesStruct* files, int fd)
    {
        int index = FilesStruct.HiddenIndex(files, fd);
        if (index < 0)
        {
            return 0;
        }

        int moved = MoveUp(fd, fd + 1);
        if (moved < 0)
        {
            return moved;
        }

        FilesStruct.SetHidden(files, (HiddenFile)index, moved);
        return 0;
    }

    private static int MoveUp(int fd, int atLeast)
    {
        Limit old;
        bool known = Host.Syscall(Nr.prlimit64, 0, FileConstants.RLIMIT_NOFILE, 0, (long)&old) == 0;
        ulong soft = known ? old.Soft : Highest;
        ulong wanted = soft < Highest ? soft : Highest;
        bool raised = false;
        if (known && old.Hard >= wanted + 64 && soft < wanted + 64)
        {
            Limit wider = old;
            wider.Soft = wanted + 64;
            raised = Host.Syscall(Nr.prlimit64, 0, FileConstants.RLIMIT_NOFILE, (long)&wider, 0) == 0;
        }
        else if (soft < wanted + 64)
        {
            // No room above: the last numbers below the limit have to do.
            wanted = soft > FilesStruct.HiddenSlots * 2 ? soft - (FilesStruct.HiddenSlots * 2) : 0;
        }

        long from = atLeast > (long)wanted ? atLeast : (long)wanted;
        long moved = Host.Syscall(Nr.fcntl, fd, FileConstants.F_DUPFD_CLOEXEC, from);
        if (moved < 0)
        {
            moved = Host.Syscall(Nr.fcntl, fd, FileConstants.F_DUPFD_CLOEXEC, 3);
        }

        if (raised)
        {
            _ = Host.Syscall(Nr.prlimit64, 0, FileConstants.RLIMIT_NOFILE, (long)&old, 0);
        }

        return (int)moved;
    }
}
