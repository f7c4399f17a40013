using System;
using System.Buffers;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.IO;
using System.Numerics;
using System.Runtime.InteropServices;
using Lodge.Protocol;
using Mono.Unix.Native;
using Serilog;

namespace Lodge.Service;

/// <summary>
/// The table of guests on disk: a head with the boot's id, then records of starts and ends, appended as they happen and written
/// anew when most of them are history. Processes do not outlive a boot, so nothing is synced: what the page cache keeps over a crash of the
/// service is exactly what is needed. Trouble (a full disk) never stops the service: it is logged once, and tried again.
/// </summary>
internal sealed unsafe class StateFile : IDisposable
{
    private const int HeadSize = 40;
    private const uint Version = 1;
    private const int RecordHead = 12;
    private const int MaxRecord = 4096;
    private const long CompactFrom = 256 * 1024;
    private const long RetryMilliseconds = 2000;
    private const byte StartKind = 1, EndKind = 2;

    private readonly string _path;
    private readonly ILogger _log;
    private readonly ArrayBufferWriter<byte> _pending = new(64 * 1024);
    private int _fd = -1;
    private long _length;
    private long _live;
    private long _retryAt;

    public StateFile(string path, ILogger log)
    {
        _path = path;
        _log = log;
    }

    /// <summary>The guests to write when the file is written anew, and the next id.</summary>
    public Func<(IEnumerable<GuestRecord> Guests, ulong NextId)> Snapshot { get; set; } = static () => ([], 1);

    /// <summary>The file cannot be written at the moment.</summary>
    public bool Failing { get; private set; }

    /// <summary>Times that writing failed.</summary>
    public ulong Failures { get; private set; }

    private static ReadOnlySpan<byte> Magic => "LODGSTAT"u8;

    /// <summary>
    /// Reads what a former run left. A damaged file gives what stands before the damage, and is kept beside as .bad; one of another boot
    /// gives nothing.
    /// </summary>
    public (List<(GuestEntry Entry, byte[] Program)> Guests, ulong NextId) Load()
    {
        byte[] bytes;
        try
        {
            bytes = File.ReadAllBytes(_path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return ([], 1);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _log.Error("State file {Path} cannot be read: {Reason}", _path, e.Message);
            return ([], 1);
        }

        (List<(GuestEntry, byte[])> guests, ulong nextId, string? damage) = Parse(bytes, ProcessStart.BootId);
        if (damage != null)
        {
            _log.Error("State file {Path} is damaged: {Damage}; {Count} guests were read before that. It is kept as {Copy}",
                _path, damage, guests.Count, _path + ".bad");
            try
            {
                File.Move(_path, _path + ".bad", overwrite: true);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                _log.Warning("The damaged state file could not be kept: {Reason}", e.Message);
            }
        }

        return (guests, nextId);
    }

    /// <summary>Reads a file's bytes. Damage is described, and null when there is none.</summary>
    public static (List<(GuestEntry Entry, byte[] Program)> Guests, ulong NextId, string? Damage) Parse(ReadOnlySpan<byte> bytes, Guid boot)
    {
        if (bytes.Length < HeadSize || !bytes.StartsWith(Magic))
        {
            return ([], 1, "it does not begin as such a file does");
        }

        if (BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]) != Version)
        {
            return ([], 1, $"version {BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..])} is not known");
        }

        ulong nextId = BinaryPrimitives.ReadUInt64LittleEndian(bytes[32..]);
        if (BinaryPrimitives.ReadUInt32LittleEndian(bytes[12..]) != Checksum(bytes[16..HeadSize]))
        {
            return ([], 1, "its head has a wrong checksum");
        }

        if (new Guid(bytes.Slice(16, 16)) != boot)
        {
            return ([], nextId, null);
        }

        SortedDictionary<ulong, (GuestEntry, byte[])> guests = [];
        int at = HeadSize;
        string? damage = null;
        while (at < bytes.Length)
        {
            ReadOnlySpan<byte> rest = bytes[at..];
            if (rest.Length < RecordHead)
            {
                damage = $"the record at {at} is cut off";
                break;
            }

            uint length = BinaryPrimitives.ReadUInt32LittleEndian(rest);
            if (length is < RecordHead or > MaxRecord || length > rest.Length)
            {
                damage = $"the record at {at} has no possible length";
                break;
            }

            ReadOnlySpan<byte> body = rest[RecordHead..(int)length];
            if (BinaryPrimitives.ReadUInt32LittleEndian(rest[4..]) != Checksum(rest[8..(int)length]) || !Apply(rest[8], body, guests, ref nextId))
            {
                damage = $"the record at {at} is not sound";
                break;
            }

            at += (int)length;
        }

