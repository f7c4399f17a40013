using System;
using Compat = Lodge.Abi.Compat;
using HostLayout = Lodge.Abi.Host;

namespace Lodge.Shim;

/// <summary>
/// Control messages (ancillary data) between the two widths: headers of 12 bytes aligned to 4 in the guest, of 16 bytes aligned to 8 on the
/// host. Payloads are the same except the old socket timestamps and the rxrpc call number, which are longs.
/// The rules, down to what counts as malformed, are those of net/compat.c. Pure functions over buffers: any thread, no locks.
/// </summary>
internal static unsafe class ControlMessages
{
    /// <summary>Message or control data was cut off.</summary>
    public const uint MsgCtrunc = 8;

    private const int SolSocket = 1;
    private const int SolRxrpc = 272;
    private const int SolHci = 0;
    private const int ScmRights = 1;
    private const int ScmPidfd = 4;
    private const int HciCmsgTstamp = 2;
    private const int RxrpcUserCallId = 1;
    private const int ScmTimestampOld = 29;
    private const int ScmTimestampnsOld = 35;
    private const int ScmTimestampingOld = 37;

    /// <summary>Bytes that <see cref="ToHost"/> needs at most for <paramref name="guestLength"/> bytes.</summary>
    public static nuint HostSpace(uint guestLength) => ((nuint)guestLength * 2) + 32;

    /// <summary>
    /// Guest control data to host control data, for sending (cmsghdr_from_user_compat_to_kern).
    /// </summary>
    /// <param name="guest">The guest's block, copied.</param>
    /// <param name="guestLength">Its length, at least 1.</param>
    /// <param name="host">At least <see cref="HostSpace"/> bytes.</param>
    /// <returns>Length of the host block, or -EINVAL for a length that is too small or reaches past the end.</returns>
    public static long ToHost(byte* guest, uint guestLength, byte* host)
    {
        uint at = 0;
        nuint to = 0;
        while (guestLength - at >= (uint)sizeof(Compat.cmsghdr))
        {
            Compat.cmsghdr* from = (Compat.cmsghdr*)(guest + at);
            uint length = from->cmsg_len;
            if (length < (uint)sizeof(Compat.cmsghdr) || length > guestLength - at)
            {
                return -Errno.EINVAL;
            }

            uint payload = length - (uint)sizeof(Compat.cmsghdr);
            byte* data = (byte*)(from + 1);
            HostLayout.cmsghdr* header = (HostLayout.cmsghdr*)(host + to);
            byte* hostData = (byte*)(header + 1);
            header->cmsg_level = from->cmsg_level;
            header->cmsg_type = from->cmsg_type;
            uint hostPayload = payload;
            if (from->cmsg_level == SolRxrpc && from->cmsg_type == RxrpcUserCallId && payload == 4)
            {
                *(ulong*)hostData = *(uint*)data;
                hostPayload = 8;
            }
            else
            {
                Buffer.MemoryCopy(data, hostData, payload, payload);
            }

            header->cmsg_len = (ulong)sizeof(HostLayout.cmsghdr) + hostPayload;
            nuint end = to + (nuint)sizeof(HostLayout.cmsghdr) + hostPayload;
            to = (end + 7) & ~(nuint)7;
            for (; end < to; end++)
            {
                host[end] = 0;
            }

            at = length > guestLength - at - Padding(length) ? guestLength : at + length + Padding(length);
            if (at >= guestLength)
            {
                return (long)to;
            }
        }

        // The kernel goes on while a single byte is left, and finds a header that does not fit; or there was no header at all.
        return -Errno.EINVAL;
    }

