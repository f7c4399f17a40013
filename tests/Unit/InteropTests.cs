using System;
using System.Text;
using Lodge.Abi;
using Lodge.Shim;
using Xunit;

namespace Lodge.UnitTests;

/// <summary>Host calls, guest memory and text output, in the form the library build has them.</summary>
public sealed unsafe class InteropTests : IDisposable
{
    // A page below 4 GiB with an inaccessible one behind it.
    private readonly uint page = MapLow();

    [Fact]
    public void Results_are_values_or_negative_errno()
    {
        Assert.Equal(Environment.ProcessId, Host.Syscall(Nr.getpid));
        Assert.Equal(-Errno.EBADF, Host.Syscall(Nr.close, -1));
        Assert.True(Host.IsError(-1) && Host.IsError(-4095));
        Assert.False(Host.IsError(-4096) || Host.IsError(0) || Host.IsError(long.MinValue));
    }

    [Fact]
    public void Blocking_call_is_not_made_while_a_signal_is_pending()
    {
        GuestThread thread = default;
        thread.SignalPending = 1;
        Assert.Equal(-Errno.ERESTARTSYS, Host.BlockingCall(&thread, Nr.getpid));
        thread.SignalPending = 0;
        Assert.Equal(Environment.ProcessId, Host.BlockingCall(&thread, Nr.getpid));
    }

    [Fact]
    public void Values_go_in_and_out()
    {
        Assert.True(User.Put(page + 8, 0x1122334455667788UL));
        Assert.True(User.Get(page + 10, out ushort value));
        Assert.Equal(0x5566, value);
    }

    [Theory]
    [InlineData(4096, 1)]
    [InlineData(4095, 2)]
    [InlineData(4090, 100)]
    public void What_is_not_mapped_is_refused(int offset, int size)
    {
        byte* buffer = stackalloc byte[128];
        Assert.False(User.CopyIn(buffer, page + (uint)offset, (nuint)size));
        Assert.False(User.CopyOut(page + (uint)offset, buffer, (nuint)size));
        Assert.False(User.Fill(page + (uint)offset, 1, (nuint)size));
    }

    [Fact]
    public void Ranges_past_4_GiB_are_refused()
    {
        byte* buffer = stackalloc byte[16];
        Assert.False(User.CopyIn(buffer, uint.MaxValue, 2));
        Assert.False(User.CopyIn(buffer, page, nuint.MaxValue));
        Assert.False(User.CopyWithin(page, uint.MaxValue - 3, 8));
    }

    [Fact]
    public void Strings()
    {
        byte* buffer = stackalloc byte[64];
        fixed (byte* text = "path\0"u8)
        {
            Assert.True(User.CopyOut(page + 4091, text, 5));
        }

        Assert.Equal(4, User.CopyString(buffer, page + 4091, 64));
        Assert.Equal("path\0", Encoding.ASCII.GetString(buffer, 5));
        Assert.Equal(4, User.CopyString(buffer, page + 4091, 5));
        Assert.Equal(-Errno.ENAMETOOLONG, User.CopyString(buffer, page + 4091, 4));
        Assert.True(User.Put(page + 4095, (byte)'x'));
        Assert.Equal(-Errno.EFAULT, User.CopyString(buffer, page + 4091, 64));
        Assert.Equal(-Errno.EFAULT, User.CopyString(buffer, 0, 64));
    }

    [Fact]
    public void Compare_and_exchange()
    {
        Assert.True(User.Put(page, 5u));
        Assert.True(User.CompareExchange(page, 5, 6, out uint seen));
        Assert.Equal(5u, seen);
        Assert.True(User.CompareExchange(page, 5, 7, out seen));
        Assert.Equal(6u, seen);
        Assert.False(User.CompareExchange(page + 4096, 0, 1, out _));
    }

    [Theory]
    [InlineData(0L, "0")]
    [InlineData(-1L, "-1")]
    [InlineData(1234567890123456789L, "1234567890123456789")]
    [InlineData(long.MinValue, "-9223372036854775808")]
    public void Decimal_numbers(long value, string text)
    {
        Line line = new(stackalloc byte[32]);
        line.Dec(value);
        Assert.Equal(text, Encoding.ASCII.GetString(line.Text));
    }

    [Theory]
    [InlineData(0UL, 1, "0x0")]
    [InlineData(0xBEEFUL, 1, "0xbeef")]
    [InlineData(0xBEEFUL, 8, "0x0000beef")]
    [InlineData(ulong.MaxValue, 4, "0xffffffffffffffff")]
    public void Hexadecimal_numbers(ulong value, int digits, string text)
    {
        Line line = new(stackalloc byte[32]);
        line.Hex(value, digits);
        Assert.Equal(text, Encoding.ASCII.GetString(line.Text));
    }

    [Fact]
    public void A_line_never_outgrows_its_buffer()
    {
        Line line = new(stackalloc byte[8]);
        line.Add("123456"u8);
        line.Add("789"u8);
        line.Byte((byte)'x');
        line.Add((byte*)null);
        Assert.Equal("12345678", Encoding.ASCII.GetString(line.Text));
    }

    public void Dispose() => Host.Syscall(Nr.munmap, page, 8192);

    private static uint MapLow()
    {
        // MAP_PRIVATE, ANONYMOUS, 32BIT: two pages, the upper of which is made inaccessible.
        long pages = Host.Syscall(Nr.mmap, 0, 8192, 3, 0x62, -1, 0);
        Assert.False(Host.IsError(pages));
        Assert.Equal(0, Host.Syscall(Nr.mprotect, pages + 4096, 4096, 0));
        return (uint)pages;
    }
}
