using System;
using System.Diagnostics;
using Lodge.Abi;
using Lodge.Shim;
using Xunit;
using Arm = Lodge.Shim.Syscalls<Lodge.Shim.ArmAbi>;
using I386 = Lodge.Shim.Syscalls<Lodge.Shim.I386Abi>;

namespace Lodge.UnitTests.Time;

/// <summary>Clock, sleep, timer and futex calls against the running kernel.</summary>
public sealed unsafe class ClockTests : IDisposable
{
    private const uint Monotonic = 1;
    private readonly GuestCall _guest = new();

    public void Dispose() => _guest.Dispose();

    [Fact]
    public void BothWidthsOfClockGettimeAgreeWithTheClock()
    {
        uint at = _guest.Alloc(16);
        Assert.Equal(0, I386.sys_clock_gettime(_guest.Args(0, at)));
        GuestCall.AssertIsNow((int)GuestCall.Word(at, 0));
        Assert.InRange(GuestCall.Word(at, 1), 0u, 999_999_999u);
        Assert.Equal(0u, GuestCall.Word(at, 2));
        Assert.Equal(0, Arm.sys_clock_gettime64(_guest.Args(0, at)));
        GuestCall.AssertIsNow(*(long*)at);
        Assert.InRange(((long*)at)[1], 0, 999_999_999);
    }

    [Fact]
    public void BadClocksComeBeforeBadPointers()
    {
        Assert.Equal(-Errno.EINVAL, I386.sys_clock_gettime(_guest.Args(77, GuestCall.Bad)));
        Assert.Equal(-Errno.EFAULT, I386.sys_clock_gettime(_guest.Args(0, GuestCall.Bad)));
        Assert.Equal(-Errno.EINVAL, I386.sys_clock_settime(_guest.Args(Monotonic, GuestCall.Bad)));
        Assert.Equal(-Errno.EFAULT, I386.sys_clock_settime64(_guest.Args(0, GuestCall.Bad)));
        Assert.Equal(-Errno.EINVAL, I386.sys_clock_nanosleep(_guest.Args(77, 0, GuestCall.Bad, 0)));
        Assert.Equal(-Errno.EFAULT, I386.sys_clock_nanosleep(_guest.Args(Monotonic, 0, GuestCall.Bad, 0)));
    }

    [Fact]
    public void ATimespecThatCrossesTheEndOfMemoryIsAFault()
    {
        Assert.Equal(0, I386.sys_clock_gettime(_guest.Args(0, _guest.End - 8)));
        Assert.Equal(-Errno.EFAULT, I386.sys_clock_gettime(_guest.Args(0, _guest.End - 4)));
        Assert.Equal(-Errno.EFAULT, I386.sys_clock_gettime64(_guest.Args(0, _guest.End - 8)));
    }

    [Fact]
    public void TheUpperHalfOfNanosecondsIsPadding()
    {
        uint sleep = _guest.Put(0, 0, 1000, 0xdeadbeef);
        Assert.Equal(0, I386.sys_clock_nanosleep_time64(_guest.Args(Monotonic, 0, sleep, 0)));
        uint invalid = _guest.Put(0, 0, 1_000_000_000, 0);
        Assert.Equal(-Errno.EINVAL, I386.sys_clock_nanosleep_time64(_guest.Args(Monotonic, 0, invalid, 0)));
        Assert.Equal(-Errno.EINVAL, I386.sys_nanosleep(_guest.Args(_guest.Put(0xFFFFFFFF, 0), 0)));
    }

    [Fact]
    public void SleepsTakeTheirTime()
    {
        long before = Stopwatch.GetTimestamp();
        Assert.Equal(0, I386.sys_nanosleep(_guest.Args(_guest.Put(0, 20_000_000), 0)));
        Assert.InRange(Stopwatch.GetElapsedTime(before).TotalMilliseconds, 20, 60_000);
    }

    [Fact]
    public void ASignalThatWaitsKeepsASleepFromBeginning()
    {
        _guest.Thread->SignalPending = 1;
        Assert.Equal(-Errno.ERESTARTSYS, I386.sys_nanosleep(_guest.Args(_guest.Put(100, 0), 0)));
        Assert.Equal(-Errno.ERESTARTSYS, I386.sys_futex_time64(_guest.Args(_guest.Put(1), 0, 1, 0, 0, 0)));
    }

    [Fact]
    public void OldClockCalls()
    {
        uint tv = _guest.Alloc(8);
        uint tz = _guest.Alloc(8);
        Assert.Equal(0, I386.sys_gettimeofday(_guest.Args(tv, tz)));
        GuestCall.AssertIsNow((int)GuestCall.Word(tv, 0));
        Assert.InRange(GuestCall.Word(tv, 1), 0u, 999_999u);
        Assert.Equal(0, I386.sys_gettimeofday(_guest.Args(0, 0)));
        Assert.Equal(-Errno.EFAULT, I386.sys_gettimeofday(_guest.Args(GuestCall.Bad, 0)));
        uint word = _guest.Alloc(4);
        int time = I386.sys_time(_guest.Args(word));
        GuestCall.AssertIsNow(time);
        Assert.Equal((uint)time, GuestCall.Word(word, 0));
        Assert.Equal(-Errno.EFAULT, I386.sys_time(_guest.Args(GuestCall.Bad)));
        Assert.Equal(-Errno.EFAULT, I386.sys_stime(_guest.Args(GuestCall.Bad)));
    }

