using Compat = Lodge.Abi.Compat;

namespace Lodge.Shim;

/// <summary>
/// select and pselect6 (fs/select.c compat_core_sys_select) for any number of descriptors. Bits lie at the same place in 32-bit and 64-bit words;
/// what differs is the length, which is rounded to whole words. Where both roundings agree (every multiple of 64, so FD_SETSIZE, too) the
/// host works on the guest's sets directly; else they are copied.
/// </summary>
public static unsafe partial class Syscalls<TAbi>
{
    /// <summary>Descriptors per set that are copied on the stack.</summary>
    private const int StackBits = 2048;

    /// <summary>select(arguments), i386 number 82: the five arguments in memory.</summary>
    public static int sys_select(GuestThread* t)
        => User.Get(TAbi.Arg(t, 0), out Compat.compat_sel_arg_struct a)
            ? SelectTimeval(t, (int)a.n, a.inp, a.outp, a.exp, a.tvp)
            : -Errno.EFAULT;

    /// <summary>_newselect(n, in, out, except, time).</summary>
    public static int sys_newselect(GuestThread* t)
        => SelectTimeval(t, (int)TAbi.Arg(t, 0), TAbi.Arg(t, 1), TAbi.Arg(t, 2), TAbi.Arg(t, 3), TAbi.Arg(t, 4));

    private static int SelectTimeval(GuestThread* t, int n, uint input, uint output, uint except, uint timeAddress)
    {
        Compat.__kernel_timespec time = default;
        if (timeAddress != 0)
        {
            if (!User.Get(timeAddress, out Compat.old_timeval32 user))
            {
                return -Errno.EFAULT;
            }

            time.tv_sec = (long)user.tv_sec + (user.tv_usec / MicrosecondsPerSecond);
            time.tv_nsec = user.tv_usec % MicrosecondsPerSecond * 1000L;
            if (!PollTime.IsValid(&time))
            {
                return -Errno.EINVAL;
            }
        }

        bool zero = PollTime.IsZero(&time);
        long result = SelectSets(t, n, input, output, except, timeAddress == 0 ? null : &time, 0);
        if (timeAddress != 0 && !zero && result != -Errno.ERESTARTSYS)
        {
            Compat.old_timeval32 rest;
            rest.tv_sec = (int)time.tv_sec;
            rest.tv_usec = (int)(time.tv_nsec / 1000);
            _ = User.Put(timeAddress, in rest);
        }

        return (int)result;
    }

    /// <summary>pselect6(n, in, out, except, time, mask argument) with a 32-bit time.</summary>
    public static int sys_pselect6(GuestThread* t) => Pselect(t, false);

    /// <summary>pselect6_time64(n, in, out, except, time, mask argument).</summary>
    public static int sys_pselect6_time64(GuestThread* t) => Pselect(t, true);

    private static int Pselect(GuestThread* t, bool is64)
    {
        Compat.compat_sigset_argpack pack = default;
        uint packAddress = TAbi.Arg(t, 5);
        if (packAddress != 0 && !User.Get(packAddress, out pack))
        {
            return -Errno.EFAULT;
        }

        uint timeAddress = TAbi.Arg(t, 4);
        Compat.__kernel_timespec time;
        if (timeAddress != 0 && !UserTime.Get(is64, timeAddress, &time))
        {
            return -Errno.EFAULT;
        }

        if (timeAddress != 0 && !PollTime.IsValid(&time))
        {
            return -Errno.EINVAL;
        }

        int error = Signals.BeginTemporaryMask(t, pack.p, pack.size, out ulong set);
        if (error < 0)
        {
            return error;
        }

        // The host's argument: pointer and size of the mask.
        long* argument = stackalloc long[2];
        argument[0] = (long)&set;
        argument[1] = 8;
        bool zero = timeAddress != 0 && PollTime.IsZero(&time);
        long result = SelectSets(
            t,
            (int)TAbi.Arg(t, 0),
            TAbi.Arg(t, 1),
            TAbi.Arg(t, 2),
            TAbi.Arg(t, 3),
            timeAddress == 0 ? null : &time,
            pack.p == 0 ? 0 : (long)argument);
        if (timeAddress != 0 && !zero && result != -Errno.ERESTARTSYS)
        {
            _ = UserTime.Put(is64, timeAddress, &time);
        }

        return (int)Signals.EndTemporaryMask(t, result);
    }

    private static long SelectSets(
        GuestThread* t, int n, uint input, uint output, uint except, Compat.__kernel_timespec* time, long mask)
    {
        uint words = n <= 0 ? 0 : ((uint)n + 31) / 32;
        if ((words & 1) != 0)
        {
            if (n <= StackBits)
            {
                byte* sets = stackalloc byte[3 * StackBits / 8];
                if (TrySelectCopied(t, n, input, output, except, time, mask, sets, StackBits / 8, out long result))
                {
                    return result;
                }
            }
            else
            {
                ulong size = ((((ulong)words * 4) + 8) * 3 + 4095) & ~4095UL;
                long memory = Host.Syscall(Nr.mmap, 0, (long)size, 3, 0x4022, -1, 0);
                if (!Host.IsError(memory))
                {
                    bool done = TrySelectCopied(
                        t, n, input, output, except, time, mask, (byte*)memory, (words * 4) + 8 & ~7u, out long result);
                    _ = Host.Syscall(Nr.munmap, memory, (long)size);
                    if (done)
                    {
                        return result;
                    }
                }
            }

            // The sets are shorter than n says: the kernel cuts n to the size of the descriptor table first, a multiple of 64.
        }

        PrepareSet(t, input, words);
        PrepareSet(t, output, words);
        PrepareSet(t, except, words);
        return Host.BlockingCall(t, Nr.pselect6, n, input, output, except, (long)time, mask);
    }

    private static void PrepareSet(GuestThread* t, uint set, uint words)
    {
        if (set != 0)
        {
            Mm.PrepareWrite(t, set, (nuint)words * 4);
        }
    }

    private static bool TrySelectCopied(
        GuestThread* t, int n, uint input, uint output, uint except, Compat.__kernel_timespec* time, long mask, byte* sets, uint stride, out long result)
    {
        result = 0;
        uint length = ((uint)n + 31) / 32 * 4;
        if (!CopySet(sets, input, length) || !CopySet(sets + stride, output, length) || !CopySet(sets + (2 * stride), except, length))
        {
            return false;
        }

        result = Host.BlockingCall(
            t,
            Nr.pselect6,
            n,
            input == 0 ? 0 : (long)sets,
            output == 0 ? 0 : (long)(sets + stride),
            except == 0 ? 0 : (long)(sets + (2 * stride)),
            (long)time,
            mask);
        if (result >= 0
            && ((input != 0 && !User.CopyOut(input, sets, length))
                || (output != 0 && !User.CopyOut(output, sets + stride, length))
                || (except != 0 && !User.CopyOut(except, sets + (2 * stride), length))))
        {
            result = -Errno.EFAULT;
        }

        return true;
    }

    private static bool CopySet(byte* to, uint from, uint length)
    {
        *(uint*)(to + length) = 0;
        return from == 0 || User.CopyIn(to, from, length);
    }
}
