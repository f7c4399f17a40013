using HostAbi = Lodge.Abi.Host;

namespace Lodge.Shim;

/// <summary>
/// The positioned and vectored forms of read and write (fs/read_write.c). The host kernel works on the guest's buffers directly; what is
/// converted is the iovec array and the halves of 64-bit positions.
/// </summary>
public static unsafe partial class Syscalls<TAbi>
{
    /// <summary>read(fd, buffer, count).</summary>
    public static int sys_read(GuestThread* t)
    {
        int fd = (int)TAbi.Arg(t, 0);
        uint buffer = TAbi.Arg(t, 1);
        ulong count = TAbi.Arg(t, 2);
        Mm.PrepareWrite(t, buffer, (nuint)count);
        int error = FilesStruct.IsMemory(t->Files, fd) ? ProcMem.Cut(t, ProcMem.Position(fd, WriteLimit.OwnPosition), ref count) : 0;
        return error < 0 ? error : (int)Host.BlockingCall(t, Nr.read, (uint)fd, buffer, (long)count);
    }

    /// <summary>pread64(fd, buffer, count, position).</summary>
    public static int sys_pread64(GuestThread* t)
    {
        int fd = (int)TAbi.Arg(t, 0);
        uint buffer = TAbi.Arg(t, 1);
        ulong count = TAbi.Arg(t, 2);
        long position = TAbi.LoffArg(t, 3);
        Mm.PrepareWrite(t, buffer, (nuint)count);
        int error = FilesStruct.IsMemory(t->Files, fd) && position >= 0 ? ProcMem.Cut(t, (ulong)position, ref count) : 0;
        return error < 0 ? error : (int)Host.BlockingCall(t, Nr.pread64, (uint)fd, buffer, (long)count, position);
    }

    /// <summary>write(fd, buffer, count).</summary>
    public static int sys_write(GuestThread* t)
    {
        int fd = (int)TAbi.Arg(t, 0);
        ulong count = TAbi.Arg(t, 2);
        return FilesStruct.IsSpecial(t->Files, fd)
            ? WriteSpecial(t, Nr.write, fd, count, WriteLimit.OwnPosition)
            : (int)Host.BlockingCall(t, Nr.write, (uint)fd, TAbi.Arg(t, 1), (long)count);
    }

    private static int WriteSpecial(GuestThread* t, int nr, int fd, ulong count, long position)
    {
        bool isMemory = FilesStruct.IsMemory(t->Files, fd);
        ulong start = isMemory ? ProcMem.Position(fd, position) : 0;
        int error = isMemory ? ProcMem.Cut(t, start, ref count) : WriteLimit.Cut(fd, position, ref count);
        if (error < 0)
        {
            return error;
        }

        int result = (int)Host.BlockingCall(t, nr, (uint)fd, TAbi.Arg(t, 1), (long)count, position);
        if (isMemory)
        {
            ProcMem.Changed(t, start, result);
        }

        return result;
    }

    /// <summary>pwrite64(fd, buffer, count, position).</summary>
    public static int sys_pwrite64(GuestThread* t)
    {
        int fd = (int)TAbi.Arg(t, 0);
        ulong count = TAbi.Arg(t, 2);
        long position = TAbi.LoffArg(t, 3);
        return FilesStruct.IsSpecial(t->Files, fd) && position >= 0
            ? WriteSpecial(t, Nr.pwrite64, fd, count, position)
            : (int)Host.BlockingCall(t, Nr.pwrite64, (uint)fd, TAbi.Arg(t, 1), (long)count, position);
    }

    /// <summary>readv(fd, iov, count).</summary>
    public static int sys_readv(GuestThread* t) => Vectored(t, Nr.readv, 0, 0, true);

    /// <summary>writev(fd, iov, count).</summary>
    public static int sys_writev(GuestThread* t) => Vectored(t, Nr.writev, 0, 0, false);

    /// <summary>preadv(fd, iov, count, position low, high).</summary>
    public static int sys_preadv(GuestThread* t) => Vectored(t, Nr.preadv, Position(t), 0, true);

    /// <summary>pwritev(fd, iov, count, position low, high).</summary>
    public static int sys_pwritev(GuestThread* t) => Vectored(t, Nr.pwritev, Position(t), 0, false);

    /// <summary>preadv2(fd, iov, count, position low, high, flags); position -1 is the file's own.</summary>
    public static int sys_preadv2(GuestThread* t) => Vectored(t, Nr.preadv2, Position(t), (int)TAbi.Arg(t, 5), true);

    /// <summary>pwritev2(fd, iov, count, position low, high, flags).</summary>
    public static int sys_pwritev2(GuestThread* t) => Vectored(t, Nr.pwritev2, Position(t), (int)TAbi.Arg(t, 5), false);

    // preadv and friends take the halves as two plain arguments on both guests: no register pair.
    private static long Position(GuestThread* t) => (long)(((ulong)TAbi.Arg(t, 4) << 32) | TAbi.Arg(t, 3));

    private static int Vectored(GuestThread* t, int nr, long position, int flags, bool reads)
    {
        uint fd = TAbi.Arg(t, 0);
        HostAbi.iovec* inline = stackalloc HostAbi.iovec[Iovec.InlineCount];
        Iovec vector = default;
        int error = vector.Load(TAbi.Arg(t, 1), TAbi.Arg(t, 2), inline);
        if (error < 0)
        {
            // What the descriptor itself has to say (EBADF, ESPIPE, a negative position) comes first.
            long first = Host.Syscall(nr, fd, 0, 0, position, 0, flags);
            return first < 0 ? (int)first : error;
        }

        if (reads)
        {
            vector.PrepareWrite(t);
        }

        bool isMemory = FilesStruct.IsMemory(t->Files, (int)fd);
        ulong start = 0;
        if (isMemory || (!reads && FilesStruct.IsLimited(t->Files, (int)fd)))
        {
            ulong total = vector.Total;
            bool own = nr is Nr.writev or Nr.readv || (nr is Nr.pwritev2 or Nr.preadv2 && position == -1);
            start = isMemory ? ProcMem.Position((int)fd, own ? WriteLimit.OwnPosition : position) : 0;
            error = isMemory ? ProcMem.Cut(t, start, ref total) : WriteLimit.Cut((int)fd, own ? WriteLimit.OwnPosition : position, ref total);
            if (error < 0)
            {
                vector.Release();
                return error;
            }

            vector.Cut(total);
        }

        int result = (int)Host.BlockingCall(t, nr, fd, (long)vector.Segments, vector.Count, position, 0, flags);
        vector.Release();
        if (isMemory && !reads)
        {
            ProcMem.Changed(t, start, result);
        }

        return result;
    }
}
