using System;
using Lodge.Abi;
using Lodge.Shim;
using Xunit;
using Arm = Lodge.Shim.Syscalls<Lodge.Shim.ArmAbi>;
using I386 = Lodge.Shim.Syscalls<Lodge.Shim.I386Abi>;

namespace Lodge.UnitTests.Time;

/// <summary>Process information calls: names, limits, ids, masks.</summary>
public sealed unsafe class ProcessTests : IDisposable
{
    private readonly GuestCall _guest = new();

    public void Dispose() => _guest.Dispose();

    private static string Text(uint address) => System.Runtime.InteropServices.Marshal.PtrToStringUTF8((nint)address)!;

    [Fact]
    public void Uname_follows_personality()
    {
        uint names = _guest.Alloc(400);
        Assert.Equal(0, I386.sys_uname(_guest.Args(names)));
        Assert.Equal("Linux", Text(names));
        Assert.Equal("x86_64", Text(names + (4 * 65)));
        Assert.Equal(0, Arm.sys_uname(_guest.Args(names)));
        Assert.Equal("aarch64", Text(names + (4 * 65)));
        _guest.Thread->Group->Personality = 8;
        Assert.Equal(0, I386.sys_uname(_guest.Args(names)));
        Assert.Equal("i686", Text(names + (4 * 65)));
        Assert.Equal(0, Arm.sys_uname(_guest.Args(names)));
        Assert.Equal("armv8l", Text(names + (4 * 65)));
        Assert.Equal(0, I386.sys_oldolduname(_guest.Args(names)));
        Assert.Equal("i686", Text(names + (4 * 9)));
        Assert.Equal(-Errno.EFAULT, I386.sys_uname(_guest.Args(_guest.End - 389)));
        Assert.Equal(0, I386.sys_uname(_guest.Args(_guest.End - 390)));
        Assert.Equal(0, I386.sys_olduname(_guest.Args(_guest.End - 325)));
        Assert.Equal(8, I386.sys_personality(_guest.Args(0xFFFFFFFF)));
    }

    [Fact]
    public void Sysinfo_is_scaled_only_where_it_must_be()
    {
        Lodge.Abi.Host.sysinfo host = default;
        Lodge.Abi.Compat.sysinfo guest;
        host.totalram = 3ul << 30;
        host.totalswap = 5;
        host.mem_unit = 1;
        host.procs = 77;
        I386.NarrowSysinfo(&host, &guest);
        Assert.Equal(3u << 30, guest.totalram);
        Assert.Equal(1u, guest.mem_unit);
        Assert.Equal(5u, guest.totalswap);
        host.totalswap = 1ul << 32;
        I386.NarrowSysinfo(&host, &guest);
        Assert.Equal((3u << 30) >> 12, guest.totalram);
        Assert.Equal(1u << 20, guest.totalswap);
        Assert.Equal(4096u, guest.mem_unit);
        Assert.Equal(77, guest.procs);
        uint at = _guest.Alloc(64);
        Assert.Equal(0, I386.sys_sysinfo(_guest.Args(at)));
        Assert.NotEqual(0u, GuestCall.Word(at, 0));
    }

