namespace Lodge.Shim;

/// <summary>
/// ipc, i386's one entry for System V semaphores, messages and shared memory: the call number in the low half of the first argument,
/// a version in the high half.
/// </summary>
public static unsafe partial class Syscalls<TAbi>
    where TAbi : unmanaged, IGuestAbi
{
    private const uint IpcSemop = 1;
    private const uint IpcSemget = 2;
    private const uint IpcSemctl = 3;
    private const uint IpcSemtimedop = 4;
    private const uint IpcMsgsnd = 11;
    private const uint IpcMsgrcv = 12;
    private const uint IpcMsgget = 13;
    private const uint IpcMsgctl = 14;
    private const uint IpcShmat = 21;
    private const uint IpcShmdt = 22;
    private const uint IpcShmget = 23;
    private const uint IpcShmctl = 24;

    /// <summary>ipc: ENOSYS for an unknown number.</summary>
    public static int sys_ipc(GuestThread* t)
    {
        uint version = TAbi.Arg(t, 0) >> 16;
        uint call = TAbi.Arg(t, 0) & 0xFFFF;
        int first = (int)TAbi.Arg(t, 1);
        uint second = TAbi.Arg(t, 2);
        uint third = TAbi.Arg(t, 3);
        uint pointer = TAbi.Arg(t, 4);
        uint fifth = TAbi.Arg(t, 5);
        switch (call)
        {
            case IpcSemop:
                return (int)Host.BlockingCall(t, Nr.semtimedop, first, pointer, second, 0);
            case IpcSemtimedop:
                return SemaphoreOperation(t, first, pointer, second, fifth, false);
            case IpcSemget:
                return (int)Host.Syscall(Nr.semget, first, (int)second, (int)third);
            case IpcSemctl:
                // The fourth argument, the union itself, comes through a pointer here.
                return pointer == 0 ? -Errno.EINVAL
                    : !User.Get(pointer, out uint union) ? -Errno.EFAULT
                    : SemaphoreControl(t, first, (int)second, IpcCommand(third), union, IsIpc64(third));
            case IpcMsgsnd:
                return MessageSend(t, first, pointer, second, (int)third);
            case IpcMsgrcv:
                return MessageReceiveMultiplexed(t, version, first, pointer, second, fifth, (int)third);
            case IpcMsgget:
                return (int)Host.Syscall(Nr.msgget, first, (int)second);
            case IpcMsgctl:
                return MessageControl(first, IpcCommand(second), pointer, IsIpc64(second));
            case IpcShmat:
                return ShmatMultiplexed(t, version, first, pointer, second, third);
            case IpcShmdt:
                return ShmDetach(t, pointer);
            case IpcShmget:
                return (int)Host.Syscall(Nr.shmget, first, second, (int)third);
            case IpcShmctl:
                return SharedMemoryControl(first, IpcCommand(second), pointer, IsIpc64(second));
            default:
                return -Errno.ENOSYS;
        }
    }

    /// <summary>IPC_64: the caller's structures are the ones with 32-bit ids.</summary>
    private const uint Ipc64 = 0x100;

    /// <summary>
    /// Whether the command asks for IPC_64 structures. The direct entries of i386 always mean those; arm's are older and
    /// look at the flag (compat_sys_old_semctl and its kin).
    /// </summary>
    private static bool IsIpc64(uint command) => (command & Ipc64) != 0;

    private static int IpcCommand(uint command) => (int)(command & ~Ipc64);

    /// <summary>Whether a direct entry's command means IPC_64 structures.</summary>
    private static bool IsIpc64Direct(uint command) => TAbi.IsI386 || IsIpc64(command);

    private static int MessageReceiveMultiplexed(
        GuestThread* t, uint version, int queue, uint pointer, uint size, uint type, int flags)
    {
        if (queue < 0 || (int)size < 0)
        {
            return -Errno.EINVAL;
        }

        if (version == 0)
        {
            // struct compat_ipc_kludge: the buffer and the type, because six arguments were one too many.
            if (pointer == 0)
            {
                return -Errno.EINVAL;
            }

            if (!User.Get(pointer, out ulong kludge))
            {
                return -Errno.EFAULT;
            }

            pointer = (uint)kludge;
            type = (uint)(kludge >> 32);
        }

        return MessageReceive(t, queue, pointer, size, (int)type, flags);
    }

    /// <summary>shmat: the address is stored through the third argument; version 1 (another system's convention) is EINVAL.</summary>
    private static int ShmatMultiplexed(GuestThread* t, uint version, int segment, uint address, uint flags, uint result)
    {
        if (version == 1)
        {
            return -Errno.EINVAL;
        }

        int error = ShmAttach(t, segment, address, flags, out uint attached);
        return error != 0 ? error : User.Put(result, attached) ? 0 : -Errno.EFAULT;
    }
}
