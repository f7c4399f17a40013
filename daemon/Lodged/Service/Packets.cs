using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Lodge.Protocol;

namespace Lodge.Service;

/// <summary>Puts messages together.</summary>
internal static class Packets
{
    private const int MaxText = 2048;

    /// <summary>A message without a variable part, its head set already.</summary>
    public static byte[] Whole<T>(in T message)
        where T : unmanaged
    {
        byte[] packet = new byte[Unsafe.SizeOf<T>()];
        MemoryMarshal.Write(packet, in message);
        return packet;
    }

    /// <summary>A result.</summary>
    public static byte[] Result(ulong sequence, int error, string text)
    {
        ReadOnlySpan<byte> bytes = Cut(Encoding.UTF8.GetBytes(text));
        ResultMessage message = new()
        {
            Header = new MessageHeader(MessageType.Result, ResultMessage.Size + bytes.Length, sequence),
            Error = error,
            TextLength = (ushort)bytes.Length,
        };
        return Join(message, bytes);
    }

    /// <summary>An event.</summary>
    public static byte[] Event(ulong sequence, EventMessage message, ReadOnlySpan<byte> text)
    {
        text = Cut(text);
        message.Header = new MessageHeader(MessageType.Event, EventMessage.Size + text.Length, sequence);
        message.TextLength = (ushort)text.Length;
        return Join(message, text);
    }

    private static byte[] Join<T>(in T message, ReadOnlySpan<byte> text)
        where T : unmanaged
    {
        byte[] packet = new byte[Unsafe.SizeOf<T>() + text.Length];
        MemoryMarshal.Write(packet, in message);
        text.CopyTo(packet.AsSpan(Unsafe.SizeOf<T>()));
        return packet;
    }

    private static ReadOnlySpan<byte> Cut(ReadOnlySpan<byte> text) => text.Length <= MaxText ? text : text[..MaxText];
}
