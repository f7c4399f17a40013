using System;
using Lodge.Abi;
using Lodge.Shim;
using Xunit;
using Arm = Lodge.Shim.Syscalls<Lodge.Shim.ArmAbi>;
using I386 = Lodge.Shim.Syscalls<Lodge.Shim.I386Abi>;

namespace Lodge.UnitTests.Ipc;

/// <summary>System V IPC, POSIX queues and keys of both guests against the running kernel.</summary>
public sealed unsafe class IpcTests : IDisposable
{
    private const uint IpcPrivate = 0;
    private const uint Create = 0x200 | 0x180;
    private const uint Nowait = 0x800;
    private const uint Ipc64 = 0x100;
    private const uint Remove = 0;
    private const uint Set = 1;
    private const uint Stat = 2;
    private readonly GuestCall _guest = new();

    public void Dispose() => _guest.Dispose();

    private int Ipc(params uint[] arguments) => I386.sys_ipc(_guest.Args(arguments));

    [Fact]
    public void Semaphores_through_the_multiplexer()
    {
        int set = Ipc(2, IpcPrivate, 3, Create);
        Assert.True(set >= 0);
        uint argument = _guest.Put(7);
        Assert.Equal(0, Ipc(3, (uint)set, 1, 16 | Ipc64, argument));
        Assert.Equal(7, Ipc(3, (uint)set, 1, 12, argument));
        uint values = _guest.Put(0x00020001, 0xFFFF0003);
        GuestCall.Word(argument, 0) = values;
        Assert.Equal(0, Ipc(3, (uint)set, 0, 17 | Ipc64, argument));
        uint all = _guest.Put(0, 0xAAAAAAAA);
        GuestCall.Word(argument, 0) = all;
        Assert.Equal(0, Ipc(3, (uint)set, 0, 13 | Ipc64, argument));
        Assert.Equal(0x00020001u, GuestCall.Word(all, 0));
        Assert.Equal(0xAAAA0003u, GuestCall.Word(all, 1));

        // semop 0: wait for zero, not now: EAGAIN; semtimedop: the time passes: EAGAIN.
        uint operation = _guest.Put(0, Nowait << 0);
        GuestCall.Word(operation, 1) = Nowait;
        Assert.Equal(-Errno.EAGAIN, Ipc(1, (uint)set, 1, 0, operation));
        GuestCall.Word(operation, 1) = 0;
        Assert.Equal(-Errno.EAGAIN, Ipc(4, (uint)set, 1, 0, operation, _guest.Put(0, 1_000_000)));
        Assert.Equal(-Errno.EAGAIN, I386.sys_semtimedop_time64(_guest.Args((uint)set, operation, 1, _guest.Put(0, 0, 1_000_000, 0xFF))));

        uint status = _guest.Alloc(64);
        GuestCall.Word(argument, 0) = status;
        Assert.Equal(0, Ipc(3, (uint)set, 0, Stat | Ipc64, argument));
        Assert.Equal(0x180u, GuestCall.Word(status, 5) & 0x1FF);
        Assert.Equal(3u, GuestCall.Word(status, 13));
        GuestCall.AssertIsNow((int)GuestCall.Word(status, 11));

        // The old form: 44 bytes, nsems a short at 40.
        Assert.Equal(0, Ipc(3, (uint)set, 0, Stat, argument));
        Assert.Equal(3u, GuestCall.Word(status, 10) & 0xFFFF);

        // The direct entries: i386's mean IPC_64 always, arm's look at the flag.
        GuestCall.Bytes(status, 64).Clear();
        Assert.Equal(0, I386.sys_semctl(_guest.Args((uint)set, 0, Stat, status)));
        Assert.Equal(3u, GuestCall.Word(status, 13));
        GuestCall.Bytes(status, 64).Clear();
        Assert.Equal(0, Arm.sys_semctl(_guest.Args((uint)set, 0, Stat, status)));
        Assert.Equal(3u, GuestCall.Word(status, 10) & 0xFFFF);
        Assert.Equal(0u, GuestCall.Word(status, 13));
        Assert.Equal(0, Arm.sys_semctl(_guest.Args((uint)set, 0, Stat | Ipc64, status)));
        GuestCall.Word(status, 5) = 0x1C0;
        Assert.Equal(0, I386.sys_semctl(_guest.Args((uint)set, 0, Set, status)));
        Assert.Equal(0, I386.sys_semctl(_guest.Args((uint)set, 0, Stat, status)));
        Assert.Equal(0x1C0u, GuestCall.Word(status, 5) & 0x1FF);

        Assert.Equal(-Errno.EFAULT, I386.sys_semctl(_guest.Args((uint)set, 0, Stat, GuestCall.Bad)));
        Assert.Equal(-Errno.EFAULT, I386.sys_semctl(_guest.Args((uint)set, 0, Set, GuestCall.Bad)));
        Assert.Equal(-Errno.EINVAL, I386.sys_semctl(_guest.Args(0xFFFFFFFF, 0, Set, GuestCall.Bad)));
        Assert.Equal(-Errno.EINVAL, I386.sys_semctl(_guest.Args((uint)set, 0, 99, 0)));
        Assert.Equal(-Errno.EINVAL, Ipc(3, (uint)set, 0, Stat, 0));
        Assert.Equal(-Errno.EFAULT, Ipc(3, (uint)set, 0, Stat, GuestCall.Bad));
        Assert.Equal(-Errno.ENOSYS, Ipc(99));
        Assert.Equal(0, I386.sys_semctl(_guest.Args((uint)set, 0, Remove, 0)));
        Assert.Equal(-Errno.EINVAL, I386.sys_semctl(_guest.Args((uint)set, 0, 12, 0)));
    }

