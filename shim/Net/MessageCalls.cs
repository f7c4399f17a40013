using System;
using Compat = Lodge.Abi.Compat;
using HostLayout = Lodge.Abi.Host;

namespace Lodge.Shim;

/// <summary>
/// sendmsg, recvmsg and their vector forms. A guest header becomes a host header whose data pointers still are the guest's; only the
/// vector of buffers and the control block are rebuilt. A header that cannot be converted is replaced by one that makes the host kernel give
/// the same error: so a bad descriptor still comes before a bad pointer, and an error in the middle of a vector is the host kernel's business.
/// </summary>
internal static unsafe class Messages
{
    /// <summary>UIO_MAXIOV: most buffers in a vector, and most messages in one call.</summary>
    public const uint MaxVector = 1024;

    /// <summary>Control buffers that are longer are treated as being this long; no message carries more.</summary>
    private const uint MaxReceiveControl = 32768;

    /// <summary>Longer control blocks exceed any net.core.optmem_max and give ENOBUFS, the kernel's answer to them.</summary>
    private const uint MaxSendControl = 1 << 20;

    private static ReadOnlySpan<long> NegativeLength => [0, -1];

    /// <summary>Arena bytes that one message needs at most.</summary>
    public static nuint Space(in Compat.user_msghdr user, bool send)
    {
        uint vector = user.msg_iovlen > MaxVector ? 0 : (uint)user.msg_iovlen;
        uint control = (uint)user.msg_controllen;
        nuint controlSpace = send
            ? control > MaxSendControl ? 0 : control + ControlMessages.HostSpace(control)
            : control > MaxReceiveControl ? MaxReceiveControl + ControlMessages.HostSpace(MaxReceiveControl)
            : control + ControlMessages.HostSpace(control);
        return ((nuint)vector * (nuint)(sizeof(HostLayout.iovec) + sizeof(ulong))) + controlSpace + 64;
    }

    /// <summary>Converts a header for sending.</summary>
    public static void PrepareSend(GuestThread* t, in Compat.user_msghdr user, HostLayout.user_msghdr* host, ref MessageArena arena)
    {
        if (!Prepare(in user, host, ref arena))
        {
            return;
        }

        uint length = (uint)user.msg_controllen;
        if (length == 0)
        {
            return;
        }

        // ENOBUFS: the host kernel gives it to lengths above INT_MAX.
        host->msg_control = BadPointer.Unsigned;
        host->msg_controllen = (ulong)int.MaxValue + 1;
        if (length > MaxSendControl)
        {
            return;
        }

        if (length < (uint)sizeof(Compat.cmsghdr))
        {
            // No header at all is EINVAL, whether or not the block could be read.
            host->msg_controllen = 0;
            RefuseInvalid(host);
            return;
        }

        byte* guest = arena.Take(length);
        byte* converted = arena.Take(ControlMessages.HostSpace(length));
        if (guest == null || converted == null)
        {
            return;
        }

        if (!User.CopyIn(guest, (uint)user.msg_control, length))
        {
            host->msg_controllen = 64;
            return;
        }

        long hostLength = ControlMessages.ToHost(guest, length, converted);
        if (hostLength < 0)
        {
            host->msg_controllen = 0;
            RefuseInvalid(host);
            return;
        }

        if (t->Files->HiddenLow != 0)
        {
            ControlMessages.RefuseHidden(t->Files, converted, (nuint)hostLength);
        }

        host->msg_control = (ulong)converted;
        host->msg_controllen = (ulong)hostLength;
    }

    /// <summary>Converts a header for receiving, and makes the buffers writable for the kernel.</summary>
    public static void PrepareReceive(GuestThread* t, in Compat.user_msghdr user, HostLayout.user_msghdr* host, ref MessageArena arena)
    {
        if (!Prepare(in user, host, ref arena))
        {
            return;
        }

        HostLayout.iovec* vector = (HostLayout.iovec*)host->msg_iov;
        for (ulong i = 0; i < host->msg_iovlen; i++)
        {
            Mm.PrepareWrite(t, (uint)vector[i].iov_base, (uint)vector[i].iov_len);
        }

        if (user.msg_name != 0)
        {
            Mm.PrepareWrite(t, (uint)user.msg_name, 128);
        }

        uint length = ReceiveControl(in user);
        if (length != 0)
        {
            byte* control = arena.Take(ControlMessages.HostSpace(length));
            host->msg_control = (ulong)control;
            host->msg_controllen = control == null ? 0 : ControlMessages.HostSpace(length);
        }
    }

