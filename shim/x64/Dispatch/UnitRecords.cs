namespace Lodge.Shim;

/// <summary>
/// One translated unit. Lies in the record area, followed by its links, entries, landings and side table: what is written together lies
/// together, so that a translation in a forked child copies few pages. What few units need is apart (<see cref="UnitExtra"/>).
/// </summary>
public struct Unit
{
    /// <summary>Guest address of the first byte.</summary>
    public uint Pc;
    /// <summary>Code cache offset of the first host byte.</summary>
    public uint HostStart;
    /// <summary>Guest bytes covered, and host bytes without exit stubs.</summary>
    public ushort Length, HostLength;
    /// <summary>Bytes of the side table (<see cref="SideTable"/>).</summary>
    public ushort SideTableBytes;
    /// <summary>Numbers of the parts; its beginning is not among the entries.</summary>
    public byte LinkCount, EntryCount, LandingCount;
    /// <summary>Non-zero when the unit was invalidated: it is never entered again.</summary>
    public byte Dead;
    /// <summary>Non-zero when the unit is run one at a time after its source bytes were compared (a page written and executed by turns).</summary>
    public byte Checked;
    /// <summary>Non-zero when data segments had bases at translation.</summary>
    public byte Segmented;
    /// <summary>Non-zero when a jump table's shadow may lead into the unit.</summary>
    public byte InShadow;
    /// <summary>Code cache offset of the first exit's stub.</summary>
    public uint FirstStub;
    /// <summary>First exit (reference) that is linked to this unit; 0 = none.</summary>
    public uint Incoming;
    /// <summary>Next unit on the page of the first byte (see <see cref="CodePage"/>); 0 = none.</summary>
    public uint NextOnFirstPage;
    /// <summary>First further entry: a place inside, found when it was wanted; 0 = none.</summary>
    public uint FurtherEntries;
    /// <summary>Reference of a <see cref="UnitExtra"/>; 0 = none.</summary>
    public uint Extra;
}

/// <summary>What units need that reach into a second page, depend on other guest memory, or are checked.</summary>
public struct UnitExtra
{
    /// <summary>Next unit on the page of the last byte, where that is another than the first one's; 0 = none.</summary>
    public uint NextOnSecondPage;
    /// <summary>A thunk on another page that the unit contains the load of, and the next unit on that page; 0 = none.</summary>
    public uint Thunk, NextOnThunkPage;
    /// <summary>A jump table whose shadow the unit uses, its bytes, and the next unit on that page; 0 = none.</summary>
    public uint Table, TableLength, NextOnTablePage;
    /// <summary>Where the source bytes of a checked or single-instruction unit are kept.</summary>
    public uint Source;
}

/// <summary>A direct exit as installed. Its reference is the exit id in translated code.</summary>
public struct LinkRecord
{
    /// <summary>Guest target.</summary>
    public uint Target;
    /// <summary>Next exit linked to the same unit; 0 = last, <see cref="NotLinked"/> = not linked.</summary>
    public uint NextIncoming;
    /// <summary>Distance of the rel32 from the unit's first host byte.</summary>
    public ushort Patch;
    /// <summary>Number of the exit among its unit's in the lowest four bits; distance of its stub from the first one's above them.</summary>
    public ushort Place;

    /// <summary>Value of <see cref="NextIncoming"/> while the exit leads to its stub.</summary>
    public const uint NotLinked = uint.MaxValue;
}

/// <summary>A guest address inside a unit at which it can be entered.</summary>
public struct EntryRecord
{
    /// <summary>Distances from the unit's first bytes.</summary>
    public ushort GuestOffset, HostOffset;
    /// <summary>Unit that is entered.</summary>
    public uint Owner;
}

/// <summary>An entry that was found when it was wanted.</summary>
public struct FurtherEntry
{
    /// <summary>The entry.</summary>
    public EntryRecord Entry;
    /// <summary>Next one of the same unit; 0 = last.</summary>
    public uint Next;
}
