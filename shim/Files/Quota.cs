using HostAbi = Lodge.Abi.Host;

namespace Lodge.Shim;

/// <summary>
/// quotactl for i386 (fs/quota/quota.c, fs/quota/compat.h): struct if_dqblk lacks four bytes of tail padding, and struct fs_quota_stat is packed
/// differently. arm's layouts are the host's.
/// </summary>
public static unsafe partial class Syscalls<TAbi>
{
    private const uint Q_GETQUOTA = 0x800007;
    private const uint Q_SETQUOTA = 0x800008;
    private const uint Q_XGETQSTAT = 0x5805;

    /// <summary>quotactl(command, special, id, address).</summary>
    public static int sys_quotactl(GuestThread* t)
    {
        uint address = TAbi.Arg(t, 3);
        uint command = TAbi.Arg(t, 0);
        HostAbi.if_dqblk block = default;
        if (!QuotaIn(command, address, &block))
        {
            return -Errno.EFAULT;
        }

        long target = IsQuotaBlock(command) ? (long)&block : address;
        if (IsQuotaState(command))
        {
            return -Errno.ENOSYS;
        }

        Mm.PrepareWrite(t, address, 256);
        int result = (int)Host.BlockingCall(t, Nr.quotactl, command, TAbi.Arg(t, 1), TAbi.Arg(t, 2), target);
        return QuotaOut(command, address, &block, result);
    }

    /// <summary>quotactl_fd(fd, command, id, address).</summary>
    public static int sys_quotactl_fd(GuestThread* t)
    {
        uint address = TAbi.Arg(t, 3);
        uint command = TAbi.Arg(t, 1);
        HostAbi.if_dqblk block = default;
        if (!QuotaIn(command, address, &block))
        {
            return -Errno.EFAULT;
        }

        long target = IsQuotaBlock(command) ? (long)&block : address;
        if (IsQuotaState(command))
        {
            return -Errno.ENOSYS;
        }

        Mm.PrepareWrite(t, address, 256);
        int result = (int)Host.BlockingCall(t, Nr.quotactl_fd, TAbi.Arg(t, 0), command, TAbi.Arg(t, 2), target);
        return QuotaOut(command, address, &block, result);
    }

    private static bool IsQuotaBlock(uint command) => TAbi.IsI386 && (command >> 8) is Q_GETQUOTA or Q_SETQUOTA;

    private static bool IsQuotaState(uint command) => TAbi.IsI386 && command >> 8 == Q_XGETQSTAT;

    private static bool QuotaIn(uint command, uint address, HostAbi.if_dqblk* block)
        => !TAbi.IsI386 || command >> 8 != Q_SETQUOTA || User.CopyIn(block, address, (nuint)sizeof(Lodge.Abi.I386.if_dqblk));

    private static int QuotaOut(uint command, uint address, HostAbi.if_dqblk* block, int result)
        => result < 0 || !TAbi.IsI386 || command >> 8 != Q_GETQUOTA || User.CopyOut(address, block, (nuint)sizeof(Lodge.Abi.I386.if_dqblk))
            ? result
            : -Errno.EFAULT;
}