    /// <summary>Writes what a received message changes in the guest's header: name length, flags, control data and its length.</summary>
    /// <returns>False for -EFAULT.</returns>
    public static bool FinishReceive(uint header, in Compat.user_msghdr user, HostLayout.user_msghdr* host, ref MessageArena arena)
    {
        Compat.user_msghdr result = user;
        result.msg_flags = host->msg_flags;
        result.msg_controllen = 0;
        if (user.msg_name != 0)
        {
            result.msg_namelen = host->msg_namelen;
        }

        uint capacity = ReceiveControl(in user);
        if (capacity != 0 && host->msg_controllen != 0)
        {
            byte* guest = arena.Take(capacity);
            uint flags = host->msg_flags;
            uint used = 0;
            if (guest != null)
            {
                used = ControlMessages.ToGuest((byte*)host->msg_control, (nuint)host->msg_controllen, guest, capacity, ref flags);
            }

            if (guest == null || !User.CopyOut((uint)user.msg_control, guest, used))
            {
                ControlMessages.CloseAll((byte*)host->msg_control, (nuint)host->msg_controllen, ref flags);
                used = 0;
            }

            result.msg_flags = flags;
            result.msg_controllen = used;
        }

        // The input members keep their values: the kernel writes these three only.
        return User.Put(header + NamelenOffset, result.msg_namelen)
            && User.Put(header + FlagsOffset, result.msg_flags)
            && User.Put(header + ControllenOffset, result.msg_controllen);
    }

    private const uint NamelenOffset = 4;
    private const uint ControllenOffset = 20;
    private const uint FlagsOffset = 24;

    private static uint ReceiveControl(in Compat.user_msghdr user)
    {
        uint length = user.msg_control == 0 ? 0 : (uint)user.msg_controllen;
        return length < (uint)sizeof(Compat.cmsghdr) ? 0 : length > MaxReceiveControl ? MaxReceiveControl : length;
    }

    /// <summary>Name and vector. False where the header now stands for an error.</summary>
    private static bool Prepare(in Compat.user_msghdr user, HostLayout.user_msghdr* host, ref MessageArena arena)
    {
        *host = default;
        host->msg_name = (uint)user.msg_name;
        host->msg_namelen = (int)user.msg_namelen;
        host->msg_flags = user.msg_flags;
        uint count = (uint)user.msg_iovlen;
        host->msg_iovlen = count;
        if (count > MaxVector)
        {
            return false;
        }

        if (count == 0)
        {
            return true;
        }

        HostLayout.iovec* vector = (HostLayout.iovec*)arena.Take((nuint)count * (nuint)sizeof(HostLayout.iovec));
        uint* narrow = (uint*)arena.Take((nuint)count * 8);
        if (vector == null || narrow == null || !User.CopyIn(narrow, (uint)user.msg_iov, (nuint)count * 8))
        {
            host->msg_iov = BadPointer.Unsigned;
            return false;
        }

        host->msg_iov = (ulong)vector;
        for (uint i = 0; i < count; i++)
        {
            vector[i].iov_base = narrow[i * 2];
            vector[i].iov_len = narrow[(i * 2) + 1];
            if (vector[i].iov_len > int.MaxValue)
            {
                RefuseInvalid(host);
                return false;
            }
        }

        return true;
    }

    /// <summary>A vector that the host kernel answers with EINVAL.</summary>
    private static void RefuseInvalid(HostLayout.user_msghdr* host)
    {
        fixed (long* invalid = NegativeLength)
        {
            // The table is constant data: its address stays what it is.
            host->msg_iov = (ulong)invalid;
        }

        host->msg_iovlen = 1;
    }
}

