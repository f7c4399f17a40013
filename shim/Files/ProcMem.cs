namespace Lodge.Shim;

/// <summary>
/// The process's own /proc/PID/mem. The host would show the shim's memory, too; and
/// what is written there changes code without a store that announces it.
/// </summary>
internal static unsafe class ProcMem
{
    /// <summary>Opens it, and notes the descriptor. Flags in the host's numbering.</summary>
    public static int Open(GuestThread* t, uint flags)
    {
        fixed (byte* path = "/proc/self/mem\0"u8)
        {
            int fd = (int)Host.BlockingCall(t, Nr.openat, FileConstants.AT_FDCWD, (long)path, flags, 0);
            if (fd >= 0)
            {
                FilesStruct.MarkMemory(t->Files, fd);
            }

            return fd;
        }
    }

    /// <summary>Where an access through the descriptor begins: the given position, or with a negative one the descriptor's own.</summary>
    public static ulong Position(int fd, long position) =>
        (ulong)(position == WriteLimit.OwnPosition ? Host.Syscall(Nr.lseek, (uint)fd, 0, FileConstants.SEEK_CUR) : position);

    /// <summary>Cuts an access to what the guest has mapped from its start on. 0, or -EIO when that is nothing.</summary>
    public static int Cut(GuestThread* t, ulong position, ref ulong count)
    {
        if (count == 0)
        {
            return 0;
        }

        ulong end = position >= 1ul << 32 || position + count >= 1ul << 32 ? uint.MaxValue : position + count;
        uint covered = position >= end ? 0 : Syscalls<I386Abi>.CoveredUntil(t, (uint)position, (uint)end);
        if (covered <= position)
        {
            return -Errno.EIO;
        }

        count = covered - position;
        return 0;
    }

    /// <summary>Bytes have been written: translations of them are stale.</summary>
    public static void Changed(GuestThread* t, ulong position, int count)
    {
        if (count > 0)
        {
            t->Mm->MarkWritten(t, (uint)position, (uint)position + (uint)count);
            CodeInvalidation.Range(t->Mm, (uint)position, (uint)count);
        }
    }
}