    [Fact]
    public void Limits_of_memory_are_the_guests()
    {
        _guest.Thread->Group->Limits.ReadHost();
        uint limit = _guest.Put(0, 0, 0, 0);
        const uint Stack = 3, NoFile = 7, AddressSpace = 9;
        Assert.Equal(0, I386.sys_ugetrlimit(_guest.Args(AddressSpace, limit)));
        Assert.Equal(0xFFFFFFFFu, GuestCall.Word(limit, 0));
        Assert.Equal(0, I386.sys_getrlimit(_guest.Args(AddressSpace, limit)));
        Assert.Equal(0x7FFFFFFFu, GuestCall.Word(limit, 0));
        Assert.Equal(0, I386.sys_setrlimit(_guest.Args(AddressSpace, _guest.Put(0x10000000, 0xFFFFFFFF))));
        Assert.Equal(0x10000000u, _guest.Thread->Group->Limits.AddressSpace);
        Assert.Equal(0, I386.sys_prlimit64(_guest.Args(0, AddressSpace, 0, limit)));
        Assert.Equal(0x10000000, *(long*)limit);
        Assert.Equal(-1, ((long*)limit)[1]);
        ulong* host = stackalloc ulong[2];
        Host.Syscall(Nr.prlimit64, 0, AddressSpace, 0, (long)host);
        Assert.Equal(ulong.MaxValue, host[0]);
        Assert.Equal(-Errno.EINVAL, I386.sys_setrlimit(_guest.Args(AddressSpace, _guest.Put(2, 1))));
        Assert.Equal(0, I386.sys_ugetrlimit(_guest.Args(NoFile, limit)));
        Assert.InRange(GuestCall.Word(limit, 0), 16u, 0x7FFFFFFFu);
        Assert.Equal(0, I386.sys_ugetrlimit(_guest.Args(Stack, limit)));
        Assert.Equal(-Errno.EINVAL, I386.sys_ugetrlimit(_guest.Args(16, limit)));
        Assert.Equal(-Errno.EFAULT, I386.sys_setrlimit(_guest.Args(99, GuestCall.Bad)));
        Assert.Equal(-Errno.EFAULT, I386.sys_ugetrlimit(_guest.Args(NoFile, GuestCall.Bad)));
    }

    [Fact]
    public void Ids_of_16_bits()
    {
        Assert.Equal(0xFFFF_FFFFL, Id16.Widen(0x1FFFF));
        Assert.Equal(1000, Id16.Widen(0x103E8));
        Assert.Equal(1000, Id16.NarrowUser(1000));
        Assert.Equal(65535, Id16.NarrowUser(65535));
        ushort overflow = ushort.Parse(System.IO.File.ReadAllText("/proc/sys/kernel/overflowuid"), System.Globalization.CultureInfo.InvariantCulture);
        Assert.Equal(overflow, Id16.NarrowUser(65536));
        Assert.Equal(overflow, Id16.NarrowGroup(uint.MaxValue));
        uint ids = _guest.Put(0xAAAAAAAA, 0xAAAAAAAA);
        Assert.Equal(0, I386.sys_getresuid(_guest.Args(ids, ids + 2, ids + 4)));
        Assert.Equal(I386.sys_getuid(_guest.Args()), (int)(GuestCall.Word(ids, 0) & 0xFFFF));
        Assert.Equal(0xAAAA0000u, GuestCall.Word(ids, 1) & 0xFFFF0000);
        int count = I386.sys_getgroups(_guest.Args(0, 0));
        Assert.InRange(count, 0, 65536);
        if (count > 0)
        {
            Assert.Equal(-Errno.EFAULT, I386.sys_getgroups(_guest.Args((uint)count, GuestCall.Bad)));
        }

        Assert.Equal(-Errno.EINVAL, I386.sys_getgroups(_guest.Args(0x80000000, 0)));
        Assert.True(I386.sys_setgroups(_guest.Args(65537, GuestCall.Bad)) is -Errno.EINVAL or -Errno.EPERM);
        Assert.True(I386.sys_setgroups(_guest.Args(2, GuestCall.Bad)) is -Errno.EFAULT or -Errno.EPERM);
    }

