using Compat = Lodge.Abi.Compat;
using HostLayout = Lodge.Abi.Host;

namespace Lodge.Shim;

/// <summary>
/// struct ipc64_perm and its old form with 16-bit ids (ipc/compat.c). Narrowing cuts off; an id too big for the old form is stored as its
/// low half, and reading the old form widens without the special meaning of -1.
/// </summary>
internal static class IpcPermissions
{
    /// <summary>Host permissions in the IPC_64 form; padding is zero.</summary>
    public static Compat.ipc64_perm Narrow64(in HostLayout.ipc64_perm from)
    {
        Compat.ipc64_perm to = default;
        to.key = from.key;
        to.uid = from.uid;
        to.gid = from.gid;
        to.cuid = from.cuid;
        to.cgid = from.cgid;
        to.mode = (ushort)from.mode;
        to.seq = from.seq;
        return to;
    }

    /// <summary>Host permissions in the old form (SET_UID, SET_GID: ids that do not fit read as the overflow id).</summary>
    public static Compat.ipc_perm NarrowOld(in HostLayout.ipc64_perm from)
    {
        Compat.ipc_perm to = default;
        to.key = from.key;
        to.uid = Id16.NarrowUser(from.uid);
        to.gid = Id16.NarrowGroup(from.gid);
        to.cuid = Id16.NarrowUser(from.cuid);
        to.cgid = Id16.NarrowGroup(from.cgid);
        to.mode = (ushort)from.mode;
        to.seq = from.seq;
        return to;
    }

    /// <summary>What IPC_SET takes from an IPC_64 structure.</summary>
    public static void Widen64(in Compat.ipc64_perm from, ref HostLayout.ipc64_perm to)
    {
        to.uid = from.uid;
        to.gid = from.gid;
        to.mode = from.mode;
    }

    /// <summary>What IPC_SET takes from an old structure.</summary>
    public static void WidenOld(in Compat.ipc_perm from, ref HostLayout.ipc64_perm to)
    {
        to.uid = from.uid;
        to.gid = from.gid;
        to.mode = from.mode;
    }
}
