using Compat = Lodge.Abi.Compat;
using HostLayout = Lodge.Abi.Host;

namespace Lodge.Shim;

/// <summary>POSIX message queues: attributes hold longs, notifications a sigevent, timeouts come in both widths.</summary>
public static unsafe partial class Syscalls<TAbi>
    where TAbi : unmanaged, IGuestAbi
{
    private const uint OpenCreate = 0x40;

    /// <summary>mq_open: the attributes are read only where a queue may be created.</summary>
    public static int sys_mq_open(GuestThread* t)
    {
        uint flags = TAbi.Arg(t, 1);
        uint from = TAbi.Arg(t, 3);
        HostLayout.mq_attr attributes;
        long pointer = 0;
        if (from != 0 && (flags & OpenCreate) != 0)
        {
            if (!GetQueueAttributes(from, &attributes))
            {
                return -Errno.EFAULT;
            }

            pointer = (long)&attributes;
        }

        return (int)Host.Syscall(Nr.mq_open, TAbi.Arg(t, 0), (int)flags, TAbi.Arg(t, 2), pointer);
    }

    /// <summary>mq_timedsend with a 32-bit timeout.</summary>
    public static int sys_mq_timedsend(GuestThread* t) => QueueSend(t, false);

    /// <summary>mq_timedsend with a 64-bit timeout.</summary>
    public static int sys_mq_timedsend_time64(GuestThread* t) => QueueSend(t, true);

    private static int QueueSend(GuestThread* t, bool is64)
    {
        Compat.__kernel_timespec timeout;
        return (int)Host.BlockingCall(
            t,
            Nr.mq_timedsend,
            (int)TAbi.Arg(t, 0),
            TAbi.Arg(t, 1),
            TAbi.Arg(t, 2),
            TAbi.Arg(t, 3),
            UserTime.Optional(is64, TAbi.Arg(t, 4), &timeout));
    }

    /// <summary>mq_timedreceive with a 32-bit timeout.</summary>
    public static int sys_mq_timedreceive(GuestThread* t) => QueueReceive(t, false);

    /// <summary>mq_timedreceive with a 64-bit timeout.</summary>
    public static int sys_mq_timedreceive_time64(GuestThread* t) => QueueReceive(t, true);

    private static int QueueReceive(GuestThread* t, bool is64)
    {
        Compat.__kernel_timespec timeout;
        uint message = TAbi.Arg(t, 1);
        uint size = TAbi.Arg(t, 2);
        uint priority = TAbi.Arg(t, 3);
        Mm.PrepareWrite(t, message, size);
        if (priority != 0)
        {
            Mm.PrepareWrite(t, priority, 4);
        }

        return (int)Host.BlockingCall(
            t, Nr.mq_timedreceive, (int)TAbi.Arg(t, 0), message, size, priority, UserTime.Optional(is64, TAbi.Arg(t, 4), &timeout));
    }

    /// <summary>
    /// mq_notify: a null pointer takes the registration back. For SIGEV_THREAD the value is the guest address of a cookie and the signal
    /// number a netlink socket; both mean the same to the host kernel.
    /// </summary>
    public static int sys_mq_notify(GuestThread* t)
    {
        HostLayout.sigevent sigevent;
        return (int)Host.Syscall(Nr.mq_notify, (int)TAbi.Arg(t, 0), UserSigevent.Optional(TAbi.Arg(t, 1), &sigevent));
    }

    /// <summary>mq_getsetattr.</summary>
    public static int sys_mq_getsetattr(GuestThread* t)
    {
        uint from = TAbi.Arg(t, 1);
        uint to = TAbi.Arg(t, 2);
        HostLayout.mq_attr set;
        HostLayout.mq_attr old = default;
        if (from != 0 && !GetQueueAttributes(from, &set))
        {
            return -Errno.EFAULT;
        }

        int result = (int)Host.Syscall(Nr.mq_getsetattr, (int)TAbi.Arg(t, 0), from == 0 ? 0 : (long)&set, to == 0 ? 0 : (long)&old);
        if (result != 0 || to == 0)
        {
            return result;
        }

        Compat.mq_attr user = default;
        user.mq_flags = (int)old.mq_flags;
        user.mq_maxmsg = (int)old.mq_maxmsg;
        user.mq_msgsize = (int)old.mq_msgsize;
        user.mq_curmsgs = (int)old.mq_curmsgs;
        return User.Put(to, in user) ? 0 : -Errno.EFAULT;
    }

    private static bool GetQueueAttributes(uint from, HostLayout.mq_attr* to)
    {
        if (!User.Get(from, out Compat.mq_attr user))
        {
            return false;
        }

        *to = default;
        to->mq_flags = user.mq_flags;
        to->mq_maxmsg = user.mq_maxmsg;
        to->mq_msgsize = user.mq_msgsize;
        to->mq_curmsgs = user.mq_curmsgs;
        return true;
    }
}
