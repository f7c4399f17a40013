using System;

namespace Lodge.Shim;

/// <summary>Names for traces. Words in one text, separated by spaces; a lone "-" is a number without a name.</summary>
internal static class StraceNames
{
    /// <summary>Errors by number, from 0.</summary>
    public static ReadOnlySpan<byte> Errors =>
        "- EPERM ENOENT ESRCH EINTR EIO ENXIO E2BIG ENOEXEC EBADF ECHILD EAGAIN ENOMEM EACCES EFAULT ENOTBLK EBUSY EEXIST EXDEV "u8 +
        "ENODEV ENOTDIR EISDIR EINVAL ENFILE EMFILE ENOTTY ETXTBSY EFBIG ENOSPC ESPIPE EROFS EMLINK EPIPE EDOM ERANGE EDEADLK "u8 +
        "ENAMETOOLONG ENOLCK ENOSYS ENOTEMPTY ELOOP - ENOMSG EIDRM ECHRNG EL2NSYNC EL3HLT EL3RST ELNRNG EUNATCH ENOCSI EL2HLT "u8 +
        "EBADE EBADR EXFULL ENOANO EBADRQC EBADSLT - EBFONT ENOSTR ENODATA ETIME ENOSR ENONET ENOPKG EREMOTE ENOLINK EADV ESRMNT "u8 +
        "ECOMM EPROTO EMULTIHOP EDOTDOT EBADMSG EOVERFLOW ENOTUNIQ EBADFD EREMCHG ELIBACC ELIBBAD ELIBSCN ELIBMAX ELIBEXEC "u8 +
        "EILSEQ ERESTART ESTRPIPE EUSERS ENOTSOCK EDESTADDRREQ EMSGSIZE EPROTOTYPE ENOPROTOOPT EPROTONOSUPPORT ESOCKTNOSUPPORT "u8 +
        "EOPNOTSUPP EPFNOSUPPORT EAFNOSUPPORT EADDRINUSE EADDRNOTAVAIL ENETDOWN ENETUNREACH ENETRESET ECONNABORTED ECONNRESET "u8 +
        "ENOBUFS EISCONN ENOTCONN ESHUTDOWN ETOOMANYREFS ETIMEDOUT ECONNREFUSED EHOSTDOWN EHOSTUNREACH EALREADY EINPROGRESS "u8 +
        "ESTALE EUCLEAN ENOTNAM ENAVAIL EISNAM EREMOTEIO EDQUOT ENOMEDIUM EMEDIUMTYPE ECANCELED ENOKEY EKEYEXPIRED EKEYREVOKED "u8 +
        "EKEYREJECTED EOWNERDEAD ENOTRECOVERABLE ERFKILL EHWPOISON "u8;

    /// <summary>Signals by number, from 0.</summary>
    public static ReadOnlySpan<byte> Signals =>
        "- SIGHUP SIGINT SIGQUIT SIGILL SIGTRAP SIGABRT SIGBUS SIGFPE SIGKILL SIGUSR1 SIGSEGV SIGUSR2 SIGPIPE SIGALRM SIGTERM SIGSTKFLT SIGCHLD SIGCONT SIGSTOP SIGTSTP SIGTTIN SIGTTOU SIGURG SIGXCPU SIGXFSZ SIGVTALRM SIGPROF SIGWINCH SIGIO SIGPWR SIGSYS "u8;

    /// <summary>lseek origins.</summary>
    public static ReadOnlySpan<byte> Whence => "SEEK_SET SEEK_CUR SEEK_END SEEK_DATA SEEK_HOLE "u8;

    /// <summary>fcntl commands.</summary>
    public static ReadOnlySpan<byte> Fcntl =>
        "F_DUPFD F_GETFD F_SETFD F_GETFL F_SETFL F_GETLK F_SETLK F_SETLKW F_SETOWN F_GETOWN F_SETSIG F_GETSIG F_GETLK64 F_SETLK64 "u8 +
        "F_SETLKW64 F_SETOWN_EX F_GETOWN_EX "u8;

