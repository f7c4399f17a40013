using System;
using System.IO;
using System.Net;
using System.Net.Sockets;
using Mono.Unix.Native;

namespace Lodge.Service;

/// <summary>Makes the listening sockets and the directories they lie in.</summary>
internal static class Sockets
{
    private const int Backlog = 4096;

    private const FilePermissions OwnerOnly = FilePermissions.S_IRUSR | FilePermissions.S_IWUSR | FilePermissions.S_IXUSR;
    private const FilePermissions Passable = OwnerOnly
        | FilePermissions.S_IRGRP | FilePermissions.S_IXGRP | FilePermissions.S_IROTH | FilePermissions.S_IXOTH;

    private const FilePermissions EveryoneWrites = FilePermissions.S_IRUSR | FilePermissions.S_IWUSR
        | FilePermissions.S_IRGRP | FilePermissions.S_IWGRP | FilePermissions.S_IROTH | FilePermissions.S_IWOTH;

    /// <summary>
    /// Makes a directory: a user's for nobody else, the system's for everybody to pass. One that is there must be ours (or root's), and no link.
    /// </summary>
    public static void MakeDirectory(string path, bool system)
    {
        FilePermissions mode = system ? Passable : OwnerOnly;
        string? parent = Path.GetDirectoryName(path);
        if (parent != null && !Directory.Exists(parent))
        {
            MakeDirectory(parent, system);
        }

        if (Syscall.mkdir(path, mode) == 0)
        {
            _ = Syscall.chmod(path, mode);
            return;
        }

        Errno errno = Stdlib.GetLastError();
        if (errno != Errno.EEXIST)
        {
            throw new StartException(ExitStatus.Failure, $"{path}: {Stdlib.strerror(errno)}");
        }

        if (Syscall.lstat(path, out Stat stat) < 0 || (stat.st_mode & FilePermissions.S_IFMT) != FilePermissions.S_IFDIR
            || (stat.st_uid != Syscall.geteuid() && stat.st_uid != 0))
        {
            throw new StartException(ExitStatus.Failure, $"{path} is not a directory of ours");
        }
    }

    /// <summary>A listening SOCK_SEQPACKET socket. Whatever lies at the path is removed: the caller holds the lock.</summary>
    public static int ListenPackets(string path, bool forAll) => ListenUnix(path, UnixSocketType.SOCK_SEQPACKET, forAll);

    /// <summary>A listening SOCK_STREAM socket for unix:PATH or ADDRESS:PORT; the address must be the loopback's.</summary>
    public static int ListenMetrics(string where, bool forAll)
    {
        const string UnixPrefix = "unix:";
        if (where.StartsWith(UnixPrefix, StringComparison.Ordinal))
        {
            return ListenUnix(where[UnixPrefix.Length..], UnixSocketType.SOCK_STREAM, forAll);
        }

        if (!IPEndPoint.TryParse(where, out IPEndPoint? address) || !IPAddress.IsLoopback(address.Address))
        {
            throw new StartException(ExitStatus.Usage,
                $"{where}: metrics are served on unix:PATH or on a port of the loopback, such as 127.0.0.1:9321");
        }

        using Socket socket = new(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            socket.Bind(address);
            socket.Listen(16);
        }
        catch (SocketException e)
        {
            throw new StartException(ExitStatus.Failure, $"{where}: {e.Message}");
        }

        // The loop deals with descriptors; the copy outlives the object.
        int fd = Syscall.dup((int)socket.Handle);
        _ = Syscall.fcntl(fd, FcntlCommand.F_SETFD, 1);
        _ = Syscall.fcntl(fd, FcntlCommand.F_SETFL, Syscall.fcntl(fd, FcntlCommand.F_GETFL) | (int)OpenFlags.O_NONBLOCK);
        return fd;
    }

    private static int ListenUnix(string path, UnixSocketType type, bool forAll)
    {
        if (path.Length > 107)
        {
            throw new StartException(ExitStatus.Failure, $"{path}: too long for a socket's path");
        }

        int fd = Syscall.socket(UnixAddressFamily.AF_UNIX, type, UnixSocketFlags.SOCK_CLOEXEC | UnixSocketFlags.SOCK_NONBLOCK, 0);
        _ = Syscall.unlink(path);

        // Looked up before its error counts, see PacketSocket.
        _ = Syscall.bind(-1, new SockaddrUn(path, false));

        // Bound with the mode it is to have: nobody shut out can slip in before a chmod.
        FilePermissions before = Syscall.umask(forAll ? 0 : FilePermissions.S_IRWXG | FilePermissions.S_IRWXO);
        int bound = Syscall.bind(fd, new SockaddrUn(path, false));
        Errno errno = bound < 0 ? Stdlib.GetLastError() : 0;
        _ = Syscall.umask(before);
        if (bound == 0 && Syscall.listen(fd, Backlog) < 0)
        {
            errno = Stdlib.GetLastError();
        }

        if (errno != 0)
        {
            _ = Syscall.close(fd);
            throw new StartException(ExitStatus.Failure, $"{path}: {Stdlib.strerror(errno)}");
        }

        if (forAll)
        {
            _ = Syscall.chmod(path, EveryoneWrites);
        }

        return fd;
    }
}
