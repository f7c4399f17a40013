using System;
using System.IO;
using Mono.Unix.Native;

namespace Lodge.Service;

/// <summary>Replaces files as a whole: a reader, and whoever comes after a crash or a power cut, sees the old one or the new one.</summary>
internal static unsafe class AtomicFile
{
    /// <summary>Writes beside, syncs, renames, syncs the directory. 0 or an errno; the old file stands in that case.</summary>
    public static Errno Write(string path, ReadOnlySpan<byte> bytes, FilePermissions mode)
    {
        string temporary = path + ".new";
        int fd = Syscall.open(temporary, OpenFlags.O_WRONLY | OpenFlags.O_CREAT | OpenFlags.O_TRUNC | OpenFlags.O_CLOEXEC | OpenFlags.O_NOFOLLOW, mode);
        if (fd < 0)
        {
            return Stdlib.GetLastError();
        }

        Errno errno = 0;
        fixed (byte* start = bytes)
        {
            for (long done = 0; done < bytes.Length && errno == 0;)
            {
                long n = Syscall.write(fd, start + done, (ulong)(bytes.Length - done));
                errno = n > 0 ? 0 : Stdlib.GetLastError();
                done += Math.Max(n, 0);
                errno = errno == Errno.EINTR ? 0 : errno;
            }
        }

        // The mode is as asked, whatever the umask.
        if (errno == 0 && (Syscall.fchmod(fd, mode) < 0 || Syscall.fsync(fd) < 0))
        {
            errno = Stdlib.GetLastError();
        }

        _ = Syscall.close(fd);
        if (errno == 0 && Stdlib.rename(temporary, path) < 0)
        {
            errno = Stdlib.GetLastError();
        }

        if (errno != 0)
        {
            _ = Syscall.unlink(temporary);
            return errno;
        }

        int directory = Syscall.open(Path.GetDirectoryName(path)!, OpenFlags.O_RDONLY | OpenFlags.O_DIRECTORY | OpenFlags.O_CLOEXEC);
        if (directory >= 0)
        {
            _ = Syscall.fsync(directory);
            _ = Syscall.close(directory);
        }

        return 0;
    }
}
