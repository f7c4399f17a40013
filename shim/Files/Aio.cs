using System.Runtime.InteropServices;
using Compat = Lodge.Abi.Compat;
using HostAbi = Lodge.Abi.Host;

namespace Lodge.Shim;

/// <summary>struct iocb (include/uapi/linux/aio_abi.h): the same for every ABI, pointers are 64 bits wide.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct Iocb
{
    public ulong aio_data;
    public uint aio_key;
    public int aio_rw_flags;
    public ushort aio_lio_opcode;
    public short aio_reqprio;
    public uint aio_fildes;
    public ulong aio_buf;
    public ulong aio_nbytes;
    public long aio_offset;
    public ulong aio_reserved2;
    public uint aio_flags;
    public uint aio_resfd;
}

/// <summary>
/// Kernel AIO (fs/aio.c). A context is known by the address of its ring, which the host maps where it likes: it is moved below 4 GiB, and the
/// kernel takes the new address for the context's number. Requests and events have the same layout everywhere; lists of pointers, vectors
/// and times are converted.
/// </summary>
public static unsafe partial class Syscalls<TAbi>
{
    private const ushort IOCB_CMD_PREAD = 0, IOCB_CMD_PREADV = 7, IOCB_CMD_PWRITEV = 8;
    private const uint IoEventSize = 32, IocbSize = 64;

    /// <summary>Offset of aio_buf in struct iocb.</summary>
    private const uint IocbBuffer = 24;

    /// <summary>io_setup(count, context).</summary>
    public static int sys_io_setup(GuestThread* t)
    {
        uint to = TAbi.Arg(t, 1);
        if (!User.Get(to, out uint before))
        {
            return -Errno.EFAULT;
        }

        if (before != 0)
        {
            return -Errno.EINVAL;
        }

        ulong ring = 0;
        int result = (int)Host.Syscall(Nr.io_setup, TAbi.Arg(t, 0), (long)&ring);
        if (result != 0)
        {
            return result;
        }

        // struct aio_ring: its second word counts the events, and the header is as long as one. The kernel has filled whole pages.
        uint size = (((uint*)ring)[1] + 1) * IoEventSize;
        Mm* mm = t->Mm;
        mm->Lock.Acquire(t);
        result = mm->PlaceRing(t, ring, Placement.PageUp(size), out uint context);
        mm->Lock.Release(t);
        if (result != 0)
        {
            Host.Syscall(Nr.io_destroy, (long)ring);
            return result;
        }

        Mm.PrepareWrite(t, to, 4);
        if (!User.Put(to, context))
        {
            DestroyContext(t, context);
            return -Errno.EFAULT;
        }

        return 0;
    }

    /// <summary>io_destroy(context).</summary>
    public static int sys_io_destroy(GuestThread* t) => DestroyContext(t, TAbi.Arg(t, 0));

    private static int DestroyContext(GuestThread* t, uint context)
    {
        bool known = Mm.Find(t, context, out GuestMapping ring) && ring.Start == context;
        int result = (int)Host.BlockingCall(t, Nr.io_destroy, context);
        if (result == 0 && known)
        {
            // The kernel has unmapped the ring.
            StaleRange stale = default;
            Mm* mm = t->Mm;
            mm->Lock.Acquire(t);
            mm->UnmapRegion(ring.Start, ring.End, ref stale);
            mm->Lock.Release(t);
            stale.Invalidate(mm);
        }

        return result;
    }

    /// <summary>io_submit(context, count, requests): one by one, until one is refused.</summary>
    public static int sys_io_submit(GuestThread* t)
    {
        uint context = TAbi.Arg(t, 0), list = TAbi.Arg(t, 2);
        int count = (int)TAbi.Arg(t, 1);
        if (count <= 0)
        {
            return (int)Host.Syscall(Nr.io_submit, context, count, 0);
        }

        for (int done = 0; done < count; done++)
        {
            // A bad list comes behind a bad context, as the host has it.
            int result = User.Get(list + ((uint)done * 4), out uint request)
                ? SubmitOne(t, context, request)
                : (int)Host.Syscall(Nr.io_submit, context, 1, BadPointer.Value);
            if (result != 1)
            {
                return done != 0 ? done : result;
            }
        }

        return count;
    }

