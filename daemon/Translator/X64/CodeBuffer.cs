using System.Runtime.CompilerServices;

namespace Lodge.Translator.X64;

/// <summary>Host register numbers with a fixed meaning in translated i386 code (docs/registers.md).</summary>
public static class HostReg
{
    /// <summary>EAX to EDI have the guest's own numbers 0-7, except 4: RSP is the return stack.</summary>
    public const int Rax = 0, Rcx = 1, Rdx = 2, Rbx = 3, Rsp = 4, Rbp = 5, Rsi = 6, Rdi = 7;
    /// <summary>Branch target of indirect transfers and returns; scratch elsewhere.</summary>
    public const int Target = 8;
    /// <summary>Scratch.</summary>
    public const int R9 = 9, R10 = 10, R11 = 11;
    /// <summary>Base of the code cache.</summary>
    public const int CodeBase = 12;
    /// <summary>Base of the flat target table.</summary>
    public const int TargetTable = 13;
    /// <summary>The guest thread record.</summary>
    public const int Thread = 14;
    /// <summary>Guest ESP.</summary>
    public const int Esp = 15;
}

/// <summary>
/// Writes x86-64 machine code to memory. A value type without bounds checks on the hot path: callers reserve room for a whole
/// instruction's expansion (<see cref="HasRoom"/>) before they emit it. Not thread-safe.
/// </summary>
public unsafe struct CodeBuffer
{
    /// <summary>First byte.</summary>
    public byte* Start;
    /// <summary>Next byte to write.</summary>
    public byte* Next;
    /// <summary>One past the last usable byte.</summary>
    public byte* End;

    /// <summary>A buffer over <paramref name="size"/> bytes at <paramref name="start"/>.</summary>
    public CodeBuffer(byte* start, int size)
    {
        Start = start;
        Next = start;
        End = start + size;
    }

    /// <summary>Bytes written.</summary>
    public readonly int Position => (int)(Next - Start);

    /// <summary>True when <paramref name="bytes"/> more fit.</summary>
    public readonly bool HasRoom(int bytes) => End - Next >= bytes;

    /// <summary>Appends a byte.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void U8(int value) => *Next++ = (byte)value;

    /// <summary>Appends a 16-bit value.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void U16(int value)
    {
        *(ushort*)Next = (ushort)value;
        Next += 2;
    }

    /// <summary>Appends a 32-bit value.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void U32(uint value)
    {
        *(uint*)Next = value;
        Next += 4;
    }

    /// <summary>Appends a 64-bit value.</summary>
    public void U64(ulong value)
    {
        *(ulong*)Next = value;
        Next += 8;
    }

    /// <summary>REX prefix when any bit is needed; <paramref name="w"/> is 1 for a 64-bit operation.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Rex(int w, int reg, int index, int rm)
    {
        int rex = (w << 3) | ((reg >> 3) << 2) | ((index >> 3) << 1) | (rm >> 3);
        if (rex != 0)
        {
            U8(0x40 | rex);
        }
    }

    /// <summary>ModRM (and SIB where the base needs one) for [base+disp].</summary>
    public void Memory(int reg, int baseReg, int disp)
    {
        int low = baseReg & 7;
        int mod = disp == 0 && low != 5 ? 0 : disp is >= -128 and <= 127 ? 1 : 2;
        U8((mod << 6) | ((reg & 7) << 3) | low);
        if (low == 4)
        {
            U8(0x24);
        }

        if (mod == 1)
        {
            U8(disp);
        }
        else if (mod == 2)
        {
            U32((uint)disp);
        }
    }

    /// <summary>mov r32, [base+disp].</summary>
    public void Load32(int reg, int baseReg, int disp) => WithMemory(0, 0x8B, reg, baseReg, disp);

    /// <summary>mov r64, [base+disp].</summary>
    public void Load64(int reg, int baseReg, int disp) => WithMemory(1, 0x8B, reg, baseReg, disp);

