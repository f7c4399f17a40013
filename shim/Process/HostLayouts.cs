using System.Runtime.InteropServices;

namespace Lodge.Shim;

/// <summary>Structures of the 64-bit host ABI under the kernel's names. Where x86-64 and arm64 differ, the build decides.</summary>
internal static class HostLayout
{
    /// <summary>Seconds and microseconds.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct timeval
    {
        public long tv_sec;
        public long tv_usec;
    }

    /// <summary>Process times in clock ticks.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct tms
    {
        public long tms_utime;
        public long tms_stime;
        public long tms_cutime;
        public long tms_cstime;
    }

    /// <summary>Limits; all ones is "unlimited".</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct rlimit64
    {
        public ulong rlim_cur;
        public ulong rlim_max;
    }

    /// <summary>Resource usage.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct rusage
    {
        public timeval ru_utime;
        public timeval ru_stime;
        public long ru_maxrss;
        public long ru_ixrss;
        public long ru_idrss;
        public long ru_isrss;
        public long ru_minflt;
        public long ru_majflt;
        public long ru_nswap;
        public long ru_inblock;
        public long ru_oublock;
        public long ru_msgsnd;
        public long ru_msgrcv;
        public long ru_nsignals;
        public long ru_nvcsw;
        public long ru_nivcsw;
    }

    /// <summary>System information.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct sysinfo
    {
        public long uptime;
        public fixed ulong loads[3];
        public ulong totalram;
        public ulong freeram;
        public ulong sharedram;
        public ulong bufferram;
        public ulong totalswap;
        public ulong freeswap;
        public ushort procs;
        public ushort pad;
        public ulong totalhigh;
        public ulong freehigh;
        public uint mem_unit;
    }

    /// <summary>POSIX message queue attributes.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct mq_attr
    {
        public long mq_flags;
        public long mq_maxmsg;
        public long mq_msgsize;
        public long mq_curmsgs;
        public fixed long reserved[4];
    }

    /// <summary>System V permissions.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct ipc64_perm
    {
        public int key;
        public uint uid;
        public uint gid;
        public uint cuid;
        public uint cgid;
        public uint mode;
        public ushort seq;
        public ushort pad2;
        public ulong unused1;
        public ulong unused2;
    }

    /// <summary>Semaphore set.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct semid64_ds
    {
        public ipc64_perm sem_perm;
        public long sem_otime;
#if !ARM64
        public ulong unused1;
#endif
        public long sem_ctime;
#if !ARM64
        public ulong unused2;
#endif
        public ulong sem_nsems;
        public ulong unused3;
        public ulong unused4;
    }

    /// <summary>Message queue.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct msqid64_ds
    {
        public ipc64_perm msg_perm;
        public long msg_stime;
        public long msg_rtime;
        public long msg_ctime;
        public ulong msg_cbytes;
        public ulong msg_qnum;
        public ulong msg_qbytes;
        public int msg_lspid;
        public int msg_lrpid;
        public ulong unused4;
        public ulong unused5;
    }

    /// <summary>Shared memory segment.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct shmid64_ds
    {
        public ipc64_perm shm_perm;
        public ulong shm_segsz;
        public long shm_atime;
        public long shm_dtime;
        public long shm_ctime;
        public int shm_cpid;
        public int shm_lpid;
        public ulong shm_nattch;
        public ulong unused4;
        public ulong unused5;
    }

    /// <summary>Shared memory limits.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct shminfo64
    {
        public ulong shmmax;
        public ulong shmmin;
        public ulong shmmni;
        public ulong shmseg;
        public ulong shmall;
        public fixed ulong unused[4];
    }

    /// <summary>Shared memory totals.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct shm_info
    {
        public int used_ids;
        public ulong shm_tot;
        public ulong shm_rss;
        public ulong shm_swp;
        public ulong swap_attempts;
        public ulong swap_successes;
    }
}