    [Fact]
    public void Affinity_masks_are_multiples_of_4()
    {
        uint mask = _guest.Put(0, 0xAAAAAAAA, 0xAAAAAAAA, 0xAAAAAAAA);
        int written = I386.sys_sched_getaffinity(_guest.Args(0, 4, mask));
        Assert.True(written == 4 || Environment.ProcessorCount > 32, $"{written}");
        Assert.NotEqual(0u, GuestCall.Word(mask, 0));
        Assert.Equal(0xAAAAAAAAu, GuestCall.Word(mask, 1));
        Assert.Equal(-Errno.EINVAL, I386.sys_sched_getaffinity(_guest.Args(0, 6, mask)));
        Assert.Equal(-Errno.EINVAL, I386.sys_sched_getaffinity(_guest.Args(0, 0, mask)));
        Assert.Equal(-Errno.EFAULT, I386.sys_sched_getaffinity(_guest.Args(0, 8, GuestCall.Bad)));
        Assert.Equal(-Errno.ESRCH, I386.sys_sched_getaffinity(_guest.Args(0x7FFFFFFF, 8, mask)));
        Assert.Equal(0, I386.sys_sched_setaffinity(_guest.Args(0, 4, mask)));
        Assert.Equal(-Errno.EFAULT, I386.sys_sched_setaffinity(_guest.Args(0, 4, GuestCall.Bad)));
    }

    [Fact]
    public void Prctl_lets_only_known_options_through()
    {
        uint name = _guest.Put("unit-test\0\0\0\0\0\0\0"u8);
        Assert.Equal(0, I386.sys_prctl(_guest.Args(15, name)));
        uint back = _guest.Alloc(16);
        Assert.Equal(0, I386.sys_prctl(_guest.Args(16, back)));
        Assert.Equal("unit-test", Text(back));
        Assert.Equal(-Errno.EINVAL, I386.sys_prctl(_guest.Args(22, 2, name)));
        Assert.Equal(-Errno.EINVAL, I386.sys_prctl(_guest.Args(59, 1)));
        Assert.Equal(-Errno.EPERM, I386.sys_prctl(_guest.Args(35, 7, 0x10000)));
        Assert.Equal(-Errno.EINVAL, I386.sys_prctl(_guest.Args(0x7777)));
        Assert.Equal(-Errno.EINVAL, I386.sys_prctl(_guest.Args(65, 1)));
        Assert.Equal(1, I386.sys_prctl(_guest.Args(3)));
        _guest.Thread->Mm->SavedAuxv[0] = 33;
        _guest.Thread->Mm->SavedAuxv[1] = 0x1000;
        _guest.Thread->Mm->AuxvLength = 16;
        uint vector = _guest.Alloc(464);
        GuestCall.Bytes(vector, 464).Fill(0xEE);
        Assert.Equal(448, I386.sys_prctl(_guest.Args(0x41555856, vector, 464)));
        Assert.Equal(0x1000u, GuestCall.Word(vector, 1));
        Assert.Equal(0u, GuestCall.Word(vector, 111));
        Assert.Equal(0xEEEEEEEEu, GuestCall.Word(vector, 112));
        Assert.Equal(-Errno.EINVAL, I386.sys_prctl(_guest.Args(0x41555856, vector, 464, 1)));
        Assert.Equal(-Errno.EFAULT, I386.sys_prctl(_guest.Args(0x41555856, GuestCall.Bad, 464)));
        Assert.Equal(1, I386.sys_arch_prctl(_guest.Args(0x1011)));
        Assert.Equal(-Errno.EINVAL, I386.sys_arch_prctl(_guest.Args(0x1002)));
    }

    [Fact]
    public void Rusage_is_cut_to_32_bits()
    {
        Lodge.Abi.Host.rusage host = default;
        long* words = (long*)&host;
        for (int i = 0; i < 18; i++)
        {
            words[i] = 0x7_0000_0001L + i;
        }

        Lodge.Abi.Compat.rusage guest;
        Lodge.Shim.Convert.Rusage(&host, &guest);
        for (int i = 0; i < 18; i++)
        {
            Assert.Equal(1 + i, ((int*)&guest)[i]);
        }

        uint at = _guest.Alloc(72);
        Assert.Equal(0, I386.sys_getrusage(_guest.Args(0, at)));
        Assert.NotEqual(0u, GuestCall.Word(at, 4));
        Assert.Equal(-Errno.EINVAL, I386.sys_getrusage(_guest.Args(99, GuestCall.Bad)));
        Assert.Equal(-Errno.EFAULT, I386.sys_getrusage(_guest.Args(0, GuestCall.Bad)));
    }
}