    /// <summary>mov [base+disp], r32.</summary>
    public void Store32(int baseReg, int disp, int reg) => WithMemory(0, 0x89, reg, baseReg, disp);

    /// <summary>mov [base+disp], r64.</summary>
    public void Store64(int baseReg, int disp, int reg) => WithMemory(1, 0x89, reg, baseReg, disp);

    /// <summary>mov dword [base+disp], imm32.</summary>
    public void Store32Imm(int baseReg, int disp, uint value)
    {
        WithMemory(0, 0xC7, 0, baseReg, disp);
        U32(value);
    }

    /// <summary>lea r32, [base+disp]: adds without flags, result truncated to 32 bits.</summary>
    public void Lea32(int reg, int baseReg, int disp) => WithMemory(0, 0x8D, reg, baseReg, disp);

    /// <summary>lea r64, [base+disp].</summary>
    public void Lea64(int reg, int baseReg, int disp) => WithMemory(1, 0x8D, reg, baseReg, disp);

    /// <summary>REX, opcode, ModRM, SIB and displacement: each part is written, then kept or not.</summary>
    private void WithMemory(int w, int opcode, int reg, int baseReg, int disp)
    {
        byte* p = Next;
        int rex = (w << 3) | ((reg >> 3) << 2) | (baseReg >> 3);
        int low = baseReg & 7;
        int mod = disp == 0 && low != 5 ? 0 : disp is >= -128 and <= 127 ? 1 : 2;
        *p = (byte)(0x40 | rex);
        p += rex != 0 ? 1 : 0;
        *p++ = (byte)opcode;
        *p++ = (byte)((mod << 6) | ((reg & 7) << 3) | low);
        *p = 0x24;
        p += low == 4 ? 1 : 0;
        *(int*)p = disp;
        Next = p + mod + (mod & 2);
    }

    /// <summary>mov r32, r32 (zero-extends).</summary>
    public void Mov32(int dst, int src)
    {
        Rex(0, src, 0, dst);
        U8(0x89);
        U8(0xC0 | ((src & 7) << 3) | (dst & 7));
    }

    /// <summary>mov r64, r64.</summary>
    public void Mov64(int dst, int src)
    {
        Rex(1, src, 0, dst);
        U8(0x89);
        U8(0xC0 | ((src & 7) << 3) | (dst & 7));
    }

    /// <summary>mov r32, imm32.</summary>
    public void MovImm32(int dst, uint value)
    {
        Rex(0, 0, 0, dst);
        U8(0xB8 | (dst & 7));
        U32(value);
    }

    /// <summary>jmp rel32 to a position relative to the buffer's start; may lie outside of it.</summary>
    public void JmpTo(int position)
    {
        byte* p = Next;
        *p = 0xE9;
        *(int*)(p + 1) = position - (Position + 5);
        Next = p + 5;
    }

    /// <summary>jcc rel32 (<paramref name="condition"/> 0-15) to a position relative to the buffer's start.</summary>
    public void JccTo(int condition, int position)
    {
        byte* p = Next;
        *(ushort*)p = (ushort)(0x800F | (condition << 8));
        *(int*)(p + 2) = position - (Position + 6);
        Next = p + 6;
    }

    /// <summary>call rel32 to a position relative to the buffer's start.</summary>
    public void CallTo(int position)
    {
        byte* p = Next;
        *p = 0xE8;
        *(int*)(p + 1) = position - (Position + 5);
        Next = p + 5;
    }

    /// <summary>
    /// Pads with NOPs until a 4-byte field that starts <paramref name="lead"/> bytes ahead does not cross a 64-byte line: links are
    /// patched with one 4-byte store while other threads may execute them, and only a store within a line is seen whole.
    /// </summary>
    public void AlignPatch(int lead, int hostOffset)
    {
        while (((hostOffset + Position + lead) & 63) > 60)
        {
            U8(0x90);
        }
    }
}
