using HostAbi = Lodge.Abi.Host;

namespace Lodge.Shim;

/// <summary>sendfile, vmsplice and the process_vm calls (fs/read_write.c, fs/splice.c, mm/process_vm_access.c).</summary>
public static unsafe partial class Syscalls<TAbi>
{
    /// <summary>
    /// sendfile(out, in, offset, count) with a 32-bit offset: it never passes 2 GiB - 1 (EOVERFLOW when it starts there).
    /// </summary>
    public static int sys_sendfile(GuestThread* t)
    {
        int output = (int)TAbi.Arg(t, 0);
        int input = (int)TAbi.Arg(t, 1);
        uint address = TAbi.Arg(t, 2);
        ulong count = TAbi.Arg(t, 3);
        if (address == 0)
        {
            return (int)Host.BlockingCall(t, Nr.sendfile, output, input, 0, (long)count);
        }

        if (!User.Get(address, out int narrow))
        {
            return -Errno.EFAULT;
        }

        long offset = narrow;
        bool full = false;
        if (offset >= 0 && (ulong)offset + count > FileConstants.MAX_NON_LFS)
        {
            full = offset >= FileConstants.MAX_NON_LFS;
            count = (ulong)(FileConstants.MAX_NON_LFS - offset);
        }

        int result = (int)Host.BlockingCall(t, Nr.sendfile, output, input, (long)&offset, (long)count);
        if (full && result == 0)
        {
            result = -Errno.EOVERFLOW;
        }

        narrow = (int)offset;
        return result == -Errno.ERESTARTSYS || User.Put(address, in narrow) ? result : -Errno.EFAULT;
    }

    /// <summary>vmsplice(fd, iov, count, flags).</summary>
    public static int sys_vmsplice(GuestThread* t)
    {
        HostAbi.iovec* inline = stackalloc HostAbi.iovec[Iovec.InlineCount];
        Iovec vector = default;
        int error = vector.Load(TAbi.Arg(t, 1), TAbi.Arg(t, 2), inline);
        if (error < 0)
        {
            long first = Host.Syscall(Nr.vmsplice, (int)TAbi.Arg(t, 0), 0, 0, TAbi.Arg(t, 3));
            return first < 0 ? (int)first : error;
        }

        // On a pipe's reading end this writes into the segments.
        vector.PrepareWrite(t);
        int result = (int)Host.BlockingCall(t, Nr.vmsplice, (int)TAbi.Arg(t, 0), (long)vector.Segments, vector.Count, TAbi.Arg(t, 3));
        vector.Release();
        return result;
    }

    /// <summary>process_vm_readv(pid, local, count, remote, count, flags).</summary>
    public static int sys_process_vm_readv(GuestThread* t) => ProcessVm(t, Nr.process_vm_readv, true);

    /// <summary>process_vm_writev(pid, local, count, remote, count, flags).</summary>
    public static int sys_process_vm_writev(GuestThread* t) => ProcessVm(t, Nr.process_vm_writev, false);

    private static int ProcessVm(GuestThread* t, int nr, bool reads)
    {
        if (TAbi.Arg(t, 5) != 0)
        {
            return -Errno.EINVAL;
        }

        HostAbi.iovec* inlineLocal = stackalloc HostAbi.iovec[Iovec.InlineCount];
        HostAbi.iovec* inlineRemote = stackalloc HostAbi.iovec[Iovec.InlineCount];
        Iovec local = default;
        Iovec remote = default;
        int result = local.Load(TAbi.Arg(t, 1), TAbi.Arg(t, 2), inlineLocal);
        if (result < 0)
        {
            return result;
        }

        if (local.Total != 0)
        {
            result = remote.Load(TAbi.Arg(t, 3), TAbi.Arg(t, 4), inlineRemote);
            if (result == 0)
            {
                if (reads)
                {
                    local.PrepareWrite(t);
                }

                result = (int)Host.Syscall(
                    nr, (int)TAbi.Arg(t, 0), (long)local.Segments, local.Count, (long)remote.Segments, remote.Count, 0);
                remote.Release();
            }
        }

        local.Release();
        return result;
    }

    /// <summary>process_madvise(pidfd, iov, count, advice, flags).</summary>
    public static int sys_process_madvise(GuestThread* t)
    {
        if (TAbi.Arg(t, 4) != 0)
        {
            return -Errno.EINVAL;
        }

        HostAbi.iovec* inline = stackalloc HostAbi.iovec[Iovec.InlineCount];
        Iovec vector = default;
        int result = vector.Load(TAbi.Arg(t, 1), TAbi.Arg(t, 2), inline);
        if (result == 0)
        {
            result = (int)Host.Syscall(
                Nr.process_madvise, (int)TAbi.Arg(t, 0), (long)vector.Segments, vector.Count, (int)TAbi.Arg(t, 3), 0);
            vector.Release();
        }

        return result;
    }
}
