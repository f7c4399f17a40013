using System;
using System.Linq;
using System.Reflection;
using System.Runtime.InteropServices;
using Lodge.Protocol;
using Xunit;

namespace Lodge.DaemonTests;

/// <summary>The protocol's bytes. What is written here is what other versions speak: it may not change.</summary>
public class LayoutTests
{
    public static TheoryData<Type, string> Layouts { get; } = new()
    {
        { typeof(MessageHeader), "Magic 0 4, Version 4 2, Type 6 2, Length 8 4, Reserved 12 4, Sequence 16 8; 24" },
        { typeof(RegisterMessage), "Header 0 24, Abi 24 1, Host 25 1, Flags 26 2, ShimVersion 28 4, ProgramLength 32 2, Reserved0 34 2, Reserved1 36 4; 40" },
        { typeof(LogMessage), "Header 0 24, Level 24 1, Truncated 25 1, TextLength 26 2, Reserved0 28 4; 32" },
        {
            typeof(CountersMessage),
            "Header 0 24, Units 24 8, Instructions 32 8, GuestCodeBytes 40 8, HostCodeBytes 48 8, UserMicroseconds 56 8, SystemMicroseconds 64 8, MaxResidentKiB 72 8, PageFaults 80 8, LinesSuppressed 88 4, ExitStatus 92 4; 96"
        },
        { typeof(PlainMessage), "Header 0 24; 24" },
        {
            typeof(StatusMessage),
            "Header 0 24, Flags 24 4, Pid 28 4, Uid 32 4, ServiceVersion 36 4, StartedMicroseconds 40 8, Guests 48 4, Connections 52 4, Registrations 56 8, Refused 64 8, Exits 72 8, LogLines 80 8, LogLinesDropped 88 8, ProtocolErrors 96 8, Units 104 8, Instructions 112 8, HostCodeBytes 120 8, ConfigurationGeneration 128 4, Reserved0 132 4, ConfiguredMicroseconds 136 8, OwnGuests 144 4, Reserved1 148 4; 152"
        },
        { typeof(QueryGuestsMessage), "Header 0 24, AfterId 24 8, Which 32 4, Reserved0 36 4; 40" },
        { typeof(GuestsMessage), "Header 0 24, Count 24 4, More 28 4, NextAfter 32 8, NowMicroseconds 40 8; 48" },
        {
            typeof(GuestEntry),
            "Id 0 8, Pid 8 4, Uid 12 4, Gid 16 4, Abi 20 1, Host 21 1, Flags 22 2, StartedMicroseconds 24 8, EndedMicroseconds 32 8, ProcessStartTicks 40 8, ShimVersion 48 4, WaitStatus 52 4, Programs 56 4, LogLines 60 4, ProgramLength 64 2, Reserved0 66 2, Reserved1 68 4; 72"
        },
        { typeof(SubscribeMessage), "Header 0 24, Mask 24 4, MinimumLevel 28 1, Reserved0 29 1, Reserved1 30 2; 32" },
        {
            typeof(EventMessage),
            "Header 0 24, Kind 24 1, Level 25 1, Abi 26 1, Reserved0 27 1, Pid 28 4, Id 32 8, Uid 40 4, WaitStatus 44 4, TimeMicroseconds 48 8, Lost 56 4, TextLength 60 2, Reserved1 62 2, Reserved2 64 8; 72"
        },
        { typeof(ResultMessage), "Header 0 24, Error 24 4, TextLength 28 2, Reserved0 30 2; 32" },
    };

    [Theory]
    [MemberData(nameof(Layouts))]
    public void LayoutIsPinned(Type type, string expected)
    {
        ArgumentNullException.ThrowIfNull(type);
        string fields = string.Join(", ", type.GetFields(BindingFlags.Public | BindingFlags.Instance)
            .Select(f => $"{f.Name} {Marshal.OffsetOf(type, f.Name)} {SizeOf(f.FieldType)}"));
        Assert.Equal(expected, $"{fields}; {Marshal.SizeOf(type)}");
        Assert.Equal(Marshal.SizeOf(type), type.GetField("Size")?.GetRawConstantValue());
    }

    [Fact]
    public void BytesOfARegistration()
    {
        byte[] packet = Packet.Register("/a", change: m => m with { Flags = GuestFlags.Binfmt | GuestFlags.Traced, ShimVersion = 0x10203 });
        Assert.Equal("4C4F4447" + "0100" + "0100" + "2A000000" + "00000000" + "0000000000000000" + "01" + "01" + "0A00" + "03020100" + "0200" + "0000" + "00000000" + "2F61",
            Convert.ToHexString(packet));
    }

    [Fact]
    public void NumbersOfTypes()
    {
        Assert.Equal("Register 1, Log 2, Counters 3, QueryStatus 16, Status 17, QueryGuests 18, Guests 19, Subscribe 20, Event 21, Reload 22, Shutdown 23, OpenConfiguration 24, Result 31",
            string.Join(", ", Enum.GetValues<MessageType>().Select(t => $"{t} {(int)t}")));
    }

    [Fact]
    public void HostIsLittleEndian() => Assert.True(BitConverter.IsLittleEndian);

    [Theory]
    [InlineData(24, true)]
    [InlineData(23, false)]
    [InlineData(25, false)]
    public void HeadMustFitItsPacket(int packet, bool sound) => Assert.Equal(sound, new MessageHeader(MessageType.QueryStatus, 24, 1).IsSound(packet));

    private static int SizeOf(Type type) => Marshal.SizeOf(type.IsEnum ? type.GetEnumUnderlyingType() : type);
}
