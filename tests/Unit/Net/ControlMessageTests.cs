using System;
using System.Linq;
using Lodge.Abi;
using Lodge.Shim;
using Xunit;

namespace Lodge.UnitTests.Net;

/// <summary>Control messages in both directions, against the rules of net/compat.c.</summary>
public sealed unsafe class ControlMessageTests
{
    private const int SolSocket = 1;

    private static byte[] Guest(params (int Level, int Type, byte[] Data)[] messages)
    {
        byte[] all = [];
        foreach ((int level, int type, byte[] data) in messages)
        {
            byte[] padded = new byte[(data.Length + 3) & ~3];
            data.CopyTo(padded, 0);
            all = [.. all, .. BitConverter.GetBytes(12 + data.Length), .. BitConverter.GetBytes(level), .. BitConverter.GetBytes(type), .. padded];
        }

        return all;
    }

    private static byte[] Host64(params (int Level, int Type, byte[] Data)[] messages)
    {
        byte[] all = [];
        foreach ((int level, int type, byte[] data) in messages)
        {
            byte[] padded = new byte[(data.Length + 7) & ~7];
            data.CopyTo(padded, 0);
            all = [.. all, .. BitConverter.GetBytes(16L + data.Length), .. BitConverter.GetBytes(level), .. BitConverter.GetBytes(type), .. padded];
        }

        return all;
    }

    private static (long Result, byte[] Block) ToHost(byte[] guest)
    {
        byte[] host = new byte[(int)ControlMessages.HostSpace((uint)guest.Length) + 16];
        host.AsSpan().Fill(0xAA);
        long result;
        fixed (byte* from = guest, to = host)
        {
            result = ControlMessages.ToHost(from, (uint)guest.Length, to);
        }

        Assert.Equal(Enumerable.Repeat((byte)0xAA, 16), host[^16..]);
        return (result, result > 0 ? host[..(int)result] : []);
    }

    private static (byte[] Block, uint Flags) ToGuest(byte[] host, int capacity)
    {
        byte[] guest = new byte[capacity + 64];
        guest.AsSpan().Fill(0xAA);
        uint flags = 0;
        uint used;
        fixed (byte* from = host, to = guest)
        {
            used = ControlMessages.ToGuest(from, (nuint)host.Length, to, (uint)capacity, ref flags);
        }

        Assert.InRange(used, 0u, (uint)capacity);
        Assert.All(guest[(int)used..], b => Assert.Equal(0xAA, b));
        return (guest[..(int)used], flags);
    }

    [Fact]
    public void Sending_moves_headers_and_alignment()
    {
        byte[] five = [1, 2, 3, 4, 5];
        (long result, byte[] block) = ToHost(Guest((SolSocket, 1, [9, 0, 0, 0]), (41, 50, five)));
        Assert.Equal(24 + 24, result);
        Assert.Equal(Host64((SolSocket, 1, [9, 0, 0, 0]), (41, 50, five)), block);
    }

    [Theory]
    [InlineData(0, 16)]
    [InlineData(11, 16)]
    [InlineData(17, 16)]
    [InlineData(uint.MaxValue, 16)]
    [InlineData(16, 11)]
    [InlineData(16, 20)]
    public void Malformed_lengths_are_invalid(uint length, int total)
    {
        // 20: a header that does not fit behind a good message.
        byte[] guest = new byte[total];
        BitConverter.GetBytes(length).AsSpan(0, Math.Min(4, total)).CopyTo(guest);
        Assert.Equal(-Errno.EINVAL, ToHost(guest).Result);
    }

    [Fact]
    public void The_last_message_needs_no_padding()
    {
        byte[] guest = Guest((SolSocket, 1, [1, 2, 3, 4, 5]))[..17];
        Assert.Equal(24, ToHost(guest).Result);
        Assert.Equal(-Errno.EINVAL, ToHost([.. guest, 0, 0, 0, 0]).Result);
    }

    [Fact]
    public void Receiving_packs_tighter()
    {
        byte[] creds = [.. Enumerable.Range(1, 12).Select(i => (byte)i)];
        (byte[] block, uint flags) = ToGuest(Host64((SolSocket, 2, creds), (0, 8, [1, 2, 3, 4])), 100);
        Assert.Equal(0u, flags);
        Assert.Equal(Guest((SolSocket, 2, creds), (0, 8, [1, 2, 3, 4])), block);
    }

