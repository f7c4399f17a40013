using Lodge.Protocol;

namespace Lodge.Shim;

/// <summary>
/// getdents64, getdents and the first readdir (fs/readdir.c). getdents64 has one layout everywhere and is read straight into the guest's
/// buffer; positions are then narrowed in place (<see cref="DirectoryPositions"/>). The older two are converted record by record.
/// </summary>
public static unsafe partial class Syscalls<TAbi>
{
    /// <summary>Header of struct linux_dirent64: d_ino, d_off, d_reclen, d_type, then the name.</summary>
    private const int Dirent64Name = 19;

    private const int Dirent64Offset = 8;
    private const int Dirent64Length = 16;
    private const int Dirent64Type = 18;

    /// <summary>Largest record of the host: 255 bytes of name.</summary>
    private const uint LargestRecord = 280;

    /// <summary>Header of the guests' struct linux_dirent: d_ino, d_off, d_reclen, then the name; the type is the record's last byte.</summary>
    private const int CompatDirentName = 10;

    /// <summary>getdents64(fd, buffer, count).</summary>
    public static int sys_getdents64(GuestThread* t)
    {
        int fd = (int)TAbi.Arg(t, 0);
        uint buffer = TAbi.Arg(t, 1);
        uint count = TAbi.Arg(t, 2);
        Mm.PrepareWrite(t, buffer, count);
        while (true)
        {
            long length = Host.Syscall(Nr.getdents64, (uint)fd, buffer, count);
            if (length <= 0)
            {
                return (int)length;
            }

            int kept = FixRecords(t, fd, buffer, (uint)length);
            if (kept != 0)
            {
                return kept;
            }
        }
    }

    // Narrows d_off in every record and drops our own descriptors from /proc/self/fd. Another guest thread may change the records under our
    // hands: lengths are checked, nothing outside the buffer is touched.
    private static int FixRecords(GuestThread* t, int fd, uint buffer, uint length)
    {
        DescriptorKind kind = FilesStruct.Kind(t->Files, fd);
        byte* head = stackalloc byte[32];
        uint at = 0;
        while (at + Dirent64Name < length)
        {
            uint some = length - at < 32 ? length - at : 32;
            if (!User.CopyIn(head, buffer + at, some))
            {
                return -Errno.EFAULT;
            }

            uint record = *(ushort*)(head + Dirent64Length);
            if (record <= Dirent64Name || record > length - at)
            {
                break;
            }

            if (t->Files->HiddenLow != 0 && ProcFs.IsHiddenEntry(t, fd, head + Dirent64Name, (int)some - Dirent64Name))
            {
                if (!User.CopyWithin(buffer + at, buffer + at + record, length - at - record))
                {
                    return -Errno.EFAULT;
                }

                length -= record;
                continue;
            }

            ulong inode = *(ulong*)head;
            if (inode > uint.MaxValue && t->Group->Settings.Has(Workaround.SmallInodes))
            {
                inode = SmallInodes.Fold(inode);
                if (!User.Put(buffer + at, in inode))
                {
                    return -Errno.EFAULT;
                }
            }

            long position = *(long*)(head + Dirent64Offset);
            if (kind == DescriptorKind.HashedDirectory || !DirectoryPositions.IsPlain(position))
            {
                kind = DirectoryPositions.KindOfWide(t->Files, fd);
                long narrow = DirectoryPositions.Narrow(t->Files, kind, position);
                if (!User.Put(buffer + at + Dirent64Offset, in narrow))
                {
                    return -Errno.EFAULT;
                }
            }

            at += record;
        }

        return (int)length;
    }

    /// <summary>getdents(fd, buffer, count): 32-bit inode numbers (EOVERFLOW) and offsets.</summary>
    public static int sys_getdents(GuestThread* t)
    {
        int fd = (int)TAbi.Arg(t, 0);
        uint buffer = TAbi.Arg(t, 1);
        uint count = TAbi.Arg(t, 2);
        if (count > int.MaxValue)
        {
            // The kernel's count is signed: nothing fits.
            count = 0;
        }
        long position = Host.Syscall(Nr.lseek, (uint)fd, 0, FileConstants.SEEK_CUR);
        byte* records = stackalloc byte[4096];
        byte* compat = stackalloc byte[(int)LargestRecord + 8];
        uint done = 0;
        while (count - done >= LargestRecord || done == 0)
        {
            uint room = count - done;
            uint ask = room >= 4096 ? 4096 : room >= LargestRecord ? room : LargestRecord;
            long length = Host.Syscall(Nr.getdents64, (uint)fd, (long)records, ask);
            if (length <= 0)
            {
                return done != 0 ? (int)done : (int)length;
            }

            int error = AppendRecords(t, fd, records, (uint)length, compat, buffer, count, ref done, ref position);
            if (error != 0)
            {
                // What did not fit, or could not be represented, is read again by the next call.
                _ = Host.Syscall(Nr.lseek, (uint)fd, position, FileConstants.SEEK_SET);
                return done != 0 && error != -Errno.EFAULT ? (int)done : error;
            }
        }

        return (int)done;
    }