    private static int SubmitOne(GuestThread* t, uint context, uint request)
    {
        ulong pointer = request;
        Mm.PrepareWrite(t, request, IocbSize);
        if (!User.Get(request, out Iocb iocb) || iocb.aio_lio_opcode is not (IOCB_CMD_PREAD or IOCB_CMD_PREADV or IOCB_CMD_PWRITEV))
        {
            return (int)Host.BlockingCall(t, Nr.io_submit, context, 1, (long)&pointer);
        }

        if (iocb.aio_lio_opcode == IOCB_CMD_PREAD)
        {
            Mm.PrepareWrite(t, (uint)iocb.aio_buf, (nuint)iocb.aio_nbytes);
            return (int)Host.BlockingCall(t, Nr.io_submit, context, 1, (long)&pointer);
        }

        HostAbi.iovec* inline = stackalloc HostAbi.iovec[Iovec.InlineCount];
        Iovec vector = default;
        ulong segments = BadPointer.Unsigned;
        bool loaded = iocb.aio_nbytes <= uint.MaxValue && vector.Load((uint)iocb.aio_buf, (uint)iocb.aio_nbytes, inline) >= 0;
        if (loaded)
        {
            segments = (ulong)vector.Segments;
            if (iocb.aio_lio_opcode == IOCB_CMD_PREADV)
            {
                vector.PrepareWrite(t);
            }
        }

        // The kernel reads the vector before it returns, and hands back the request's own address later: the request itself names ours meanwhile.
        User.Put(request + IocbBuffer, segments);
        int result = (int)Host.BlockingCall(t, Nr.io_submit, context, 1, (long)&pointer);
        User.Put(request + IocbBuffer, iocb.aio_buf);
        if (loaded)
        {
            vector.Release();
        }

        return result;
    }

    /// <summary>io_cancel(context, request, event).</summary>
    public static int sys_io_cancel(GuestThread* t)
    {
        Mm.PrepareWrite(t, TAbi.Arg(t, 2), IoEventSize);
        return (int)Host.Syscall(Nr.io_cancel, TAbi.Arg(t, 0), TAbi.Arg(t, 1), TAbi.Arg(t, 2));
    }

    /// <summary>io_getevents(context, least, most, events, 32-bit time).</summary>
    public static int sys_io_getevents(GuestThread* t)
    {
        Compat.__kernel_timespec time;
        uint address = TAbi.Arg(t, 4);
        return address != 0 && !UserTime.Get32(address, &time) ? -Errno.EFAULT
            : (int)Host.BlockingCall(t, Nr.io_getevents, TAbi.Arg(t, 0), (int)TAbi.Arg(t, 1), (int)TAbi.Arg(t, 2), PrepareEvents(t), address == 0 ? 0 : (long)&time);
    }

    /// <summary>io_pgetevents(context, least, most, events, 32-bit time, mask).</summary>
    public static int sys_io_pgetevents(GuestThread* t)
    {
        Compat.__kernel_timespec time;
        uint address = TAbi.Arg(t, 4);
        return address != 0 && !UserTime.Get32(address, &time) ? -Errno.EFAULT : EventsWithMask(t, address == 0 ? null : &time);
    }

    /// <summary>io_pgetevents(context, least, most, events, 64-bit time, mask).</summary>
    public static int sys_io_pgetevents_time64(GuestThread* t)
    {
        Compat.__kernel_timespec time;
        uint address = TAbi.Arg(t, 4);
        return address != 0 && !UserTime.Get64(address, &time) ? -Errno.EFAULT : EventsWithMask(t, address == 0 ? null : &time);
    }

    private static int EventsWithMask(GuestThread* t, Compat.__kernel_timespec* time)
    {
        // struct __compat_aio_sigset: pointer and size.
        uint pack = TAbi.Arg(t, 5);
        ulong words = 0;
        if (pack != 0 && !User.Get(pack, out words))
        {
            return -Errno.EFAULT;
        }

        int error = Signals.BeginTemporaryMask(t, (uint)words, (uint)(words >> 32), out ulong set);
        if (error < 0)
        {
            return error;
        }

        ulong* host = stackalloc ulong[2];
        host[0] = (uint)words == 0 ? 0 : (ulong)&set;
        host[1] = 8;
        long result = Host.BlockingCall(
            t, Nr.io_pgetevents, TAbi.Arg(t, 0), (int)TAbi.Arg(t, 1), (int)TAbi.Arg(t, 2), PrepareEvents(t), (long)time, host[0] == 0 ? 0 : (long)host);
        return (int)Signals.EndTemporaryMask(t, result);
    }

    private static uint PrepareEvents(GuestThread* t)
    {
        uint most = TAbi.Arg(t, 2), events = TAbi.Arg(t, 3);
        Mm.PrepareWrite(t, events, (nuint)(most < 65536 ? most : 65536) * IoEventSize);
        return events;
    }
}
