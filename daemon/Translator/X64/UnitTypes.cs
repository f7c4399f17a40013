using System.Runtime.InteropServices;

namespace Lodge.Translator.X64;

/// <summary>Why translated code returned to the dispatcher. Stored in the thread record by the exit stubs.</summary>
public enum ExitReason : uint
{
    /// <summary>A direct exit without translated target; the argument is its exit id.</summary>
    Link,
    /// <summary>An indirect transfer or return missed the target table; the argument is the guest address.</summary>
    Miss,
    /// <summary>INT 80h; EIP is behind the instruction.</summary>
    Syscall,
    /// <summary>An instruction that the dispatcher carries out; EIP is at the instruction.</summary>
    Emulate,
    /// <summary>A signal handler took the thread out of translated code; the precise frame comes from the side table.</summary>
    Interrupted,
    /// <summary>The entry stub saw a pending signal and did not enter.</summary>
    NotEntered,
    /// <summary>An x87 environment was stored by the instruction at EIP: the instruction pointer in it is to be made the guest's.</summary>
    X87State,
    /// <summary>A jump through a table met a target whose code was not known there; the argument is the table's shadow, EIP the target.</summary>
    JumpTable,
}

/// <summary>How the guest state is found when a thread is stopped between two host instructions.</summary>
public enum BoundaryKind : byte
{
    /// <summary>EIP is the entry's guest address, ESP is r15d plus the entry's delta. Nothing visible has been done yet for that instruction.</summary>
    Normal,
    /// <summary>The transfer is done: EIP is r8d, ESP is r15d.</summary>
    TargetInR8,
    /// <summary>As <see cref="TargetInR8"/>, with ECX parked in r9.</summary>
    TargetInR8RcxInR9,
    /// <summary>As <see cref="Normal"/>, with AL and AH (CL and CH, …) exchanged; <see cref="Boundary.Register"/> says which.</summary>
    SwappedBytes,
    /// <summary>As <see cref="Normal"/>, with EBP still in r8d.</summary>
    EbpInR8,
    /// <summary>As <see cref="Normal"/>, with one word of our own on the return stack.</summary>
    Pushed,
    /// <summary>On the way out: the exit stub will report the state itself; leave the thread alone.</summary>
    Leaving,
}

/// <summary>One entry of a unit's side table, valid from its host offset up to the next entry's.</summary>
[StructLayout(LayoutKind.Sequential, Size = 8)]
public struct Boundary
{
    /// <summary><see cref="Register"/> of a <see cref="BoundaryKind.Normal"/> entry that only those may pass who came through the instructions before.</summary>
    public const byte Sealed = 1;

    /// <summary>Host offset from the unit's first byte.</summary>
    public ushort HostOffset;
    /// <summary>Guest offset from the unit's first byte.</summary>
    public ushort GuestOffset;
    /// <summary>Guest ESP minus r15d.</summary>
    public short EspDelta;
    /// <summary>How to read the state.</summary>
    public BoundaryKind Kind;
    /// <summary>Register of <see cref="BoundaryKind.SwappedBytes"/>, 0-3.</summary>
    public byte Register;
}

/// <summary>Shape of a direct exit.</summary>
public enum UnitExitKind : byte
{
    /// <summary>jmp or jcc: the rel32 at the patch offset may be pointed at the target's code.</summary>
    Jump,
    /// <summary>call.</summary>
    Call,
}

/// <summary>A direct exit of a unit: where its rel32 is, where its cold stub is, where it goes.</summary>
public struct UnitExit
{
    /// <summary>Offset of the rel32 field from the unit's first host byte.</summary>
    public int PatchOffset;
    /// <summary>Offset of the cold stub that the rel32 points at while unlinked; far behind the unit where stubs have a buffer of their own.</summary>
    public int StubOffset;
    /// <summary>Guest address of the target.</summary>
    public uint Target;
    /// <summary>Jump or call.</summary>
    public UnitExitKind Kind;
}

/// <summary>A place inside a unit that other units may enter: a guest address with ESP delta 0.</summary>
public struct UnitEntry
{
    /// <summary>Guest address.</summary>
    public uint Address;
    /// <summary>Host offset from the unit's first byte.</summary>
    public int HostOffset;
}

/// <summary>
/// Offsets into the thread record and into the stub area that emitted code uses. Filled by the shim from its structures; tests and the
/// service may fill in any consistent set. The translator's output depends on it, so it is part of what a cached image is keyed by.
/// </summary>
public struct EmitLayout
{
    /// <summary>Offset of fs_base in the thread record.</summary>
    public int FsBase;
    /// <summary>Offset of the 64-bit value that is added to FS addresses.</summary>
    public int FsTrap;
    /// <summary>Offset of the 64-bit value that is added to GS addresses.</summary>
    public int GsTrap;
    /// <summary>Offset of gs_base in the thread record.</summary>
    public int GsBase;
    /// <summary>Offset of ds_base in the thread record.</summary>
    public int DsBase;
    /// <summary>Offset of es_base in the thread record.</summary>
    public int EsBase;
    /// <summary>Offset of ss_base in the thread record.</summary>
    public int SsBase;
    /// <summary>Offset of cs_base in the thread record.</summary>
    public int CsBase;
    /// <summary>Code cache offset of the stub that takes an exit id in r9d.</summary>
    public int LinkExit;
    /// <summary>Code cache offset of the indirect branch stub: target in r8d.</summary>
    public int IndirectJump;
    /// <summary>Code cache offset of the system call exit: EIP in r9d.</summary>
    public int SyscallExit;
    /// <summary>Code cache offset of the emulation exit: EIP in r9d.</summary>
    public int EmulateExit;
    /// <summary>Code cache offset of the exit behind an x87 state store: EIP of the store in r9d.</summary>
    public int X87Exit;
    /// <summary>True where the target table is not flat: indirect transfers go through the shared indirect branch, which knows its form.</summary>
    public bool NestedTargets;
}

