using Compat = Lodge.Abi.Compat;
using HostLayout = Lodge.Abi.Host;

namespace Lodge.Shim;

/// <summary>
/// System V shared memory: descriptions and limits. Attaching and detaching change the guest's address space and are memory
/// management's (<c>ShmAttach</c>, <c>ShmDetach</c>).
/// </summary>
public static unsafe partial class Syscalls<TAbi>
    where TAbi : unmanaged, IGuestAbi
{
    private const int ShmLock = 11;
    private const int ShmUnlock = 12;
    private const int ShmStat = 13;
    private const int ShmInfo = 14;
    private const int ShmStatAny = 15;

    /// <summary>shmctl.</summary>
    public static int sys_shmctl(GuestThread* t)
    {
        uint command = TAbi.Arg(t, 1);
        return SharedMemoryControl((int)TAbi.Arg(t, 0), IpcCommand(command), TAbi.Arg(t, 2), IsIpc64Direct(command));
    }

    private static int SharedMemoryControl(int segment, int command, uint pointer, bool is64)
    {
        int result;
        switch (command)
        {
            case IpcInfo:
                HostLayout.shminfo64 limits = default;
                result = (int)Host.Syscall(Nr.shmctl, segment, command, (long)&limits);
                return result < 0 || PutSharedMemoryLimits(pointer, in limits, is64) ? result : -Errno.EFAULT;
            case ShmInfo:
                HostLayout.shm_info info = default;
                result = (int)Host.Syscall(Nr.shmctl, segment, command, (long)&info);
                if (result < 0)
                {
                    return result;
                }

                Compat.shm_info user;
                user.used_ids = info.used_ids;
                user.shm_tot = (uint)info.shm_tot;
                user.shm_rss = (uint)info.shm_rss;
                user.shm_swp = (uint)info.shm_swp;
                user.swap_attempts = (uint)info.swap_attempts;
                user.swap_successes = (uint)info.swap_successes;
                return User.Put(pointer, in user) ? result : -Errno.EFAULT;
            case IpcStat:
            case ShmStat:
            case ShmStatAny:
                HostLayout.shmid64_ds status = default;
                result = (int)Host.Syscall(Nr.shmctl, segment, command, (long)&status);
                return result < 0 || PutSharedMemory(pointer, in status, is64) ? result : -Errno.EFAULT;
            case IpcSet:
                return SetSharedMemory(segment, pointer, is64);
            case IpcRmid:
            case ShmLock:
            case ShmUnlock:
                return (int)Host.Syscall(Nr.shmctl, segment, command, 0);
            default:
                return -Errno.EINVAL;
        }
    }

    private static bool PutSharedMemoryLimits(uint to, in HostLayout.shminfo64 from, bool is64)
    {
        // Only the longest segment is clamped; the other limits are cut off (copy_compat_shminfo_to_user).
        ulong max = from.shmmax > int.MaxValue ? int.MaxValue : from.shmmax;
        if (is64)
        {
            Compat.shminfo64 user = default;
            user.shmmax = (uint)max;
            user.shmmin = (uint)from.shmmin;
            user.shmmni = (uint)from.shmmni;
            user.shmseg = (uint)from.shmseg;
            user.shmall = (uint)from.shmall;
            return User.Put(to, in user);
        }

        Compat.shminfo old;
        old.shmmax = (int)max;
        old.shmmin = (int)from.shmmin;
        old.shmmni = (int)from.shmmni;
        old.shmseg = (int)from.shmseg;
        old.shmall = (int)from.shmall;
        return User.Put(to, in old);
    }

    private static bool PutSharedMemory(uint to, in HostLayout.shmid64_ds from, bool is64)
    {
        if (is64)
        {
            Compat.shmid64_ds user = default;
            user.shm_perm = IpcPermissions.Narrow64(in from.shm_perm);
            user.shm_segsz = (uint)from.shm_segsz;
            user.shm_atime = (uint)from.shm_atime;
            user.shm_atime_high = (uint)(from.shm_atime >> 32);
            user.shm_dtime = (uint)from.shm_dtime;
            user.shm_dtime_high = (uint)(from.shm_dtime >> 32);
            user.shm_ctime = (uint)from.shm_ctime;
            user.shm_ctime_high = (uint)(from.shm_ctime >> 32);
            user.shm_cpid = from.shm_cpid;
            user.shm_lpid = from.shm_lpid;
            user.shm_nattch = (uint)from.shm_nattch;
            return User.Put(to, in user);
        }

        Compat.shmid_ds old = default;
        old.shm_perm = IpcPermissions.NarrowOld(in from.shm_perm);
        old.shm_segsz = (int)from.shm_segsz;
        old.shm_atime = (int)from.shm_atime;
        old.shm_dtime = (int)from.shm_dtime;
        old.shm_ctime = (int)from.shm_ctime;
        old.shm_cpid = (ushort)from.shm_cpid;
        old.shm_lpid = (ushort)from.shm_lpid;
        old.shm_nattch = (ushort)from.shm_nattch;
        return User.Put(to, in old);
    }

    private static int SetSharedMemory(int segment, uint from, bool is64)
    {
        if (segment < 0)
        {
            return -Errno.EINVAL;
        }

        HostLayout.shmid64_ds status = default;
        if (is64)
        {
            if (!User.Get(from, out Compat.ipc64_perm user))
            {
                return -Errno.EFAULT;
            }

            IpcPermissions.Widen64(in user, ref status.shm_perm);
        }
        else
        {
            if (!User.Get(from, out Compat.ipc_perm old))
            {
                return -Errno.EFAULT;
            }

            IpcPermissions.WidenOld(in old, ref status.shm_perm);
        }

        return (int)Host.Syscall(Nr.shmctl, segment, IpcSet, (long)&status);
    }
}
