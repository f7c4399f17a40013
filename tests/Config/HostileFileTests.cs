using System;
using System.Linq;
using System.Runtime.InteropServices;
using Lodge.Config;
using Lodge.Protocol;
using Xunit;

namespace Lodge.ConfigTests;

/// <summary>Damaged and hostile compiled files: refused, or read without a step outside. A step outside ends the test run (guard page).</summary>
public sealed unsafe class HostileFileTests
{
    private static readonly byte[] s_good = ConfigurationCompiler.ToBytes(
        Enumerable.Range(0, 12).SelectMany(seed => Scratch.Parse(new RandomConfiguration(new Random(seed)).File()).Entries).ToList(), [])!;

    private static readonly ProgramDescription s_program = new("/bin/a", "/opt/x/y/b", "/lib/ld-linux.so.2", "00ff");

    [Fact]
    public void Every_truncation_is_refused()
    {
        for (int length = 0; length < s_good.Length; length++)
        {
            Assert.NotEqual(ConfigurationFault.None, ShimSide.Decode(s_program, [s_good[..length]]).Fault);
        }

        Assert.Equal(ConfigurationFault.Length, ShimSide.Decode(s_program, [[.. s_good, 0]]).Fault);
        Assert.Equal(ConfigurationFault.None, ShimSide.Decode(s_program, [s_good]).Fault);
    }

    [Fact]
    public void Every_changed_byte_is_noticed()
    {
        for (int at = 0; at < s_good.Length; at++)
        {
            byte[] bad = [.. s_good];
            bad[at] ^= (byte)(1 << (at & 7));
            Assert.NotEqual(ConfigurationFault.None, ShimSide.Decode(s_program, [bad]).Fault);
        }
    }

    [Theory]
    [InlineData(0, ConfigurationFault.Magic)]
    [InlineData(8, ConfigurationFault.Version)]
    [InlineData(12, ConfigurationFault.Length)]
    [InlineData(16, ConfigurationFault.Checksum)]
    [InlineData(24, ConfigurationFault.Checksum)]
    public void The_fault_is_named(int at, ConfigurationFault fault)
    {
        byte[] bad = [.. s_good];
        bad[at]++;
        Assert.Equal(fault, ShimSide.Decode(s_program, [bad]).Fault);
    }

    /// <summary>Changes by somebody who puts the checksum right.</summary>
    [Fact]
    public void Changes_under_a_right_checksum_stay_inside()
    {
        Random random = new(7);
        int accepted = 0;
        for (int round = 0; round < 20_000; round++)
        {
            byte[] bad = [.. s_good];
            for (int change = random.Next(4); change >= 0; change--)
            {
                Change(bad, random);
            }

            Sign(bad);
            accepted += ShimSide.Decode(s_program, [bad]).Fault == ConfigurationFault.None ? 1 : 0;
        }

        Assert.InRange(accepted, 200, 19_000);
    }

    [Fact]
    public void Every_word_of_the_tables_at_its_extremes()
    {
        uint strings = MemoryMarshal.Read<ConfigurationHeader>(s_good).SettingOffset
            + (MemoryMarshal.Read<ConfigurationHeader>(s_good).SettingCount * (uint)sizeof(ConfigurationSetting));
        uint length = (uint)s_good.Length;
        foreach (uint value in new uint[] { 0, 1, 3, length - 1, length, length + 1, 0x7FFFFFFF, 0x80000000, uint.MaxValue, uint.MaxValue - 3 })
        {
            for (uint at = ConfigurationFormat.ChecksumStart; at < strings; at += 4)
            {
                byte[] bad = [.. s_good];
                MemoryMarshal.Write(bad.AsSpan((int)at), value);
                Sign(bad);
                _ = ShimSide.Decode(s_program, [bad]);
            }
        }
    }

    [Fact]
    public void Random_bytes_are_refused()
    {
        Random random = new(3);
        for (int round = 0; round < 2000; round++)
        {
            byte[] bad = new byte[random.Next(300)];
            random.NextBytes(bad);
            Assert.NotEqual(ConfigurationFault.None, ShimSide.Decode(s_program, [bad]).Fault);
        }
    }

    private static void Change(byte[] file, Random random)
    {
        int at = random.Next((int)ConfigurationFormat.ChecksumStart, file.Length);
        switch (random.Next(4))
        {
            case 0:
                file[at] ^= (byte)(1 << random.Next(8));
                break;
            case 1:
                file[at] = (byte)random.Next(256);
                break;
            case 2 when at + 4 <= file.Length:
                MemoryMarshal.Write(file.AsSpan(at & ~3), (uint)random.Next(file.Length + 2));
                break;
            default:
                int from = random.Next((int)ConfigurationFormat.ChecksumStart, file.Length);
                file.AsSpan(from, Math.Min(random.Next(1, 16), file.Length - Math.Max(from, at))).CopyTo(file.AsSpan(at));
                break;
        }
    }

    private static void Sign(byte[] file)
    {
        fixed (byte* data = file)
        {
            const uint Start = ConfigurationFormat.ChecksumStart;
            ((ConfigurationHeader*)data)->Checksum = ConfigurationFormat.Checksum(data + Start, (ulong)file.Length - Start);
        }
    }
}
