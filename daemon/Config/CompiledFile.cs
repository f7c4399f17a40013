using System;
using System.Globalization;
using System.IO;
using Mono.Unix.Native;

namespace Lodge.Config;

/// <summary>How publishing ended.</summary>
public enum PublishStatus
{
    /// <summary>The new file is in place.</summary>
    Published,
    /// <summary>The file in place has these bytes already.</summary>
    Unchanged,
    /// <summary>It did not work; what was in place still is.</summary>
    Failed,
}

/// <summary>How publishing ended, and why it failed.</summary>
/// <param name="Status">How it ended.</param>
/// <param name="Error">Why it failed; null otherwise.</param>
public sealed record PublishResult(PublishStatus Status, string? Error);

/// <summary>The compiled file on disk.</summary>
public static unsafe class CompiledFile
{
    /// <summary>
    /// Replaces a file in one step: written beside it, forced to disk, renamed, and the directory forced to disk. Whatever happens on the way,
    /// the path names a whole file: the old or the new one. The directory is made if it is missing. Programs that have the old
    /// file mapped keep it.
    /// </summary>
    public static PublishResult Publish(string path, ReadOnlySpan<byte> bytes)
    {
        string directory = Path.GetDirectoryName(Path.GetFullPath(path))!;
        string scratch = Path.Combine(directory, string.Create(CultureInfo.InvariantCulture, $".{Path.GetFileName(path)}.{Environment.ProcessId}"));
        try
        {
            Directory.CreateDirectory(directory);
            if (File.Exists(path) && bytes.SequenceEqual(File.ReadAllBytes(path)))
            {
                return new PublishResult(PublishStatus.Unchanged, null);
            }
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            return new PublishResult(PublishStatus.Failed, failed.Message);
        }

        // What a killed predecessor with the same process id may have left.
        _ = Syscall.unlink(scratch);
        string? error = Write(scratch, bytes);
        if (error == null && Syscall.rename(scratch, path) != 0)
        {
            error = Describe("rename", path);
        }

        if (error != null)
        {
            _ = Syscall.unlink(scratch);
            return new PublishResult(PublishStatus.Failed, error);
        }

        int folder = Syscall.open(directory, OpenFlags.O_RDONLY | OpenFlags.O_DIRECTORY | OpenFlags.O_CLOEXEC);
        if (folder >= 0)
        {
            _ = Syscall.fsync(folder);
            _ = Syscall.close(folder);
        }

        return new PublishResult(PublishStatus.Published, null);
    }

    private static string? Write(string path, ReadOnlySpan<byte> bytes)
    {
        const FilePermissions ReadableByAll = FilePermissions.S_IRUSR | FilePermissions.S_IWUSR | FilePermissions.S_IRGRP | FilePermissions.S_IROTH;
        int fd = Syscall.open(path, OpenFlags.O_WRONLY | OpenFlags.O_CREAT | OpenFlags.O_EXCL | OpenFlags.O_NOFOLLOW | OpenFlags.O_CLOEXEC, ReadableByAll);
        if (fd < 0)
        {
            return Describe("open", path);
        }

        string? error = null;
        fixed (byte* data = bytes)
        {
            for (int done = 0; done < bytes.Length && error == null;)
            {
                long some = Syscall.write(fd, data + done, (ulong)(bytes.Length - done));
                if (some > 0)
                {
                    done += (int)some;
                }
                else if (some == 0 || Stdlib.GetLastError() != Errno.EINTR)
                {
                    error = Describe("write", path);
                }
            }
        }

        // The mode whatever the umask is: every user's programs read the system's file.
        if (error == null && (Syscall.fchmod(fd, ReadableByAll) != 0 || Syscall.fsync(fd) != 0))
        {
            error = Describe("fsync", path);
        }

        if (Syscall.close(fd) != 0 && error == null)
        {
            error = Describe("close", path);
        }

        return error;
    }

    private static string Describe(string call, string path) => $"{call} {path}: {Stdlib.strerror(Stdlib.GetLastError())}";
}
