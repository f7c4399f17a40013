namespace Lodge.Shim;

/// <summary>Threads and processes (kernel/fork.c, kernel/exit.c).</summary>
public static unsafe partial class Syscalls<TAbi>
{
    private const ulong SigChld = Sig.SIGCHLD;

    /// <summary>clone: flags, stack, parent_tid, tls, child_tid on both guests (CONFIG_CLONE_BACKWARDS).</summary>
    public static int sys_clone(GuestThread* t)
    {
        CloneArgs args = default;
        uint flags = TAbi.Arg(t, 0);
        args.flags = flags & ~(uint)CloneFlags.CSIGNAL;
        args.exit_signal = flags & CloneFlags.CSIGNAL;
        args.stack = TAbi.Arg(t, 1);
        args.parent_tid = TAbi.Arg(t, 2);
        args.pidfd = args.parent_tid;
        args.tls = TAbi.Arg(t, 3);
        args.child_tid = TAbi.Arg(t, 4);
        return Tasks.Clone<TAbi>(t, ref args, false);
    }

    /// <summary>fork.</summary>
    public static int sys_fork(GuestThread* t)
    {
        CloneArgs args = default;
        args.exit_signal = SigChld;
        return Tasks.Clone<TAbi>(t, ref args, false);
    }

    /// <summary>vfork: the parent sleeps until the child, which uses its memory and stack, has left both.</summary>
    public static int sys_vfork(GuestThread* t)
    {
        CloneArgs args = default;
        args.flags = CloneFlags.CLONE_VM | CloneFlags.CLONE_VFORK;
        args.exit_signal = SigChld;
        return Tasks.Clone<TAbi>(t, ref args, false);
    }

    /// <summary>clone3: E2BIG for a larger structure with something in it, EINVAL for a smaller one or half a stack.</summary>
    public static int sys_clone3(GuestThread* t)
    {
        uint pointer = TAbi.Arg(t, 0);
        uint size = TAbi.Arg(t, 1);
        CloneArgs args = default;
        if (size > 4096)
        {
            return -Errno.E2BIG;
        }

        if (size < CloneArgs.SizeVersion0)
        {
            return -Errno.EINVAL;
        }

        if (!User.CopyIn(&args, pointer, size < (uint)sizeof(CloneArgs) ? size : (uint)sizeof(CloneArgs)))
        {
            return -Errno.EFAULT;
        }

        for (uint i = (uint)sizeof(CloneArgs); i < size; i++)
        {
            if (!User.Get(pointer + i, out byte rest))
            {
                return -Errno.EFAULT;
            }

            if (rest != 0)
            {
                return -Errno.E2BIG;
            }
        }

        if ((args.stack == 0) != (args.stack_size == 0) || args.stack + args.stack_size > uint.MaxValue || args.stack > uint.MaxValue ||
            args.exit_signal > CloneFlags.CSIGNAL)
        {
            return -Errno.EINVAL;
        }

        args.stack += args.stack_size;
        args.stack_size = 0;
        return Tasks.Clone<TAbi>(t, ref args, true);
    }

    /// <summary>exit.</summary>
    public static int sys_exit(GuestThread* t)
    {
        Tasks.ExitThread(t, (int)TAbi.Arg(t, 0));
        return 0;
    }

    /// <summary>exit_group.</summary>
    public static int sys_exit_group(GuestThread* t)
    {
        Tasks.ExitGroup(t, (int)TAbi.Arg(t, 0));
        return 0;
    }

    /// <summary>set_tid_address.</summary>
    public static int sys_set_tid_address(GuestThread* t)
    {
        t->Links.ClearChildTid = TAbi.Arg(t, 0);
        return (int)Host.Syscall(Nr.set_tid_address, t->Links.ClearChildTid);
    }

    /// <summary>set_robust_list: EINVAL for another size than 12.</summary>
    public static int sys_set_robust_list(GuestThread* t)
    {
        if (TAbi.Arg(t, 1) != RobustList.HeadSize)
        {
            return -Errno.EINVAL;
        }

        t->Links.RobustList = TAbi.Arg(t, 0);
        return 0;
    }

    /// <summary>
    /// get_robust_list of the caller or of a thread in its process. Other processes' lists cannot be seen from here: EPERM, as
    /// without ptrace rights; ESRCH when there is no such thread.
    /// </summary>
    public static int sys_get_robust_list(GuestThread* t)
    {
        int tid = (int)TAbi.Arg(t, 0);
        uint head = t->Links.RobustList;
        if (tid != 0 && tid != t->Tid)
        {
            bool found = false;
            t->Group->ThreadsLock.Acquire(t);
            for (GuestThread* other = t->Group->Threads; other != null && !found; other = other->Links.Next)
            {
                if (other->Tid == tid)
                {
                    head = other->Links.RobustList;
                    found = true;
                }
            }

            t->Group->ThreadsLock.Release(t);
            if (!found)
            {
                // Another process: the host knows whether we may ask; the list itself is kept by that process.
                ulong otherHead, otherLength;
                long result = Host.Syscall(Nr.get_robust_list, tid, (long)&otherHead, (long)&otherLength);
                if (result < 0)
                {
                    return (int)result;
                }

                head = 0;
            }
        }

        return User.Put(TAbi.Arg(t, 2), RobustList.HeadSize) && User.Put(TAbi.Arg(t, 1), head) ? 0 : -Errno.EFAULT;
    }

    /// <summary>unshare: the host's, and the bookkeeping that goes with it.</summary>
    public static int sys_unshare(GuestThread* t)
    {
        uint flags = TAbi.Arg(t, 0);

        // CLONE_NEWNS implies CLONE_FS, CLONE_NEWUSER both and CLONE_THREAD (kernel/fork.c, ksys_unshare).
        bool fs = (flags & (uint)(CloneFlags.CLONE_FS | CloneFlags.CLONE_NEWNS | CloneFlags.CLONE_NEWUSER)) != 0;
        int error = (flags & (uint)CloneFlags.CLONE_FILES) != 0 ? TaskRecords.UnshareFiles(t) : 0;
        if (error == 0 && fs)
        {
            error = TaskRecords.UnshareFs(t);
        }

        return error != 0 ? error : (int)Host.Syscall(Nr.unshare, flags);
    }
}
