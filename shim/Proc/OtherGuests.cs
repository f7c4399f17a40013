namespace Lodge.Shim;

/// <summary>
/// What other processes that run in a shim look like from here. Their program is the descriptor that their shim keeps for it: read-only, among the
/// descriptors just above the usual limit, or near a lower one (see <see cref="HiddenFiles"/>).
/// </summary>
internal static unsafe class OtherGuests
{
    private const int PathLength = 64;
    private const int NameLength = 512;
    private const uint FirstHidden = 1024, Numbers = 2 * FilesStruct.HiddenSlots;

    /// <summary>
    /// Writes a path that leads to the program of guest process <paramref name="process"/>; false if it is no guest, or may not be looked at.
    /// </summary>
    public static bool ProgramLink(int process, byte* link)
    {
        byte* path = stackalloc byte[PathLength];
        byte* ours = stackalloc byte[NameLength];
        byte* theirs = stackalloc byte[NameLength];
        Compose(path, 0, "/exe"u8, 0, false);
        long length = ReadLink(path, ours);
        Compose(path, process, "/exe"u8, 0, false);
        if (length <= 0 || ReadLink(path, theirs) != length || !Same(ours, theirs, length))
        {
            return false;
        }

        if (Search(process, FirstHidden, ours, length, link))
        {
            return true;
        }

        // Behind a lower limit, or the last numbers below it where it could not be raised.
        ulong* limit = stackalloc ulong[2];
        return Host.Syscall(Nr.prlimit64, process, FileConstants.RLIMIT_NOFILE, 0, (long)limit) == 0 && limit[0] is >= Numbers and < FirstHidden
            && (Search(process, (uint)limit[0], ours, length, link) || Search(process, (uint)limit[0] - Numbers, ours, length, link));
    }

    private static bool Search(int process, uint first, byte* image, long length, byte* link)
    {
        byte* path = stackalloc byte[PathLength];
        byte* target = stackalloc byte[NameLength];
        for (uint fd = first; fd < first + Numbers; fd++)
        {
            Compose(path, process, "/fd/"u8, fd, true);
            long other = ReadLink(path, target);
            if (other > 0 && target[0] == '/' && !(other == length && Same(image, target, length)) && IsReadOnly(process, fd))
            {
                Compose(link, process, "/fd/"u8, fd, true);
                return true;
            }
        }

        return false;
    }

    // fdinfo's second line is "flags:" and the open flags in octal; the last digit holds the access mode.
    private static bool IsReadOnly(int process, uint fd)
    {
        byte* path = stackalloc byte[PathLength];
        byte* text = stackalloc byte[NameLength];
        Compose(path, process, "/fdinfo/"u8, fd, true);
        long length = ProcText.ReadAll(path, text, NameLength);
        int line = 0;
        for (long i = 0; i < length; i++)
        {
            if (text[i] == '\n' && ++line == 2)
            {
                return i > 0 && ((text[i - 1] - '0') & 3) == 0;
            }
        }

        return false;
    }

    private static long ReadLink(byte* path, byte* to) => Host.Syscall(Nr.readlinkat, FileConstants.AT_FDCWD, (long)path, (long)to, NameLength);

    private static bool Same(byte* a, byte* b, long length)
    {
        for (long i = 0; i < length; i++)
        {
            if (a[i] != b[i])
            {
                return false;
            }
        }

        return true;
    }

    // "/proc/N" (0: self), the middle, and the descriptor if there is one.
    private static void Compose(byte* to, int process, System.ReadOnlySpan<byte> middle, uint fd, bool hasDescriptor)
    {
        ProcWriter writer = new(to, ProcFs.LinkLength - 1);
        writer.Text("/proc/"u8);
        if (process == 0)
        {
            writer.Text("self"u8);
        }
        else
        {
            writer.Decimal((uint)process);
        }

        writer.Text(middle);
        if (hasDescriptor)
        {
            writer.Decimal(fd);
        }

        writer.Terminate();
    }
}
