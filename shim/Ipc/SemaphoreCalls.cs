using Compat = Lodge.Abi.Compat;
using HostLayout = Lodge.Abi.Host;

namespace Lodge.Shim;

/// <summary>System V semaphores. Operations (struct sembuf) have one layout; the description of a set and the timeout differ.</summary>
public static unsafe partial class Syscalls<TAbi>
    where TAbi : unmanaged, IGuestAbi
{
    private const int IpcRmid = 0;
    private const int IpcSet = 1;
    private const int IpcStat = 2;
    private const int IpcInfo = 3;
    private const int SemGetpid = 11;
    private const int SemGetval = 12;
    private const int SemGetall = 13;
    private const int SemGetncnt = 14;
    private const int SemGetzcnt = 15;
    private const int SemSetval = 16;
    private const int SemSetall = 17;
    private const int SemStat = 18;
    private const int SemInfo = 19;
    private const int SemStatAny = 20;

    /// <summary>Most semaphores in a set that a kernel allows (SEMMSL), two bytes each in GETALL.</summary>
    private const uint SemaphoreValues = 32000 * 2;

    /// <summary>semtimedop with a 32-bit timeout (arm; i386 has it in ipc only).</summary>
    public static int sys_semtimedop(GuestThread* t) =>
        SemaphoreOperation(t, (int)TAbi.Arg(t, 0), TAbi.Arg(t, 1), TAbi.Arg(t, 2), TAbi.Arg(t, 3), false);

    /// <summary>semtimedop with a 64-bit timeout.</summary>
    public static int sys_semtimedop_time64(GuestThread* t) =>
        SemaphoreOperation(t, (int)TAbi.Arg(t, 0), TAbi.Arg(t, 1), TAbi.Arg(t, 2), TAbi.Arg(t, 3), true);

    private static int SemaphoreOperation(GuestThread* t, int set, uint operations, uint count, uint timeout, bool is64)
    {
        Compat.__kernel_timespec time;
        return (int)Host.BlockingCall(t, Nr.semtimedop, set, operations, count, UserTime.Optional(is64, timeout, &time));
    }

    /// <summary>semctl.</summary>
    public static int sys_semctl(GuestThread* t)
    {
        uint command = TAbi.Arg(t, 2);
        return SemaphoreControl(
            t, (int)TAbi.Arg(t, 0), (int)TAbi.Arg(t, 1), IpcCommand(command), TAbi.Arg(t, 3), IsIpc64Direct(command));
    }

    private static int SemaphoreControl(GuestThread* t, int set, int number, int command, uint argument, bool is64)
    {
        const uint SeminfoSize = 40;
        switch (command)
        {
            case IpcInfo:
            case SemInfo:
                // struct seminfo is ten ints everywhere.
                Mm.PrepareWrite(t, argument, SeminfoSize);
                return (int)Host.Syscall(Nr.semctl, set, number, command, argument);
            case SemGetall:
                Mm.PrepareWrite(t, argument, SemaphoreValues);
                return (int)Host.Syscall(Nr.semctl, set, number, command, argument);
            case SemGetval:
            case SemGetpid:
            case SemGetncnt:
            case SemGetzcnt:
            case SemSetall:
            case SemSetval:
            case IpcRmid:
                return (int)Host.Syscall(Nr.semctl, set, number, command, argument);
            case IpcStat:
            case SemStat:
            case SemStatAny:
                HostLayout.semid64_ds status = default;
                int result = (int)Host.Syscall(Nr.semctl, set, number, command, (long)&status);
                return result < 0 || PutSemaphoreSet(argument, in status, is64) ? result : -Errno.EFAULT;
            case IpcSet:
                return SetSemaphoreSet(set, argument, is64);
            default:
                return -Errno.EINVAL;
        }
    }

    private static bool PutSemaphoreSet(uint to, in HostLayout.semid64_ds from, bool is64)
    {
        if (is64)
        {
            Compat.semid64_ds user = default;
            user.sem_perm = IpcPermissions.Narrow64(in from.sem_perm);
            user.sem_otime = (uint)from.sem_otime;
            user.sem_otime_high = (uint)(from.sem_otime >> 32);
            user.sem_ctime = (uint)from.sem_ctime;
            user.sem_ctime_high = (uint)(from.sem_ctime >> 32);
            user.sem_nsems = (uint)from.sem_nsems;
            return User.Put(to, in user);
        }

        Compat.semid_ds old = default;
        old.sem_perm = IpcPermissions.NarrowOld(in from.sem_perm);
        old.sem_otime = (int)from.sem_otime;
        old.sem_ctime = (int)from.sem_ctime;
        old.sem_nsems = (ushort)from.sem_nsems;
        return User.Put(to, in old);
    }

    private static int SetSemaphoreSet(int set, uint from, bool is64)
    {
        if (set < 0)
        {
            return -Errno.EINVAL;
        }

        HostLayout.semid64_ds status = default;
        if (is64)
        {
            // The permissions are all that is read.
            if (!User.Get(from, out Compat.ipc64_perm user))
            {
                return -Errno.EFAULT;
            }

            IpcPermissions.Widen64(in user, ref status.sem_perm);
        }
        else
        {
            if (!User.Get(from, out Compat.ipc_perm old))
            {
                return -Errno.EFAULT;
            }

            IpcPermissions.WidenOld(in old, ref status.sem_perm);
        }

        return (int)Host.Syscall(Nr.semctl, set, 0, IpcSet, (long)&status);
    }
}
