using System.Runtime.InteropServices;

namespace Lodge.Shim;

/// <summary>
/// Structures of the 32-bit ABI that are the same on i386 and arm, under the kernel's names for them (compat_ types, old_ types).
/// The unit tests compare sizes and offsets with what a 32-bit compiler gives.
/// </summary>
internal static class Compat
{
    /// <summary>Seconds and nanoseconds, 32 bits each (also timeval: microseconds).</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct old_timespec32
    {
        public int tv_sec;
        public int tv_nsec;
    }

    /// <summary>Seconds and microseconds, 32 bits each.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct old_timeval32
    {
        public int tv_sec;
        public int tv_usec;
    }

    /// <summary>Seconds and nanoseconds, 64 bits each, the same on every ABI.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct __kernel_timespec
    {
        public long tv_sec;
        public long tv_nsec;
    }

    /// <summary>Seconds and microseconds, 64 bits each, the same on every ABI.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct __kernel_timex_timeval
    {
        public long tv_sec;
        public long tv_usec;
    }

    /// <summary>Interval and first expiry.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct __kernel_itimerspec
    {
        public __kernel_timespec it_interval;
        public __kernel_timespec it_value;
    }

    /// <summary>Clock discipline of the 64-bit calls, the same on every ABI.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 208)]
    internal struct __kernel_timex
    {
        public uint modes;
        public long offset;
        public long freq;
        public long maxerror;
        public long esterror;
        public int status;
        public long constant;
        public long precision;
        public long tolerance;
        public __kernel_timex_timeval time;
        public long tick;
        public long ppsfreq;
        public long jitter;
        public int shift;
        public long stabil;
        public long jitcnt;
        public long calcnt;
        public long errcnt;
        public long stbcnt;
        public int tai;
    }

    /// <summary>Clock discipline of the 32-bit calls.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 128)]
    internal struct old_timex32
    {
        public uint modes;
        public int offset;
        public int freq;
        public int maxerror;
        public int esterror;
        public int status;
        public int constant;
        public int precision;
        public int tolerance;
        public old_timeval32 time;
        public int tick;
        public int ppsfreq;
        public int jitter;
        public int shift;
        public int stabil;
        public int jitcnt;
        public int calcnt;
        public int errcnt;
        public int stbcnt;
        public int tai;
    }

    /// <summary>Process times in clock ticks.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct tms
    {
        public int tms_utime;
        public int tms_stime;
        public int tms_cutime;
        public int tms_cstime;
    }

    /// <summary>Limits of 32 bits; all ones is "unlimited".</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct rlimit
    {
        public uint rlim_cur;
        public uint rlim_max;
    }

    /// <summary>Resource usage.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct rusage
    {
        public old_timeval32 ru_utime;
        public old_timeval32 ru_stime;
        public int ru_maxrss;
        public int ru_ixrss;
        public int ru_idrss;
        public int ru_isrss;
        public int ru_minflt;
        public int ru_majflt;
        public int ru_nswap;
        public int ru_inblock;
        public int ru_oublock;
        public int ru_msgsnd;
        public int ru_msgrcv;
        public int ru_nsignals;
        public int ru_nvcsw;
        public int ru_nivcsw;
    }

    /// <summary>System information.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 64)]
    internal unsafe struct sysinfo
    {
        public int uptime;
        public fixed uint loads[3];
        public uint totalram;
        public uint freeram;
        public uint sharedram;
        public uint bufferram;
        public uint totalswap;
        public uint freeswap;
        public ushort procs;
        public ushort pad;
        public uint totalhigh;
        public uint freehigh;
        public uint mem_unit;
    }

    /// <summary>Message header of sendmsg and recvmsg.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct user_msghdr
    {
        public uint msg_name;
        public int msg_namelen;
        public uint msg_iov;
        public uint msg_iovlen;
        public uint msg_control;
        public uint msg_controllen;
        public uint msg_flags;
    }

