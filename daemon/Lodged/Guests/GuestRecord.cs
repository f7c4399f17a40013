using Lodge.Interop;
using Lodge.Protocol;

namespace Lodge.Service;

/// <summary>One registered program. Its pidfd, when it has one, is watched by the loop; it becomes readable at the process's end.</summary>
internal sealed class GuestRecord(GuestTable table, GuestEntry entry, byte[] program) : IReadiness
{
    /// <summary>The numbers, as they are told and saved.</summary>
    public GuestEntry Entry = entry;

    /// <summary>Path of the program, as bytes.</summary>
    public byte[] Program { get; } = program;

    /// <summary>Descriptor of the process, or -1: then it is polled.</summary>
    public int Pidfd { get; set; } = -1;

    /// <summary>Path of the program, printable.</summary>
    public string ProgramText => Printable.Text(Program);

    /// <inheritdoc/>
    public void OnReady(EpollBits bits) => table.Ended(this);
}