    [Fact]
    public void FutexTimeoutsOfBothWidths()
    {
        uint word = _guest.Put(1);
        Assert.Equal(-Errno.ETIMEDOUT, I386.sys_futex(_guest.Args(word, 0, 1, _guest.Put(0, 1_000_000), 0, 0)));
        Assert.Equal(-Errno.ETIMEDOUT, Arm.sys_futex_time64(_guest.Args(word, 128, 1, _guest.Put(0, 0, 1_000_000, 0xFFFFFFFF), 0, 0)));
        Assert.Equal(-Errno.EAGAIN, I386.sys_futex(_guest.Args(word, 0, 2, 0, 0, 0)));
        Assert.Equal(-Errno.EFAULT, I386.sys_futex(_guest.Args(word, 0, 1, GuestCall.Bad, 0, 0)));
        Assert.Equal(-Errno.EINVAL, I386.sys_futex(_guest.Args(word, 0, 1, _guest.Put(0, 1_000_000_000), 0, 0)));
    }

    [Fact]
    public void TheFourthFutexArgumentIsANumberForRequeue()
    {
        // CMP_REQUEUE with val2 = 5: were it read as a pointer, the answer would be EFAULT.
        uint word = _guest.Put(7, 0);
        Assert.Equal(0, I386.sys_futex(_guest.Args(word, 4, 1, 5, word + 4, 7)));
        Assert.Equal(-Errno.EAGAIN, I386.sys_futex(_guest.Args(word, 4, 1, 5, word + 4, 8)));

        // WAKE_OP: set word2 to 3, compare the old value with 0; nobody waits.
        const uint SetThreeIfZero = (0u << 28) | (0u << 24) | (3u << 12);
        Assert.Equal(0, I386.sys_futex(_guest.Args(word, 5, 1, 1, word + 4, SetThreeIfZero)));
        Assert.Equal(3u, GuestCall.Word(word, 1));
    }

    [Fact]
    public void TimersKeepTheirWidths()
    {
        uint id = _guest.Alloc(4);
        uint sigevent = _guest.Put(0x12345678, 0, 1, 0);
        Assert.Equal(0, I386.sys_timer_create(_guest.Args(Monotonic, sigevent, id)));
        uint timer = GuestCall.Word(id, 0);
        uint value = _guest.Put(5, 0, 6, 7, 0, 1, 8, 0xFFFFFFFF);
        Assert.Equal(0, I386.sys_timer_settime64(_guest.Args(timer, 0, value, 0)));
        uint old = _guest.Alloc(32);
        Assert.Equal(0, I386.sys_timer_settime64(_guest.Args(timer, 0, _guest.Put(5, 0, 6, 7, 900, 0, 0, 0), old)));
        Assert.Equal(5, ((long*)old)[0]);
        Assert.Equal(6, ((long*)old)[1]);
        Assert.InRange(((long*)old)[2], 0xFFFFFF00, 0x100000000);
        uint now = _guest.Alloc(16);
        Assert.Equal(0, Arm.sys_timer_gettime(_guest.Args(timer, now)));
        Assert.Equal(5u, GuestCall.Word(now, 0));
        Assert.Equal(6u, GuestCall.Word(now, 1));
        Assert.InRange(GuestCall.Word(now, 2), 600u, 900u);
        Assert.Equal(-Errno.EINVAL, I386.sys_timer_settime(_guest.Args(timer, 0, 0, 0)));
        Assert.Equal(-Errno.EFAULT, I386.sys_timer_settime(_guest.Args(timer, 0, GuestCall.Bad, 0)));
        Host.Syscall(Nr.timer_delete, timer);
        Assert.Equal(-Errno.EINVAL, I386.sys_timer_gettime(_guest.Args(timer, GuestCall.Bad)));
    }

