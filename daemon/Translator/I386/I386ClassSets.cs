namespace Lodge.Translator.I386;

/// <summary>Sets of <see cref="I386Class"/>, one bit each: what the translator has to treat alike. The table's words are made with them, too.</summary>
public static class I386ClassSets
{
    /// <summary>Classes that leave to the dispatcher: nothing behind them belongs to the unit unless a branch goes there.</summary>
    public const ulong Dispatcher =
        (1ul << (int)I386Class.Invalid) | (1ul << (int)I386Class.Ud) | (1ul << (int)I386Class.IntImm) | (1ul << (int)I386Class.Int3) |
        (1ul << (int)I386Class.Int1) | (1ul << (int)I386Class.Into) | (1ul << (int)I386Class.Bound) | (1ul << (int)I386Class.CallFar) |
        (1ul << (int)I386Class.JmpFar) | (1ul << (int)I386Class.RetFar) | (1ul << (int)I386Class.Iret) | (1ul << (int)I386Class.Sysenter) |
        (1ul << (int)I386Class.Syscall) | (1ul << (int)I386Class.BcdAdjust) | (1ul << (int)I386Class.BcdAxImm) |
        (1ul << (int)I386Class.Salc) | (1ul << (int)I386Class.Arpl) | (1ul << (int)I386Class.PushSeg) | (1ul << (int)I386Class.PopSeg) |
        (1ul << (int)I386Class.MovFromSeg) | (1ul << (int)I386Class.MovToSeg) | (1ul << (int)I386Class.LoadFarPointer) |
        (1ul << (int)I386Class.Enter) | (1ul << (int)I386Class.Cpuid) | (1ul << (int)I386Class.Xgetbv) |
        (1ul << (int)I386Class.Descriptor) | (1ul << (int)I386Class.SystemTable) | (1ul << (int)I386Class.X87State);

    /// <summary>Classes that never reach the next instruction.</summary>
    public const ulong Final = Dispatcher | (1ul << (int)I386Class.JmpRel) | (1ul << (int)I386Class.JmpRM)
        | (1ul << (int)I386Class.Ret) | (1ul << (int)I386Class.RetImm);

    /// <summary>Classes with a direct target that a unit may hold.</summary>
    public const ulong Branch = (1ul << (int)I386Class.Jcc) | (1ul << (int)I386Class.Loop) | (1ul << (int)I386Class.Jecxz)
        | (1ul << (int)I386Class.JmpRel);

    /// <summary>Calls: what comes behind them belongs to the unit.</summary>
    public const ulong Call = (1ul << (int)I386Class.CallRel) | (1ul << (int)I386Class.CallRM);
}