    [Theory]
    [InlineData(5)]
    [InlineData(3000)]
    public void Messages_keep_type_and_text(int size)
    {
        uint queue = (uint)Host.Syscall(Nr.msgget, IpcPrivate, Create);
        uint message = _guest.Alloc(4 + size);
        GuestCall.Word(message, 0) = 42;
        Span<byte> text = GuestCall.Bytes(message + 4, size);
        new Random(size).NextBytes(text);
        Assert.Equal(0, I386.sys_msgsnd(_guest.Args(queue, message, (uint)size, 0)));
        Assert.Equal(0, Ipc(11, queue, (uint)size, 0, message));
        uint status = _guest.Alloc(88);
        Assert.Equal(0, I386.sys_msgctl(_guest.Args(queue, Stat, status)));
        Assert.Equal((uint)size * 2, GuestCall.Word(status, 15));
        Assert.Equal(2u, GuestCall.Word(status, 16));

        uint back = _guest.Alloc(size + 16);
        Assert.Equal(-Errno.E2BIG, I386.sys_msgrcv(_guest.Args(queue, back, (uint)size - 1, 0, 0)));
        Assert.Equal(-Errno.ENOMSG, I386.sys_msgrcv(_guest.Args(queue, back, (uint)size, 41, Nowait)));
        Assert.Equal(size, I386.sys_msgrcv(_guest.Args(queue, back, 0x7FFFFFFF, unchecked((uint)-50), 0)));
        Assert.Equal(42u, GuestCall.Word(back, 0));
        Assert.Equal(text, GuestCall.Bytes(back + 4, size));

        // The multiplexer's version 0 takes buffer and type through a kludge, version 1 directly.
        Assert.Equal(-Errno.ENOMSG, Ipc(12, queue, (uint)size, Nowait, _guest.Put(back, 41)));
        Assert.Equal(-Errno.ENOMSG, Ipc(12 | 0x10000, queue, (uint)size, Nowait, back, 41));
        Assert.Equal(-Errno.EINVAL, Ipc(12, queue, (uint)size, Nowait, 0));
        Assert.Equal(size, Ipc(12, queue, (uint)size, Nowait, _guest.Put(back, 42)));
        Assert.Equal(0, I386.sys_msgctl(_guest.Args(queue, Remove, 0)));
        Assert.Equal(-Errno.EINVAL, I386.sys_msgctl(_guest.Args(queue, Remove, 0)));
    }

    [Fact]
    public void Message_errors()
    {
        uint queue = (uint)Host.Syscall(Nr.msgget, IpcPrivate, Create);
        uint message = _guest.Put(1, 2);
        Assert.Equal(-Errno.EFAULT, I386.sys_msgsnd(_guest.Args(queue, GuestCall.Bad, 4, 0)));
        Assert.Equal(-Errno.EINVAL, I386.sys_msgsnd(_guest.Args(0xFFFFFFFF, message, 4, 0)));
        Assert.Equal(-Errno.EINVAL, I386.sys_msgsnd(_guest.Args(queue, message, 0xFFFFFFFF, 0)));
        Assert.Equal(-Errno.EINVAL, I386.sys_msgsnd(_guest.Args(queue, message, 0x10000000, 0)));
        Assert.Equal(-Errno.EINVAL, I386.sys_msgsnd(_guest.Args(queue, _guest.Put(0, 2), 4, 0)));
        Assert.Equal(-Errno.EINVAL, I386.sys_msgsnd(_guest.Args(queue, _guest.Put(0x80000000, 2), 4, 0)));
        GuestCall.Word(_guest.End - 8, 0) = 1;
        Assert.Equal(-Errno.EFAULT, I386.sys_msgsnd(_guest.Args(queue, _guest.End - 8, 5, 0)));
        Assert.Equal(0, I386.sys_msgsnd(_guest.Args(queue, _guest.End - 8, 4, 0)));
        Assert.Equal(-Errno.EFAULT, I386.sys_msgrcv(_guest.Args(queue, GuestCall.Bad, 4, 0, 0)));
        Assert.Equal(-Errno.EINVAL, I386.sys_msgrcv(_guest.Args(queue, message, 0x80000000, 0, 0)));
        Assert.Equal(-Errno.EINVAL, I386.sys_msgctl(_guest.Args(queue, 77, 0)));
        Assert.Equal(0, I386.sys_msgctl(_guest.Args(queue, Remove, 0)));
    }