    /// <summary>POSIX message queue attributes.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct mq_attr
    {
        public int mq_flags;
        public int mq_maxmsg;
        public int mq_msgsize;
        public int mq_curmsgs;
        public fixed int reserved[4];
    }

    /// <summary>System V permissions, IPC_64 form.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct ipc64_perm
    {
        public int key;
        public uint uid;
        public uint gid;
        public uint cuid;
        public uint cgid;
        public ushort mode;
        public ushort pad1;
        public ushort seq;
        public ushort pad2;
        public uint unused1;
        public uint unused2;
    }

    /// <summary>System V permissions, old form with 16-bit ids.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct ipc_perm
    {
        public int key;
        public ushort uid;
        public ushort gid;
        public ushort cuid;
        public ushort cgid;
        public ushort mode;
        public ushort seq;
    }

    /// <summary>Semaphore set, IPC_64 form.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct semid64_ds
    {
        public ipc64_perm sem_perm;
        public uint sem_otime;
        public uint sem_otime_high;
        public uint sem_ctime;
        public uint sem_ctime_high;
        public uint sem_nsems;
        public uint unused3;
        public uint unused4;
    }

    /// <summary>Semaphore set, old form.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct semid_ds
    {
        public ipc_perm sem_perm;
        public int sem_otime;
        public int sem_ctime;
        public uint sem_base;
        public uint sem_pending;
        public uint sem_pending_last;
        public uint undo;
        public ushort sem_nsems;
    }

    /// <summary>Message queue, IPC_64 form.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct msqid64_ds
    {
        public ipc64_perm msg_perm;
        public uint msg_stime;
        public uint msg_stime_high;
        public uint msg_rtime;
        public uint msg_rtime_high;
        public uint msg_ctime;
        public uint msg_ctime_high;
        public uint msg_cbytes;
        public uint msg_qnum;
        public uint msg_qbytes;
        public int msg_lspid;
        public int msg_lrpid;
        public uint unused4;
        public uint unused5;
    }

    /// <summary>Message queue, old form.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct msqid_ds
    {
        public ipc_perm msg_perm;
        public uint msg_first;
        public uint msg_last;
        public int msg_stime;
        public int msg_rtime;
        public int msg_ctime;
        public uint msg_lcbytes;
        public uint msg_lqbytes;
        public ushort msg_cbytes;
        public ushort msg_qnum;
        public ushort msg_qbytes;
        public ushort msg_lspid;
        public ushort msg_lrpid;
    }

    /// <summary>Shared memory segment, IPC_64 form.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct shmid64_ds
    {
        public ipc64_perm shm_perm;
        public uint shm_segsz;
        public uint shm_atime;
        public uint shm_atime_high;
        public uint shm_dtime;
        public uint shm_dtime_high;
        public uint shm_ctime;
        public uint shm_ctime_high;
        public int shm_cpid;
        public int shm_lpid;
        public uint shm_nattch;
        public uint unused4;
        public uint unused5;
    }

    /// <summary>Shared memory segment, old form.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct shmid_ds
    {
        public ipc_perm shm_perm;
        public int shm_segsz;
        public int shm_atime;
        public int shm_dtime;
        public int shm_ctime;
        public ushort shm_cpid;
        public ushort shm_lpid;
        public ushort shm_nattch;
        public ushort shm_unused;
        public uint shm_unused2;
        public uint shm_unused3;
    }

    /// <summary>Shared memory limits, IPC_64 form.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct shminfo64
    {
        public uint shmmax;
        public uint shmmin;
        public uint shmmni;
        public uint shmseg;
        public uint shmall;
        public fixed uint unused[4];
    }

    /// <summary>Shared memory limits, old form.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct shminfo
    {
        public int shmmax;
        public int shmmin;
        public int shmmni;
        public int shmseg;
        public int shmall;
    }

    /// <summary>Shared memory totals.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct shm_info
    {
        public int used_ids;
        public uint shm_tot;
        public uint shm_rss;
        public uint shm_swp;
        public uint swap_attempts;
        public uint swap_successes;
    }
}
