using System;

namespace Lodge.Shim;

/// <summary>How an argument is worded in a trace, where its kind alone says too little.</summary>
internal enum StraceForm : byte
{
    ByKind,
    OpenFlags,
    Protection,
    MapFlags,
    Signal,
    Whence,
    FcntlCommand,
    FutexOperation,
    CloneFlags,
    AtFlags,
    Hex,
    Octal,
    MaskHow,
    Family,
    /// <summary>Bytes in the guest's memory; their number is the next argument.</summary>
    BytesIn,
    /// <summary>Bytes that the call wrote; their number is its result.</summary>
    BytesOut,
}

/// <summary>The forms by call name.</summary>
internal static class StraceForms
{
    /// <summary>
    /// Rows of call names with one letter an argument: o open flags, p protection, m map flags, s signal, w whence, c fcntl command, f futex operation,
    /// l clone flags, a AT_ flags, x hexadecimal, 8 octal, h mask operation, y socket family, i bytes in, u bytes out, . by kind.
    /// </summary>
    private static ReadOnlySpan<byte> Rows =>
        "open .o8 openat ..o8 creat .8 mkdir .8 mkdirat ..8 chmod .8 fchmod .8 fchmodat ..8 umask 8 mmap2 ..pm mprotect ..p mremap ...x "u8 +
        "kill .s tgkill ..s tkill .s rt_sigaction s sigaction s signal s rt_sigprocmask h lseek ..w _llseek ....w fcntl .c fcntl64 .c "u8 +
        "futex .f futex_time64 .f clone l read .u write .i pread64 .u pwrite64 .i readlink .u. readlinkat ..u. getcwd u. send .i sendto .i recv .u recvfrom .u "u8 +
        "fstatat64 ...a unlinkat ..a faccessat2 ...a statx ..a dup3 ..o pipe2 .o socket y socketpair y ioctl .x getrandom u personality x "u8;

    /// <summary>The form of argument <paramref name="index"/> of a call.</summary>
    public static StraceForm Of(ReadOnlySpan<byte> name, int index)
    {
        ReadOnlySpan<byte> rows = Rows;
        for (int word = 0; ; word += 2)
        {
            ReadOnlySpan<byte> call = StraceNames.Word(rows, word);
            if (call.Length == 0)
            {
                return StraceForm.ByKind;
            }

            if (call.SequenceEqual(name))
            {
                ReadOnlySpan<byte> letters = StraceNames.Word(rows, word + 1);
                return index < letters.Length ? Form(letters[index]) : StraceForm.ByKind;
            }
        }
    }

    private static StraceForm Form(byte letter) => letter switch
    {
        (byte)'o' => StraceForm.OpenFlags,
        (byte)'p' => StraceForm.Protection,
        (byte)'m' => StraceForm.MapFlags,
        (byte)'s' => StraceForm.Signal,
        (byte)'w' => StraceForm.Whence,
        (byte)'c' => StraceForm.FcntlCommand,
        (byte)'f' => StraceForm.FutexOperation,
        (byte)'l' => StraceForm.CloneFlags,
        (byte)'a' => StraceForm.AtFlags,
        (byte)'x' => StraceForm.Hex,
        (byte)'8' => StraceForm.Octal,
        (byte)'h' => StraceForm.MaskHow,
        (byte)'y' => StraceForm.Family,
        (byte)'i' => StraceForm.BytesIn,
        (byte)'u' => StraceForm.BytesOut,
        _ => StraceForm.ByKind,
    };
}