    [Fact]
    public void Shared_memory_is_described_in_both_forms()
    {
        uint segment = (uint)Host.Syscall(Nr.shmget, IpcPrivate, 12345, Create);
        uint status = _guest.Alloc(84);
        Assert.Equal(0, I386.sys_shmctl(_guest.Args(segment, Stat, status)));
        Assert.Equal(12345u, GuestCall.Word(status, 9));
        Assert.Equal((uint)Environment.ProcessId, GuestCall.Word(status, 16));
        GuestCall.Bytes(status, 84).Clear();
        Assert.Equal(0, Arm.sys_shmctl(_guest.Args(segment, Stat, status)));
        Assert.Equal(12345u, GuestCall.Word(status, 4));
        uint limits = _guest.Alloc(36);
        Assert.True(I386.sys_shmctl(_guest.Args(0, 3, limits)) >= 0);
        Assert.InRange(GuestCall.Word(limits, 0), 1u, 0x7FFFFFFFu);
        Assert.Equal(4096u, GuestCall.Word(limits, 2));
        uint info = _guest.Alloc(24);
        Assert.True(Ipc(24, 0, 14, 0, info) >= 0);
        Assert.NotEqual(0u, GuestCall.Word(info, 0));
        Assert.Equal(-Errno.EFAULT, I386.sys_shmctl(_guest.Args(segment, Stat, GuestCall.Bad)));
        Assert.Equal(0, Ipc(24, segment, Remove, 0, 0));
        Assert.Equal(-Errno.EINVAL, I386.sys_shmctl(_guest.Args(segment, Stat, status)));
    }

    [Fact]
    public void Posix_queues()
    {
        uint name = _guest.Put([.. "lodge-unit-"u8, .. System.Text.Encoding.ASCII.GetBytes($"{Environment.ProcessId}"), 0]);
        uint attributes = _guest.Put(0, 4, 16, 0, 0, 0, 0, 0);
        Assert.Equal(-Errno.EFAULT, I386.sys_mq_open(_guest.Args(name, 0x40 | 2, 0x180, GuestCall.Bad)));
        int queue = I386.sys_mq_open(_guest.Args(name, 0x40 | 2, 0x180, attributes));
        if (queue == -Errno.ENOSYS)
        {
            return;
        }

        Assert.True(queue >= 0, $"{queue}");
        uint old = _guest.Alloc(32);
        Assert.Equal(0, I386.sys_mq_getsetattr(_guest.Args((uint)queue, _guest.Put(0x800, 0, 0, 0, 0, 0, 0, 0), old)));
        Assert.Equal(0u, GuestCall.Word(old, 0));
        Assert.Equal(4u, GuestCall.Word(old, 1));
        Assert.Equal(16u, GuestCall.Word(old, 2));
        Assert.Equal(0, Arm.sys_mq_getsetattr(_guest.Args((uint)queue, 0, old)));
        Assert.Equal(0x800u, GuestCall.Word(old, 0));
        uint text = _guest.Put("message"u8);
        Assert.Equal(0, I386.sys_mq_timedsend(_guest.Args((uint)queue, text, 7, 3, 0)));
        uint buffer = _guest.Alloc(16);
        uint priority = _guest.Alloc(4);
        Assert.Equal(7, I386.sys_mq_timedreceive_time64(_guest.Args((uint)queue, buffer, 16, priority, 0)));
        Assert.Equal("message"u8, GuestCall.Bytes(buffer, 7));
        Assert.Equal(3u, GuestCall.Word(priority, 0));
        Assert.Equal(-Errno.EAGAIN, I386.sys_mq_timedreceive(_guest.Args((uint)queue, buffer, 16, 0, _guest.Put(1, 0))));
        Assert.Equal(-Errno.EFAULT, I386.sys_mq_timedreceive(_guest.Args((uint)queue, buffer, 16, 0, GuestCall.Bad)));
        Assert.Equal(0, I386.sys_mq_notify(_guest.Args((uint)queue, _guest.Put(1, 0, 1, 0))));
        Assert.Equal(-Errno.EBUSY, I386.sys_mq_notify(_guest.Args((uint)queue, _guest.Put(1, 0, 1, 0))));
        Assert.Equal(0, I386.sys_mq_notify(_guest.Args((uint)queue, 0)));
        Assert.Equal(-Errno.EFAULT, I386.sys_mq_notify(_guest.Args((uint)queue, GuestCall.Bad)));
        Host.Syscall(Nr.close, queue);
        Host.Syscall(Nr.mq_unlink, name);
    }
}
