namespace Lodge.Shim;

/// <summary>The guest's memory in bytes, as the kernel counts a process (include/linux/mm.h is_data_mapping and its neighbours).</summary>
public struct MemoryFigures
{
    /// <summary>Everything mapped (total_vm).</summary>
    public ulong Total;
    /// <summary>Private and writable, not a stack (data_vm).</summary>
    public ulong Data;
    /// <summary>Stacks (stack_vm).</summary>
    public ulong Stack;
    /// <summary>Executable and not writable (exec_vm).</summary>
    public ulong Executable;
    /// <summary>The program's own text.</summary>
    public ulong Text;
}

/// <summary>The guest's own memory figures for /proc.</summary>
public static unsafe class ProcMemory
{
    /// <summary>Adds the mappings up. Takes the memory lock.</summary>
    public static void Measure(GuestThread* t, out MemoryFigures figures)
    {
        figures = default;
        Mm* mm = t->Mm;
        mm->Lock.Acquire(t);
        mm->SyncStackFor(0, uint.MaxValue);
        for (GuestMapping* mapping = mm->Map.FirstMapping(); mapping != null; mapping = mm->Map.Next(mapping))
        {
            uint length = mapping->Length;
            figures.Total += length;
            figures.Data += mapping->IsData ? length : 0;
            bool stack = (mapping->Flags & MappingFlags.GrowsDown) != 0;
            figures.Stack += stack ? length : 0;
            figures.Executable += !stack && (mapping->Flags & (MappingFlags.Exec | MappingFlags.Write)) == MappingFlags.Exec ? length : 0;
        }

        ulong text = ((mm->EndCode + 4095UL) & ~4095UL) - (mm->StartCode & ~4095UL);
        figures.Text = mm->StartCode < mm->EndCode ? text : 0;
        mm->Lock.Release(t);
    }
}
