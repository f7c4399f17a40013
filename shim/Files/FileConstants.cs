namespace Lodge.Shim;

/// <summary>
/// Constants of the file calls that are equal on i386, arm, x86-64 and arm64 (include/uapi/asm-generic/fcntl.h, linux/fcntl.h, linux/fs.h).
/// The open flags that differ are in <see cref="OpenFlags"/>.
/// </summary>
public static class FileConstants
{
    /// <summary>Directory descriptor that stands for the working directory.</summary>
    public const int AT_FDCWD = -100;
    /// <summary>Do not follow a final symbolic link.</summary>
    public const int AT_SYMLINK_NOFOLLOW = 0x100;
    /// <summary>An empty path means the descriptor itself.</summary>
    public const int AT_EMPTY_PATH = 0x1000;

    /// <summary>Largest offset of a file that is not opened with O_LARGEFILE (MAX_NON_LFS).</summary>
    public const long MAX_NON_LFS = 0x7fffffff;

    /// <summary>Most segments of one vectored transfer (UIO_MAXIOV).</summary>
    public const int UIO_MAXIOV = 1024;

    /// <summary>Longest path including its terminator, bytes.</summary>
    public const int PATH_MAX = 4096;

    public const uint O_ACCMODE = 3;
    public const uint O_RDONLY = 0;
    public const uint O_WRONLY = 1;
    public const uint O_RDWR = 2;
    public const uint O_CREAT = 0x40;
    public const uint O_EXCL = 0x80;
    public const uint O_TRUNC = 0x200;
    public const uint O_NONBLOCK = 0x800;
    public const uint O_CLOEXEC = 0x80000;
    public const uint O_PATH = 0x200000;

    public const int F_DUPFD = 0;
    public const int F_GETFD = 1;
    public const int F_SETFD = 2;
    public const int FD_CLOEXEC = 1;
    public const int F_GETFL = 3;
    public const int F_SETFL = 4;
    public const int F_GETLK = 5;
    public const int F_SETLK = 6;
    public const int F_SETLKW = 7;
    /// <summary>The 32-bit ABIs' numbers for locks with 64-bit offsets.</summary>
    public const int F_GETLK64 = 12;
    /// <inheritdoc cref="F_GETLK64"/>
    public const int F_SETLK64 = 13;
    /// <inheritdoc cref="F_GETLK64"/>
    public const int F_SETLKW64 = 14;
    public const int F_OFD_GETLK = 36;
    public const int F_OFD_SETLK = 37;
    public const int F_OFD_SETLKW = 38;
    public const int F_DUPFD_CLOEXEC = 1030;

    public const uint S_IFMT = 0xf000;
    public const uint S_IFDIR = 0x4000;
    public const uint S_IFREG = 0x8000;

    public const int SEEK_SET = 0;
    public const int SEEK_CUR = 1;
    public const int SEEK_END = 2;

    /// <summary>statfs f_type of procfs.</summary>
    public const long PROC_SUPER_MAGIC = 0x9fa0;

    /// <summary>Resource number of the descriptor limit.</summary>
    public const int RLIMIT_NOFILE = 7;
}
