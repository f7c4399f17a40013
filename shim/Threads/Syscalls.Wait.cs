namespace Lodge.Shim;

/// <summary>Waiting for children: siginfo and rusage are converted, everything else is the host's.</summary>
public static unsafe partial class Syscalls<TAbi>
{
    private const int RusageWords = 18;

    /// <summary>wait4.</summary>
    public static int sys_wait4(GuestThread* t)
    {
        long* usage = stackalloc long[RusageWords];
        uint usagePointer = TAbi.Arg(t, 3);
        uint status = TAbi.Arg(t, 1);
        if (status != 0)
        {
            Mm.PrepareWrite(t, status, 4);
        }

        long result = Host.BlockingCall(
            t, Nr.wait4, (int)TAbi.Arg(t, 0), status, (int)TAbi.Arg(t, 2), usagePointer != 0 ? (long)usage : 0);
        return result > 0 && usagePointer != 0 && !PutRusage(usagePointer, usage) ? -Errno.EFAULT : (int)result;
    }

    /// <summary>waitid: six words of the siginfo are written.</summary>
    public static int sys_waitid(GuestThread* t)
    {
        long* usage = stackalloc long[RusageWords];
        byte* info = stackalloc byte[Sig.InfoSize];
        uint infoPointer = TAbi.Arg(t, 2);
        uint usagePointer = TAbi.Arg(t, 4);
        *(int*)info = 0;
        long result = Host.BlockingCall(
            t, Nr.waitid, (int)TAbi.Arg(t, 0), (int)TAbi.Arg(t, 1), (long)info, (int)TAbi.Arg(t, 3), usagePointer != 0 ? (long)usage : 0);
        if (result == -Errno.ERESTARTSYS)
        {
            return (int)result;
        }

        uint* host = (uint*)info;
        if (result != 0)
        {
            // The kernel writes the information even when the call fails, and a bad pointer wins over the error.
            for (int i = 0; i < 8; i++)
            {
                host[i] = 0;
            }
        }

        if (host[0] != 0 && usagePointer != 0 && !PutRusage(usagePointer, usage))
        {
            return -Errno.EFAULT;
        }

        if (infoPointer == 0)
        {
            return (int)result;
        }

        uint* guest = stackalloc uint[6];
        guest[0] = host[0];
        guest[1] = 0;
        guest[2] = host[2];
        guest[3] = host[4];
        guest[4] = host[5];
        guest[5] = host[6];
        return User.CopyOut(infoPointer, guest, 24) ? (int)result : -Errno.EFAULT;
    }

    /// <summary>struct compat_rusage: the same eighteen numbers in 32 bits each.</summary>
    internal static bool PutRusage(uint address, long* usage)
    {
        uint* guest = stackalloc uint[RusageWords];
        for (int i = 0; i < RusageWords; i++)
        {
            guest[i] = (uint)usage[i];
        }

        return User.CopyOut(address, guest, RusageWords * 4);
    }
}