    /// <summary>rt_sigprocmask operations.</summary>
    public static ReadOnlySpan<byte> MaskHow => "SIG_BLOCK SIG_UNBLOCK SIG_SETMASK "u8;

    /// <summary>Socket families.</summary>
    public static ReadOnlySpan<byte> Families => "AF_UNSPEC AF_UNIX AF_INET AF_AX25 AF_IPX AF_APPLETALK AF_NETROM AF_BRIDGE AF_ATMPVC AF_X25 AF_INET6 "u8;

    /// <summary>futex operations.</summary>
    public static ReadOnlySpan<byte> Futex =>
        "FUTEX_WAIT FUTEX_WAKE FUTEX_FD FUTEX_REQUEUE FUTEX_CMP_REQUEUE FUTEX_WAKE_OP FUTEX_LOCK_PI FUTEX_UNLOCK_PI FUTEX_TRYLOCK_PI "u8 +
        "FUTEX_WAIT_BITSET FUTEX_WAKE_BITSET FUTEX_WAIT_REQUEUE_PI FUTEX_CMP_REQUEUE_PI FUTEX_LOCK_PI2 "u8;

    /// <summary>Open flags from bit 6 on, in x86 numbering (bits 0 and 1 are the access mode).</summary>
    public static ReadOnlySpan<byte> OpenBits =>
        "O_CREAT O_EXCL O_NOCTTY O_TRUNC O_APPEND O_NONBLOCK O_DSYNC FASYNC O_DIRECT O_LARGEFILE O_DIRECTORY O_NOFOLLOW O_NOATIME O_CLOEXEC "u8 +
        "__O_SYNC O_PATH __O_TMPFILE "u8;

    /// <summary>mmap flags from bit 0 on.</summary>
    public static ReadOnlySpan<byte> MapBits =>
        "MAP_SHARED MAP_PRIVATE - - MAP_FIXED MAP_ANONYMOUS MAP_32BIT - MAP_GROWSDOWN - - MAP_DENYWRITE MAP_EXECUTABLE MAP_LOCKED MAP_NORESERVE "u8 +
        "MAP_POPULATE MAP_NONBLOCK MAP_STACK MAP_HUGETLB MAP_SYNC MAP_FIXED_NOREPLACE "u8;

    /// <summary>Protection from bit 0 on.</summary>
    public static ReadOnlySpan<byte> ProtectionBits => "PROT_READ PROT_WRITE PROT_EXEC "u8;

    /// <summary>clone flags from bit 8 on.</summary>
    public static ReadOnlySpan<byte> CloneBits =>
        "CLONE_VM CLONE_FS CLONE_FILES CLONE_SIGHAND CLONE_PIDFD CLONE_PTRACE CLONE_VFORK CLONE_PARENT CLONE_THREAD CLONE_NEWNS CLONE_SYSVSEM "u8 +
        "CLONE_SETTLS CLONE_PARENT_SETTID CLONE_CHILD_CLEARTID CLONE_DETACHED CLONE_UNTRACED CLONE_CHILD_SETTID CLONE_NEWCGROUP CLONE_NEWUTS "u8 +
        "CLONE_NEWIPC CLONE_NEWUSER CLONE_NEWPID CLONE_NEWNET CLONE_IO "u8;

    /// <summary>AT_ flags from bit 8 on.</summary>
    public static ReadOnlySpan<byte> AtBits =>
        "AT_SYMLINK_NOFOLLOW AT_REMOVEDIR AT_SYMLINK_FOLLOW AT_NO_AUTOMOUNT AT_EMPTY_PATH AT_STATX_FORCE_SYNC AT_STATX_DONT_SYNC "u8;

    /// <summary>Word number <paramref name="index"/> of a list; empty if there is none or it has no name.</summary>
    public static ReadOnlySpan<byte> Word(ReadOnlySpan<byte> list, int index)
    {
        int at = 0;
        while (at < list.Length)
        {
            int end = at;
            while (list[end] != ' ')
            {
                end++;
            }

            if (index-- == 0)
            {
                return end - at == 1 && list[at] == '-' ? default : list.Slice(at, end - at);
            }

            at = end + 1;
        }

        return default;
    }
}
