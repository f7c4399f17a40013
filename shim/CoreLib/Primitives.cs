// The primitive types of the freestanding core library. The compiler knows them by name; their operators are part of the language.
// Only what Lodge uses is declared: a missing member is a compile error, which is wanted.
#pragma warning disable CS0169, CS0649 // fields that the compilers fill or read

namespace System;

/// <summary>Root of all types. The one field is where ILC puts the type's table.</summary>
public unsafe class Object
{
    internal nint m_pEEType;

    public Object()
    {
    }
}

public abstract class ValueType
{
}

public abstract class Enum : ValueType
{
}

public struct Void
{
}

public readonly struct Boolean
{
    private readonly bool _value;
}

public readonly struct Char
{
    public const char MaxValue = '\uFFFF';

    private readonly char _value;
}

public readonly struct SByte
{
    public const sbyte MaxValue = 0x7F;
    public const sbyte MinValue = -0x80;

    private readonly sbyte _value;
}

public readonly struct Byte
{
    public const byte MaxValue = 0xFF;
    public const byte MinValue = 0;

    private readonly byte _value;
}

public readonly struct Int16
{
    public const short MaxValue = 0x7FFF;
    public const short MinValue = -0x8000;

    private readonly short _value;
}

public readonly struct UInt16
{
    public const ushort MaxValue = 0xFFFF;
    public const ushort MinValue = 0;

    private readonly ushort _value;
}

public readonly struct Int32
{
    public const int MaxValue = 0x7FFFFFFF;
    public const int MinValue = unchecked((int)0x80000000);

    private readonly int _value;
}

public readonly struct UInt32
{
    public const uint MaxValue = 0xFFFFFFFF;
    public const uint MinValue = 0;

    private readonly uint _value;
}

public readonly struct Int64
{
    public const long MaxValue = 0x7FFFFFFFFFFFFFFF;
    public const long MinValue = unchecked((long)0x8000000000000000);

    private readonly long _value;
}

public readonly struct UInt64
{
    public const ulong MaxValue = 0xFFFFFFFFFFFFFFFF;
    public const ulong MinValue = 0;

    private readonly ulong _value;
}

public readonly struct IntPtr
{
    private readonly nint _value;

    public static nint Zero => 0;

    public static nint MaxValue => unchecked((nint)0x7FFFFFFFFFFFFFFF);

    public static int Size => 8;
}

public readonly struct UIntPtr
{
    private readonly nuint _value;

    public static nuint Zero => 0;

    public static nuint MaxValue => unchecked((nuint)0xFFFFFFFFFFFFFFFF);

    public static int Size => 8;
}

public readonly struct Single
{
    private readonly float _value;
}

public readonly struct Double
{
    private readonly double _value;
}

public struct Nullable<T>
    where T : struct
{
    private readonly bool hasValue;
    internal T value;

    public Nullable(T value)
    {
        this.value = value;
        hasValue = true;
    }

    public readonly bool HasValue => hasValue;

    public readonly T Value => value;

    public readonly T GetValueOrDefault() => value;
}

/// <summary>Literals only: ILC freezes them into the image. Text of the shim is <c>u8</c>.</summary>
public sealed class String
{
    private readonly int _stringLength;
    private char _firstChar;

    public int Length => _stringLength;
}

/// <summary>Frozen arrays only (tables that ILC computes at compile time); nothing allocates at run time.</summary>
public abstract class Array
{
    internal int _numComponents;

    public int Length => _numComponents;
}

internal sealed class Array<T> : Array
{
}

public abstract class Delegate
{
}

public abstract class MulticastDelegate : Delegate
{
}

public class Exception
{
}

public abstract class Type
{
}

public class RuntimeType : Type
{
}

public struct RuntimeTypeHandle
{
    private nint _value;
}

public struct RuntimeMethodHandle
{
    private nint _value;
}

public struct RuntimeFieldHandle
{
    private nint _value;
}

public interface IDisposable
{
    void Dispose();
}

public interface IEquatable<T>
{
    bool Equals(T other);
}

public struct ValueTuple<T1, T2>
{
    public T1 Item1;
    public T2 Item2;

    public ValueTuple(T1 item1, T2 item2)
    {
        Item1 = item1;
        Item2 = item2;
    }
}

public struct ValueTuple<T1, T2, T3>
{
    public T1 Item1;
    public T2 Item2;
    public T3 Item3;

    public ValueTuple(T1 item1, T2 item2, T3 item3)
    {
        Item1 = item1;
        Item2 = item2;
        Item3 = item3;
    }
}

public struct ValueTuple<T1, T2, T3, T4>
{
    public T1 Item1;
    public T2 Item2;
    public T3 Item3;
    public T4 Item4;

    public ValueTuple(T1 item1, T2 item2, T3 item3, T4 item4)
    {
        Item1 = item1;
        Item2 = item2;
        Item3 = item3;
        Item4 = item4;
    }
}