    [Fact]
    public void TimerDescriptorsAndIntervalTimers()
    {
        uint fd = (uint)Host.Syscall(Nr.timerfd_create, Monotonic, 0);
        Assert.Equal(0, I386.sys_timerfd_settime(_guest.Args(fd, 0, _guest.Put(1, 2, 3000, 4), 0)));
        uint now = _guest.Alloc(16);
        Assert.Equal(0, I386.sys_timerfd_gettime(_guest.Args(fd, now)));
        Assert.Equal(1u, GuestCall.Word(now, 0));
        Assert.Equal(2u, GuestCall.Word(now, 1));
        Assert.InRange(GuestCall.Word(now, 2), 2700u, 3000u);
        Host.Syscall(Nr.close, fd);

        // Not the number just closed: another test may have it by now.
        Assert.Equal(-Errno.EBADF, I386.sys_timerfd_gettime(_guest.Args(uint.MaxValue, now)));

        // ITIMER_PROF 2 with an hour: the process has used less.
        uint old = _guest.Alloc(16);
        Assert.Equal(0, I386.sys_setitimer(_guest.Args(2, _guest.Put(0, 0, 3600, 5), 0)));
        Assert.Equal(0, I386.sys_getitimer(_guest.Args(2, now)));
        Assert.InRange(GuestCall.Word(now, 2), 3500u, 3600u);
        Assert.Equal(0, I386.sys_setitimer(_guest.Args(2, 0, old)));
        Assert.InRange(GuestCall.Word(old, 2), 3500u, 3600u);
        Assert.Equal(-Errno.EFAULT, I386.sys_setitimer(_guest.Args(99, GuestCall.Bad, 0)));
        Assert.Equal(-Errno.EINVAL, I386.sys_getitimer(_guest.Args(99, GuestCall.Bad)));
    }

    [Fact]
    public void AlarmRoundsButNeverToZero()
    {
        Assert.Equal(0, I386.sys_alarm(_guest.Args(1000)));
        Assert.InRange(I386.sys_alarm(_guest.Args(0)), 700, 1000);
        Assert.Equal(0, I386.sys_alarm(_guest.Args(0)));
    }

    [Fact]
    public void TimexConversionsAreInverse()
    {
        Lodge.Abi.Compat.old_timex32 narrow = default;
        uint* words = (uint*)&narrow;
        for (uint i = 0; i < sizeof(Lodge.Abi.Compat.old_timex32) / 4; i++)
        {
            words[i] = 0x80000001 + (i * 0x01010101);
        }

        Lodge.Abi.Compat.__kernel_timex wide;
        Lodge.Abi.Compat.old_timex32 back;
        I386.TimexToHost(&narrow, &wide);
        Assert.Equal((int)words[1], wide.offset);
        Assert.Equal((int)words[10], wide.time.tv_usec);
        I386.TimexFromHost(&wide, &back);
        uint* result = (uint*)&back;

        // tai is not an input; behind it is padding.
        for (int i = 0; i < 20; i++)
        {
            Assert.Equal(words[i], result[i]);
        }
    }

    [Fact]
    public void AdjtimexReads()
    {
        uint timex = _guest.Alloc(128);
        int state = I386.sys_adjtimex(_guest.Args(timex));
        Assert.InRange(state, 0, 5);
        GuestCall.AssertIsNow((int)GuestCall.Word(timex, 9));
        Assert.Equal(-Errno.EFAULT, I386.sys_clock_adjtime(_guest.Args(99, GuestCall.Bad)));
        Assert.Equal(-Errno.EINVAL, I386.sys_clock_adjtime(_guest.Args(99, timex)));
    }

    [Fact]
    public void TheHostVdsoIsFoundAndAgrees()
    {
        byte* image = null;
        byte[] auxv = System.IO.File.ReadAllBytes("/proc/self/auxv");
        for (int i = 0; i + 16 <= auxv.Length; i += 16)
        {
            if (BitConverter.ToUInt64(auxv, i) == 33)
            {
                image = (byte*)BitConverter.ToUInt64(auxv, i + 8);
            }
        }

        Assert.True(image != null);
        Assert.True(HostVdso.Find(image, "__vdso_clock_gettime"u8) != null);
        Assert.True(HostVdso.Find(image, "__vdso_no_such_thing"u8) == null);
        Assert.True(HostVdso.Find(null, "__vdso_clock_gettime"u8) == null);
        HostVdso.Initialize(_guest.Thread->Group, image);
        Assert.True(_guest.Thread->Group->HostClockGettime != null);
        uint at = _guest.Alloc(16);
        Assert.Equal(0, I386.sys_clock_gettime64(_guest.Args(Monotonic, at)));
        Lodge.Abi.Compat.__kernel_timespec host;
        Host.Syscall(Nr.clock_gettime, Monotonic, (long)&host);
        Assert.InRange(host.tv_sec - *(long*)at, 0, 300);
        Assert.Equal(-Errno.EINVAL, I386.sys_clock_gettime64(_guest.Args(77, at)));
    }

    [Fact]
    public void RoundRobinIntervalAndTimes()
    {
        uint at = _guest.Alloc(16);
        Assert.Equal(0, I386.sys_sched_rr_get_interval(_guest.Args(0, at)));
        Assert.Equal(0u, GuestCall.Word(at, 0));
        Assert.Equal(-Errno.EFAULT, I386.sys_sched_rr_get_interval(_guest.Args(0, GuestCall.Bad)));
        I386.sys_times(_guest.Args(at));
        Assert.InRange(GuestCall.Word(at, 0), 0u, 1_000_000u);
        Assert.Equal(-Errno.EFAULT, I386.sys_times(_guest.Args(GuestCall.Bad)));
    }
}
