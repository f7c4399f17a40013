using Compat = Lodge.Abi.Compat;
using HostLayout = Lodge.Abi.Host;

namespace Lodge.Shim;

/// <summary>
/// System V messages. A message begins with its type, a long: 4 bytes in the guest, 8 on the host, so that every message is copied
/// once more than natively.
/// </summary>
public static unsafe partial class Syscalls<TAbi>
    where TAbi : unmanaged, IGuestAbi
{
    private const int MsgStat = 11;
    private const int MsgInfo = 12;
    private const int MsgStatAny = 13;
    private const int MessageOnStack = 2048;
    private const int HostMessageType = 8;
    private const uint GuestMessageType = 4;

    /// <summary>msgsnd.</summary>
    public static int sys_msgsnd(GuestThread* t) =>
        MessageSend(t, (int)TAbi.Arg(t, 0), TAbi.Arg(t, 1), TAbi.Arg(t, 2), (int)TAbi.Arg(t, 3));

    /// <summary>msgrcv.</summary>
    public static int sys_msgrcv(GuestThread* t) =>
        MessageReceive(t, (int)TAbi.Arg(t, 0), TAbi.Arg(t, 1), TAbi.Arg(t, 2), (int)TAbi.Arg(t, 3), (int)TAbi.Arg(t, 4));

    /// <summary>msgctl.</summary>
    public static int sys_msgctl(GuestThread* t)
    {
        uint command = TAbi.Arg(t, 1);
        return MessageControl((int)TAbi.Arg(t, 0), IpcCommand(command), TAbi.Arg(t, 2), IsIpc64Direct(command));
    }

    /// <summary>The namespace's limit of a message's length (kernel.msgmax).</summary>
    private static uint MessageMaximum()
    {
        // struct msginfo: msgpool, msgmap, msgmax, …
        int* info = stackalloc int[8];
        return Host.Syscall(Nr.msgctl, 0, IpcInfo, (long)info) < 0 ? 0 : (uint)info[2];
    }

    private static int MessageSend(GuestThread* t, int queue, uint message, uint size, int flags)
    {
        if (!User.Get(message, out int type))
        {
            return -Errno.EFAULT;
        }

        if (queue < 0 || (int)size < 0 || type < 1 || (size > MessageOnStack && size > MessageMaximum()))
        {
            return -Errno.EINVAL;
        }

        byte* stack = stackalloc byte[HostMessageType + MessageOnStack];
        byte* copy = stack;
        HostBuffer buffer = default;
        if (size > MessageOnStack)
        {
            if (!buffer.Allocate((nuint)size + HostMessageType))
            {
                return -Errno.ENOMEM;
            }

            copy = buffer.Pointer;
        }

        *(long*)copy = type;
        int result;
        if (User.CopyIn(copy + HostMessageType, message + GuestMessageType, size))
        {
            result = (int)Host.BlockingCall(t, Nr.msgsnd, queue, (long)copy, size, flags);
        }
        else
        {
            result = size > MessageMaximum() ? -Errno.EINVAL : -Errno.EFAULT;
        }

        buffer.Free();
        return result;
    }

    private static int MessageReceive(GuestThread* t, int queue, uint message, uint size, int type, int flags)
    {
        if (queue < 0 || (int)size < 0)
        {
            return -Errno.EINVAL;
        }

        uint room = size;
        if (room > MessageOnStack)
        {
            // Programs ask for far more than a message can have. A message may be longer than msgmax where the limit was lowered since.
            uint most = MessageMaximum();
            most = most < 65536 ? 65536 : most;
            room = room < most ? room : most;
        }

        byte* stack = stackalloc byte[HostMessageType + MessageOnStack];
        byte* copy = stack;
        HostBuffer buffer = default;
        if (room > MessageOnStack)
        {
            if (!buffer.Allocate((nuint)room + HostMessageType))
            {
                return -Errno.ENOMEM;
            }

            copy = buffer.Pointer;
        }

        int result = (int)Host.BlockingCall(t, Nr.msgrcv, queue, (long)copy, room, type, flags);
        if (result >= 0
            && !(User.Put(message, (int)*(long*)copy)
                && User.CopyOut(message + GuestMessageType, copy + HostMessageType, (nuint)(uint)result)))
        {
            result = -Errno.EFAULT;
        }

        buffer.Free();
        return result;
    }

    private static int MessageControl(int queue, int command, uint pointer, bool is64)
    {
        const int MsginfoSize = 32;
        switch (command)
        {
            case IpcInfo:
            case MsgInfo:
                byte* info = stackalloc byte[MsginfoSize];
                int highest = (int)Host.Syscall(Nr.msgctl, queue, command, (long)info);
                return highest < 0 || User.CopyOut(pointer, info, MsginfoSize) ? highest : -Errno.EFAULT;
            case IpcStat:
            case MsgStat:
            case MsgStatAny:
                HostLayout.msqid64_ds status = default;
                int result = (int)Host.Syscall(Nr.msgctl, queue, command, (long)&status);
                return result < 0 || PutMessageQueue(pointer, in status, is64) ? result : -Errno.EFAULT;
            case IpcSet:
                return SetMessageQueue(queue, pointer, is64);
            case IpcRmid:
                return (int)Host.Syscall(Nr.msgctl, queue, command, 0);
            default:
                return -Errno.EINVAL;
        }
    }

    private static bool PutMessageQueue(uint to, in HostLayout.msqid64_ds from, bool is64)
    {
        if (is64)
        {
            Compat.msqid64_ds user = default;
            user.msg_perm = IpcPermissions.Narrow64(in from.msg_perm);
            user.msg_stime = (uint)from.msg_stime;
            user.msg_stime_high = (uint)(from.msg_stime >> 32);
            user.msg_rtime = (uint)from.msg_rtime;
            user.msg_rtime_high = (uint)(from.msg_rtime >> 32);
            user.msg_ctime = (uint)from.msg_ctime;
            user.msg_ctime_high = (uint)(from.msg_ctime >> 32);
            user.msg_cbytes = (uint)from.msg_cbytes;
            user.msg_qnum = (uint)from.msg_qnum;
            user.msg_qbytes = (uint)from.msg_qbytes;
            user.msg_lspid = from.msg_lspid;
            user.msg_lrpid = from.msg_lrpid;
            return User.Put(to, in user);
        }

        Compat.msqid_ds old = default;
        old.msg_perm = IpcPermissions.NarrowOld(in from.msg_perm);
        old.msg_stime = (int)from.msg_stime;
        old.msg_rtime = (int)from.msg_rtime;
        old.msg_ctime = (int)from.msg_ctime;
        old.msg_cbytes = (ushort)from.msg_cbytes;
        old.msg_qnum = (ushort)from.msg_qnum;
        old.msg_qbytes = (ushort)from.msg_qbytes;
        old.msg_lspid = (ushort)from.msg_lspid;
        old.msg_lrpid = (ushort)from.msg_lrpid;
        return User.Put(to, in old);
    }

    private static int SetMessageQueue(int queue, uint from, bool is64)
    {
        if (queue < 0)
        {
            return -Errno.EINVAL;
        }

        HostLayout.msqid64_ds status = default;
        if (is64)
        {
            if (!User.Get(from, out Compat.msqid64_ds user))
            {
                return -Errno.EFAULT;
            }

            IpcPermissions.Widen64(in user.msg_perm, ref status.msg_perm);
            status.msg_qbytes = user.msg_qbytes;
        }
        else
        {
            if (!User.Get(from, out Compat.msqid_ds old))
            {
                return -Errno.EFAULT;
            }

            IpcPermissions.WidenOld(in old.msg_perm, ref status.msg_perm);
            status.msg_qbytes = old.msg_qbytes;
        }

        return (int)Host.Syscall(Nr.msgctl, queue, IpcSet, (long)&status);
    }
}