        return ([.. guests.Values], nextId, damage);
    }

    /// <summary>A guest started.</summary>
    public void Start(GuestRecord guest)
    {
        _live++;
        Put(_pending, StartKind, guest);
    }

    /// <summary>A guest ended.</summary>
    public void End(GuestRecord guest)
    {
        _live--;
        Put(_pending, EndKind, guest);
    }

    /// <summary>Writes the file anew, with the guests of now. False when that failed.</summary>
    public bool Rewrite()
    {
        (IEnumerable<GuestRecord> guests, ulong nextId) = Snapshot();
        ArrayBufferWriter<byte> all = new(64 * 1024);
        Span<byte> head = all.GetSpan(HeadSize)[..HeadSize];
        Magic.CopyTo(head);
        BinaryPrimitives.WriteUInt32LittleEndian(head[8..], Version);
        ProcessStart.BootId.TryWriteBytes(head[16..]);
        BinaryPrimitives.WriteUInt64LittleEndian(head[32..], nextId);
        BinaryPrimitives.WriteUInt32LittleEndian(head[12..], Checksum(head[16..]));
        all.Advance(HeadSize);
        _live = 0;
        foreach (GuestRecord guest in guests)
        {
            _live++;
            Put(all, StartKind, guest);
        }

        _pending.ResetWrittenCount();
        string temporary = _path + ".new";
        int fd = Syscall.open(temporary, OpenFlags.O_WRONLY | OpenFlags.O_CREAT | OpenFlags.O_TRUNC | OpenFlags.O_CLOEXEC | OpenFlags.O_NOFOLLOW,
            FilePermissions.S_IRUSR | FilePermissions.S_IWUSR);
        if (fd < 0 || !WriteAll(fd, all.WrittenSpan) || Stdlib.rename(temporary, _path) < 0)
        {
            Errno errno = Stdlib.GetLastError();
            if (fd >= 0)
            {
                _ = Syscall.close(fd);
                _ = Syscall.unlink(temporary);
            }

            Fail(errno);
            return false;
        }

        Close();
        _fd = fd;
        _length = all.WrittenCount;
        if (Failing)
        {
            Failing = false;
            _log.Information("The table of guests is saved again in {Path}", _path);
        }

        return true;
    }

    /// <summary>Appends what has gathered. Called before anybody is told of a new guest, and at the end of every round.</summary>
    public void Flush()
    {
        if (Failing)
        {
            // The next file holds everything: nothing needs to be kept until then.
            _pending.ResetWrittenCount();
            if (EventLoop.Now >= _retryAt)
            {
                Rewrite();
            }

            return;
        }

        if (_pending.WrittenCount == 0)
        {
            return;
        }

        long averaged = _live * 160;
        if (_fd < 0 || (_length > CompactFrom && _length > averaged * 4))
        {
            Rewrite();
            return;
        }

        if (WriteAll(_fd, _pending.WrittenSpan))
        {
            _length += _pending.WrittenCount;
        }
        else
        {
            // Half a record at the end would hide what is appended later.
            Errno errno = Stdlib.GetLastError();
            _ = Syscall.ftruncate(_fd, _length);
            Fail(errno);
        }

        _pending.ResetWrittenCount();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Flush();
        Close();
    }

    private void Close()
    {
        if (_fd >= 0)
        {
            _ = Syscall.close(_fd);
            _fd = -1;
        }
    }

    private void Fail(Errno errno)
    {
        Failures++;
        _retryAt = EventLoop.Now + RetryMilliseconds;
        if (!Failing)
        {
            Failing = true;
            _log.Error("The table of guests cannot be saved in {Path}: {Reason}. The service goes on; it is tried again every few seconds",
                _path, Stdlib.strerror(errno));
        }
    }

    private static bool WriteAll(int fd, ReadOnlySpan<byte> bytes)
    {
        fixed (byte* start = bytes)
        {
            long done = 0;
            while (done < bytes.Length)
            {
                long n = Syscall.write(fd, start + done, (ulong)(bytes.Length - done));
                if (n > 0)
                {
                    done += n;
                }
                else if (n == 0 || Stdlib.GetLastError() != Errno.EINTR)
                {
                    return false;
                }
            }

            return true;
        }
    }

    // Length, checksum of what follows, kind and three zero bytes; then the entry and the path, or the id.
    private static void Put(ArrayBufferWriter<byte> to, byte kind, GuestRecord guest)
    {
        int length = RecordHead + (kind == StartKind ? GuestEntry.Size + guest.Program.Length : sizeof(ulong));
        Span<byte> record = to.GetSpan(length)[..length];
        BinaryPrimitives.WriteUInt32LittleEndian(record, (uint)length);
        BinaryPrimitives.WriteUInt32LittleEndian(record[8..], kind);
        if (kind == StartKind)
        {
            MemoryMarshal.Write(record[RecordHead..], in guest.Entry);
            guest.Program.CopyTo(record[(RecordHead + GuestEntry.Size)..]);
        }
        else
        {
            BinaryPrimitives.WriteUInt64LittleEndian(record[RecordHead..], guest.Entry.Id);
        }

        BinaryPrimitives.WriteUInt32LittleEndian(record[4..], Checksum(record[8..]));
        to.Advance(length);
    }

    private static bool Apply(
        byte kind, ReadOnlySpan<byte> body, SortedDictionary<ulong, (GuestEntry Entry, byte[] Program)> guests, ref ulong nextId)
    {
        if (kind == EndKind && body.Length == sizeof(ulong))
        {
            guests.Remove(BinaryPrimitives.ReadUInt64LittleEndian(body));
            return true;
        }

        if (kind != StartKind || body.Length < GuestEntry.Size)
        {
            return false;
        }

        GuestEntry entry = MemoryMarshal.Read<GuestEntry>(body);
        if (entry.ProgramLength != body.Length - GuestEntry.Size || entry.Pid <= 0 || entry.Id == 0 || entry.Id == ulong.MaxValue)
        {
            return false;
        }

        nextId = Math.Max(nextId, entry.Id + 1);
        guests[entry.Id] = (entry, body[GuestEntry.Size..].ToArray());
        return true;
    }

    private static uint Checksum(ReadOnlySpan<byte> bytes)
    {
        uint sum = uint.MaxValue;
        while (bytes.Length >= sizeof(ulong))
        {
            sum = BitOperations.Crc32C(sum, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            bytes = bytes[sizeof(ulong)..];
        }

        foreach (byte b in bytes)
        {
            sum = BitOperations.Crc32C(sum, b);
        }

        return ~sum;
    }
}