    /// <summary>
    /// Host control data to guest control data, for receiving (put_cmsg_compat, scm_detach_fds_compat). What does not fit is cut off and sets
    /// MSG_CTRUNC; descriptors that do not fit are closed, as if they had never been received.
    /// </summary>
    /// <param name="host">What the host kernel wrote.</param>
    /// <param name="hostLength">Its length.</param>
    /// <param name="guest">Buffer for the guest's block.</param>
    /// <param name="guestCapacity">Length of the guest's buffer; never written past.</param>
    /// <param name="flags">msg_flags; MSG_CTRUNC is added.</param>
    /// <returns>Bytes used: the guest's msg_controllen.</returns>
    public static uint ToGuest(byte* host, nuint hostLength, byte* guest, uint guestCapacity, ref uint flags)
    {
        uint used = 0;
        nuint at = 0;
        ulong* times = stackalloc ulong[3];
        while (hostLength - at >= (nuint)sizeof(HostLayout.cmsghdr))
        {
            HostLayout.cmsghdr* from = (HostLayout.cmsghdr*)(host + at);
            nuint length = (nuint)from->cmsg_len;
            if (length < (nuint)sizeof(HostLayout.cmsghdr) || length > hostLength - at)
            {
                break;
            }

            byte* data = (byte*)(from + 1);
            uint payload = (uint)(length - (nuint)sizeof(HostLayout.cmsghdr));
            at += length;
            nuint padding = (nuint)(-(nint)length & 7);
            at = padding > hostLength - at ? hostLength : at + padding;

            uint room = guestCapacity - used;
            if (CarriesDescriptors(from))
            {
                uint fit = room < (uint)sizeof(Compat.cmsghdr) ? 0 : (room - (uint)sizeof(Compat.cmsghdr)) & ~3u;
                if (payload > fit)
                {
                    CloseDescriptors(data + fit, payload - fit);
                    flags |= MsgCtrunc;
                    payload = fit;
                    if (fit == 0)
                    {
                        continue;
                    }
                }
            }
            else if (room < (uint)sizeof(Compat.cmsghdr))
            {
                flags |= MsgCtrunc;
                continue;
            }

            payload = NarrowPayload(from, payload, ref data, times);
            uint whole = (uint)sizeof(Compat.cmsghdr) + payload;
            uint written = whole;
            if (room < whole)
            {
                flags |= MsgCtrunc;
                written = room;
            }

            Compat.cmsghdr* to = (Compat.cmsghdr*)(guest + used);
            to->cmsg_len = written;
            to->cmsg_level = from->cmsg_level;
            to->cmsg_type = from->cmsg_type;
            uint copied = written - (uint)sizeof(Compat.cmsghdr);
            Buffer.MemoryCopy(data, to + 1, copied, copied);
            uint end = written;
            uint space = whole + Padding(whole);
            if (room < space)
            {
                space = room;
            }

            for (; end < space; end++)
            {
                guest[used + end] = 0;
            }

            used += space;
        }

        return used;
    }

    /// <summary>
    /// Descriptors of ours are none of the guest's: in a block to be sent they become -1, which the host kernel answers with EBADF.
    /// </summary>
    public static void RefuseHidden(FilesStruct* files, byte* host, nuint hostLength)
    {
        nuint at = 0;
        while (hostLength - at >= (nuint)sizeof(HostLayout.cmsghdr))
        {
            HostLayout.cmsghdr* message = (HostLayout.cmsghdr*)(host + at);
            if (message->cmsg_level == SolSocket && message->cmsg_type == ScmRights)
            {
                int* descriptors = (int*)(message + 1);
                nuint count = ((nuint)message->cmsg_len - (nuint)sizeof(HostLayout.cmsghdr)) / 4;
                for (nuint i = 0; i < count; i++)
                {
                    descriptors[i] = FilesStruct.IsHidden(files, descriptors[i]) ? -1 : descriptors[i];
                }
            }

            // The block is ours: every length in it is good and padded.
            at += ((nuint)message->cmsg_len + 7) & ~(nuint)7;
        }
    }

    /// <summary>Closes every descriptor that a host block carries: used where the guest's control buffer cannot be written.</summary>
    public static void CloseAll(byte* host, nuint hostLength, ref uint flags)
    {
        // A buffer without room takes nothing, which closes everything.
        ToGuest(host, hostLength, null, 0, ref flags);
    }

    private static uint Padding(uint length) => (uint)(-(int)length & 3);

    private static bool CarriesDescriptors(HostLayout.cmsghdr* message) =>
        message->cmsg_level == SolSocket && message->cmsg_type is ScmRights or ScmPidfd;

    private static void CloseDescriptors(byte* data, uint length)
    {
        for (uint i = 0; i + 4 <= length; i += 4)
        {
            int descriptor = *(int*)(data + i);
            if (descriptor >= 0)
            {
                Host.Syscall(Nr.close, descriptor);
            }
        }
    }

    /// <summary>Payloads that hold longs, in the guest's width; <paramref name="times"/> is space for the longest (three timespecs).</summary>
    private static uint NarrowPayload(HostLayout.cmsghdr* message, uint payload, ref byte* data, ulong* times)
    {
        if (message->cmsg_level == SolRxrpc && message->cmsg_type == RxrpcUserCallId && payload == 8)
        {
            return 4;
        }

        uint pairs = 0;
        if (message->cmsg_level == SolSocket)
        {
            pairs = message->cmsg_type switch
            {
                ScmTimestampOld or ScmTimestampnsOld => 1,
                ScmTimestampingOld => 3,
                _ => 0,
            };
        }
        else if (message->cmsg_level == SolHci && message->cmsg_type == HciCmsgTstamp)
        {
            // Level 0 type 2 is also IP_TTL, an int: the length tells them apart.
            pairs = payload == 16 ? 1u : 0;
        }

        if (pairs == 0 || payload != pairs * 16)
        {
            return payload;
        }

        for (uint i = 0; i < pairs * 2; i++)
        {
            ((uint*)times)[i] = (uint)((ulong*)data)[i];
        }

        data = (byte*)times;
        return pairs * 8;
    }
}