    [Fact]
    public void Old_timestamps_become_narrow_new_ones_stay()
    {
        byte[] wide = [.. BitConverter.GetBytes(0x1_2345_6789L), .. BitConverter.GetBytes(999_999L)];
        byte[] narrow = [.. BitConverter.GetBytes(0x2345_6789), .. BitConverter.GetBytes(999_999)];
        Assert.Equal(Guest((SolSocket, 29, narrow)), ToGuest(Host64((SolSocket, 29, wide)), 100).Block);
        Assert.Equal(Guest((SolSocket, 35, narrow)), ToGuest(Host64((SolSocket, 35, wide)), 100).Block);
        Assert.Equal(
            Guest((SolSocket, 37, [.. narrow, .. narrow, .. narrow])),
            ToGuest(Host64((SolSocket, 37, [.. wide, .. wide, .. wide])), 100).Block);
        Assert.Equal(Guest((SolSocket, 63, wide)), ToGuest(Host64((SolSocket, 63, wide)), 100).Block);

        // Level 0 type 2 is an int for IP, a timeval for Bluetooth.
        Assert.Equal(Guest((0, 2, [64, 0, 0, 0])), ToGuest(Host64((0, 2, [64, 0, 0, 0])), 100).Block);
        Assert.Equal(Guest((0, 2, narrow)), ToGuest(Host64((0, 2, wide)), 100).Block);
    }

    [Fact]
    public void What_does_not_fit_is_cut_off_and_said()
    {
        byte[] host = Host64((SolSocket, 2, new byte[12]));
        for (int capacity = 0; capacity < 24; capacity++)
        {
            (byte[] block, uint flags) = ToGuest(host, capacity);
            Assert.Equal(ControlMessages.MsgCtrunc, flags);
            Assert.Equal(capacity < 12 ? 0 : capacity, block.Length);
            if (capacity >= 12)
            {
                Assert.Equal(capacity, BitConverter.ToInt32(block));
            }
        }

        Assert.Equal(0u, ToGuest(host, 24).Flags);
    }

    [Fact]
    public void Descriptors_that_do_not_fit_are_closed()
    {
        // Writing ends of pipes, whose other ends tell when they are closed: the number itself may be another test's at once.
        (int Reader, int Writer)[] pipes = [.. Enumerable.Range(0, 3).Select(_ => Pipe())];
        int[] descriptors = [.. pipes.Select(p => p.Writer)];
        byte[] data = [.. descriptors.SelectMany(BitConverter.GetBytes)];

        // 12 + 2 * 4 and three bytes more: two descriptors, as fdmax rounds down.
        (byte[] block, uint flags) = ToGuest(Host64((SolSocket, 1, data)), 23);
        Assert.Equal(ControlMessages.MsgCtrunc, flags);
        Assert.Equal(Guest((SolSocket, 1, data[..8])), block);
        Assert.Equal([false, false, true], pipes.Select(p => IsHungUp(p.Reader)));
        uint closed = 0;
        byte[] host = Host64((SolSocket, 1, data[..8]));
        fixed (byte* from = host)
        {
            ControlMessages.CloseAll(from, (nuint)host.Length, ref closed);
        }

        Assert.Equal(ControlMessages.MsgCtrunc, closed);
        Assert.All(pipes, p => Assert.True(IsHungUp(p.Reader)));
        Assert.All(pipes, p => Assert.Equal(0, Host.Syscall(Nr.close, p.Reader)));
    }

    private static (int Reader, int Writer) Pipe()
    {
        const int CloseOnExec = 0x80000;
        int* ends = stackalloc int[2];
        Assert.Equal(0, Host.Syscall(Nr.pipe2, (long)ends, CloseOnExec));
        return (ends[0], ends[1]);
    }

    private static bool IsHungUp(int reader)
    {
        const int Pollhup = 0x10;
        long* one = stackalloc long[1];
        *(int*)one = reader;
        long ready = Host.Syscall(Nr.poll, (long)one, 1, 0);
        return ready == 1 && ((short*)one)[3] == Pollhup;
    }

    [Fact]
    public void Random_blocks_come_back_as_they_were()
    {
        Random random = new(20261121);
        for (int round = 0; round < 2000; round++)
        {
            (int, int, byte[])[] messages = [.. Enumerable.Range(0, random.Next(1, 6)).Select(_ =>
            {
                byte[] data = new byte[random.Next(0, 40)];
                random.NextBytes(data);
                return (random.Next(2, 300), random.Next(3, 30), data);
            })];
            if (messages.Any(m => m.Item1 == 272))
            {
                continue;
            }

            byte[] guest = Guest(messages);
            (long length, byte[] host) = ToHost(guest);
            Assert.True(length > 0, $"round {round}");
            (byte[] back, uint flags) = ToGuest(host, guest.Length);
            Assert.Equal(0u, flags);
            Assert.Equal(guest, back);
        }
    }

    [Fact]
    public void Garbage_never_writes_past_its_buffer()
    {
        Random random = new(7);
        byte[] garbage = new byte[48];
        for (int round = 0; round < 20000; round++)
        {
            random.NextBytes(garbage);
            int length = random.Next(1, garbage.Length + 1);
            for (int at = 0; at + 4 <= length; at += 12)
            {
                garbage[at + 1] = garbage[at + 2] = garbage[at + 3] = 0;
                garbage[at] = (byte)random.Next(0, 40);
            }

            ToHost(garbage[..length]);
        }
    }
}