    private static int AppendRecords(
        GuestThread* t, int fd, byte* records, uint length, byte* compat, uint buffer, uint count, ref uint done, ref long position)
    {
        DescriptorKind kind = FilesStruct.Kind(t->Files, fd);
        for (uint at = 0; at < length;)
        {
            byte* record = records + at;
            at += *(ushort*)(record + Dirent64Length);
            long next = *(long*)(record + Dirent64Offset);
            if (t->Files->HiddenLow != 0 && ProcFs.IsHiddenEntry(t, fd, record + Dirent64Name, 12))
            {
                position = next;
                continue;
            }

            if (kind == DescriptorKind.HashedDirectory || !DirectoryPositions.IsPlain(next))
            {
                kind = DirectoryPositions.KindOfWide(t->Files, fd);
            }

            SmallInodes.Fold(t, (ulong*)record);
            int size = CompatRecord(record, DirectoryPositions.Narrow(t->Files, kind, next), compat);
            if (size < 0)
            {
                return size;
            }

            if ((uint)size > count - done)
            {
                return -Errno.EINVAL;
            }

            if (!User.CopyOut(buffer + done, compat, (uint)size))
            {
                return -Errno.EFAULT;
            }

            done += (uint)size;
            position = next;
        }

        return 0;
    }

    /// <summary>
    /// Converts one record of the host to struct compat_linux_dirent at <paramref name="to"/>. Its length, or -EOVERFLOW when the inode number
    /// does not fit. Public for the tests.
    /// </summary>
    public static int CompatRecord(byte* from, uint position, byte* to)
    {
        ulong inode = *(ulong*)from;
        if (inode > uint.MaxValue)
        {
            return -Errno.EOVERFLOW;
        }

        int length = NameLength(from);
        int size = (CompatDirentName + length + 2 + 3) & ~3;
        *(uint*)to = (uint)inode;
        *(uint*)(to + 4) = position;
        *(ushort*)(to + 8) = (ushort)size;
        for (int i = 0; i < length; i++)
        {
            to[CompatDirentName + i] = from[Dirent64Name + i];
        }

        for (int i = CompatDirentName + length; i < size - 1; i++)
        {
            to[i] = 0;
        }

        to[size - 1] = from[Dirent64Type];
        return size;
    }

    private static int NameLength(byte* record)
    {
        int limit = *(ushort*)(record + Dirent64Length) - Dirent64Name;
        int length = 0;
        while (length < limit && record[Dirent64Name + length] != 0)
        {
            length++;
        }

        return length;
    }

    /// <summary>readdir(fd, dirent), i386 number 89: one entry a call; 1, 0 at the end, or -errno. d_reclen holds the name's length.</summary>
    public static int sys_readdir(GuestThread* t)
    {
        int fd = (int)TAbi.Arg(t, 0);
        uint target = TAbi.Arg(t, 1);
        long position = Host.Syscall(Nr.lseek, (uint)fd, 0, FileConstants.SEEK_CUR);
        byte* record = stackalloc byte[(int)LargestRecord];
        byte* compat = stackalloc byte[(int)LargestRecord + 8];
        while (true)
        {
            long length = Host.Syscall(Nr.getdents64, (uint)fd, (long)record, LargestRecord);
            if (length <= 0)
            {
                return (int)length;
            }

            long next = *(long*)(record + Dirent64Offset);
            bool hidden = t->Files->HiddenLow != 0 && ProcFs.IsHiddenEntry(t, fd, record + Dirent64Name, 12);
            DescriptorKind kind = FilesStruct.Kind(t->Files, fd);
            if (!DirectoryPositions.IsPlain(position) || !DirectoryPositions.IsPlain(next))
            {
                kind = DirectoryPositions.KindOfWide(t->Files, fd);
            }

            SmallInodes.Fold(t, (ulong*)record);
            int size = hidden ? 0 : CompatRecord(record, DirectoryPositions.Narrow(t->Files, kind, position), compat);
            if (size < 0)
            {
                _ = Host.Syscall(Nr.lseek, (uint)fd, position, FileConstants.SEEK_SET);
                return size;
            }

            _ = Host.Syscall(Nr.lseek, (uint)fd, next, FileConstants.SEEK_SET);
            position = next;
            if (!hidden)
            {
                int name = NameLength(record);
                *(ushort*)(compat + 8) = (ushort)name;
                return User.CopyOut(target, compat, (nuint)(CompatDirentName + name + 1)) ? 1 : -Errno.EFAULT;
            }
        }
    }
}