/// <summary>The message calls.</summary>
public static unsafe partial class Syscalls<TAbi>
    where TAbi : unmanaged, IGuestAbi
{
    /// <summary>Set by the 32-bit entries of the kernel itself; a 64-bit call that has it is EINVAL.</summary>
    private const uint MsgCmsgCompat = 0x8000_0000;

    private const int MessageStackSpace = 2048;

    /// <summary>sendmsg.</summary>
    public static int sys_sendmsg(GuestThread* t) => SendMessage(t, (int)TAbi.Arg(t, 0), TAbi.Arg(t, 1), TAbi.Arg(t, 2));

    /// <summary>recvmsg.</summary>
    public static int sys_recvmsg(GuestThread* t) => ReceiveMessage(t, (int)TAbi.Arg(t, 0), TAbi.Arg(t, 1), TAbi.Arg(t, 2));

    /// <summary>sendmmsg.</summary>
    public static int sys_sendmmsg(GuestThread* t) =>
        SendMessages(t, (int)TAbi.Arg(t, 0), TAbi.Arg(t, 1), TAbi.Arg(t, 2), TAbi.Arg(t, 3));

    /// <summary>recvmmsg with a 32-bit timeout.</summary>
    public static int sys_recvmmsg(GuestThread* t) =>
        ReceiveMessages(t, (int)TAbi.Arg(t, 0), TAbi.Arg(t, 1), TAbi.Arg(t, 2), TAbi.Arg(t, 3), TAbi.Arg(t, 4), false);

    /// <summary>recvmmsg with a 64-bit timeout.</summary>
    public static int sys_recvmmsg_time64(GuestThread* t) =>
        ReceiveMessages(t, (int)TAbi.Arg(t, 0), TAbi.Arg(t, 1), TAbi.Arg(t, 2), TAbi.Arg(t, 3), TAbi.Arg(t, 4), true);

    private static int SendMessage(GuestThread* t, int descriptor, uint header, uint flags)
    {
        flags &= ~MsgCmsgCompat;
        if (!User.Get(header, out Compat.user_msghdr user))
        {
            return (int)Host.Syscall(Nr.sendmsg, descriptor, BadPointer.Value, flags);
        }

        byte* stack = stackalloc byte[MessageStackSpace];
        HostBuffer buffer = default;
        MessageArena arena = new(stack, MessageStackSpace);
        nuint space = Messages.Space(in user, true);
        if (space > MessageStackSpace)
        {
            if (!buffer.Allocate(space))
            {
                return -Errno.ENOMEM;
            }

            arena = new MessageArena(buffer.Pointer, space);
        }

        HostLayout.user_msghdr host;
        Messages.PrepareSend(t, in user, &host, ref arena);
        int result = (int)Host.BlockingCall(t, Nr.sendmsg, descriptor, (long)&host, flags);
        buffer.Free();
        return result;
    }

    private static int ReceiveMessage(GuestThread* t, int descriptor, uint header, uint flags)
    {
        flags &= ~MsgCmsgCompat;
        if (!User.Get(header, out Compat.user_msghdr user))
        {
            return (int)Host.Syscall(Nr.recvmsg, descriptor, BadPointer.Value, flags);
        }

        byte* stack = stackalloc byte[MessageStackSpace];
        HostBuffer buffer = default;
        MessageArena arena = new(stack, MessageStackSpace);
        nuint space = Messages.Space(in user, false);
        if (space > MessageStackSpace)
        {
            if (!buffer.Allocate(space))
            {
                return -Errno.ENOMEM;
            }

            arena = new MessageArena(buffer.Pointer, space);
        }

        HostLayout.user_msghdr host;
        Messages.PrepareReceive(t, in user, &host, ref arena);
        int result = (int)Host.BlockingCall(t, Nr.recvmsg, descriptor, (long)&host, flags);
        if (result >= 0 && !Messages.FinishReceive(header, in user, &host, ref arena))
        {
            result = -Errno.EFAULT;
        }

        buffer.Free();
        return result;
    }

    /// <summary>Guest mmsghdr: the header, then the length.</summary>
    private const uint MmsghdrSize = 32;

    private const uint MmsghdrLength = 28;

    /// <summary>
    /// Reads the headers of a vector call and cuts the host's vector out of a buffer that holds everything. The first header that cannot be
    /// read stands for EFAULT, so that the host kernel meets it in its turn; those behind it do not matter, and the vector ends there.
    /// </summary>
    private static HostLayout.mmsghdr* PrepareVector(
        GuestThread* t, uint vector, ref uint count, bool send, ref HostBuffer buffer, ref MessageArena arena)
    {
        nuint space = (nuint)count * (nuint)(sizeof(HostLayout.mmsghdr) + 16);
        for (uint i = 0; i < count; i++)
        {
            if (!User.Get(vector + (i * MmsghdrSize), out Compat.user_msghdr user))
            {
                count = i + 1;
                break;
            }

            space += Messages.Space(in user, send);
        }

        if (!buffer.Allocate(space))
        {
            return null;
        }

        arena = new MessageArena(buffer.Pointer, space);
        HostLayout.mmsghdr* host = (HostLayout.mmsghdr*)arena.Take((nuint)count * (nuint)sizeof(HostLayout.mmsghdr));
        for (uint i = 0; i < count; i++)
        {
            if (!User.Get(vector + (i * MmsghdrSize), out Compat.user_msghdr user))
            {
                host[i].msg_hdr.msg_iov = BadPointer.Unsigned;
                host[i].msg_hdr.msg_iovlen = 1;
            }
            else if (send)
            {
                Messages.PrepareSend(t, in user, &host[i].msg_hdr, ref arena);
            }
            else
            {
                Messages.PrepareReceive(t, in user, &host[i].msg_hdr, ref arena);
            }
        }

        return host;
    }

    private static int SendMessages(GuestThread* t, int descriptor, uint vector, uint count, uint flags)
    {
        flags &= ~MsgCmsgCompat;
        if (count > Messages.MaxVector)
        {
            count = Messages.MaxVector;
        }

        HostBuffer buffer = default;
        MessageArena arena = default;
        HostLayout.mmsghdr* host = count == 0 ? null : PrepareVector(t, vector, ref count, true, ref buffer, ref arena);
        if (count != 0 && host == null)
        {
            return -Errno.ENOMEM;
        }

        int result = (int)Host.BlockingCall(t, Nr.sendmmsg, descriptor, (long)host, count, flags);
        for (int i = 0; i < result; i++)
        {
            if (!User.Put(vector + ((uint)i * MmsghdrSize) + MmsghdrLength, host[i].msg_len))
            {
                // As when the kernel's own put_user fails: the messages before this one count.
                result = i > 0 ? i : -Errno.EFAULT;
            }
        }

        buffer.Free();
        return result;
    }

    private static int ReceiveMessages(GuestThread* t, int descriptor, uint vector, uint count, uint flags, uint timeout, bool is64)
    {
        flags &= ~MsgCmsgCompat;
        if (count > Messages.MaxVector)
        {
            // The host kernel does not limit the length here; neither is more than this ever useful in one call.
            count = Messages.MaxVector;
        }

        Compat.__kernel_timespec time;
        if (timeout != 0 && !UserTime.Get(is64, timeout, &time))
        {
            return -Errno.EFAULT;
        }

        HostBuffer buffer = default;
        MessageArena arena = default;
        HostLayout.mmsghdr* host = count == 0 ? null : PrepareVector(t, vector, ref count, false, ref buffer, ref arena);
        if (count != 0 && host == null)
        {
            return -Errno.ENOMEM;
        }

        int result = (int)Host.BlockingCall(t, Nr.recvmmsg, descriptor, (long)host, count, flags, timeout == 0 ? 0 : (long)&time);
        for (int i = 0; i < result; i++)
        {
            uint header = vector + ((uint)i * MmsghdrSize);
            if (!User.Get(header, out Compat.user_msghdr user)
                || !Messages.FinishReceive(header, in user, &host[i].msg_hdr, ref arena)
                || !User.Put(header + MmsghdrLength, host[i].msg_len))
            {
                result = i > 0 ? i : -Errno.EFAULT;
            }
        }

        if (result > 0 && timeout != 0 && UserTime.Put(is64, timeout, &time) != 0)
        {
            result = -Errno.EFAULT;
        }

        buffer.Free();
        return result;
    }
}