/// <summary>
/// A program counter thunk that the program has already called: <c>mov r, [esp]; ret</c>. Position-independent code asks so for its own address.
/// </summary>
public struct ThunkRecord
{
    /// <summary>Guest address; 0 = free.</summary>
    public uint Address;
    /// <summary>Number of the register that it loads.</summary>
    public int Register;

    /// <summary>Slots of the table that a request names.</summary>
    public const int Slots = 512;

    /// <summary>Slot of a thunk: the compiler puts thunks 16 or 4 bytes apart.</summary>
    public static int SlotOf(uint address) => (int)(address >> 2) & (Slots - 1);
}

/// <summary>What to translate, and where the result will run.</summary>
public unsafe struct UnitRequest
{
    /// <summary>Guest address of the first instruction.</summary>
    public uint Pc;
    /// <summary>Host address minus guest address of the code bytes: 0 in a shim.</summary>
    public long GuestBase;
    /// <summary>First guest address behind <see cref="Pc"/> from which nothing may be fetched.</summary>
    public ulong FetchEnd;
    /// <summary>Most instructions a unit may have.</summary>
    public int MaxInstructions;
    /// <summary>Code cache offset of the unit's first byte (for the distances to stubs and line crossing).</summary>
    public int HostOffset;
    /// <summary>Code cache offset of the cold buffer's first byte, where there is one.</summary>
    public int ColdOffset;
    /// <summary>Exit id of the unit's first exit, and how far apart the ids of its exits are.</summary>
    public uint FirstExitId, ExitIdStep;
    /// <summary>True when data segments other than FS and GS have a base: every access adds it.</summary>
    public bool Segmented;
    /// <summary>True for pages that are written and executed by turns: the unit checks its own bytes on entry and ends behind every store.</summary>
    public bool Checked;
    /// <summary>One bit for each <see cref="I386.I386Feature"/> that the guest's CPU does not have: its instructions are #UD.</summary>
    public ulong HiddenFeatures;
    /// <summary>
    /// Where translations can be entered already: bit n for the address <see cref="Pc"/> + n, <see cref="KnownBytes"/> bits. The unit ends
    /// before the first one behind its own beginning. Null = none.
    /// </summary>
    public ulong* Known;
    /// <summary>Addresses that <see cref="Known"/> tells of.</summary>
    public const int KnownBytes = 512;
    /// <summary>
    /// Code cache offset of a table of 32-bit code cache offsets, one for each entry of the guest's jump table (guest address, entries), or
    /// 0 when there can be none: because the guest's may change, say. Null = never.
    /// </summary>
    public delegate*<void*, uint, int, int> JumpTable;
    /// <summary>First argument of <see cref="JumpTable"/>.</summary>
    public void* Context;
    /// <summary>Known thunks on other pages, <see cref="ThunkRecord.Slots"/> of them; null = none.</summary>
    public ThunkRecord* Thunks;
}

/// <summary>Result of a translation; arrays are the caller's.</summary>
public unsafe struct UnitResult
{
    /// <summary>Host code buffer.</summary>
    public CodeBuffer Code;
    /// <summary>Buffer for exit stubs, apart from the code; a null start puts them behind the code.</summary>
    public CodeBuffer Cold;
    /// <summary>Side table.</summary>
    public Boundary* Boundaries;
    /// <summary>Entries in the side table.</summary>
    public int BoundaryCount;
    /// <summary>Direct exits.</summary>
    public UnitExit* Exits;
    /// <summary>Number of direct exits.</summary>
    public int ExitCount;
    /// <summary>Inner entries (the first instruction is not among them).</summary>
    public UnitEntry* Entries;
    /// <summary>Number of inner entries.</summary>
    public int EntryCount;
    /// <summary>Host offsets of the `jne` of return landings, to be turned into jumps when the unit dies.</summary>
    public int* Landings;
    /// <summary>Number of landings.</summary>
    public int LandingCount;
    /// <summary>A thunk of another page whose register load was put into the unit, which is stale when the thunk changes; 0 = none.</summary>
    public uint Thunk;
    /// <summary>Guest address of a jump table whose entries' code offsets the unit uses, which is stale when the table changes; 0 = none.</summary>
    public uint Table;
    /// <summary>Bytes of the jump table.</summary>
    public uint TableLength;
    /// <summary>Guest bytes covered from the first instruction.</summary>
    public uint GuestLength;
    /// <summary>Instructions translated.</summary>
    public int Instructions;
}
