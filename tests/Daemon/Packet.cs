using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Lodge.Protocol;

namespace Lodge.DaemonTests;

/// <summary>Messages as guests make them, and wrong ones.</summary>
internal static class Packet
{
    /// <summary>A registration.</summary>
    public static byte[] Register(string program = "/bin/test", GuestAbi abi = GuestAbi.I386, Func<RegisterMessage, RegisterMessage>? change = null)
    {
        byte[] path = Encoding.UTF8.GetBytes(program);
        RegisterMessage message = new()
        {
            Header = new MessageHeader(MessageType.Register, RegisterMessage.Size + path.Length, 0),
            Abi = abi,
            Host = HostArchitecture.X64,
            ShimVersion = 1,
            ProgramLength = (ushort)path.Length,
        };
        return Join(change == null ? message : change(message), path);
    }

    /// <summary>A log line.</summary>
    public static byte[] Log(string line, GuestLogLevel level = GuestLogLevel.Warning)
    {
        byte[] text = Encoding.UTF8.GetBytes(line);
        return Join(new LogMessage { Header = new MessageHeader(MessageType.Log, LogMessage.Size + text.Length, 0), Level = level, TextLength = (ushort)text.Length }, text);
    }

    /// <summary>A message without arguments.</summary>
    public static byte[] Plain(MessageType type, ulong sequence = 1) => Join(new PlainMessage { Header = new MessageHeader(type, PlainMessage.Size, sequence) }, []);

    /// <summary>A structure and what follows it.</summary>
    public static byte[] Join<T>(T message, ReadOnlySpan<byte> tail)
        where T : unmanaged
    {
        byte[] packet = new byte[Unsafe.SizeOf<T>() + tail.Length];
        MemoryMarshal.Write(packet, in message);
        tail.CopyTo(packet.AsSpan(Unsafe.SizeOf<T>()));
        return packet;
    }
}
